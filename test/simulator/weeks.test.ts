import { expect, test } from 'vitest'
import { runWeeks } from './weeks.ts'

test('months of machines switched off and on lose nothing and bring nothing deleted back', () => {
  const reports = [1, 2, 3].map((seed) => runWeeks(seed, 3, 8))
  for (const { acknowledged } of reports) expect(acknowledged).toBeGreaterThan(100)
  expect(reports.reduce((sum, { longReturns }) => sum + longReturns, 0)).toBeGreaterThan(0)
  expect(reports.reduce((sum, { restores }) => sum + restores, 0)).toBeGreaterThan(0)
})
