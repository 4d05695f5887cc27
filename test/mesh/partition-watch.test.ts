import { expect, test } from 'vitest'
import { PartitionWatch } from '../../src/mesh/partition-watch.ts'

/** Deaths at these times in a mesh of so many, this node included; how many partitions were suspected. */
function suspectedAfter(members: number, deathsMs: readonly number[]): number {
  const watch = new PartitionWatch()
  deathsMs.forEach((atMs, i) => void watch.onDeath(atMs, members - i - 1))
  return watch.suspected
}

test('a third of the mesh dead within ten seconds makes one suspected partition, however many follow soon', () => {
  expect(suspectedAfter(9, [0, 4_000, 9_000])).toBe(1)
  expect(suspectedAfter(9, [0, 1, 2, 3, 4, 5_000, 9_000, 15_000])).toBe(1)
})

test('machines that die one at a time, and few of many, make none', () => {
  expect(suspectedAfter(3, [0])).toBe(0)
  expect(suspectedAfter(9, [0, 12_000, 24_000, 36_000])).toBe(0)
  expect(suspectedAfter(32, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])).toBe(0)
})

test('a later partition is another one', () => {
  const watch = new PartitionWatch()
  for (const atMs of [0, 1, 60_000, 60_001]) watch.onDeath(atMs, 2)
  expect(watch.suspected).toBe(2)
})
