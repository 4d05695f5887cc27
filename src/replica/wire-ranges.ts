import { type Fingerprint, fingerprintText } from '../crdt/digest.ts'
import { bucketBits, type KeyRange, positionBits, type RangeSummary, splitBits } from '../crdt/key-range.ts'

/** Fingerprints of registers in a range, as texts of 16 hex digits. */
export interface RangeList extends KeyRange {
  readonly fingerprints: readonly string[]
}

/** bits (1), prefix (4), count (4), fingerprint (8). */
export const summaryBytes = 17
/** Each fingerprint of a list. */
export const fingerprintBytes = 8
/** Header of a list in MessagePack, at most: array, bits, prefix, binary. */
export const listOverheadBytes = 12

/** Rows of fixed size in one binary: the opening of every session is 256 of them. */
export function packSummaries(summaries: readonly RangeSummary[]): Uint8Array {
  const bytes = new Uint8Array(summaryBytes * summaries.length)
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const { bits, prefix, count, fingerprint } of summaries) {
    view.setUint8(at, bits)
    view.setUint32(at + 1, prefix)
    view.setUint32(at + 5, count)
    view.setUint32(at + 9, fingerprint.high)
    view.setUint32(at + 13, fingerprint.low)
    at += summaryBytes
  }
  return bytes
}

export function unpackSummaries(packed: unknown): RangeSummary[] | undefined {
  if (!(packed instanceof Uint8Array) || packed.length % summaryBytes !== 0) return undefined
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
  const summaries: RangeSummary[] = []
  for (let at = 0; at < packed.length; at += summaryBytes) {
    const range = { bits: view.getUint8(at), prefix: view.getUint32(at + 1) }
    if (!isRange(range)) return undefined
    const fingerprint: Fingerprint = { high: view.getUint32(at + 9), low: view.getUint32(at + 13) }
    summaries.push({ ...range, count: view.getUint32(at + 5), fingerprint })
  }
  return summaries
}

export function packLists(lists: readonly RangeList[]): unknown[] {
  return lists.map(({ bits, prefix, fingerprints }) => [bits, prefix, Uint8Array.fromHex(fingerprints.join(''))])
}

export function unpackLists(packed: unknown): RangeList[] | undefined {
  if (!Array.isArray(packed)) return undefined
  const lists: RangeList[] = []
  for (const item of packed) {
    if (!Array.isArray(item) || item.length !== 3) return undefined
    const [bits, prefix, bytes]: unknown[] = item
    if (typeof bits !== 'number' || typeof prefix !== 'number' || !isRange({ bits, prefix })) return undefined
    if (!(bytes instanceof Uint8Array) || bytes.length % fingerprintBytes !== 0) return undefined
    const hex = bytes.toHex()
    const fingerprints = Array.from({ length: bytes.length / fingerprintBytes }, (_, i) =>
      hex.slice(16 * i, 16 * i + 16),
    )
    lists.push({ bits, prefix, fingerprints })
  }
  return lists
}

export function listOf(range: KeyRange, fingerprints: Iterable<Fingerprint>): RangeList {
  return { bits: range.bits, prefix: range.prefix, fingerprints: Array.from(fingerprints, fingerprintText) }
}

function isRange({ bits, prefix }: KeyRange): boolean {
  const depth = (bits - bucketBits) / splitBits
  if (!Number.isInteger(depth) || depth < 0 || bits > positionBits) return false
  return Number.isInteger(prefix) && prefix >= 0 && prefix < 2 ** bits
}
