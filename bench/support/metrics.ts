/** The unlabelled metrics of a node, by name. */
export async function metricsOf(url: string): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return new Map([...text.matchAll(/^([a-z_]+) (\S+)$/gm)].map(([, name, value]) => [String(name), Number(value)]))
}

/** The metric with this name. Throws when the node has none: a name that has changed must not read as 0. */
export function metric(metrics: ReadonlyMap<string, number>, name: string): number {
  const value = metrics.get(name)
  if (value === undefined) throw new Error(`the node has no metric ${name}`)
  return value
}
