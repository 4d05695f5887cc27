import { below, type Random, unit } from '../../src/base/random.ts'
import type { SimDisk } from './disk.ts'
import type { Ledger } from './ledger.ts'
import type { SimNode } from './sim-node.ts'
import type { Simulation } from './simulation.ts'

/** What a fault works on. */
export interface FaultWorld {
  readonly simulation: Simulation
  readonly ledger: Ledger
  readonly random: Random
  /** Nodes at the beginning of the run. */
  readonly startedWith: number
  /** Copies of disks as they were, by the node they were taken from. */
  readonly backups: Map<SimNode, SimDisk>
  /** Does something after a while, drawn between the two, unless the faults are over by then. */
  later(msMin: number, msMax: number, run: () => void): void
}

/** Strikes; returns false when there was nothing to strike. */
export type Fault = (world: FaultWorld) => boolean

export function between(random: Random, min: number, max: number): number {
  return min + unit(random) * (max - min)
}

export function pickRunning({ simulation, random }: FaultWorld): SimNode | undefined {
  const running = simulation.running.filter((node) => !node.isPaused)
  return running[below(random, running.length)]
}
