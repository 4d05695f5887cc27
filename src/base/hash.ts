import murmur from 'murmurhash3js-revisited'

// Inputs here are always bytes; the check walks every byte once more.
murmur.inputValidation = false

const encoder = new TextEncoder()
let scratch = new Uint8Array(512)

/** The UTF-8 bytes of `text` in a buffer that the next call overwrites: hash them at once. */
function utf8(text: string): Uint8Array {
  if (text.length * 3 > scratch.length) scratch = new Uint8Array(text.length * 3)
  return scratch.subarray(0, encoder.encodeInto(text, scratch).written)
}

/**
 * murmur3_x86_32 over the UTF-8 bytes of `text`; an unsigned 32-bit number. Every rollout hashes its subject, most often in ASCII, whose
 * characters are its bytes: hashing them where they are is 5 times as fast as encoding them first.
 */
export function murmur32(text: string, seed = 0): number {
  const hash = murmur32Ascii(text, seed)
  return hash < 0 ? murmur.x86.hash32(utf8(text), seed) : hash
}

/** Appleby's MurmurHash3_x86_32 (SMHasher) over the characters of `text`; -1 if one of them is not ASCII. */
function murmur32Ascii(text: string, seed: number): number {
  const { length } = text
  const blocksEnd = length & ~3
  let hash = seed | 0
  let seen = 0
  for (let i = 0; i < blocksEnd; i += 4) {
    const a = text.charCodeAt(i)
    const b = text.charCodeAt(i + 1)
    const c = text.charCodeAt(i + 2)
    const d = text.charCodeAt(i + 3)
    seen |= a | b | c | d
    hash ^= scramble(a | (b << 8) | (c << 16) | (d << 24))
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0
  }
  let tail = 0
  for (let i = length - 1; i >= blocksEnd; i--) {
    const code = text.charCodeAt(i)
    seen |= code
    tail = (tail << 8) | code
  }
  if (seen > 0x7f) return -1
  hash ^= scramble(tail) ^ length
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

function scramble(block: number): number {
  const mixed = Math.imul(block, 0xcc9e2d51)
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593)
}

/** murmur3_x86_32 over bytes; an unsigned 32-bit number. */
export function murmur32Bytes(bytes: Uint8Array, seed = 0): number {
  return murmur.x86.hash32(bytes, seed)
}

/** A 64-bit hash (the first half of murmur3_x86_128) over the UTF-8 bytes of `text`, as 16 lowercase hex digits. */
export function hash64(text: string): string {
  return murmur.x86.hash128(utf8(text)).slice(0, 16)
}

/** The same 64-bit hash over bytes, as two unsigned 32-bit numbers. */
export function hash64Bytes(bytes: Uint8Array): { readonly high: number; readonly low: number } {
  const hex = murmur.x86.hash128(bytes)
  return { high: Number.parseInt(hex.slice(0, 8), 16), low: Number.parseInt(hex.slice(8, 16), 16) }
}
