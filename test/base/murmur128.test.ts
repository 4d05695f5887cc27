import fc from 'fast-check'
import murmur from 'murmurhash3js-revisited'
import { expect, test } from 'vitest'
import { murmur128Half } from '../../src/base/murmur128.ts'

test('murmur3_x86_128 agrees with another implementation, for every length of the tail', () => {
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 48 }), fc.uint8Array({ minLength: 100, maxLength: 3_000 }))
  fc.assert(
    fc.property(bytes, fc.integer({ min: 0, max: 7 }), (input, offset) => {
      // Wherever the bytes lie in their buffer.
      const placed = new Uint8Array(offset + input.length + 5).fill(0xa5)
      placed.set(input, offset)
      const { high, low } = murmur128Half(placed.subarray(offset, offset + input.length))
      const hex = [high, low].map((half) => half.toString(16).padStart(8, '0')).join('')
      expect(hex).toBe(murmur.x86.hash128(input).slice(0, 16))
    }),
    { numRuns: 1_000 },
  )
})
