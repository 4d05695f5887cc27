import { expect, test } from 'vitest'
import { runWeeks } from './weeks.ts'

test('a hundred meshes live through months of machines switched off and on', () => {
  let longReturns = 0
  for (let seed = 1; seed <= 100; seed++) longReturns += runWeeks(seed, 3 + (seed % 3), 12).longReturns
  expect(longReturns).toBeGreaterThan(100)
})
