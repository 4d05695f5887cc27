import type { Now } from '../base/clock.ts'
import { FlagsError } from '../base/errors.ts'
import { pendingWritesMax, registerKeyBytesMax, registerValueBytesMax } from '../base/limits.ts'
import { isRegisterKey, isRegisterValue } from '../crdt/delta.ts'
import type { HybridClock } from '../crdt/hybrid-clock.ts'
import type { RegisterChange, RegisterRecord } from '../crdt/register.ts'
import { noStamp, type Stamp } from '../crdt/stamp.ts'
import type { ClockCheck } from './clock-check.ts'
import type { Journal, LocalWrite } from './journal.ts'

/** Turns changes into stamped records on their way to the disk. They are visible when the disk has them, not before. */
export class LocalWrites {
  readonly #clock: HybridClock
  readonly #clockCheck: ClockCheck
  readonly #journal: Journal
  #nextId = 1
  #issued: Stamp = noStamp

  constructor(clock: HybridClock, clockCheck: ClockCheck, journal: Journal) {
    this.#clock = clock
    this.#clockCheck = clockCheck
    this.#journal = journal
  }

  /** The greatest stamp issued here, in this life or an earlier one. */
  get issued(): Stamp {
    return this.#issued
  }

  restore(issued: Stamp): void {
    this.#issued = issued
    this.#clock.restore(issued)
  }

  /**
   * All changes get one stamp, greater than each register's last, those of writes still under way included.
   * Throws MALFORMED, LIMIT_EXCEEDED, CLOCK_UNTRUSTED, OVERLOADED; then nothing happened.
   */
  write(now: Now, changes: readonly RegisterChange[], wantAck: boolean): LocalWrite {
    this.#check(now, changes)
    const seen = changes.map(({ key }) => this.#journal.lastStamp(key))
    const newest = seen.reduce((a, b) => (b > a ? b : a), noStamp)
    const stamp = this.#clock.tick(now.wallMs, newest)
    this.#issued = stamp
    const records: RegisterRecord[] = changes.map(({ key, value }, i) => ({
      key,
      stamp,
      seen: seen[i] ?? noStamp,
      value,
    }))
    const write: LocalWrite = { id: this.#nextId++, stamp, records, wantAck }
    this.#journal.write(write)
    return write
  }

  #check(now: Now, changes: readonly RegisterChange[]): void {
    const keys = new Set(changes.map((change) => change.key))
    if (keys.size !== changes.length || keys.size === 0) {
      throw new FlagsError(
        'MALFORMED',
        'A write sets at least one register, and each of them once; nothing was changed.',
      )
    }
    for (const { key, value } of changes) {
      if (!isRegisterKey(key)) {
        throw new FlagsError('LIMIT_EXCEEDED', `A register key is well-formed text of 1-${registerKeyBytesMax} bytes.`)
      }
      if (!isRegisterValue(value)) {
        throw new FlagsError('LIMIT_EXCEEDED', `A register's value is at most ${registerValueBytesMax} bytes.`)
      }
    }
    if (this.#journal.localsUnderWay >= pendingWritesMax) {
      throw new FlagsError('OVERLOADED', 'Too many writes wait for the disk; try again later.', {
        retryAfterSeconds: 1,
      })
    }
    if (!this.#clockCheck.isTrusted(now)) {
      const message = "This node's clock is off against at least half of its peers: set it right. Nothing was changed."
      throw new FlagsError('CLOCK_UNTRUSTED', message, { retryAfterSeconds: 30 })
    }
  }
}
