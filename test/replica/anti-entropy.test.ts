import { expect, test } from 'vitest'
import { syncsServedMax } from '../../src/base/limits.ts'
import type { SimNode } from '../simulator/sim-node.ts'
import { Simulation } from '../simulator/simulation.ts'
import { bytes } from '../simulator/workload.ts'

/** Writes `count` registers at a node, a few hundred at a time, and waits for its disk. */
function fill(simulation: Simulation, node: SimNode, name: string, count: number, valueBytes = 100): void {
  for (let at = 0; at < count; at += 500) {
    const size = Math.min(500, count - at)
    node.write(
      Array.from({ length: size }, (_, i) => ({ key: `${name}-${at + i}`, value: bytes('x'.repeat(valueBytes)) })),
    )
    simulation.run(10)
  }
  simulation.run(100)
}

function counted(simulation: Simulation, name: string): number {
  return simulation.running.reduce((sum, node) => sum + (node.running.counters()[name] ?? 0), 0)
}

test('repair of k differences costs O(k + 256) bytes, whatever the size of the maps', () => {
  const cost = (registers: number, differences: number): number => {
    const simulation = new Simulation({ seed: registers + differences, nodes: 2 })
    const [a, b] = [simulation.node(0), simulation.node(1)]
    fill(simulation, a, 'shared', registers)
    simulation.converge()
    simulation.partition([a], [b])
    simulation.run(7_000)
    fill(simulation, a, 'new', differences)
    const before = simulation.network.counters.frameBytes
    simulation.heal()
    simulation.converge()
    return simulation.network.counters.frameBytes - before
  }
  const bytesOfRecord = 160
  // A session opens with 256 summaries of 17 bytes; each difference costs its record and the way down to it.
  const bound = (differences: number) => 3 * 256 * 17 + differences * (bytesOfRecord + 1_000)
  expect(cost(1_000, 20)).toBeLessThan(bound(20))
  expect(cost(20_000, 20)).toBeLessThan(bound(20))
  expect(cost(20_000, 1)).toBeLessThan(bound(1))
})

test.each([7, 8, 9])('a cold node has 10,000 flags within 2 s of its first contact, seed %i', (seed) => {
  const simulation = new Simulation({ seed, nodes: 3 })
  const [a, b, cold] = [simulation.node(0), simulation.node(1), simulation.node(2)]
  simulation.crash(cold)
  simulation.run(7_000)
  fill(simulation, a, 'flag', 30_000, 300)
  simulation.runUntil(() => a.running.root() === b.running.root(), 20_000)
  simulation.start(cold)
  simulation.runUntil(() => cold.running.peers().length > 0, 2_000)
  const tookMs = simulation.converge(10_000)
  expect(cold.running.size().values).toBe(30_000)
  expect(tookMs).toBeLessThan(2_000)
  // By one of its peers, and not by each of them.
  expect(cold.running.counters().sync_records_received).toBeLessThan(33_000)
})

test('an import is everywhere soon, without a gossip of each of its registers', () => {
  const simulation = new Simulation({ seed: 8, nodes: 16 })
  simulation.run(2_000)
  const node = simulation.node(0)
  node.write(Array.from({ length: 10_000 }, (_, i) => ({ key: `k${i}`, value: bytes('x'.repeat(100)) })))
  simulation.run(50)
  expect(simulation.converge(5_000)).toBeLessThan(3_000)
  expect(counted(simulation, 'rumors_sent')).toBeLessThan(1_000)
})

test('no node serves more than three sessions at once, and those turned away come back', () => {
  const simulation = new Simulation({ seed: 9, nodes: 12, hopMs: 40 })
  const [source, ...others] = simulation.nodes as [SimNode, ...SimNode[]]
  simulation.partition([source], ...others.map((node) => [node]))
  simulation.run(8_000)
  fill(simulation, source, 'k', 3_000)
  // Everyone sees the source, and nobody else.
  for (const node of others) {
    simulation.network.mend(node.address, source.address)
    simulation.network.mend(source.address, node.address)
  }
  simulation.membership.observe()
  const startedBefore = source.running.counters().syncs_served as number
  let servedMax = 0
  simulation.runUntil(() => {
    const counters = source.running.counters()
    const ended = (counters.syncs_completed as number) + (counters.syncs_timed_out as number)
    servedMax = Math.max(servedMax, (counters.syncs_served as number) + (counters.syncs_started as number) - ended)
    return simulation.isConverged()
  }, 60_000)
  expect(source.running.counters().syncs_refused).toBeGreaterThan(0)
  expect((source.running.counters().syncs_served as number) - startedBefore).toBeGreaterThan(syncsServedMax)
  // One more may be open by the source itself.
  expect(servedMax).toBeLessThanOrEqual(syncsServedMax + 1)
})

test('a bulk channel that breaks is given up after a while and tried again', () => {
  const simulation = new Simulation({ seed: 10, nodes: 4 })
  simulation.network.faults.bulkBreakRate = 0.3
  simulation.run(1_000)
  fill(simulation, simulation.node(0), 'k', 5_000)
  simulation.converge(120_000)
  expect(simulation.network.counters.framesBroken).toBeGreaterThan(0)
  expect(counted(simulation, 'syncs_timed_out')).toBeGreaterThan(0)
})

test('what does not fit a packet is announced and pulled', () => {
  const simulation = new Simulation({ seed: 11, nodes: 20 })
  simulation.run(2_000)
  simulation.node(0).write([{ key: 'large', value: bytes('x'.repeat(64 * 1024)) }])
  simulation.run(150)
  for (const node of simulation.nodes) expect(node.running.get('large')?.value?.length).toBe(64 * 1024)
  expect(counted(simulation, 'pulls_served')).toBeGreaterThanOrEqual(19)
})

test('a reader who knows of something newer has it fetched without waiting for the next probe', () => {
  const simulation = new Simulation({ seed: 12, nodes: 6 })
  simulation.run(3_000)
  const [writer, reader] = [simulation.node(0), simulation.node(5)]
  // The rumor does not reach the reader, and nobody else is asked to help.
  for (const node of simulation.nodes) simulation.network.cut(node.address, reader.address)
  writer.write([{ key: 'k', value: bytes('v') }])
  simulation.run(450)
  expect(reader.running.get('k')).toBeUndefined()
  simulation.network.mendAll()
  reader.running.requestSync(reader.now())
  simulation.run(100)
  expect(reader.running.get('k')?.value).toEqual(bytes('v'))
})

test('peers that agree exchange next to nothing', () => {
  const simulation = new Simulation({ seed: 13, nodes: 32 })
  fill(simulation, simulation.node(0), 'k', 2_000)
  simulation.converge()
  simulation.run(5_000)
  const { packetBytes, frameBytes } = simulation.network.counters
  simulation.run(60_000)
  const bytesPerSecond =
    (simulation.network.counters.packetBytes + simulation.network.counters.frameBytes - packetBytes - frameBytes) / 60
  expect(bytesPerSecond / 32).toBeLessThan(500)
})
