import type { RegisterRecord } from '../crdt/register.ts'
import type { Stamp } from '../crdt/stamp.ts'

/**
 * Records as they travel between threads: all values in one buffer, which is handed over and not copied. Sent as they
 * are, each value would drag along the whole packet or frame that it is a view of.
 */
export interface RecordPage {
  readonly keys: readonly string[]
  readonly stamps: readonly Stamp[]
  readonly seens: readonly Stamp[]
  /** Bytes of each value; -1 is a tombstone. */
  readonly valueBytes: Int32Array
  readonly values: Uint8Array<ArrayBuffer>
}

export function packRecords(records: readonly RegisterRecord[]): RecordPage {
  let bytesTotal = 0
  for (const { value } of records) bytesTotal += value?.length ?? 0
  const values = new Uint8Array(bytesTotal)
  const valueBytes = new Int32Array(records.length)
  let offset = 0
  for (const [index, { value }] of records.entries()) {
    valueBytes[index] = value?.length ?? -1
    if (value === null) continue
    values.set(value, offset)
    offset += value.length
  }
  return {
    keys: records.map((record) => record.key),
    stamps: records.map((record) => record.stamp),
    seens: records.map((record) => record.seen),
    valueBytes,
    values,
  }
}

/** The records of a page; their values are views of its buffer. */
export function unpackRecords(page: RecordPage): RegisterRecord[] {
  let offset = 0
  return page.keys.map((key, index) => {
    const stamp = page.stamps[index] as Stamp
    const seen = page.seens[index] as Stamp
    const bytes = page.valueBytes[index] ?? -1
    if (bytes < 0) return { key, stamp, seen, value: null }
    const value = page.values.subarray(offset, offset + bytes)
    offset += bytes
    return { key, stamp, seen, value }
  })
}
