import { FlagsError } from '../../src/base/errors.ts'
import { below, type Random, unit } from '../../src/base/random.ts'
import type { RegisterChange } from '../../src/crdt/register.ts'
import type { Ledger } from './ledger.ts'
import type { SimNode } from './sim-node.ts'
import type { Simulation } from './simulation.ts'

const encoder = new TextEncoder()

/** A register's value as text: the replica does not look inside. */
export function bytes(text: string): Uint8Array {
  return encoder.encode(text)
}

export interface WorkloadOptions {
  /** Different registers; a tenth of the writes go to three hot ones. */
  readonly keys: number
  /** Writes a simulated second, all nodes together. */
  readonly writesPerSecond: number
  /** Share of writes that delete. */
  readonly deleteRate: number
  /** Share of moments in which 100 writes come at once rather than one. */
  readonly burstRate: number
}

export const usualWorkload: WorkloadOptions = { keys: 60, writesPerSecond: 20, deleteRate: 0.2, burstRate: 0.002 }

/** Writes at random nodes until `stop`: flags of two registers, deletions and re-creations, hot keys, bursts, large values. */
export class Workload {
  readonly counters = { written: 0, deleted: 0, refused: 0 }
  readonly #simulation: Simulation
  readonly #ledger: Ledger
  readonly #options: WorkloadOptions
  readonly #random: Random
  #isStopped = false

  constructor(simulation: Simulation, ledger: Ledger, options: WorkloadOptions = usualWorkload) {
    this.#simulation = simulation
    this.#ledger = ledger
    this.#options = options
    this.#random = simulation.random
    this.#next()
  }

  stop(): void {
    this.#isStopped = true
  }

  #next(): void {
    const meanMs = 1_000 / this.#options.writesPerSecond
    this.#simulation.queue.after(-Math.log(1 - unit(this.#random)) * meanMs, () => {
      if (this.#isStopped) return
      const isBurst = unit(this.#random) < this.#options.burstRate
      for (let i = 0; i < (isBurst ? 100 : 1); i++) this.#write()
      this.#next()
    })
  }

  #write(): void {
    const running = this.#simulation.running.filter((node) => !node.isPaused)
    const node = running[below(this.#random, running.length)]
    if (node === undefined) return
    try {
      const isDeletion = unit(this.#random) < this.#options.deleteRate
      this.#ledger.write(node, this.#changes(isDeletion), unit(this.#random) < 0.1)
      this.counters[isDeletion ? 'deleted' : 'written']++
    } catch (error) {
      // A clock that is off, or a disk that is stuck: the writer is told, and nothing happened.
      if (!(error instanceof FlagsError)) throw error
      this.counters.refused++
    }
  }

  #changes(isDeletion: boolean): RegisterChange[] {
    const isHot = unit(this.#random) < 0.1
    const flag = below(this.#random, isHot ? 3 : this.#options.keys)
    const length = unit(this.#random) < 0.02 ? 5_000 : below(this.#random, 200)
    const value = isDeletion ? null : bytes(`${this.#random.uint32()}`.padEnd(length, 'x'))
    const both = unit(this.#random) < 0.5 || isDeletion
    return (both ? ['definition', 'switch'] : ['switch']).map((kind) => ({ key: `flag-${flag}|${kind}`, value }))
  }
}

/** One write at a node that must take it. */
export function put(node: SimNode, key: string, text: string | null): void {
  node.write([{ key, value: text === null ? null : bytes(text) }])
}
