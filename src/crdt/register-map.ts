import { murmur32 } from '../base/hash.ts'
import { bucketCount, Digest, type Fingerprint, fingerprintOf } from './digest.ts'
import { bucketBits, bucketOf, bucketOfRange, covers, type KeyRange, type RangeSummary } from './key-range.ts'
import { compareRecords, isConflict } from './merge.ts'
import type { RegisterRecord } from './register.ts'

export interface Entry {
  readonly record: RegisterRecord
  readonly position: number
  readonly fingerprint: Fingerprint
}

/** What became of a record that was merged. */
export interface MergeOutcome {
  /** The record is the register's new winner. */
  readonly changed: boolean
  /** The one of the two that lost to a write whose author had not seen it; undefined when there was no conflict. */
  readonly conflict: { readonly winner: RegisterRecord; readonly loser: RegisterRecord } | undefined
}

const unchanged: MergeOutcome = { changed: false, conflict: undefined }
const changedQuietly: MergeOutcome = { changed: true, conflict: undefined }

/**
 * The replicated state: register key -> last write. A product of total orders, so merging is associative, commutative and
 * idempotent (invariant 1), and any subset of the map is a valid delta (Almeida, Shoker, Baquero, "Delta State Replicated
 * Data Types", 2018).
 */
export class RegisterMap {
  readonly #buckets: Map<string, Entry>[] = Array.from({ length: bucketCount }, () => new Map())
  readonly #digest = new Digest()
  #values = 0
  #tombstones = 0

  get(key: string): RegisterRecord | undefined {
    return this.#buckets[bucketOf(murmur32(key))]?.get(key)?.record
  }

  merge(record: RegisterRecord): MergeOutcome {
    const position = murmur32(record.key)
    const bucket = this.#bucket(bucketOf(position))
    const held = bucket.get(record.key)
    if (held !== undefined) {
      const order = compareRecords(record, held.record)
      if (order === 0) return unchanged
      if (order < 0) {
        const lost = isConflict(held.record, record)
        return lost ? { changed: false, conflict: { winner: held.record, loser: record } } : unchanged
      }
    }
    this.#put(bucket, held, { record, position, fingerprint: fingerprintOf(record) })
    const lost = held !== undefined && isConflict(record, held.record)
    return lost ? { changed: true, conflict: { winner: record, loser: held.record } } : changedQuietly
  }

  /** Drops a register altogether, so that nothing remains to merge with. Only for what has expired everywhere. */
  forget(key: string): void {
    const index = bucketOf(murmur32(key))
    const held = this.#bucket(index).get(key)
    if (held === undefined) return
    this.#bucket(index).delete(key)
    this.#digest.toggle(index, held.fingerprint)
    this.#count(held.record, -1)
  }

  *records(): Iterable<RegisterRecord> {
    for (const bucket of this.#buckets) for (const entry of bucket.values()) yield entry.record
  }

  size(): { readonly values: number; readonly tombstones: number } {
    return { values: this.#values, tombstones: this.#tombstones }
  }

  root(): string {
    return this.#digest.root()
  }

  /** The registers of a range; costs as much as its bucket is large. */
  entriesIn(range: KeyRange): Entry[] {
    const entries = [...this.#bucket(bucketOfRange(range)).values()]
    return range.bits === bucketBits ? entries : entries.filter((entry) => covers(range, entry.position))
  }

  summarize(range: KeyRange): RangeSummary {
    if (range.bits === bucketBits) {
      const count = this.#bucket(range.prefix).size
      return { bits: range.bits, prefix: range.prefix, count, fingerprint: this.#digest.bucket(range.prefix) }
    }
    const entries = this.entriesIn(range)
    let high = 0
    let low = 0
    for (const { fingerprint } of entries) {
      high ^= fingerprint.high
      low ^= fingerprint.low
    }
    const fingerprint = { high: high >>> 0, low: low >>> 0 }
    return { bits: range.bits, prefix: range.prefix, count: entries.length, fingerprint }
  }

  #bucket(index: number): Map<string, Entry> {
    return this.#buckets[index] as Map<string, Entry>
  }

  #put(bucket: Map<string, Entry>, held: Entry | undefined, entry: Entry): void {
    const index = bucketOf(entry.position)
    if (held !== undefined) {
      this.#digest.toggle(index, held.fingerprint)
      this.#count(held.record, -1)
    }
    bucket.set(entry.record.key, entry)
    this.#digest.toggle(index, entry.fingerprint)
    this.#count(entry.record, 1)
  }

  #count(record: RegisterRecord, by: 1 | -1): void {
    if (record.value === null) this.#tombstones += by
    else this.#values += by
  }
}
