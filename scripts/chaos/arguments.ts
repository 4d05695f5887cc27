import { parseArgs } from 'node:util'
import { type Fault, faults } from './faults.ts'

export const usage = `Usage: npm run chaos -- [--nodes 10] [--minutes 5] [--seed N] [--faults a,b] [--out FILE]

Runs a mesh of real processes under faults drawn from a seed, with evaluations and writes at every node throughout, and prints the
damage that each kind of fault did. Exits with 1 if an acknowledged write was lost, an evaluation failed on a node that
was not struck itself, the nodes did not agree again, or a fault did not bite.

  --nodes N       2-32 nodes (10)
  --minutes M     how long to go on; every kind strikes at least once (5)
  --seed N        what to draw the faults from (the time)
  --faults a,b    only these kinds: ${faults.map(({ key }) => key).join(', ')}
  --out FILE      where the results go as JSON (bench/results/chaos.json)

As root on Linux, with iproute2 and nftables, each node gets a network namespace of its own on a bridge. Without, the nodes share
loopback, and the faults of the network are skipped.
`

export interface ChaosOptions {
  readonly nodes: number
  readonly minutes: number
  readonly seed: number
  readonly faults: readonly Fault[]
  readonly out: string | null
}

/** Understands the command line; null when it asks for help. Throws a RangeError or parseArgs's TypeError. */
export function parseOptions(argv: readonly string[], defaultSeed: number): ChaosOptions | null {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args: [...argv],
    options: { nodes: text, minutes: text, seed: text, faults: text, out: text, help: { type: 'boolean', short: 'h' } },
  })
  if (values.help) return null
  const nodes = inRange('--nodes', values.nodes ?? '10', 2, 32)
  const minutes = inRange('--minutes', values.minutes ?? '5', 0, 24 * 60)
  const seed = inRange('--seed', values.seed ?? String(defaultSeed), 0, 0xffff_ffff)
  if (!Number.isInteger(nodes) || !Number.isInteger(seed)) throw new RangeError('--nodes and --seed are whole numbers.')
  return { nodes, minutes, seed, faults: chosen(values.faults), out: values.out ?? null }
}

function inRange(name: string, text: string, min: number, max: number): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (value >= min && value <= max) return value
  throw new RangeError(`${name} must be a number from ${min} to ${max}, not '${text}'.`)
}

function chosen(list: string | undefined): readonly Fault[] {
  if (list === undefined) return faults
  return list.split(',').map((key) => {
    const fault = faults.find((known) => known.key === key)
    if (fault === undefined) throw new RangeError(`There is no fault '${key}'; see --help.`)
    return fault
  })
}
