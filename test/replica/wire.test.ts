import fc from 'fast-check'
import { Packr } from 'msgpackr'
import { expect, test } from 'vitest'
import { murmur32Bytes } from '../../src/base/hash.ts'
import { bulkFrameBytesMax, packetBytesMax } from '../../src/base/limits.ts'
import { isPlainMessagePack } from '../../src/replica/msgpack-scan.ts'
import {
  decodeFrame,
  decodePacket,
  encodeFrame,
  encodePacket,
  prefixBytes,
  protocolVersion,
} from '../../src/replica/wire.ts'
import { frames, packets } from './arbitraries.ts'

const packr = new Packr({ useRecords: false })
const prefix = [0x46, 0x4d, protocolVersion]

/** A message of this body as a sender with our protocol would make it, checksum included. */
function withPrefix(body: ArrayLike<number>): Uint8Array {
  const sum = murmur32Bytes(Uint8Array.from(body))
  return Uint8Array.from([...prefix, sum >>> 24, (sum >>> 16) & 255, (sum >>> 8) & 255, sum & 255, ...Array.from(body)])
}

/** The bytes with some of them changed, cut off or added: what is nearly right goes deepest. */
function damaged(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  return fc
    .record({
      flips: fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 4 }),
      length: fc.nat(bytes.length),
      tail: fc.uint8Array({ maxLength: 8 }),
      isCut: fc.boolean(),
    })
    .map(({ flips, length, tail, isCut }) => {
      const copy = Uint8Array.from([...(isCut ? bytes.subarray(0, length) : bytes), ...tail])
      for (const [at, value] of flips) if (at < copy.length) copy[at] = value
      return copy
    })
}

test('packets and frames are the same after a journey', () => {
  fc.assert(
    fc.property(packets, (packet) => {
      const bytes = encodePacket(packet)
      expect(decodePacket(bytes)).toEqual(bytes.length > packetBytesMax ? 'oversized' : packet)
    }),
  )
  fc.assert(
    fc.property(frames, (frame) => {
      expect(decodeFrame(encodeFrame(frame))).toEqual(frame)
    }),
  )
})

test('random bytes never throw, and are not taken for a message', () => {
  const noise = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }).map(withPrefix))
  fc.assert(
    fc.property(noise, (bytes) => {
      expect(typeof decodePacket(bytes)).toBe('string')
      decodeFrame(bytes)
    }),
    { numRuns: 20_000 },
  )
})

test('damaged messages never throw, and what is still understood encodes again', () => {
  const bodies = fc
    .oneof(packets.map(encodePacket), frames.map(encodeFrame))
    .map((bytes) => bytes.subarray(prefixBytes))
  const nearly = bodies.chain(damaged).map(withPrefix)
  fc.assert(
    fc.property(nearly, (bytes) => {
      const packet = decodePacket(bytes)
      const frame = decodeFrame(bytes)
      if (typeof packet !== 'string') expect(decodePacket(encodePacket(packet))).toEqual(packet)
      if (typeof frame !== 'string') expect(decodeFrame(encodeFrame(frame))).toEqual(frame)
    }),
    { numRuns: 5_000 },
  )
})

test('any value that MessagePack can carry, sent in place of a message, is refused without a throw', () => {
  fc.assert(
    fc.property(fc.anything({ maxDepth: 4, withDate: true, withMap: true, withSet: true }), (thing) => {
      let body: Uint8Array
      try {
        body = packr.pack(thing)
      } catch {
        return
      }
      expect(typeof decodePacket(withPrefix(body))).toBe('string')
      expect(typeof decodeFrame(withPrefix(body))).toBe('string')
    }),
    { numRuns: 2_000 },
  )
})

test('a length that the bytes do not bear out is refused before anything is allocated', () => {
  const hugeArray = [0xdd, 0xff, 0xff, 0xff, 0xff]
  const hugeString = [0xdb, 0x7f, 0xff, 0xff, 0xff, 0x41]
  const hugeBinary = [0xc6, 0x7f, 0xff, 0xff, 0xff, 0x00]
  const manyHuge = [0xdc, 0x00, 0x10, ...Array.from({ length: 16 }, () => hugeArray).flat()]
  for (const body of [hugeArray, hugeString, hugeBinary, manyHuge]) {
    expect(isPlainMessagePack(withPrefix(body), prefixBytes)).toBe(false)
    expect(decodeFrame(withPrefix(body))).toBe('malformed')
  }
})

test('nesting, maps, extensions and 64-bit integers are refused before the decoder sees them', () => {
  const deep = [...Array.from({ length: 10_000 }, () => 0x91), 0xc0]
  const map = [0x81, 0xa9, ...new TextEncoder().encode('__proto__'), 0x01]
  const extension = [0xd6, 0xff, 0, 0, 0, 0]
  const integer = [0xcf, 0, 0, 0, 0, 0, 0, 0, 1]
  for (const body of [deep, map, extension, integer, [0xc1], []]) {
    expect(decodeFrame(withPrefix(body))).toBe('malformed')
  }
})

test('one flipped bit anywhere is noticed', () => {
  fc.assert(
    fc.property(packets.map(encodePacket), fc.nat(), fc.nat(7), (bytes, at, bit) => {
      const flipped = Uint8Array.from(bytes)
      flipped[at % bytes.length] = (flipped[at % bytes.length] as number) ^ (1 << bit)
      expect(typeof decodePacket(flipped)).toBe('string')
    }),
    { numRuns: 2_000 },
  )
})

test('the cause of a drop is told: too large, not ours, of another version, damaged', () => {
  const bytes = encodePacket({
    root: '0'.repeat(16),
    wallMs: 1,
    aheadMs: 0,
    durable: true,
    answer: false,
    nudge: false,
    rumors: [],
    announcements: [],
    acks: [],
  })
  expect(decodePacket(new Uint8Array(packetBytesMax + 1))).toBe('oversized')
  expect(decodeFrame(new Uint8Array(bulkFrameBytesMax + 1))).toBe('oversized')
  expect(decodePacket(Uint8Array.from([0, ...bytes.subarray(1)]))).toBe('foreign')
  expect(decodePacket(Uint8Array.from([...prefix.slice(0, 2), protocolVersion + 1, ...bytes.subarray(3)]))).toBe(
    'version',
  )
  expect(decodePacket(bytes.subarray(0, -1))).toBe('corrupt')
  expect(decodePacket(bytes.subarray(0, 5))).toBe('malformed')
})
