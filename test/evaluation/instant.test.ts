import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatInstant, parseInstant } from '../../src/evaluation/instant.ts'

test('instants are written as Date writes them, and read back', () => {
  const instant = fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 })
  fc.assert(
    fc.property(instant, (ms) => {
      const text = new Date(ms).toISOString()
      expect(formatInstant(ms)).toBe(text)
      expect(parseInstant(text)).toBe(ms)
    }),
    { numRuns: 5_000 },
  )
})

test.each([
  ['2024-02-29', Date.UTC(2024, 1, 29)],
  ['2024-02-29T12:00:00+02:00', Date.UTC(2024, 1, 29, 10)],
  ['2024-02-29t12:00:00.5z', Date.UTC(2024, 1, 29, 12, 0, 0, 500)],
  ['2016-12-31T23:59:60Z', Date.UTC(2017, 0, 1)],
  ['2024-02-29T12:00:00.123456789Z', Date.UTC(2024, 1, 29, 12, 0, 0, 123)],
])('%s is an instant', (text, ms) => expect(parseInstant(text)).toBe(ms))

test.each([
  '2023-02-29',
  '2024-02-30',
  '2024-04-31T00:00:00Z',
  '2024-13-01',
  '2024-00-10',
  '2024-01-00',
  '2024-01-01T24:00:00Z',
  '2024-01-01T00:60:00Z',
  '2024-01-01T00:00:00',
  '2024-01-01T00:00:00+24:00',
  '1900-02-29',
  '24-01-01',
  'tomorrow',
  '',
  '2024-01-01Z extra',
])('%j is none', (text) => expect(parseInstant(text)).toBeUndefined())
