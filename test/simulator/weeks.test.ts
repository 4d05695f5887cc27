import { expect, test } from 'vitest'
import { runWeeks } from './weeks.ts'

test('months of machines switched off and on lose nothing and bring nothing deleted back', () => {
  const { acknowledged, longReturns } = runWeeks(2, 3, 8)
  expect(acknowledged).toBeGreaterThan(100)
  expect(longReturns).toBeGreaterThan(0)
})
