import { expect, test } from 'vitest'
import { runWeeks } from './weeks.ts'

test('forty meshes live through months of machines switched off and on', () => {
  let longReturns = 0
  for (let seed = 1; seed <= 40; seed++) longReturns += runWeeks(seed, 3 + (seed % 3), 12).longReturns
  expect(longReturns).toBeGreaterThan(40)
})
