import type { Now } from '../../src/base/clock.ts'

/** A machine's clocks: the monotonic one starts anew with each life, the wall clock drifts and steps. */
export class SimClock {
  /** Wall clock of a machine that is right, at the beginning of the run. */
  static readonly epochWallMs = Date.UTC(2026, 0, 1, 0, 30)
  #offsetMs = 0
  #driftRate = 0
  #driftSinceMs = 0
  #bootMs = 0

  /** A new life: the monotonic clock begins anew. */
  boot(nowMs: number): void {
    this.#bootMs = nowMs
  }

  now(nowMs: number): Now {
    const driftMs = this.#driftRate * (nowMs - this.#driftSinceMs)
    return {
      monotonicMs: nowMs - this.#bootMs,
      wallMs: Math.floor(SimClock.epochWallMs + nowMs + this.#offsetMs + driftMs),
    }
  }

  step(byMs: number): void {
    this.#offsetMs += byMs
  }

  /** Runs fast by `rate` from now on (0.001 is a second in 1,000), or slow when negative. */
  drift(nowMs: number, rate: number): void {
    this.#offsetMs += this.#driftRate * (nowMs - this.#driftSinceMs)
    this.#driftRate = rate
    this.#driftSinceMs = nowMs
  }

  /** Set right, as by NTP. */
  correct(nowMs: number): void {
    this.#offsetMs = 0
    this.drift(nowMs, 0)
    this.#offsetMs = 0
  }
}
