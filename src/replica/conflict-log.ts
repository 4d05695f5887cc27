import type { RegisterRecord } from '../crdt/register.ts'
import type { Counters } from './counters.ts'
import type { Effects } from './ports.ts'

/** Conflicts that are remembered as told; gossip repeats a loser for less than a second. */
const rememberedMax = 1_024

/** Tells of each conflict once, though the loser arrives again and again. */
export class ConflictLog {
  readonly #effects: Effects
  readonly #counters: Counters
  readonly #told = new Set<string>()

  constructor(effects: Effects, counters: Counters) {
    this.#effects = effects
    this.#counters = counters
  }

  tell({ winner, loser }: { readonly winner: RegisterRecord; readonly loser: RegisterRecord }): void {
    const name = `${loser.stamp}${loser.key}`
    if (this.#told.has(name)) return
    this.#told.add(name)
    if (this.#told.size > rememberedMax) {
      const [oldest] = this.#told
      this.#told.delete(oldest as string)
    }
    this.#counters.add('conflicts')
    this.#effects.emit({ type: 'conflict', winner, loser })
  }
}
