import { expect, test } from 'vitest'
import { networkOf, seen, until } from './harness.ts'

test('a process that stood still suspects anew instead of burying those who could not reach it', async (context) => {
  const net = networkOf(context)
  const [a, b] = await net.startJoined(2)
  net.cut = () => true
  await until('suspicion', () => seen(a!, b!) === 'suspect' && seen(b!, a!) === 'suspect')
  net.cut = () => false
  // As SIGSTOP does: all timers are due when it goes on, and the answers wait in the sockets behind them.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 6_000)
  await until('trust', () => seen(a!, b!) === 'alive' && seen(b!, a!) === 'alive')
  expect([...a!.events, ...b!.events].map(({ type }) => type)).toEqual(['up', 'up'])
})
