/** A token bucket: bursts up to `capacity`, then `perSecond`. */
export class Budget {
  readonly #capacity: number
  readonly #perSecond: number
  #tokens: number
  #filledMs = 0

  constructor(capacity: number, perSecond: number) {
    this.#capacity = capacity
    this.#perSecond = perSecond
    this.#tokens = capacity
  }

  /** True and one less when there is one to spend. `nowMs` is monotonic. */
  take(nowMs: number): boolean {
    const earned = ((nowMs - this.#filledMs) / 1_000) * this.#perSecond
    this.#tokens = Math.min(this.#capacity, this.#tokens + earned)
    this.#filledMs = nowMs
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}
