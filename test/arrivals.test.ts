import { expect, test } from 'vitest'
import { createArrivals } from '../src/arrivals.ts'
import type { RegisterRecord } from '../src/crdt/register.ts'
import { makeStamp, noStamp } from '../src/crdt/stamp.ts'

function observed(nowWallMs: number, writtenMs: Record<string, number>, local = false): number[] {
  const get = (key: string): RegisterRecord | undefined => {
    const wallMs = writtenMs[key]
    const stamp = wallMs === undefined ? undefined : makeStamp(wallMs, 0, '00000000000000aa')
    return stamp && { key, stamp, seen: noStamp, value: null }
  }
  const took: number[] = []
  const now = () => ({ monotonicMs: 0, wallMs: nowWallMs })
  const arrivals = createArrivals({ replica: { get }, now, sinceWallMs: 1_000 })
  arrivals.onArrival((tookMs) => took.push(tookMs))
  arrivals.onEvent({ type: 'changed', keys: [...Object.keys(writtenMs), 'gone'], local })
  return took
}

test('a write of several registers arrives once, after the time between its stamp and now', () => {
  expect(observed(5_040, { a: 5_000, b: 5_000, c: 2_000 })).toEqual([40, 3_040])
})

test('what was written here, before this process, or by a clock that is ahead is no delay', () => {
  expect(observed(5_040, { a: 5_000 }, true)).toEqual([])
  expect(observed(5_040, { a: 900 })).toEqual([])
  expect(observed(5_040, { a: 6_000 })).toEqual([0])
})
