import { expect, test } from 'vitest'
import { Simulation } from '../simulator/simulation.ts'
import { bytes } from '../simulator/workload.ts'

function acknowledgers(simulation: Simulation): Map<string, string[]> {
  const by = new Map<string, string[]>()
  simulation.onEvent((_, event) => {
    if (event.type === 'acknowledged') by.set(event.stamp, [...(by.get(event.stamp) ?? []), event.by])
  })
  return by
}

test('a writer who asks hears once from every peer that has the write on its disk', () => {
  const simulation = new Simulation({ seed: 1, nodes: 8 })
  const by = acknowledgers(simulation)
  simulation.run(2_000)
  const { stamp } = simulation.node(0).write(
    [
      { key: 'a', value: bytes('1') },
      { key: 'b', value: null },
    ],
    true,
  )
  simulation.run(100)
  const others = simulation.nodes.slice(1).map((node) => node.address)
  expect(by.get(stamp)?.sort()).toEqual(others.sort())
})

test('a writer who does not ask costs nobody an answer', () => {
  const simulation = new Simulation({ seed: 2, nodes: 8 })
  const by = acknowledgers(simulation)
  simulation.run(2_000)
  simulation.node(0).write([{ key: 'a', value: bytes('1') }])
  simulation.run(5_000)
  expect(by.size).toBe(0)
  for (const node of simulation.nodes) expect(node.running.counters().acks_sent).toBe(0)
})

test('a peer whose disk fails does not acknowledge before it has stored the write after all', () => {
  const simulation = new Simulation({ seed: 3, nodes: 3 })
  const by = acknowledgers(simulation)
  simulation.run(2_000)
  const failing = simulation.node(2)
  failing.disk.faults.isFull = true
  const { stamp } = simulation.node(0).write([{ key: 'a', value: bytes('1') }], true)
  simulation.run(3_000)
  expect(failing.running.get('a')?.stamp).toBe(stamp)
  expect(failing.disk.counters.syncErrors).toBeGreaterThan(0)
  expect(by.get(stamp)).toEqual([simulation.node(1).address])
  failing.disk.faults.isFull = false
  simulation.run(5_000)
  expect(by.get(stamp)).toHaveLength(2)
})

test('a peer that holds a newer write of the register acknowledges the older one', () => {
  const simulation = new Simulation({ seed: 4, nodes: 2 })
  const by = acknowledgers(simulation)
  simulation.run(1_000)
  const [older, newer] = [simulation.node(0), simulation.node(1)]
  newer.clock.step(100)
  newer.syncMs = 1
  newer.write([{ key: 'a', value: bytes('newer') }])
  const { stamp } = older.write([{ key: 'a', value: bytes('older') }], true)
  simulation.run(2_000)
  expect(older.running.get('a')?.value).toEqual(bytes('newer'))
  expect(by.get(stamp)).toEqual([newer.address])
})

test('a write too large for gossip is acknowledged when the peers have fetched it', () => {
  const simulation = new Simulation({ seed: 5, nodes: 4 })
  const by = acknowledgers(simulation)
  simulation.run(2_000)
  const changes = Array.from({ length: 1_000 }, (_, i) => ({ key: `k${i}`, value: bytes('x'.repeat(300)) }))
  const { stamp } = simulation.node(0).write(changes, true)
  simulation.run(5_000)
  expect(by.get(stamp)).toHaveLength(3)
})

test('acknowledgements survive the loss of a third of all packets', () => {
  const simulation = new Simulation({ seed: 6, nodes: 6 })
  const by = acknowledgers(simulation)
  simulation.run(1_000)
  simulation.network.faults.lossRate = 0.33
  const stamps = Array.from({ length: 20 }, (_, i) => {
    const { stamp } = simulation.node(i % 6).write([{ key: `k${i}`, value: bytes('x') }], true)
    simulation.run(50)
    return stamp
  })
  simulation.run(30_000)
  expect(simulation.network.counters.lost).toBeGreaterThan(100)
  for (const stamp of stamps) expect(by.get(stamp)).toHaveLength(5)
})
