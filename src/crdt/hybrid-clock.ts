import { FlagsError } from '../base/errors.ts'
import { counterMax, counterOf, makeStamp, noStamp, type Stamp, type Writer, wallMsMax, wallMsOf } from './stamp.ts'

/** How far past the wall clock a received stamp may push our own: a peer from the future must not take us along. */
export const observedAheadMsMax = 500

/**
 * Issues stamps that follow the wall clock, and causality where the two disagree: the hybrid logical clock of Kulkarni,
 * Demirbas et al., "Logical Physical Clocks" (2014), with a bound on what others can do to it.
 *
 * Invariant 4: every stamp issued is greater than the one issued before and than the one it overwrites, whatever the
 * clocks say.
 */
export class HybridClock {
  readonly #writer: Writer
  #wallMs = 0
  #counter = 0

  constructor(writer: Writer) {
    this.#writer = writer
  }

  /** After a restart: never issue anything up to `issued` again, though the clock was set back meanwhile. */
  restore(issued: Stamp): void {
    this.#raise(wallMsOf(issued), counterOf(issued))
  }

  /**
   * A stamp greater than every one issued here and greater than `after`, at or past `wallMs`.
   * Throws CLOCK_UNTRUSTED when there is none left, which only a forged stamp of the year 10889 can bring about.
   */
  tick(wallMs: number, after: Stamp = noStamp): Stamp {
    this.#raise(wallMsOf(after), counterOf(after))
    if (wallMs > this.#wallMs) {
      this.#wallMs = Math.min(Math.floor(wallMs), wallMsMax)
      this.#counter = 0
    } else if (this.#counter < counterMax) {
      this.#counter++
    } else if (this.#wallMs < wallMsMax) {
      this.#wallMs++
      this.#counter = 0
    } else {
      throw new FlagsError('CLOCK_UNTRUSTED', 'The register carries the last stamp there is; nothing was changed.')
    }
    return makeStamp(this.#wallMs, this.#counter, this.#writer)
  }

  /**
   * Takes note of a peer's stamp, so that what we write next sorts behind it.
   * Returns false when the stamp lies too far in the future to be followed all the way.
   */
  observe(stamp: Stamp, wallMs: number): boolean {
    const theirs = wallMsOf(stamp)
    const limit = Math.floor(wallMs) + observedAheadMsMax
    if (theirs <= limit) this.#raise(theirs, counterOf(stamp))
    else this.#raise(limit, 0)
    return theirs <= limit
  }

  #raise(wallMs: number, counter: number): void {
    if (wallMs < this.#wallMs || (wallMs === this.#wallMs && counter <= this.#counter)) return
    this.#wallMs = wallMs
    this.#counter = counter
  }
}
