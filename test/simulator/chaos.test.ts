import { expect, test } from 'vitest'
import { runChaos } from './chaos.ts'
import { faultNames } from './faults.ts'

/** Nodes of each run; the seed is the run's number. What a seed finds is replayed by the command in its error. */
const sizes = [5, 5, 6, 7, 8, 8, 10, 12, 15, 20, 50]

test.each(sizes.map((nodes, i) => ({ nodes, seed: i + 1 })))(
  '$nodes nodes under every fault keep what they acknowledged and end with equal roots, seed $seed',
  ({ nodes, seed }) => {
    const report = runChaos({ seed, nodes, durationMs: nodes > 20 ? 8_000 : 20_000 })
    expect(report.acknowledged).toBeGreaterThan(50)
    expect([...report.struck.values()].reduce((sum, times) => sum + times, 0)).toBeGreaterThan(5)
  },
)

test('every kind of fault strikes within a few seeds', () => {
  const struck = new Set(
    Array.from({ length: 8 }, (_, i) => runChaos({ seed: 100 + i, nodes: 5, durationMs: 20_000 })).flatMap(
      ({ struck }) => [...struck.keys()],
    ),
  )
  expect([...struck].sort()).toEqual([...faultNames].sort())
})

test('one seed gives one run', () => {
  const [first, again] = [1, 2].map(() => runChaos({ seed: 7, nodes: 6, durationMs: 10_000 }))
  expect(again).toEqual(first)
})
