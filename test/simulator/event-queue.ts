interface Scheduled {
  readonly atMs: number
  /** Breaks ties: what was scheduled first happens first, so that a run has one order. */
  readonly sequence: number
  readonly run: () => void
}

/** What will happen, in order of time: a binary heap of (at, sequence, event). */
export class EventQueue {
  readonly #heap: Scheduled[] = []
  #sequence = 0
  /** Simulated milliseconds since the run began. */
  nowMs = 0

  get size(): number {
    return this.#heap.length
  }

  after(delayMs: number, run: () => void): void {
    this.#heap.push({ atMs: this.nowMs + Math.max(0, delayMs), sequence: this.#sequence++, run })
    this.#up(this.#heap.length - 1)
  }

  /** Runs the next event if it is due by `untilMs`; else moves the time there and returns false. */
  step(untilMs: number): boolean {
    const next = this.#heap[0]
    if (next === undefined || next.atMs > untilMs) {
      this.nowMs = Math.max(this.nowMs, untilMs)
      return false
    }
    const last = this.#heap.pop() as Scheduled
    if (this.#heap.length > 0) {
      this.#heap[0] = last
      this.#down(0)
    }
    this.nowMs = next.atMs
    next.run()
    return true
  }

  #up(from: number): void {
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#swapIfEarlier(at, parent)) return
      at = parent
    }
  }

  #down(from: number): void {
    let at = from
    for (;;) {
      const left = 2 * at + 1
      if (left >= this.#heap.length) return
      const right = left + 1
      const child = right < this.#heap.length && this.#isEarlier(right, left) ? right : left
      if (!this.#swapIfEarlier(child, at)) return
      at = child
    }
  }

  #swapIfEarlier(child: number, parent: number): boolean {
    if (!this.#isEarlier(child, parent)) return false
    const held = this.#heap[child] as Scheduled
    this.#heap[child] = this.#heap[parent] as Scheduled
    this.#heap[parent] = held
    return true
  }

  #isEarlier(a: number, b: number): boolean {
    const [left, right] = [this.#heap[a] as Scheduled, this.#heap[b] as Scheduled]
    return left.atMs === right.atMs ? left.sequence < right.sequence : left.atMs < right.atMs
  }
}
