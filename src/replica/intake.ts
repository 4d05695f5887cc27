import type { Now } from '../base/clock.ts'
import type { HybridClock } from '../crdt/hybrid-clock.ts'
import { compareRecords } from '../crdt/merge.ts'
import type { RegisterRecord } from '../crdt/register.ts'
import type { MergeOutcome, RegisterMap } from '../crdt/register-map.ts'
import type { ConflictLog } from './conflict-log.ts'
import type { Counters } from './counters.ts'
import { isExpired, isLogKey, isSweepTime, type Retention } from './expiry.ts'
import type { Journal, LocalWrite } from './journal.ts'
import { LogWindow } from './log-window.ts'
import type { Effects } from './ports.ts'
import type { Presence } from './presence.ts'

/** Log entries that were cut off are dropped from the disk so many at a time: each write cuts one, and is not to wait for it. */
const cutOffBatch = 256

/** The only place where the map changes: every record enters here, and every expired one leaves here. */
export class Intake {
  readonly #map: RegisterMap
  readonly #clock: HybridClock
  readonly #journal: Journal
  readonly #presence: Presence
  readonly #conflicts: ConflictLog
  readonly #effects: Effects
  readonly #counters: Counters
  readonly #retention: Retention
  readonly #isGenuine: (record: RegisterRecord) => boolean
  readonly #log: LogWindow
  /** Entries that the map no longer has, and the disk still does. */
  #cutOff: string[] = []

  constructor(deps: {
    readonly map: RegisterMap
    readonly clock: HybridClock
    readonly journal: Journal
    readonly presence: Presence
    readonly conflicts: ConflictLog
    readonly effects: Effects
    readonly counters: Counters
    readonly retention: Retention
    readonly isGenuine: (record: RegisterRecord) => boolean
  }) {
    this.#map = deps.map
    this.#clock = deps.clock
    this.#journal = deps.journal
    this.#presence = deps.presence
    this.#conflicts = deps.conflicts
    this.#effects = deps.effects
    this.#counters = deps.counters
    this.#retention = deps.retention
    this.#isGenuine = deps.isGenuine
    this.#log = new LogWindow(deps.map, deps.retention.logEntriesMax)
  }

  /** What the disk held at the start. What is forged stays on it, for people to look at. */
  recover(records: Iterable<RegisterRecord>): void {
    const forged: string[] = []
    for (const record of records) {
      if (this.#isGenuine(record)) this.#put(record)
      else forged.push(record.key)
    }
    this.#tellForged(forged)
    this.#forgetCutOff(1)
  }

  /** Merges what peers sent, visible at once and on the disk soon; returns what changed our state. */
  absorb(now: Now, records: readonly RegisterRecord[]): RegisterRecord[] {
    this.#counters.add('records_received', records.length)
    const forged: string[] = []
    const changed = records.filter((record) => {
      if (this.#isHeld(record) || this.#isGenuine(record)) return this.#mergeRemote(now, record)
      forged.push(record.key)
      return false
    })
    this.#tellForged(forged)
    for (const { key } of changed) this.#journal.noteUnsaved(key)
    this.#emitChanged(changed, false)
    this.#forgetCutOff(cutOffBatch)
    return changed
  }

  /** A local write is on the disk: make it visible. Returns what of it is in force. */
  commit(write: LocalWrite): RegisterRecord[] {
    const changed = write.records.filter((record) => this.#merge(record))
    this.#emitChanged(changed, true)
    this.#forgetCutOff(cutOffBatch)
    return changed
  }

  /** Drops registers here and on the disk. */
  forget(keys: readonly string[]): void {
    if (keys.length === 0) return
    const gone = keys.map((key) => this.#map.get(key)).filter((record) => record !== undefined)
    for (const { key } of gone) this.#drop(key)
    this.#counters.add('records_forgotten', keys.length)
    this.#effects.forget(keys)
    this.#emitChanged(
      gone.filter((record) => record.value !== null),
      false,
    )
  }

  /** Drops what has outlived its retention. A node that has been away keeps it all: see presence.ts. */
  expire(now: Now): void {
    this.#forgetCutOff(1)
    if (this.#presence.isAbsent) return
    const expired: string[] = []
    for (const record of this.#map.records()) {
      if (isExpired(record, now.wallMs, this.#retention)) expired.push(record.key)
    }
    this.forget(expired)
  }

  /** True for what was checked when it first came: gossip brings each record several times, and to check it may cost a hash. */
  #isHeld(record: RegisterRecord): boolean {
    const held = this.#map.get(record.key)
    return held !== undefined && compareRecords(held, record) === 0
  }

  #mergeRemote(now: Now, record: RegisterRecord): boolean {
    if (this.#isLate(now, record) || this.#isBelowLog(record)) {
      this.#counters.add('records_expired')
      return false
    }
    if (!this.#merge(record)) return false
    if (!this.#clock.observe(record.stamp, now.wallMs)) this.#counters.add('stamps_from_future')
    return true
  }

  /**
   * True for what was just dropped here, and comes back from a node that has not got round to it. At any other time even an
   * expired record is taken, until the next full hour: its author's clock, or ours, may be far off.
   */
  #isLate(now: Now, record: RegisterRecord): boolean {
    if (this.#presence.isAbsent || !isSweepTime(now.wallMs)) return false
    return isExpired(record, now.wallMs, this.#retention) && this.#map.get(record.key) === undefined
  }

  /** True for an entry of the log that would be cut off at once. */
  #isBelowLog(record: RegisterRecord): boolean {
    return isLogKey(record.key) && !this.#log.admits(record)
  }

  #merge(record: RegisterRecord): boolean {
    const { changed, conflict } = this.#put(record)
    if (conflict !== undefined) this.#conflicts.tell(conflict)
    if (changed) this.#counters.add('records_applied')
    return changed
  }

  #put(record: RegisterRecord): MergeOutcome {
    if (!isLogKey(record.key)) return this.#map.merge(record)
    const isNew = this.#map.get(record.key) === undefined
    const outcome = this.#map.merge(record)
    const leaves = outcome.changed ? this.#log.onMerged(record, isNew) : undefined
    if (leaves !== undefined) {
      this.#drop(leaves)
      this.#cutOff.push(leaves)
    }
    return outcome
  }

  #drop(key: string): void {
    this.#map.forget(key)
    if (isLogKey(key)) this.#log.onForgotten()
  }

  /** Drops from the disk what was cut off, once it is at least so much. */
  #forgetCutOff(least: number): void {
    if (this.#cutOff.length < least) return
    const keys = this.#cutOff.filter((key) => this.#map.get(key) === undefined)
    this.#cutOff = []
    this.#counters.add('records_forgotten', keys.length)
    if (keys.length > 0) this.#effects.forget(keys)
  }

  #tellForged(keys: readonly string[]): void {
    if (keys.length === 0) return
    this.#counters.add('records_forged', keys.length)
    this.#effects.emit({ type: 'forged', keys })
  }

  #emitChanged(records: readonly RegisterRecord[], local: boolean): void {
    if (records.length === 0) return
    this.#presence.onChanged()
    this.#effects.emit({ type: 'changed', keys: records.map(({ key }) => key), local })
  }
}
