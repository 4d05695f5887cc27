/** A write that a node acknowledged, and when its answer was here (monotonic ms). */
interface Acknowledged {
  readonly sequence: number
  readonly atMs: number
}

/**
 * What was acknowledged, and so must be there. Two kinds of flags make that exact: a kept flag is created once and never touched
 * again; a beat is one flag a writer, whose value is the sequence number of its last write.
 */
export class Ledger {
  readonly #kept = new Set<string>()
  readonly #beats = new Map<string, Acknowledged[]>()
  readonly #lost = new Set<string>()

  /** Writes acknowledged so far. */
  get acknowledged(): number {
    let count = this.#kept.size
    for (const writes of this.#beats.values()) count += writes.length
    return count
  }

  get beatKeys(): readonly string[] {
    return [...this.#beats.keys()]
  }

  keep(key: string): void {
    this.#kept.add(key)
  }

  beat(key: string, sequence: number, atMs: number): void {
    const writes = this.#beats.get(key) ?? []
    this.#beats.set(key, writes)
    writes.push({ sequence, atMs })
  }

  /** How old, at `nowMs`, the oldest acknowledged write is that a node does not show when it answers with `seen`; 0 when it shows all. */
  behindMs(key: string, seen: number, nowMs: number): number {
    const writes = this.#beats.get(key) ?? []
    let missed: Acknowledged | undefined
    // From the newest: nearly always it is the first that was seen.
    for (let i = writes.length - 1; i >= 0 && (writes[i] as Acknowledged).sequence > seen; i--) missed = writes[i]
    return missed === undefined ? 0 : Math.max(0, nowMs - missed.atMs)
  }

  /** Acknowledged writes that these flags (the value of each, by key) lack and that were not found lost before. */
  newlyLost(values: ReadonlyMap<string, unknown>): string[] {
    const missing = [...this.#kept].filter((key) => !values.has(key))
    for (const [key, writes] of this.#beats) {
      const held = Number(values.get(key) ?? -1)
      for (const { sequence } of writes.slice(-1)) if (held < sequence) missing.push(`${key}=${sequence}`)
    }
    const fresh = missing.filter((write) => !this.#lost.has(write))
    for (const write of fresh) this.#lost.add(write)
    return fresh
  }
}
