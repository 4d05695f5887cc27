import fc from 'fast-check'
import { expect, test } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import type { RegisterRecord } from '../../src/crdt/register.ts'
import { noStamp, type Stamp } from '../../src/crdt/stamp.ts'
import type { Effects } from '../../src/replica/ports.ts'
import { createReplica } from '../../src/replica/replica.ts'
import type { SimNode } from '../simulator/sim-node.ts'
import { Simulation } from '../simulator/simulation.ts'
import { bytes, put } from '../simulator/workload.ts'

const entriesMax = 20
const hourMs = 3_600_000

const nothing = () => {}
const noEffects: Effects = {
  sendPacket: nothing,
  sendBulk: nothing,
  setTimer: nothing,
  append: nothing,
  forget: nothing,
  emit: nothing,
}

/** Entries of few moments, so that many share a stamp, as those of an import do; some are written twice, as none of ours are. */
const entries = fc.array(
  fc.record({ key: fc.integer({ min: 0, max: 40 }), moment: fc.integer({ min: 1, max: 12 }) }).map(
    ({ key, moment }): RegisterRecord => ({
      key: `log|${key}`,
      stamp: moment.toString(16).padStart(32, '0') as Stamp,
      seen: noStamp,
      value: bytes(`${key}`),
    }),
  ),
  { maxLength: 80 },
)

test('the newest entries are kept, whatever the order and the grouping in which they came', () => {
  fc.assert(
    fc.property(entries, fc.integer({ min: 1, max: 12 }), fc.nat(), (records, most, cut) => {
      const expected = newest(records, most)
      expect(kept(records, most)).toEqual(expected)
      expect(kept([...records].reverse(), most)).toEqual(expected)
      const middle = cut % (records.length + 1)
      const parts = [...kept(records.slice(middle), most), ...kept(records.slice(0, middle), most)]
      expect(kept(parts, most)).toEqual(expected)
    }),
    { numRuns: 500 },
  )
})

test('the log keeps as many entries as it may, the same on all nodes, after partitions, losses and restarts', () => {
  const simulation = new Simulation({ seed: 11, nodes: 5, node: { logEntriesMax: entriesMax } })
  Object.assign(simulation.network.faults, { lossRate: 0.2, repeatRate: 0.1, delayRate: 0.2, delayMsMax: 300 })
  simulation.run(2_000)
  put(simulation.node(0), 'default|f|definition', 'no entry')
  const [a, b, c, d, e] = simulation.nodes as [SimNode, SimNode, SimNode, SimNode, SimNode]
  simulation.partition([a, b], [c, d, e])
  simulation.run(1_000)
  // One side fills its log twice over with entries that are older than all of the other's.
  log(simulation, [a, b], 'early', 2 * entriesMax)
  log(simulation, [c, d, e], 'late', entriesMax - 5)
  simulation.crash(e)
  simulation.run(1_000)
  expect(simulation.isConverged()).toBe(false)
  expect(logOf(a)).toHaveLength(entriesMax)
  expect(logOf(c)).toHaveLength(entriesMax - 5)

  simulation.heal()
  simulation.start(e)
  simulation.converge()
  const expected = [
    ...Array.from({ length: 5 }, (_, i) => `log|early-${2 * entriesMax - 5 + i}`),
    ...Array.from({ length: entriesMax - 5 }, (_, i) => `log|late-${i}`),
  ].sort()
  for (const node of simulation.nodes) expect(logOf(node)).toEqual(expected)
  expect(simulation.network.counters.lost).toBeGreaterThan(20)
  expect(simulation.network.counters.cut).toBeGreaterThan(0)
})

test('an entry that was cut off does not come and go: nodes that agree give each other nothing', () => {
  const simulation = new Simulation({ seed: 12, nodes: 3, node: { logEntriesMax: entriesMax } })
  simulation.run(2_000)
  log(simulation, simulation.nodes, 'entry', 3 * entriesMax)
  simulation.run(40_000)
  simulation.converge()
  const received = () => simulation.nodes.map((node) => node.running.counters().sync_records_received)
  const before = received()
  simulation.run(120_000)
  expect(received()).toEqual(before)
  for (const node of simulation.nodes) expect(logOf(node)).toHaveLength(entriesMax)
})

test('what was cut off leaves the disks with the next full hour, and does not come back with a restart before it', () => {
  const simulation = new Simulation({ seed: 13, nodes: 2, node: { logEntriesMax: entriesMax } })
  const [a, b] = simulation.nodes as [SimNode, SimNode]
  simulation.run(2_000)
  log(simulation, [a, b], 'entry', 2 * entriesMax)
  simulation.run(1_000)
  expect(a.disk.durable().size).toBeGreaterThan(entriesMax)
  simulation.crash(a)
  simulation.start(a)
  simulation.converge()
  expect(logOf(a)).toHaveLength(entriesMax)
  simulation.run(hourMs)
  for (const node of [a, b]) expect([...node.disk.durable().keys()].sort()).toEqual(logOf(node))
})

/** Writes entries, each at another node and moment. */
function log(simulation: Simulation, nodes: readonly SimNode[], name: string, count: number): void {
  for (let i = 0; i < count; i++) {
    put(nodes[i % nodes.length] as SimNode, `log|${name}-${i}`, 'entry')
    simulation.run(20)
  }
}

function logOf(node: SimNode): string[] {
  const keys = Array.from(node.running.records(), ({ key }) => key)
  return keys.filter((key) => key.startsWith('log|')).sort()
}

/** What a node keeps that finds these on its disk. */
function kept(records: readonly RegisterRecord[], logEntriesMax: number): RegisterRecord[] {
  const random = seededRandom(1)
  const replica = createReplica({ self: '10.0.0.1:7946', id: '00', random, effects: noEffects, logEntriesMax })
  replica.start({ monotonicMs: 0, wallMs: 0 }, { records, notes: { issued: noStamp, lastContactWallMs: 0 } })
  return [...replica.records()].sort(byAge)
}

/** The same, said plainly. */
function newest(records: readonly RegisterRecord[], most: number): RegisterRecord[] {
  const winners = new Map<string, RegisterRecord>()
  for (const record of records) {
    const held = winners.get(record.key)
    if (held === undefined || held.stamp < record.stamp) winners.set(record.key, record)
  }
  return [...winners.values()].sort(byAge).slice(-most)
}

function byAge(a: RegisterRecord, b: RegisterRecord): number {
  return `${a.stamp} ${a.key}` < `${b.stamp} ${b.key}` ? -1 : 1
}
