import { expect, test } from 'vitest'
import { runWeeks } from './weeks.ts'

test('forty meshes live through months of machines switched off and on', () => {
  const reports = Array.from({ length: 40 }, (_, i) => runWeeks(1 + i, 3 + (i % 3), 12))
  expect(reports.reduce((sum, { longReturns }) => sum + longReturns, 0)).toBeGreaterThan(40)
  expect(reports.reduce((sum, { restores }) => sum + restores, 0)).toBeGreaterThan(40)
})
