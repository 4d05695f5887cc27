export type Metrics = ReadonlyMap<string, number>

/** The metrics of a node that have no labels, by name. */
export async function metricsOf(url: string, signal?: AbortSignal): Promise<Metrics> {
  const text = await (await fetch(`${url}/metrics`, { signal: signal ?? null })).text()
  return new Map(Array.from(text.matchAll(/^(\w+) (\S+)$/gm), ([, name, value]) => [String(name), Number(value)]))
}

/** The metric with this name. Throws when the node has none: a name that has changed must not read as 0. */
export function sampleOf(metrics: Metrics, name: string): number {
  const value = metrics.get(name)
  if (value === undefined) throw new Error(`the node has no metric ${name}`)
  return value
}
