import type { Fingerprint } from './digest.ts'

/**
 * The registers whose position (a 32-bit hash of the key) begins with `bits` bits of `prefix`. Buckets are the ranges of
 * 8 bits; anti-entropy splits a bucket that is too large to list, and so on down (range-based set reconciliation, Aljoscha
 * Meyer 2022).
 */
export interface KeyRange {
  /** 8, 12, 16 ... 32. */
  readonly bits: number
  /** The prefix as an unsigned number of `bits` bits. */
  readonly prefix: number
}

export interface RangeSummary extends KeyRange {
  readonly count: number
  /** XOR of the fingerprints in the range. */
  readonly fingerprint: Fingerprint
}

export const bucketBits = 8
export const splitBits = 4
export const positionBits = 32
export const splitWays = 2 ** splitBits

export function bucketOf(position: number): number {
  return position >>> (positionBits - bucketBits)
}

export function covers(range: KeyRange, position: number): boolean {
  return position >>> (positionBits - range.bits) === range.prefix
}

/** The bucket that holds all of the range. */
export function bucketOfRange(range: KeyRange): number {
  return range.prefix >>> (range.bits - bucketBits)
}

/** The sixteen parts of a range, in order; the range has at most 28 bits. */
export function partsOf(range: KeyRange): KeyRange[] {
  const bits = range.bits + splitBits
  return Array.from({ length: splitWays }, (_, part) => ({ bits, prefix: (range.prefix * splitWays + part) >>> 0 }))
}
