import { below, sample } from '../../src/base/random.ts'
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
  /** Times that a node came back after longer than tombstones live. */
  readonly longReturns: number
  /** Simulated days that passed. */
  readonly days: number
}

/**
 * Months in the life of a mesh: some seconds of writes and partitions, then machines are switched off, and on again days or
 * weeks later, some after tombstones have expired. Nothing deleted may come back, and nothing written may be lost.
 */
export function runWeeks(seed: number, nodes: number, rounds: number): WeeksReport {
  const replay = `npm run sim -- --seed ${seed} --nodes ${nodes} --weeks ${rounds}`
  const simulation = new Simulation({ seed, nodes, replay })
  const ledger = new Ledger(simulation)
  const offSinceDay = new Map<SimNode, number>()
  let days = 0
  let longReturns = 0
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
    simulation.run(10_000)
    const passing = below(simulation.random, 25)
    days += passing
    simulation.skip(passing * dayMs)
  }
  for (const node of simulation.nodes) if (!node.isUp) simulation.start(node)
  simulation.run(10_000)
  simulation.converge()
  ledger.checkVisible(simulation.node(0).now().wallMs - retentionMs + hourMs)
  return { acknowledged: ledger.counters.acknowledged, longReturns, days }
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
