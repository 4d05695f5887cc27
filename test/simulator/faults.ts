import { below } from '../../src/base/random.ts'
import { between, type Fault, type FaultWorld } from './fault.ts'
import type { Ledger } from './ledger.ts'
import { machineFaults } from './machine-faults.ts'
import { memberFaults } from './member-faults.ts'
import { networkFaults } from './network-faults.ts'
import type { Simulation } from './simulation.ts'

const catalogue = { ...networkFaults, ...machineFaults, ...memberFaults }

export type FaultName = keyof typeof catalogue
export const faultNames = Object.keys(catalogue) as FaultName[]

/** Draws faults from the seed, one every second or two, and ends each after a while. */
export class Faults {
  /** How often each has struck: a test of a fault asserts that it happened. */
  readonly struck = new Map<FaultName, number>()
  readonly #world: FaultWorld
  readonly #names: readonly FaultName[]
  #isOver = false

  constructor(simulation: Simulation, ledger: Ledger, names: readonly FaultName[] = faultNames) {
    this.#names = names
    this.#world = {
      simulation,
      ledger,
      random: simulation.random,
      startedWith: simulation.nodes.length,
      backups: new Map(),
      later: (msMin, msMax, run) => {
        simulation.queue.after(between(simulation.random, msMin, msMax), () => {
          if (!this.#isOver) run()
        })
      },
    }
    this.#world.later(1_000, 5_000, () => {
      for (const node of simulation.nodes) this.#world.backups.set(node, node.disk.snapshot())
    })
    this.#next()
  }

  /** No more faults: the network, the disks, the clocks and the machines are as they should be. */
  stop(): void {
    this.#isOver = true
    const { simulation } = this.#world
    const { network, nodes, queue } = simulation
    Object.assign(network.faults, { lossRate: 0, repeatRate: 0, delayRate: 0, corruptRate: 0, bulkBreakRate: 0 })
    network.versions.clear()
    for (const node of nodes) {
      Object.assign(node.disk.faults, { syncErrorRate: 0, isFull: false })
      node.clock.correct(queue.nowMs)
      node.resume()
      if (!node.isUp) simulation.start(node)
    }
    simulation.heal()
  }

  #next(): void {
    this.#world.later(100, 1_500, () => {
      const name = this.#names[below(this.#world.random, this.#names.length)] as FaultName
      const fault: Fault = catalogue[name]
      if (fault(this.#world)) this.struck.set(name, (this.struck.get(name) ?? 0) + 1)
      this.#next()
    })
  }
}
