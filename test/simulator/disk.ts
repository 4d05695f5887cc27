import { Packr } from 'msgpackr'
import { murmur32Bytes } from '../../src/base/hash.ts'
import { below, type Random, unit } from '../../src/base/random.ts'
import { type PackedRecord, packRecord, unpackRecord } from '../../src/crdt/delta.ts'
import type { RegisterRecord } from '../../src/crdt/register.ts'
import { noStamp, type Stamp } from '../../src/crdt/stamp.ts'
import type { Recovered, ReplicaNotes } from '../../src/replica/ports.ts'

interface Entry {
  readonly records: readonly RegisterRecord[]
  readonly notes: ReplicaNotes | null
  readonly forgotten: readonly string[]
}

interface Unsynced {
  readonly entry: Entry
  readonly bytes: Uint8Array
}

export interface DiskFaults {
  /** Share of syncs that fail; what they should have kept is gone. */
  syncErrorRate: number
  isFull: boolean
}

const packr = new Packr({ useRecords: false })
const headerBytes = 8
/** Log bytes beyond which it is written anew. */
const compactBytes = 1024 * 1024

/**
 * A log of appends that a sync makes durable. A crash loses what was not synced but for some bytes of its beginning, so that
 * the last entry may be torn; a checksum tells. The last record of a register is the one that counts, as in the simplest
 * store there could be: so the replica must append in the right order.
 */
export class SimDisk {
  readonly faults: DiskFaults = { syncErrorRate: 0, isFull: false }
  readonly counters = { syncs: 0, syncErrors: 0, bytesLost: 0, bytesTorn: 0 }
  #synced: Uint8Array[] = []
  #syncedBytes = 0
  #unsynced: Unsynced[] = []
  /** What a load would find, kept up so that a checker may look often. */
  #stamps = new Map<string, Stamp>()

  append(records: readonly RegisterRecord[], notes: ReplicaNotes): void {
    this.#write({ records, notes, forgotten: [] })
  }

  forget(keys: readonly string[]): void {
    this.#write({ records: [], notes: null, forgotten: keys })
  }

  /** Makes all appends so far durable; returns false when that failed, and they are gone. */
  sync(random: Random): boolean {
    this.counters.syncs++
    const entries = this.#unsynced
    this.#unsynced = []
    if (this.faults.isFull || unit(random) < this.faults.syncErrorRate) {
      this.counters.syncErrors++
      return false
    }
    for (const { bytes, entry } of entries) {
      this.#syncedBytes += bytes.length
      this.#synced.push(bytes)
      for (const key of entry.forgotten) this.#stamps.delete(key)
      for (const { key, stamp } of entry.records) this.#stamps.set(key, stamp)
    }
    if (this.#syncedBytes > compactBytes) this.#compact()
    return true
  }

  /** Loses power. What was not synced survives up to a random byte. */
  crash(random: Random): void {
    const tail = join(this.#unsynced.map(({ bytes }) => bytes))
    const kept = below(random, tail.length + 1)
    this.counters.bytesLost += tail.length - kept
    if (kept > 0) this.counters.bytesTorn += kept
    this.#synced.push(tail.subarray(0, kept))
    this.#unsynced = []
    this.load()
  }

  /** Everything durable, as a node finds it when it starts; what is torn is cut off. */
  load(): Recovered {
    const records = new Map<string, RegisterRecord>()
    let notes: ReplicaNotes = { issued: noStamp, lastContactWallMs: 0 }
    for (const entry of this.#entries()) {
      for (const key of entry.forgotten) records.delete(key)
      for (const record of entry.records) records.set(record.key, record)
      notes = entry.notes ?? notes
    }
    this.#stamps = new Map(Array.from(records.values(), ({ key, stamp }) => [key, stamp]))
    this.#rewrite([...records.values()], notes)
    return { records: records.values(), notes }
  }

  /** A copy of what is durable now: a backup, or a clone of the machine. */
  snapshot(): SimDisk {
    const copy = new SimDisk()
    copy.#synced = [...this.#synced]
    copy.#syncedBytes = this.#syncedBytes
    copy.#stamps = new Map(this.#stamps)
    return copy
  }

  /** The stamps that are durable now, by key. */
  durable(): ReadonlyMap<string, Stamp> {
    return this.#stamps
  }

  *#entries(): Iterable<Entry> {
    const log = join(this.#synced)
    const view = new DataView(log.buffer, log.byteOffset, log.byteLength)
    let at = 0
    while (at + headerBytes <= log.length) {
      const length = view.getUint32(at)
      const body = log.subarray(at + headerBytes, at + headerBytes + length)
      if (body.length < length || murmur32Bytes(body) !== view.getUint32(at + 4)) return
      yield decode(body)
      at += headerBytes + length
    }
  }

  #compact(): void {
    const { records, notes } = this.load()
    this.#rewrite([...records], notes)
  }

  #rewrite(records: readonly RegisterRecord[], notes: ReplicaNotes): void {
    const entry = encode({ records, notes, forgotten: [] })
    this.#synced = [entry]
    // The next rewriting is due when the log has grown by as much again.
    this.#syncedBytes = 0
  }

  #write(entry: Entry): void {
    this.#unsynced.push({ entry, bytes: encode(entry) })
  }
}

function encode(entry: Entry): Uint8Array {
  const body = packr.pack([entry.records.map(packRecord), entry.notes, entry.forgotten])
  const bytes = new Uint8Array(headerBytes + body.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, body.length)
  view.setUint32(4, murmur32Bytes(body))
  bytes.set(body, headerBytes)
  return bytes
}

function decode(body: Uint8Array): Entry {
  const [packed, notes, forgotten]: [PackedRecord[], ReplicaNotes | null, string[]] = packr.unpack(body)
  const records = packed.map(unpackRecord).filter((record) => record !== undefined)
  if (records.length < packed.length) throw new Error('The simulated disk holds a record that does not read.')
  return { records, notes, forgotten }
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
