import { below, type Random } from '../../src/base/random.ts'

/** Bytes and texts on which decoders stumble: claims of huge lengths, deep nesting, numbers beyond numbers, broken UTF-8. */
const stumblingBlocks: readonly Buffer[] = [
  Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff]),
  Buffer.from([0xdf, 0x7f, 0xff, 0xff, 0xff]),
  Buffer.from([0xc6, 0xff, 0xff, 0xff, 0xff]),
  Buffer.from([0xdb, 0xff, 0xff, 0xff, 0xf0]),
  Buffer.from([0xc9, 0x00, 0x10, 0x00, 0x00, 0x72]),
  Buffer.alloc(200, 0x91),
  Buffer.alloc(200, '['),
  Buffer.from('1e999'),
  Buffer.from('-0'),
  Buffer.from('9007199254740993'),
  Buffer.from('"__proto__"'),
  Buffer.from([0xff, 0xfe, 0xc0, 0x80]),
  Buffer.from([0x00]),
]

/** Bytes of which a few are not what they were; `others` lends what is pasted in. Never longer than `bytesMax`. */
export function mutate(random: Random, bytes: Uint8Array, others: readonly Uint8Array[], bytesMax: number): Buffer {
  let mutated: Buffer = Buffer.from(bytes)
  for (let edits = 1 + below(random, 6); edits > 0; edits--) mutated = edit(random, mutated, others)
  return mutated.subarray(0, bytesMax)
}

/** So many random bytes. */
export function randomBuffer(random: Random, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE(random.uint32(), at)
  for (let at = length & ~3; at < length; at++) bytes[at] = below(random, 256)
  return bytes
}

/** One of them. Throws for none. */
export function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[below(random, items.length)]
  if (item === undefined) throw new Error('There is nothing to pick from.')
  return item
}

function edit(random: Random, bytes: Buffer, others: readonly Uint8Array[]): Buffer {
  const at = below(random, bytes.length + 1)
  const end = Math.min(bytes.length, at + 1 + below(random, 40))
  const [front, cut, back] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)]
  switch (below(random, 7)) {
    case 0:
      return Buffer.concat([front, cut.map((byte, i) => (i === 0 ? byte ^ (1 << below(random, 8)) : byte)), back])
    case 1:
      return Buffer.concat([front, randomBuffer(random, cut.length), back])
    case 2:
      return Buffer.concat([front, back])
    case 3:
      return Buffer.concat([front, cut, cut, back])
    case 4:
      return Buffer.concat([front, pick(random, stumblingBlocks), cut, back])
    case 5:
      return Buffer.concat([front, pick(random, stumblingBlocks), back])
    default:
      return Buffer.concat([front, pick(random, others).subarray(at)])
  }
}
