import { expect, test } from 'vitest'
import { BenchReplica } from '../replica/bench-replica.ts'
import { packetOf } from '../replica/messages.ts'

/** Found by seed 1004. Rounding let a timer go off a hair before it was due; it set itself again for no time at all. */
test('a sync timer that goes off a hair early is set for a millisecond at least', () => {
  const bench = new BenchReplica()
  const peer = '10.0.0.2:7946'
  bench.up(peer)
  bench.replica.onPacket(bench.now(), peer, packetOf(bench.now(), { root: 'f'.repeat(16) }))
  const first = bench.timers.find(({ timer }) => timer.kind === 'sync-due')
  if (first === undefined) throw new Error('A difference sets a timer.')
  bench.timers.length = 0
  bench.nowMs = Number(first.timer.atMs) - 1e-9
  bench.replica.onTimer(bench.now(), first.timer)
  const second = bench.timers.find(({ timer }) => timer.kind === 'sync-due')
  if (second === undefined) throw new Error('What is not due yet is waited for.')
  expect(second.atMs - bench.nowMs).toBeGreaterThanOrEqual(1)
})
