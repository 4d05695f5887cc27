import type { Now } from '../base/clock.ts'
import { expiryGridMs } from './expiry.ts'
import type { Address } from './ports.ts'

/** On the wire: the sender is part of the mesh now; or it never was. Any other number is since when it has been away. */
export const present = 0
export const newcomer = -1

/** How old the note of the last agreement may grow. */
const noteIntervalMs = 60_000
/** The same after a change: a note from before it would pass it off as written in our absence. */
const noteIntervalAfterChangeMs = 5_000
/** After this time clocks that contradict each other no longer keep what we hold from the mesh. */
const undecidedMsMax = 3_600_000

/**
 * Whether this node knows of all that was deleted. Peers drop tombstones after the retention; who was away for longer may
 * hold registers whose tombstones are gone everywhere, and must not bring them back (invariant 6).
 *
 * What counts is the last agreement, when a peer's root was equal to ours: all that we held then, the mesh held too. If it
 * lacks some of that now, it was deleted meanwhile. What we wrote or heard since, the mesh may never have had.
 *
 * - present: the last agreement is younger than the retention.
 * - absent since t: it is older, or that is not decided yet. Such a node drops no tombstones and gives nothing to those who are present until it has
 *   returned: it is sent all that a present node holds, and forgets what is older than t and was not sent.
 * - newcomer: has never agreed with anyone. What it holds was written here, so it merges as it is; but it cannot vouch for
 *   others before it has met someone present, or been up for the retention itself. A newcomer who meets an absent node
 *   shares its past from then on.
 *
 * Clocks decide, and any of them may be wrong by years, ours too: a machine without a battery wakes up with the time it was
 * switched off at. So ours and a peer's must agree, or else most of three and more. Until then a node takes and gives nothing.
 *
 * When all nodes were off for longer than the retention, nobody is present and none has dropped a tombstone since: they merge
 * as ever, and nothing is lost. Only one that left a whole retention before the other returns to it.
 */
export class Presence {
  readonly #retentionMs: number
  #absentSinceWallMs: number = newcomer
  /** Whose clock says that we were away for too long, and whose says no, until that is decided; ours is under ''. */
  #votes: Map<Address, boolean> | null = null
  #lastAgreementWallMs = 0
  #startedMs = 0
  #notedMs = Number.NEGATIVE_INFINITY
  #changedSinceNote = false

  constructor(retentionMs: number) {
    this.#retentionMs = retentionMs
  }

  /** `lastAgreementWallMs` is what the notes on the disk say, 0 for never. */
  start(now: Now, lastAgreementWallMs: number): void {
    this.#startedMs = now.monotonicMs
    this.#lastAgreementWallMs = lastAgreementWallMs
    if (lastAgreementWallMs === 0) return
    this.#absentSinceWallMs = lastAgreementWallMs
    this.#votes = new Map([['', this.#isTooLong(now.wallMs)]])
  }

  /** False while clocks contradict each other on whether we were away for too long. */
  get isDecided(): boolean {
    return this.#votes === null
  }

  /** `present`, `newcomer`, or the wall clock at the last agreement. */
  get absentSinceWallMs(): number {
    return this.#absentSinceWallMs
  }

  get isAbsent(): boolean {
    return this.#absentSinceWallMs > 0
  }

  /** What the notes on the disk are to say: frozen while absent. */
  get lastAgreementWallMs(): number {
    return this.#lastAgreementWallMs
  }

  /** Our state has changed; what the notes on the disk say of agreement is from before. */
  onChanged(): void {
    this.#changedSinceNote = true
  }

  /** A peer was heard, and told its clock. */
  onContact(now: Now, from: Address, theirWallMs: number): void {
    const upMs = now.monotonicMs - this.#startedMs
    if (this.#votes !== null) {
      this.#votes.set('', this.#isTooLong(now.wallMs)).set(from, this.#isTooLong(theirWallMs))
      const away = [...this.#votes.values()].filter((vote) => vote).length
      const here = this.#votes.size - away
      if (away !== here) this.#decide(away > here)
      else if (upMs > undecidedMsMax) this.#decide(false)
    }
    if (upMs > this.#retentionMs) this.#absentSinceWallMs = present
  }

  /** A peer's root is equal to ours. Returns true when the notes are to be saved. */
  onAgreement(now: Now): boolean {
    if (this.isAbsent) return false
    this.#lastAgreementWallMs = Math.max(1, Math.floor(now.wallMs))
    const intervalMs = this.#changedSinceNote ? noteIntervalAfterChangeMs : noteIntervalMs
    if (now.monotonicMs - this.#notedMs < intervalMs) return false
    this.#notedMs = now.monotonicMs
    this.#changedSinceNote = false
    return true
  }

  /** True when we must return to this peer, rather than merge with it. */
  mustReturnTo(theirAbsentSinceWallMs: number): boolean {
    if (!this.isAbsent || theirAbsentSinceWallMs === newcomer) return false
    return theirAbsentSinceWallMs === present || theirAbsentSinceWallMs - this.#absentSinceWallMs > this.#graceMs
  }

  /** A session with this peer has ended well: we know what it knows. */
  onSynced(now: Now, theirAbsentSinceWallMs: number): void {
    const joins = this.#absentSinceWallMs === newcomer && theirAbsentSinceWallMs !== newcomer
    if (!joins && !this.mustReturnTo(theirAbsentSinceWallMs)) return
    this.#absentSinceWallMs = theirAbsentSinceWallMs
    this.#lastAgreementWallMs = theirAbsentSinceWallMs === present ? Math.floor(now.wallMs) : theirAbsentSinceWallMs
  }

  #decide(isAbsent: boolean): void {
    this.#votes = null
    if (!isAbsent) this.#absentSinceWallMs = present
  }

  #isTooLong(wallMs: number): boolean {
    return wallMs - this.#lastAgreementWallMs > this.#graceMs
  }

  /** Short of the retention by an hour, since expiry works on full hours and notes are up to a minute old. */
  get #graceMs(): number {
    return Math.max(this.#retentionMs - expiryGridMs, this.#retentionMs / 2)
  }
}
