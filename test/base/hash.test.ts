import fc from 'fast-check'
import murmur from 'murmurhash3js-revisited'
import { expect, test } from 'vitest'
import { murmur32, murmur32Bytes, murmur32Joined } from '../../src/base/hash.ts'
import vectors from '../vectors/murmur3-x86-32.json' with { type: 'json' }

const encoder = new TextEncoder()

test('murmur3_x86_32 agrees with every published vector', () => {
  expect(vectors.length).toBeGreaterThan(50)
  for (const { utf8, hex, seed, hash } of vectors as { utf8?: string; hex?: string; seed: number; hash: number }[]) {
    const bytes = utf8 === undefined ? Uint8Array.from(Buffer.from(hex ?? '', 'hex')) : encoder.encode(utf8)
    expect(murmur32Bytes(bytes, seed)).toBe(hash)
    if (utf8 !== undefined) expect(murmur32(utf8, seed)).toBe(hash)
  }
})

test('a text hashes as its UTF-8 bytes, whatever it is written in and whichever seed, and as another implementation has it', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary-ascii', maxLength: 40 }),
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.string({ unit: 'binary' }),
  )
  fc.assert(
    fc.property(text, fc.integer({ min: 0, max: 2 ** 32 - 1 }), (input, seed) => {
      const hash = murmur32Bytes(encoder.encode(input), seed)
      expect(hash).toBe(murmur.x86.hash32(encoder.encode(input), seed))
      expect(murmur32(input, seed)).toBe(hash)
      for (const at of [0, 1, 2, 3, input.length >> 1]) {
        expect(murmur32Joined(input.slice(0, at), input.slice(at), seed)).toBe(hash)
      }
    }),
    { numRuns: 500 },
  )
})
