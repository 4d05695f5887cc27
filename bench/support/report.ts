import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'

/** The machine, as every published number names it. */
export function machine(): string {
  return `${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}`
}

/** The p-th percentile (0-100) by nearest rank; NaN of nothing. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)] ?? Number.NaN
}

/** p50, p99 and max, to a tenth. */
export function spread(values: readonly number[]): { p50: number; p99: number; max: number } {
  return { p50: tenth(percentile(values, 50)), p99: tenth(percentile(values, 99)), max: tenth(Math.max(...values)) }
}

export function tenth(value: number): number {
  return Math.round(value * 10) / 10
}

/** Processes that want a processor, averaged over a minute, before a benchmark begins: tells a busy machine from a quiet one. */
export const loadBefore = tenth(loadavg()[0] ?? 0)

/** Prints the result and keeps it as `bench/results/NAME.json`, with the machine. */
export function publish(name: string, result: object): void {
  const whole = { ...result, machine: machine(), loadBefore, at: new Date().toISOString() }
  console.log(JSON.stringify(whole, null, 2))
  const folder = new URL('../results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(whole, null, 2)}\n`)
}
