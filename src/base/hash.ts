const encoder = new TextEncoder()
let scratch = new Uint8Array(512)

/** The UTF-8 bytes of `text` in a buffer that the next call overwrites: hash them at once. */
function utf8(text: string): Uint8Array {
  if (text.length * 3 > scratch.length) scratch = new Uint8Array(text.length * 3)
  return scratch.subarray(0, encoder.encodeInto(text, scratch).written)
}

/** murmur3_x86_32 over the UTF-8 bytes of `text`; an unsigned 32-bit number. */
export function murmur32(text: string, seed = 0): number {
  return murmur32Joined(text, '', seed)
}

/**
 * murmur3_x86_32 over the UTF-8 bytes of `first + second`. Every rollout hashes a subject and a salt, most often in ASCII, whose
 * characters are its bytes: hashing them where they are is several times as fast as joining and encoding them first.
 */
export function murmur32Joined(first: string, second: string, seed = 0): number {
  const hash = murmur32Ascii(first, second, seed)
  return hash < 0 ? murmur32Bytes(utf8(first + second), seed) : hash
}

/** Appleby's MurmurHash3_x86_32 (SMHasher) over the characters of both texts; -1 if one of them is not ASCII. */
function murmur32Ascii(first: string, second: string, seed: number): number {
  const split = first.length
  const length = split + second.length
  let hash = seed | 0
  let block = 0
  let seen = 0
  for (let i = 0; i < length; i++) {
    const code = i < split ? first.charCodeAt(i) : second.charCodeAt(i - split)
    seen |= code
    block |= code << ((i & 3) << 3)
    if ((i & 3) !== 3) continue
    hash ^= scramble(block)
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0
    block = 0
  }
  if (seen > 0x7f) return -1
  return finish(hash ^ scramble(block) ^ length)
}

function scramble(block: number): number {
  const mixed = Math.imul(block, 0xcc9e2d51)
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593)
}

function finish(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** murmur3_x86_32 over bytes; an unsigned 32-bit number. */
export function murmur32Bytes(bytes: Uint8Array, seed = 0): number {
  const { length } = bytes
  const blocksEnd = length & ~3
  const view = new DataView(bytes.buffer, bytes.byteOffset, length)
  let hash = seed | 0
  for (let i = 0; i < blocksEnd; i += 4) {
    hash ^= scramble(view.getInt32(i, true))
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0
  }
  let tail = 0
  for (let i = length - 1; i >= blocksEnd; i--) tail = (tail << 8) | view.getUint8(i)
  return finish(hash ^ scramble(tail) ^ length)
}
