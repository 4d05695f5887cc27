import { murmur128Half } from '../base/murmur128.ts'
import { utf8Length, writeUtf8 } from './bytes.ts'
import type { RegisterRecord } from './register.ts'

/** A 64-bit hash as two unsigned 32-bit halves. */
export interface Fingerprint {
  readonly high: number
  readonly low: number
}

/** 16 lowercase hex digits. */
export function fingerprintText({ high, low }: Fingerprint): string {
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0')
}

export const bucketCount = 256

let scratch = new Uint8Array(4096)
let view = new DataView(scratch.buffer)

/** A 64-bit hash of all that a register says: key, stamp, what its author had seen, value or tombstone. */
export function fingerprintOf(record: RegisterRecord): Fingerprint {
  const keyBytes = utf8Length(record.key)
  const length = 5 + keyBytes + record.stamp.length + record.seen.length + 1 + (record.value?.length ?? 0)
  if (length > scratch.length) {
    scratch = new Uint8Array(2 * length)
    view = new DataView(scratch.buffer)
  }
  // The lengths of key and seen make the concatenation unambiguous.
  view.setUint32(0, keyBytes)
  scratch[4] = record.seen.length
  let at = writeUtf8(record.key, scratch, 5)
  at = writeUtf8(record.stamp, scratch, at)
  at = writeUtf8(record.seen, scratch, at)
  scratch[at++] = record.value === null ? 0 : 1
  if (record.value !== null) scratch.set(record.value, at)
  return murmur128Half(scratch.subarray(0, length))
}

/**
 * What a map holds, in 256 numbers: each bucket the XOR of the fingerprints of its registers, so that it is kept up by
 * two toggles a change and does not depend on order. Invariant 3: it equals the digest built anew.
 */
export class Digest {
  readonly #buckets = new DataView(new ArrayBuffer(8 * bucketCount))
  #root: string | null = null

  /** Takes a fingerprint in, or out again. */
  toggle(bucket: number, fingerprint: Fingerprint): void {
    const at = 8 * bucket
    this.#buckets.setUint32(at, this.#buckets.getUint32(at) ^ fingerprint.high)
    this.#buckets.setUint32(at + 4, this.#buckets.getUint32(at + 4) ^ fingerprint.low)
    this.#root = null
  }

  bucket(index: number): Fingerprint {
    return { high: this.#buckets.getUint32(8 * index), low: this.#buckets.getUint32(8 * index + 4) }
  }

  /** 16 lowercase hex digits; equal roots mean equal maps. */
  root(): string {
    if (this.#root === null) {
      this.#root = fingerprintText(murmur128Half(new Uint8Array(this.#buckets.buffer)))
    }
    return this.#root
  }
}
