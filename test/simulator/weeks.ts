import { below, sample } from '../../src/base/random.ts'
import type { SimDisk } from './disk.ts'
import { between } from './fault.ts'
import { Ledger } from './ledger.ts'
import type { SimNode } from './sim-node.ts'
import { Simulation } from './simulation.ts'
import { usualWorkload, Workload } from './workload.ts'

const dayMs = 86_400_000
const retentionMs = 30 * dayMs
const hourMs = 3_600_000

export interface WeeksReport {
  readonly acknowledged: number
  /** Times that a disk was replaced by a backup of it that was at least a week old. */
  readonly restores: number
  /** Times that a node came back after longer than tombstones live. */
  readonly longReturns: number
  /** Simulated days that passed. */
  readonly days: number
}

/**
 * Months in the life of a mesh: some seconds of writes and partitions, then machines are switched off, and on again days or
 * weeks later, some after tombstones have expired, some with a backup of weeks ago in the place of their disk. Nothing deleted may come back, and nothing written may be lost.
 */
export function runWeeks(seed: number, nodes: number, rounds: number): WeeksReport {
  const replay = `npm run sim -- --seed ${seed} --nodes ${nodes} --weeks ${rounds}`
  const simulation = new Simulation({ seed, nodes, replay })
  const ledger = new Ledger(simulation)
  const offSinceDay = new Map<SimNode, number>()
  let days = 0
  let longReturns = 0
  const backups = new Backups(simulation, ledger)
  simulation.run(2_000)
  for (let round = 0; round < rounds; round++) {
    writeForAWhile(simulation, ledger)
    for (const node of sample(simulation.random, simulation.nodes, below(simulation.random, nodes))) {
      if (node.isUp && simulation.running.length > 1) {
        ledger.onCrash(node)
        simulation.crash(node)
        offSinceDay.set(node, days)
      } else if (!node.isUp) {
        simulation.start(node)
        if ((days - (offSinceDay.get(node) ?? days)) * dayMs > retentionMs) longReturns++
      }
    }
    backups.take(days)
    backups.restoreSome(days)
    simulation.run(10_000)
    const passing = below(simulation.random, 25)
    days += passing
    simulation.skip(passing * dayMs)
  }
  for (const node of simulation.nodes) if (!node.isUp) simulation.start(node)
  simulation.run(10_000)
  simulation.converge()
  ledger.checkVisible(simulation.node(0).now().wallMs - retentionMs + hourMs)
  return { acknowledged: ledger.counters.acknowledged, restores: backups.restores, longReturns, days }
}

/** Seconds of writes, in the middle of which some nodes hear only each other. */
function writeForAWhile(simulation: Simulation, ledger: Ledger): void {
  const workload = new Workload(simulation, ledger, { ...usualWorkload, keys: 30, deleteRate: 0.4 })
  simulation.run(between(simulation.random, 1_000, 4_000))
  const island = sample(simulation.random, simulation.running, below(simulation.random, simulation.running.length))
  const others = simulation.running.filter((node) => !island.includes(node))
  simulation.partition(island, others)
  simulation.run(between(simulation.random, 1_000, 12_000))
  workload.stop()
  if (below(simulation.random, 2) === 0) simulation.heal()
  simulation.run(between(simulation.random, 0, 3_000))
  simulation.heal()
}

/** Copies of disks, taken now and then, of which one takes the place of its disk now and then. */
class Backups {
  restores = 0
  readonly #simulation: Simulation
  readonly #ledger: Ledger
  readonly #taken: { readonly node: SimNode; readonly disk: SimDisk; readonly day: number }[] = []

  constructor(simulation: Simulation, ledger: Ledger) {
    this.#simulation = simulation
    this.#ledger = ledger
  }

  take(day: number): void {
    const { random, nodes } = this.#simulation
    for (const node of sample(random, nodes, 1)) this.#taken.push({ node, disk: node.disk.snapshot(), day })
  }

  /** Now and then a machine loses its disk, and comes up with a backup that is a week old or more. */
  restoreSome(day: number): void {
    const { random } = this.#simulation
    const old = this.#taken.filter((backup) => day - backup.day >= 7)
    const [backup] = sample(random, old, 1)
    if (backup === undefined || below(random, 3) > 0) return
    const { node, disk } = backup
    if (node.isUp) {
      this.#ledger.onCrash(node)
      this.#simulation.crash(node)
    }
    this.#ledger.beforeDiskLoss(node)
    node.disk = disk.snapshot()
    this.#simulation.start(node)
    this.restores++
  }
}
