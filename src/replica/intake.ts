import type { Now } from '../base/clock.ts'
import type { HybridClock } from '../crdt/hybrid-clock.ts'
import type { RegisterRecord } from '../crdt/register.ts'
import type { RegisterMap } from '../crdt/register-map.ts'
import type { ConflictLog } from './conflict-log.ts'
import type { Counters } from './counters.ts'
import { isExpired, isSweepTime, type Retention } from './expiry.ts'
import type { Journal, LocalWrite } from './journal.ts'
import type { Effects } from './ports.ts'
import type { Presence } from './presence.ts'

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

  constructor(deps: {
    readonly map: RegisterMap
    readonly clock: HybridClock
    readonly journal: Journal
    readonly presence: Presence
    readonly conflicts: ConflictLog
    readonly effects: Effects
    readonly counters: Counters
    readonly retention: Retention
  }) {
    this.#map = deps.map
    this.#clock = deps.clock
    this.#journal = deps.journal
    this.#presence = deps.presence
    this.#conflicts = deps.conflicts
    this.#effects = deps.effects
    this.#counters = deps.counters
    this.#retention = deps.retention
  }

  /** What the disk held at the start. */
  recover(records: Iterable<RegisterRecord>): void {
    for (const record of records) this.#map.merge(record)
  }

  /** Merges what peers sent, visible at once and on the disk soon; returns what changed our state. */
  absorb(now: Now, records: readonly RegisterRecord[]): RegisterRecord[] {
    this.#counters.add('records_received', records.length)
    const changed = records.filter((record) => this.#mergeRemote(now, record))
    for (const { key } of changed) this.#journal.noteUnsaved(key)
    this.#emitChanged(changed, false)
    return changed
  }

  /** A local write is on the disk: make it visible. Returns what of it is in force. */
  commit(write: LocalWrite): RegisterRecord[] {
    const changed = write.records.filter((record) => this.#merge(record))
    this.#emitChanged(changed, true)
    return changed
  }

  /** Drops registers here and on the disk. */
  forget(keys: readonly string[]): void {
    if (keys.length === 0) return
    const gone = keys.map((key) => this.#map.get(key)).filter((record) => record !== undefined)
    for (const key of keys) this.#map.forget(key)
    this.#counters.add('records_forgotten', keys.length)
    this.#effects.forget(keys)
    this.#emitChanged(
      gone.filter((record) => record.value !== null),
      false,
    )
  }

  /** Drops what has outlived its retention. A node that has been away keeps it all: see presence.ts. */
  expire(now: Now): void {
    if (this.#presence.isAbsent) return
    const expired: string[] = []
    for (const record of this.#map.records()) {
      if (isExpired(record, now.wallMs, this.#retention)) expired.push(record.key)
    }
    this.forget(expired)
  }

  #mergeRemote(now: Now, record: RegisterRecord): boolean {
    if (this.#isLate(now, record)) {
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

  #merge(record: RegisterRecord): boolean {
    const { changed, conflict } = this.#map.merge(record)
    if (conflict !== undefined) this.#conflicts.tell(conflict)
    if (changed) this.#counters.add('records_applied')
    return changed
  }

  #emitChanged(records: readonly RegisterRecord[], local: boolean): void {
    if (records.length === 0) return
    this.#presence.onChanged()
    this.#effects.emit({ type: 'changed', keys: records.map(({ key }) => key), local })
  }
}
