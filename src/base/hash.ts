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

/** murmur3_x86_32 over the UTF-8 bytes of `text`; an unsigned 32-bit number. */
export function murmur32(text: string, seed = 0): number {
  return murmur.x86.hash32(utf8(text), seed)
}

/** murmur3_x86_32 over bytes; an unsigned 32-bit number. */
export function murmur32Bytes(bytes: Uint8Array, seed = 0): number {
  return murmur.x86.hash32(bytes, seed)
}

/** A 64-bit hash (the first half of murmur3_x86_128) over the UTF-8 bytes of `text`, as 16 lowercase hex digits. */
export function hash64(text: string): string {
  return murmur.x86.hash128(utf8(text)).slice(0, 16)
}
