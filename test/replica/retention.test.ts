import { expect, test } from 'vitest'
import type { SimNode } from '../simulator/sim-node.ts'
import { Simulation } from '../simulator/simulation.ts'
import { bytes, put } from '../simulator/workload.ts'

const dayMs = 86_400_000

/** Three nodes that have been a mesh before: each was restarted once. */
function trio(seed: number): { simulation: Simulation; nodes: [SimNode, SimNode, SimNode] } {
  const simulation = new Simulation({ seed, nodes: 3 })
  for (const node of simulation.nodes) {
    simulation.run(10_000)
    simulation.crash(node)
    simulation.start(node)
  }
  simulation.run(10_000)
  return { simulation, nodes: [simulation.node(0), simulation.node(1), simulation.node(2)] }
}

function text(node: SimNode, key: string): string | null | undefined {
  const record = node.running.get(key)
  return record?.value ? new TextDecoder().decode(record.value) : record?.value === null ? null : undefined
}

test('tombstones are dropped everywhere after 30 days, from the disks too, and roots stay equal', () => {
  const { simulation, nodes } = trio(1)
  put(nodes[0], 'kept', 'v')
  put(nodes[0], 'gone', 'v')
  simulation.run(1_000)
  put(nodes[1], 'gone', null)
  simulation.run(1_000)
  simulation.skip(29 * dayMs)
  for (const node of nodes) expect(node.running.size()).toEqual({ values: 1, tombstones: 1 })
  simulation.skip(2 * dayMs)
  simulation.converge()
  for (const node of nodes) {
    expect(node.running.size()).toEqual({ values: 1, tombstones: 0 })
    expect([...node.disk.durable().keys()]).toEqual(['kept'])
  }
})

test('a node that was away for longer than tombstones live brings nothing deleted back, and keeps what it wrote alone', () => {
  const { simulation, nodes } = trio(2)
  const [a, b, absent] = nodes
  for (const key of ['deleted', 'recreated', 'kept', 'edited']) put(a, key, 'old')
  simulation.run(10_000)
  simulation.partition([a, b], [absent])
  simulation.run(10_000)
  put(absent, 'alone', 'written alone')
  put(absent, 'edited', 'edited alone')
  simulation.run(1_000)
  simulation.crash(absent)
  put(b, 'deleted', null)
  put(b, 'recreated', null)
  simulation.run(1_000)
  simulation.skip(35 * dayMs)
  put(a, 'recreated', 'new')
  simulation.run(1_000)
  expect(a.running.get('deleted')).toBeUndefined()
  simulation.heal()
  simulation.start(absent)
  simulation.run(1_000)
  simulation.converge()
  for (const node of nodes) {
    expect(text(node, 'deleted')).toBeUndefined()
    expect(text(node, 'recreated')).toBe('new')
    expect(text(node, 'kept')).toBe('old')
    expect(text(node, 'alone')).toBe('written alone')
    expect(text(node, 'edited')).toBe('edited alone')
  }
  expect(absent.disk.durable().has('deleted')).toBe(false)
})

test('a node that was away for less has what it missed, deletions included', () => {
  const { simulation, nodes } = trio(3)
  const [a, b, away] = nodes
  put(a, 'k', 'v')
  simulation.run(10_000)
  simulation.crash(away)
  put(b, 'k', null)
  simulation.skip(25 * dayMs)
  simulation.start(away)
  simulation.converge()
  expect(text(away, 'k')).toBeNull()
})

test('when all were off for longer than tombstones live, nothing acknowledged is lost and nothing deleted is back', () => {
  const { simulation, nodes } = trio(4)
  const [a, b, c] = nodes
  put(a, 'k', 'v')
  put(a, 'deleted', 'v')
  simulation.run(10_000)
  simulation.crash(c)
  put(b, 'deleted', null)
  simulation.run(1_000)
  put(a, 'last', 'written at the end')
  simulation.run(20)
  for (const node of [a, b]) simulation.crash(node)
  simulation.skip(40 * dayMs)
  for (const node of nodes) simulation.start(node)
  simulation.run(2_000)
  simulation.converge()
  for (const node of nodes) {
    expect(text(node, 'k')).toBe('v')
    expect(text(node, 'last')).toBe('written at the end')
    expect(node.running.get('deleted')?.value ?? null).toBeNull()
  }
})

test('a machine that wakes up with the time it was switched off at still notices how long it was away', () => {
  const { simulation, nodes } = trio(5)
  const [a, b, absent] = nodes
  put(a, 'k', 'v')
  simulation.run(10_000)
  simulation.crash(absent)
  put(b, 'k', null)
  simulation.skip(40 * dayMs)
  absent.clock.step(-40 * dayMs)
  simulation.start(absent)
  simulation.run(1_000)
  simulation.converge()
  for (const node of nodes) expect(text(node, 'k')).toBeUndefined()
})

test('a node that comes back with its clock a year ahead loses nothing that only it holds', () => {
  const { simulation, nodes } = trio(6)
  const [a, b, alone] = nodes
  simulation.partition([a, b], [alone])
  simulation.run(10_000)
  put(alone, 'k', 'only here')
  simulation.run(1_000)
  simulation.crash(alone)
  alone.clock.step(365 * dayMs)
  simulation.heal()
  simulation.start(alone)
  simulation.run(1_000)
  simulation.converge()
  for (const node of nodes) expect(text(node, 'k')).toBe('only here')
})

test('a deletion by a node whose clock is years behind deletes', () => {
  const { simulation, nodes } = trio(7)
  const [a, b, behind] = nodes
  put(a, 'k', 'v')
  simulation.skip(60 * dayMs)
  simulation.partition([a, b], [behind])
  simulation.run(10_000)
  behind.clock.step(-1_000 * dayMs)
  put(behind, 'k', null)
  simulation.run(1_000)
  simulation.heal()
  simulation.run(10_000)
  for (const node of nodes) expect(node.running.get('k')?.value ?? null).toBeNull()
  behind.clock.step(1_000 * dayMs)
  simulation.skip(0)
  simulation.converge()
  for (const node of nodes) expect(node.running.get('k')).toBeUndefined()
})

test('entries of the log live for 90 days on all nodes, and then are gone from all', () => {
  const { simulation, nodes } = trio(8)
  put(nodes[0], 'log|1', 'entry')
  simulation.run(1_000)
  simulation.skip(89 * dayMs)
  put(nodes[0], 'log|2', 'entry')
  simulation.run(1_000)
  for (const node of nodes) expect(text(node, 'log|1')).toBe('entry')
  simulation.skip(2 * dayMs)
  simulation.converge()
  for (const node of nodes) {
    expect(text(node, 'log|1')).toBeUndefined()
    expect(node.running.get('log|2')?.value).toEqual(bytes('entry'))
  }
})
