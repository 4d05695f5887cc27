import type { RegisterRecord } from '../crdt/register.ts'
import type { RegisterMap } from '../crdt/register-map.ts'
import { noStamp, type Stamp } from '../crdt/stamp.ts'
import type { Counters } from './counters.ts'
import type { Effects, ReplicaNotes } from './ports.ts'

/** A change from a peer waits this long for company: to lose it means to fetch it again. */
const remoteDelayMs = 200
/** Until what a failing disk refused is offered to it again. */
const retryDelayMs = 1_000
/** Records of one append of peers' changes: a cold start must not copy the whole map at once. */
const remoteRecordsMax = 2_000

/** A local write on its way to the disk. */
export interface LocalWrite {
  readonly id: number
  readonly stamp: Stamp
  readonly records: readonly RegisterRecord[]
  readonly wantAck: boolean
}

type Append =
  | { readonly kind: 'local'; readonly write: LocalWrite }
  | { readonly kind: 'remote'; readonly records: readonly RegisterRecord[] }
  | { readonly kind: 'notes' }

/** What an answer of the disk settled. */
export interface Settled {
  readonly writes: readonly LocalWrite[]
  /** Keys of peers' changes that are on the disk now. */
  readonly durableKeys: readonly string[]
}

/**
 * What is on its way to the disk, and what waits for it. Appends are answered in their order. The records of one register
 * are appended in the order of their stamps, so that the last one on the disk is the winner: a peer's change waits while a
 * newer local write of its register is under way, and is superseded if that succeeds.
 */
export class Journal {
  readonly #effects: Effects
  readonly #map: RegisterMap
  readonly #counters: Counters
  readonly #notes: () => ReplicaNotes
  readonly #appends: Append[] = []
  /** Newest stamp of each register that a local write under way will set. */
  readonly #writing = new Map<string, Stamp>()
  /** Keys whose winner came from a peer and is not on the disk. */
  readonly #unsaved = new Set<string>()
  #savesUnderWay = 0
  #localsUnderWay = 0
  /** Someone waits for what is unsaved: do not wait for company. */
  #hurried = false
  #armed = false

  constructor(effects: Effects, map: RegisterMap, counters: Counters, notes: () => ReplicaNotes) {
    this.#effects = effects
    this.#map = map
    this.#counters = counters
    this.#notes = notes
  }

  /** Local writes that wait for the disk. */
  get localsUnderWay(): number {
    return this.#localsUnderWay
  }

  /** True when everything visible is on the disk. */
  get isIdle(): boolean {
    return this.#unsaved.size === 0
  }

  isSaved(key: string): boolean {
    return !this.#unsaved.has(key)
  }

  /** The stamp a new write of this register overwrites: of the last write under way, else of the one in force. */
  lastStamp(key: string): Stamp {
    const inForce = this.#map.get(key)?.stamp ?? noStamp
    const underWay = this.#writing.get(key) ?? noStamp
    return underWay > inForce ? underWay : inForce
  }

  write(write: LocalWrite): void {
    for (const record of write.records) this.#writing.set(record.key, record.stamp)
    this.#localsUnderWay++
    this.#append({ kind: 'local', write }, write.records)
  }

  /** The winner of this register came from a peer; it is to be saved with the next batch. */
  noteUnsaved(key: string): void {
    this.#unsaved.add(key)
    this.#arm(remoteDelayMs)
  }

  /** Saves what is unsaved as soon as the disk is free for it. */
  hurry(): void {
    if (this.#savesUnderWay > 0) this.#hurried = true
    else this.#save()
  }

  /** Saves a batch of peers' changes. */
  #save(): void {
    const records: RegisterRecord[] = []
    for (const key of this.#unsaved) {
      const record = this.#map.get(key)
      if (record === undefined) this.#unsaved.delete(key)
      else if ((this.#writing.get(key) ?? noStamp) < record.stamp) records.push(record)
      if (records.length === remoteRecordsMax) break
    }
    if (records.length === 0) return
    this.#hurried = records.length === remoteRecordsMax
    this.#savesUnderWay++
    this.#append({ kind: 'remote', records }, records)
  }

  /** Saves the notes alone. */
  saveNotes(): void {
    this.#append({ kind: 'notes' }, [])
  }

  onTimer(): void {
    this.#armed = false
    if (this.#unsaved.size === 0) return
    // One save at a time: a slow disk gets fewer and larger ones. Its answer arms the next.
    if (this.#savesUnderWay === 0) this.#save()
    this.#arm(retryDelayMs)
  }

  onAppended(count: number, failed: boolean): Settled {
    if (failed) this.#counters.add('appends_failed', count)
    const writes: LocalWrite[] = []
    const durableKeys: string[] = []
    for (const append of this.#appends.splice(0, count)) {
      if (append.kind === 'local') writes.push(this.#settleLocal(append.write, failed))
      if (append.kind === 'remote') durableKeys.push(...this.#settleRemote(append.records, failed))
    }
    return { writes, durableKeys }
  }

  #settleLocal(write: LocalWrite, failed: boolean): LocalWrite {
    this.#localsUnderWay--
    for (const { key, stamp } of write.records) {
      if (this.#writing.get(key) === stamp) this.#writing.delete(key)
      if (!failed && (this.#map.get(key)?.stamp ?? noStamp) < stamp) this.#unsaved.delete(key)
    }
    return write
  }

  #settleRemote(records: readonly RegisterRecord[], failed: boolean): string[] {
    this.#savesUnderWay--
    if (failed) {
      this.#arm(retryDelayMs)
      return []
    }
    const saved = records.filter(({ key, stamp }) => this.#map.get(key)?.stamp === stamp).map(({ key }) => key)
    for (const key of saved) this.#unsaved.delete(key)
    if (this.#hurried && this.#savesUnderWay === 0) this.#save()
    return saved
  }

  #append(append: Append, records: readonly RegisterRecord[]): void {
    this.#appends.push(append)
    this.#effects.append(records, this.#notes())
  }

  #arm(afterMs: number): void {
    if (this.#armed) return
    this.#armed = true
    this.#effects.setTimer({ kind: 'journal' }, afterMs)
  }
}
