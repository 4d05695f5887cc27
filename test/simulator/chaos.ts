import { below } from '../../src/base/random.ts'
import { type FaultName, Faults, faultNames } from './faults.ts'
import { Ledger } from './ledger.ts'
import { Simulation } from './simulation.ts'
import { usualWorkload, Workload, type WorkloadOptions } from './workload.ts'

export interface ChaosOptions {
  readonly seed: number
  readonly nodes: number
  /** Simulated time under faults. */
  readonly durationMs: number
  readonly faults?: readonly FaultName[]
  readonly workload?: WorkloadOptions
}

export interface ChaosReport {
  readonly struck: ReadonlyMap<FaultName, number>
  readonly acknowledged: number
  readonly refused: number
  readonly excused: number
  readonly conflicts: number
  /** Simulated milliseconds from the end of the faults until all roots were equal. */
  readonly convergedMs: number
}

/** How often the promises are checked while faults go on. */
const checkIntervalMs = 1_000

/**
 * Writes and faults together, all drawn from one seed; then no more faults, and the mesh must converge with all that was
 * acknowledged. Throws, with the command that replays it, when a promise is broken.
 */
export function runChaos({
  seed,
  nodes,
  durationMs,
  faults = faultNames,
  workload = usualWorkload,
}: ChaosOptions): ChaosReport {
  const replay = `npm run sim -- --seed ${seed} --nodes ${nodes} --minutes ${durationMs / 60_000}`
  const simulation = new Simulation({ seed, nodes, replay })
  const ledger = new Ledger(simulation)
  const writes = new Workload(simulation, ledger, workload)
  const struck = new Faults(simulation, ledger, faults)
  for (let elapsedMs = 0; elapsedMs < durationMs; elapsedMs += checkIntervalMs) {
    simulation.run(checkIntervalMs)
    ledger.checkDurable()
    const { running } = simulation
    const node = running[below(simulation.random, running.length)]
    if (node !== undefined) ledger.checkDigest(node)
  }
  writes.stop()
  struck.stop()
  const convergedMs = simulation.converge(120_000)
  ledger.checkDurable()
  ledger.checkVisible()
  return { struck: struck.struck, ...ledger.counters, convergedMs }
}
