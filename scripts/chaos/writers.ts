import { setTimeout as delay } from 'node:timers/promises'
import { type Random, unit } from '../../src/base/random.ts'
import { ask } from '../../test/e2e/harness/api.ts'
import type { Arena, Life } from './arena.ts'
import type { Ledger } from './ledger.ts'

/** Mean gap between two writes at one node. */
const gapMs = 400

/** Writes at every node that runs, in turn a new flag and the next number of the node's own, and remembers what was acknowledged. */
export class Writers {
  readonly #arena: Arena
  readonly #ledger: Ledger
  readonly #random: Random
  readonly #busy = new Set<number>()
  #writing = false
  #stopped = false

  constructor(arena: Arena, ledger: Ledger, random: Random) {
    this.#arena = arena
    this.#ledger = ledger
    this.#random = random
  }

  /** Creates the nodes' own flags, and begins. */
  async start(): Promise<void> {
    for (const node of this.#arena.nodes) {
      const life = this.#arena.serving(node)
      if (life === null || !(await this.#createBeat(life))) throw new Error(`node ${node} takes no write`)
    }
    this.#writing = true
    for (const node of this.#arena.nodes) void this.#write(node)
  }

  /** Resolves once no write is on its way to a node that runs; none begins until `resume`. */
  async rest(): Promise<void> {
    this.#writing = false
    while ([...this.#busy].some((node) => this.#arena.serving(node) !== null)) await delay(5)
  }

  resume(): void {
    this.#writing = true
  }

  stop(): void {
    this.#stopped = true
  }

  async #write(node: number): Promise<void> {
    for (let sequence = 1; !this.#stopped; sequence++) {
      await delay(2 * gapMs * unit(this.#random))
      const life = this.#arena.serving(node)
      if (life === null || !this.#writing) continue
      this.#busy.add(node)
      if (sequence % 2 === 0) await this.#createKept(life, sequence)
      else await this.#setBeat(life, sequence)
      this.#busy.delete(node)
    }
  }

  async #createBeat({ node, process }: Life): Promise<boolean> {
    const key = `beat-${node}`
    const variations = { now: 0, off: -1 }
    const flag = {
      key,
      type: 'number',
      variations,
      enabled: true,
      offVariation: 'off',
      fallthrough: { variation: 'now' },
    }
    const answer = await ask(process, 'POST', '/flags', flag)
    if (answer?.status === 201) this.#ledger.beat(key, 0, performance.now())
    return answer?.status === 201
  }

  async #setBeat({ node, process }: Life, sequence: number): Promise<void> {
    const key = `beat-${node}`
    const answer = await ask(process, 'PATCH', `/flags/${key}`, { variations: { now: sequence } })
    if (answer?.status === 200) this.#ledger.beat(key, sequence, performance.now())
  }

  async #createKept({ node, process }: Life, sequence: number): Promise<void> {
    const key = `kept-${node}-${sequence}`
    const answer = await ask(process, 'POST', '/flags', { key })
    if (answer?.status === 201) this.#ledger.keep(key)
  }
}
