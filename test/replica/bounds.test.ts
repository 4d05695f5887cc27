import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { membersMax, rumorsMax } from '../../src/base/limits.ts'
import { seededRandom } from '../../src/base/random.ts'
import { makeStamp, noStamp } from '../../src/crdt/stamp.ts'
import type { Announcement, Rumor } from '../../src/replica/wire-fields.ts'
import { bytes } from '../simulator/workload.ts'
import { BenchReplica } from './bench-replica.ts'
import { packetOf } from './messages.ts'

function address(i: number): string {
  return `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}:7946`
}

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/** Bytes of the heap that are in use after garbage was collected as far as it goes. */
function heapBytes(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

test('members that come and go by the thousand leave nothing behind', () => {
  const bench = new BenchReplica()
  const comeAndGo = (from: number, count: number) => {
    for (let i = from; i < from + count; i++) {
      bench.up(address(i))
      bench.replica.onPacket(bench.now(), address(i), packetOf(bench.now(), { answer: true }))
      bench.pass(1)
      bench.replica.onMember(bench.now(), { type: i % 2 === 0 ? 'down' : 'left', address: address(i), id: address(i) })
    }
    bench.packets.length = 0
    bench.frames.length = 0
    bench.appends.length = 0
    bench.events.length = 0
  }
  comeAndGo(0, 10_000)
  const before = heapBytes()
  comeAndGo(10_000, 10_000)
  expect(bench.replica.peers()).toEqual([])
  expect(bench.timers.length).toBeLessThan(100)
  expect(heapBytes() - before).toBeLessThan(4 * 1024 * 1024)
})

test('no more members are kept track of than the limit', () => {
  const bench = new BenchReplica()
  for (let i = 0; i < membersMax + 100; i++) bench.up(address(i + 2))
  expect(bench.replica.peers()).toHaveLength(membersMax)
  expect(bench.replica.counters().members_ignored).toBe(100)
})

test('a flood of rumors fills the queue to its limit, and the oldest drop', () => {
  const bench = new BenchReplica()
  bench.up(address(2), address(3))
  const wallMs = bench.now().wallMs
  for (let i = 0; i < 3 * rumorsMax; i++) {
    const record = { key: `k${i}`, stamp: makeStamp(wallMs, 0, 'f'.repeat(16)), seen: noStamp, value: bytes('v') }
    const rumors: Rumor[] = [{ record, ask: null }]
    // All in one instant, so that the queue cannot empty itself.
    bench.replica.onPacket(bench.now(), address(2), packetOf(bench.now(), { rumors }))
  }
  expect(bench.replica.counters().rumors_dropped).toBeGreaterThanOrEqual(rumorsMax)
  expect(bench.replica.size().values).toBe(3 * rumorsMax)
  bench.packets.length = 0
  bench.pass(100)
  // One tick sends to three peers at most what a burst may carry.
  expect(bench.packets.length).toBeLessThan(100)
})

test('a hot register is pushed a hundred times a second at most, with its last value', () => {
  const bench = new BenchReplica()
  bench.up(...Array.from({ length: 31 }, (_, i) => address(i + 2)))
  for (let i = 0; i < 1_000; i++) {
    bench.write({ key: 'hot', value: bytes(`${i}`) })
    bench.appended(1)
    bench.pass(1)
  }
  bench.pass(1_000)
  const rumors = bench.packets.filter(({ message }) => message.rumors.length > 0)
  // Seven peers a push.
  expect(rumors.length).toBeLessThan(1.1 * 100 * 7)
  expect(rumors.at(-1)?.message.rumors[0]?.record.value).toEqual(bytes('999'))
})

test('announcements of what never comes, and asks of origins nobody knows, take a bounded share of memory', () => {
  const bench = new BenchReplica()
  bench.up(address(2))
  const random = seededRandom(1)
  const flood = (times: number) => {
    for (let i = 0; i < times; i++) {
      const stamp = makeStamp(bench.now().wallMs, 0, random.uint32().toString(16).padStart(16, '0'))
      const announcements: Announcement[] = Array.from({ length: 10 }, (_, j) => ({
        key: `never-${random.uint32()}-${j}`,
        stamp,
        ask: { origin: address(random.uint32()), index: 0 },
      }))
      bench.replica.onPacket(bench.now(), address(2), packetOf(bench.now(), { announcements }))
    }
    bench.frames.length = 0
  }
  flood(1_000)
  const before = heapBytes()
  flood(3_000)
  expect(heapBytes() - before).toBeLessThan(4 * 1024 * 1024)
  expect(bench.replica.counters().acks_sent).toBe(0)
})
