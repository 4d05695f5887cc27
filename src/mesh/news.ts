import type { SwimUpdate } from 'swim'
import { type Random, sample } from '../base/random.ts'
import type { Address } from '../replica/ports.ts'

/** How long news wait for more of them: members that start or fail together make one packet. */
const collectMs = 20
/** Members that hear of it from us at once; whoever hears it first does the same, so it reaches all in ln(N) hops. */
const fanout = 3

export interface NewsOptions {
  readonly random: Random
  readonly audience: () => readonly Address[]
  readonly send: (to: Address, updates: readonly SwimUpdate[]) => void
}

/**
 * Pushes who came, died or recovered to some members at once. swim by itself tells only on its probes, which takes
 * seconds and is what remains when these packets are lost.
 */
export class News {
  readonly #options: NewsOptions
  readonly #updates = new Map<Address, SwimUpdate>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: NewsOptions) {
    this.#options = options
  }

  add(update: SwimUpdate): void {
    this.#updates.set(update.host, update)
    this.#timer ??= setTimeout(() => this.#flush(), collectMs)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#updates.clear()
  }

  #flush(): void {
    this.#timer = undefined
    const updates = [...this.#updates.values()]
    this.#updates.clear()
    for (const to of sample(this.#options.random, this.#options.audience(), fanout)) this.#options.send(to, updates)
  }
}
