/** Levels of arrays that any message of ours nests; recursion on hostile bytes must end. */
const depthMax = 6

/**
 * True when `bytes` from `start` are exactly one MessagePack value made of nil, booleans, numbers, strings, binaries and
 * arrays whose lengths fit the bytes that are there. Run before a decoder sees the bytes: what passes costs the decoder at
 * most a small multiple of its own length (invariant 7). Maps and extension types are refused; we send none.
 */
export function isPlainMessagePack(bytes: Uint8Array, start: number): boolean {
  return skipValue(bytes, start, depthMax) === bytes.length
}

/** The position behind the value at `at`, or -1. */
function skipValue(bytes: Uint8Array, at: number, depth: number): number {
  const head = bytes[at]
  if (head === undefined) return -1
  if (head < 0x80 || head >= 0xe0) return at + 1
  if (head < 0x90) return -1
  if (head < 0xa0) return skipItems(bytes, at + 1, head & 0x0f, depth)
  if (head < 0xc0) return within(bytes, at + 1 + (head & 0x1f))
  return skipLong(bytes, at, head, depth)
}

function skipLong(bytes: Uint8Array, at: number, head: number, depth: number): number {
  switch (head) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      return at + 1
    case 0xc4: // bin 8
    case 0xd9: // str 8
      return skipBytes(bytes, at + 1, 1)
    case 0xc5: // bin 16
    case 0xda: // str 16
      return skipBytes(bytes, at + 1, 2)
    case 0xc6: // bin 32
    case 0xdb: // str 32
      return skipBytes(bytes, at + 1, 4)
    case 0xcc: // uint 8
    case 0xd0: // int 8
      return within(bytes, at + 2)
    case 0xcd: // uint 16
    case 0xd1: // int 16
      return within(bytes, at + 3)
    case 0xca: // float 32
    case 0xce: // uint 32
    case 0xd2: // int 32
      return within(bytes, at + 5)
    case 0xcb: // float 64
      return within(bytes, at + 9)
    case 0xdc: // array 16
      return skipCounted(bytes, at + 1, 2, depth)
    case 0xdd: // array 32
      return skipCounted(bytes, at + 1, 4, depth)
    default: // unused, extensions, 64-bit integers (decoded as bigint), maps
      return -1
  }
}

function skipBytes(bytes: Uint8Array, at: number, width: number): number {
  const length = readLength(bytes, at, width)
  return length < 0 ? -1 : within(bytes, at + width + length)
}

function skipCounted(bytes: Uint8Array, at: number, width: number, depth: number): number {
  const count = readLength(bytes, at, width)
  return count < 0 ? -1 : skipItems(bytes, at + width, count, depth)
}

function skipItems(bytes: Uint8Array, at: number, count: number, depth: number): number {
  // Every item takes a byte at least.
  if (depth === 0 || count > bytes.length - at) return -1
  let position = at
  for (let i = 0; i < count && position >= 0; i++) position = skipValue(bytes, position, depth - 1)
  return position
}

function readLength(bytes: Uint8Array, at: number, width: number): number {
  if (at + width > bytes.length) return -1
  let length = 0
  for (let i = 0; i < width; i++) length = length * 256 + (bytes[at + i] as number)
  return length
}

function within(bytes: Uint8Array, position: number): number {
  return position <= bytes.length ? position : -1
}
