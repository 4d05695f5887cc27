import { type Random, unit } from '../base/random.ts'
import type { Address } from '../replica/ports.ts'

export interface BackoffOptions {
  /** Until the first further try. */
  readonly firstMs: number
  /** Each try doubles the delay up to this. */
  readonly lastMs: number
  readonly random: Random
}

/** When to try each of some addresses again. Delays double and are spread by a quarter, so that peers do not try in step. */
export class Backoff {
  readonly #options: BackoffOptions
  readonly #tries = new Map<Address, { dueMs: number; delayMs: number }>()

  constructor(options: BackoffOptions) {
    this.#options = options
  }

  /** Up to `count` of the addresses whose time has come; they count as tried. What is not in `addresses` is forgotten. */
  due(nowMs: number, addresses: Iterable<Address>, count: number): readonly Address[] {
    const wanted = new Set(addresses)
    for (const address of this.#tries.keys()) if (!wanted.has(address)) this.#tries.delete(address)
    const found: Address[] = []
    for (const address of wanted) {
      if (found.length < count && (this.#tries.get(address)?.dueMs ?? 0) <= nowMs) found.push(address)
    }
    for (const address of found) this.#tried(nowMs, address)
    return found
  }

  #tried(nowMs: number, address: Address): void {
    const { firstMs, lastMs, random } = this.#options
    const delayMs = Math.min(lastMs, (this.#tries.get(address)?.delayMs ?? firstMs / 2) * 2)
    this.#tries.set(address, { delayMs, dueMs: nowMs + delayMs * (0.75 + unit(random) / 2) })
  }
}
