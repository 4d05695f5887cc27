import type { Now } from '../base/clock.ts'
import { expiryGridMs } from './expiry.ts'

/** On the wire: the sender is part of the mesh now; or it never was. Any other number is since when it has been away. */
export const present = 0
export const newcomer = -1

/** How old the note of the last contact may grow; it also goes with every append. */
const noteIntervalMs = 60_000
/** The same after a local write: a note from before it would pass it off as written in our absence. */
const noteIntervalAfterWriteMs = 5_000

/**
 * Whether this node can be trusted to know of all that was deleted. Peers drop tombstones after the retention; who was away
 * for longer may hold registers whose tombstones are gone everywhere, and must not bring them back (invariant 6).
 *
 * - present: was away for less than that, if at all.
 * - absent since t: was part of the mesh until t, longer ago than the retention. It drops no tombstones, gives nothing to
 *   those who are present, and becomes present by a returning session: it is sent all that a present node holds, and
 *   forgets what it wrote or heard before t and was not sent.
 * - newcomer: has never met anyone. Whatever it holds was written here, so it merges as it is; but it cannot vouch for
 *   others until it has met someone who is present, or has been up for the retention itself. A newcomer who meets an absent
 *   node shares its past from then on.
 *
 * When all nodes were off for longer than the retention, nobody is present and none has dropped a tombstone since: they merge
 * as ever, and nothing is lost. Only one that left a whole retention before the other returns to it.
 */
export class Presence {
  readonly #retentionMs: number
  #absentSinceWallMs: number = newcomer
  #lastContactWallMs = 0
  #startedMs = 0
  #notedMs = Number.NEGATIVE_INFINITY
  #wroteSinceNote = false

  constructor(retentionMs: number) {
    this.#retentionMs = retentionMs
  }

  start(now: Now, lastContactWallMs: number): void {
    this.#lastContactWallMs = lastContactWallMs
    this.#startedMs = now.monotonicMs
    if (lastContactWallMs === 0) this.#absentSinceWallMs = newcomer
    else this.#absentSinceWallMs = now.wallMs - lastContactWallMs > this.#graceMs ? lastContactWallMs : present
  }

  get absentSinceWallMs(): number {
    return this.#absentSinceWallMs
  }

  get isPresent(): boolean {
    return this.#absentSinceWallMs === present
  }

  /** What the notes on the disk say: frozen while absent. */
  get lastContactWallMs(): number {
    return this.#lastContactWallMs
  }

  /** The notes are on their way to the disk, with a local write or without. */
  onNoted(now: Now, wrote: boolean): void {
    this.#notedMs = now.monotonicMs
    this.#wroteSinceNote = wrote
  }

  /** A peer was heard. Returns true when the notes want saving. */
  onContact(now: Now): boolean {
    if (!this.isPresent && now.monotonicMs - this.#startedMs > this.#retentionMs) this.#absentSinceWallMs = present
    if (this.#absentSinceWallMs > 0) return false
    this.#lastContactWallMs = Math.floor(now.wallMs)
    const intervalMs = this.#wroteSinceNote ? noteIntervalAfterWriteMs : noteIntervalMs
    return now.monotonicMs - this.#notedMs >= intervalMs
  }

  /** True when we must return to this peer, rather than merge with it. */
  mustReturnTo(theirAbsentSinceWallMs: number): boolean {
    return outlives(this.#absentSinceWallMs, theirAbsentSinceWallMs, this.#graceMs)
  }

  /** True when this peer must return to us, and has nothing for us until it has. */
  mayReturn(theirAbsentSinceWallMs: number): boolean {
    return outlives(theirAbsentSinceWallMs, this.#absentSinceWallMs, this.#graceMs)
  }

  /** A session with this peer has ended well: we know what it knows. */
  onSynced(now: Now, theirAbsentSinceWallMs: number): void {
    const returned = this.mustReturnTo(theirAbsentSinceWallMs)
    const joined = this.#absentSinceWallMs === newcomer && theirAbsentSinceWallMs !== newcomer
    if (!returned && !joined) return
    this.#absentSinceWallMs = theirAbsentSinceWallMs
    this.#lastContactWallMs = theirAbsentSinceWallMs === present ? Math.floor(now.wallMs) : theirAbsentSinceWallMs
  }

  /** Short of the retention by an hour, since expiry works on full hours and notes are up to a minute old. */
  get #graceMs(): number {
    return Math.max(this.#retentionMs - expiryGridMs, this.#retentionMs / 2)
  }
}

/** True when one that has been away since `early` may have missed what one away since `late` has dropped since. */
function outlives(early: number, late: number, graceMs: number): boolean {
  return early > 0 && (late === present || late - early > graceMs)
}
