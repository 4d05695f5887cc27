import { expect, test } from 'vitest'
import { FlagsError } from '../../src/base/errors.ts'
import { pendingWritesMax } from '../../src/base/limits.ts'
import { makeStamp, noStamp, wallMsOf } from '../../src/crdt/stamp.ts'
import { bytes } from '../simulator/workload.ts'
import { BenchReplica } from './bench-replica.ts'
import { packetOf } from './messages.ts'

const peers = ['10.0.0.2:7946', '10.0.0.3:7946', '10.0.0.4:7946']

test('a write is neither visible nor told to anyone before it is on the disk', () => {
  const bench = new BenchReplica()
  bench.up(...peers)
  const root = bench.replica.root()
  const ticket = bench.write({ key: 'k', value: bytes('v') })
  bench.pass(500)
  expect(bench.replica.get('k')).toBeUndefined()
  expect(bench.replica.root()).toBe(root)
  expect(bench.packets.flatMap(({ message }) => message.rumors)).toEqual([])
  bench.appended(1)
  expect(bench.replica.get('k')?.value).toEqual(bytes('v'))
  expect(bench.eventsOf('written')).toEqual([{ type: 'written', id: ticket.id, stamp: ticket.stamp }])
  expect(bench.packets.flatMap(({ message }) => message.rumors)).toHaveLength(peers.length)
})

test('a write that the disk refuses leaves nothing behind, and the next one goes through', () => {
  const bench = new BenchReplica()
  const first = bench.write({ key: 'k', value: bytes('lost') })
  const second = bench.write({ key: 'k', value: bytes('kept') })
  bench.appended(1, 'disk full')
  expect(bench.eventsOf('refused')).toEqual([{ type: 'refused', id: first.id, reason: 'disk full' }])
  expect(bench.replica.get('k')).toBeUndefined()
  bench.appended(1)
  expect(bench.replica.get('k')?.stamp).toBe(second.stamp)
})

test('a write over one that is still under way has seen it', () => {
  const bench = new BenchReplica()
  const first = bench.write({ key: 'k', value: bytes('1') })
  const second = bench.write({ key: 'k', value: bytes('2') })
  expect(second.stamp > first.stamp).toBe(true)
  expect(bench.appends[0]?.records[0]?.seen).toBe(noStamp)
  expect(bench.appends[1]?.records[0]?.seen).toBe(first.stamp)
  bench.appended(2)
  expect(bench.eventsOf('conflict')).toEqual([])
})

test('all registers of a write carry one stamp', () => {
  const bench = new BenchReplica()
  const { stamp } = bench.write({ key: 'a', value: bytes('1') }, { key: 'b', value: null })
  expect(bench.appends[0]?.records.map((record) => record.stamp)).toEqual([stamp, stamp])
})

test('the disk gets the records of a register in the order of their stamps, whichever way they come', () => {
  const bench = new BenchReplica()
  const wallMs = bench.now().wallMs
  const remote = (at: number) => ({
    record: { key: 'k', stamp: makeStamp(at, 0, 'f'.repeat(16)), seen: noStamp, value: bytes(`${at}`) },
    ask: null,
  })
  bench.replica.onPacket(bench.now(), peers[0] as string, packetOf(bench.now(), { rumors: [remote(wallMs - 5)] }))
  bench.write({ key: 'k', value: bytes('local') })
  bench.replica.onPacket(bench.now(), peers[0] as string, packetOf(bench.now(), { rumors: [remote(wallMs - 3)] }))
  bench.pass(300)
  bench.appended(2)
  bench.replica.onPacket(bench.now(), peers[0] as string, packetOf(bench.now(), { rumors: [remote(wallMs + 50)] }))
  bench.pass(2_000)
  const written = bench.appends.flatMap(({ records }) => records.map((record) => record.stamp))
  expect(written).toEqual([...written].sort())
  expect(written.length).toBeGreaterThanOrEqual(2)
  expect(bench.replica.get('k')?.value).toEqual(bytes(`${wallMs + 50}`))
})

test('stamps go on growing after a restart with the clock set back by a day', () => {
  const before = new BenchReplica()
  const { stamp } = before.write({ key: 'k', value: bytes('1') })
  const notes = before.appends[0]?.notes
  const after = new BenchReplica({
    recovered: { records: [], notes: notes ?? { issued: noStamp, lastContactWallMs: 0 } },
  })
  after.wallMs -= 86_400_000
  expect(after.write({ key: 'other', value: bytes('2') }).stamp > stamp).toBe(true)
})

test('a node whose clock is off against half of its peers refuses writes, says so, and trusts itself again when it is set right', () => {
  const bench = new BenchReplica()
  bench.up(...peers)
  for (const peer of peers.slice(0, 2)) {
    bench.replica.onPacket(bench.now(), peer, packetOf(bench.now(), { wallMs: bench.now().wallMs + 3_600_000 }))
  }
  bench.replica.onPacket(bench.now(), peers[2] as string, packetOf(bench.now(), {}))
  expect(() => bench.write({ key: 'k', value: null })).toThrow(FlagsError)
  expect(bench.eventsOf('clock').at(-1)).toMatchObject({ trusted: false })
  expect(bench.appends.flatMap(({ records }) => records)).toEqual([])
  bench.wallMs += 3_600_000
  bench.write({ key: 'k', value: null })
  expect(bench.eventsOf('clock').at(-1)).toMatchObject({ trusted: true })
})

test('one peer is not enough to call a clock off', () => {
  const bench = new BenchReplica()
  bench.up(...peers)
  bench.replica.onPacket(bench.now(), peers[0] as string, packetOf(bench.now(), { wallMs: 0 }))
  expect(wallMsOf(bench.write({ key: 'k', value: null }).stamp)).toBe(bench.now().wallMs)
})

test('a packet that was long under way does not make a clock look off', () => {
  const bench = new BenchReplica()
  bench.up(...peers)
  for (const peer of peers) {
    bench.replica.onPacket(bench.now(), peer, packetOf(bench.now(), {}))
    bench.replica.onPacket(bench.now(), peer, packetOf(bench.now(), { wallMs: bench.now().wallMs - 5_000 }))
  }
  bench.write({ key: 'k', value: null })
  expect(bench.eventsOf('clock')).toEqual([])
})

test('packets that are all long under way, as on a machine that starts many nodes, do not make a clock look off', () => {
  const bench = new BenchReplica()
  bench.up(...peers)
  for (const peer of peers) {
    bench.replica.onPacket(bench.now(), peer, packetOf(bench.now(), { wallMs: bench.now().wallMs - 5_000 }))
  }
  bench.write({ key: 'k', value: null })
  expect(bench.eventsOf('clock')).toEqual([])
})

test('a node whose clock is ahead learns it from its peers, and trusts itself again when it is set right', () => {
  const bench = new BenchReplica()
  bench.wallMs += 3_600_000
  bench.up(...peers)
  for (const peer of peers.slice(0, 2)) {
    const wallMs = bench.now().wallMs - 3_600_000
    bench.replica.onPacket(bench.now(), peer, packetOf(bench.now(), { wallMs, aheadMs: 3_599_990 }))
  }
  expect(() => bench.write({ key: 'k', value: null })).toThrow(FlagsError)
  expect(bench.eventsOf('clock').at(-1)).toMatchObject({ trusted: false })
  bench.wallMs -= 3_600_000
  bench.write({ key: 'k', value: null })
  expect(bench.eventsOf('clock').at(-1)).toMatchObject({ trusted: true })
})

test('a peer whose clock is ahead is told so, once a second at most', () => {
  const bench = new BenchReplica()
  const [peer = ''] = peers
  bench.up(...peers)
  for (let i = 0; i < 3; i++) {
    bench.replica.onPacket(bench.now(), peer, packetOf(bench.now(), { wallMs: bench.now().wallMs + 3_600_000 }))
  }
  const told = bench.packets.filter(({ message }) => message.aheadMs > 0)
  expect(told.map(({ to, message }) => [to, message.aheadMs])).toEqual([[peer, 3_600_000]])
})

test('writes that wait for a stuck disk are limited', () => {
  const bench = new BenchReplica()
  for (let i = 0; i < pendingWritesMax; i++) bench.write({ key: `k${i}`, value: null })
  expect(() => bench.write({ key: 'one more', value: null })).toThrow(/wait for the disk/)
})

test('a write names each register once, by a well-formed key', () => {
  const bench = new BenchReplica()
  expect(() => bench.write()).toThrow(FlagsError)
  expect(() => bench.write({ key: 'k', value: null }, { key: 'k', value: null })).toThrow(FlagsError)
  expect(() => bench.write({ key: '\udc00', value: null })).toThrow(FlagsError)
  expect(bench.appends).toEqual([])
})

test("a peer's change that the disk refuses stays visible and is offered again", () => {
  const bench = new BenchReplica()
  const record = { key: 'k', stamp: makeStamp(bench.now().wallMs, 0, 'f'.repeat(16)), seen: noStamp, value: bytes('v') }
  bench.replica.onPacket(bench.now(), peers[0] as string, packetOf(bench.now(), { rumors: [{ record, ask: null }] }))
  expect(bench.replica.get('k')).toEqual(record)
  bench.pass(250)
  bench.appended(1, 'disk full')
  bench.pass(1_500)
  expect(bench.appends.map(({ records }) => records)).toEqual([[record], [record]])
  bench.appended(1)
  bench.pass(5_000)
  expect(bench.appends).toHaveLength(2)
})
