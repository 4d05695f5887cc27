import { get, type IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { type Random, sample, unit } from '../../src/base/random.ts'
import type { Arena, Life } from './arena.ts'
import type { Casualties } from './casualties.ts'
import type { Ledger } from './ledger.ts'

/** Mean gap between two evaluations at one node: 30 a second each. */
const gapMs = 33
/** A client that has waited for so long has given up: the evaluation failed. */
const timeoutMs = 5_000
/** Younger writes may still be on their way to a healthy node. */
const onItsWayMs = 200

interface Answer {
  readonly status: number
  readonly root: string
  readonly value: number
}

/** One client a node, which asks it again and again over one connection; and what their answers tell of the nodes' rulesets. */
export class Evaluators {
  readonly #arena: Arena
  readonly #ledger: Ledger
  readonly #random: Random
  readonly #current: () => Casualties
  readonly #roots = new Map<number, { readonly root: string; readonly askedMs: number }>()
  #stopped = false

  constructor(arena: Arena, ledger: Ledger, random: Random, current: () => Casualties) {
    this.#arena = arena
    this.#ledger = ledger
    this.#random = random
    this.#current = current
  }

  start(): void {
    for (const node of this.#arena.nodes) void this.#ask(node)
  }

  stop(): void {
    this.#stopped = true
  }

  /** True when each node, asked since then, answers from one and the same ruleset. */
  agreeSince(sinceMs: number): boolean {
    const seen = this.#arena.nodes.map((node) => this.#roots.get(node))
    return new Set(seen.map((last) => last?.root)).size === 1 && seen.every((last) => (last?.askedMs ?? 0) >= sinceMs)
  }

  async #ask(node: number): Promise<void> {
    while (!this.#stopped) {
      await delay(2 * gapMs * unit(this.#random))
      const life = this.#arena.serving(node)
      if (life !== null) await this.#evaluate(life)
    }
  }

  async #evaluate(life: Life): Promise<void> {
    const { node } = life
    const [key = ''] = sample(this.#random, this.#ledger.beatKeys, 1)
    const casualties = this.#current()
    const askedMs = performance.now()
    const answer = await request(life, key).catch((error: unknown) => String(error))
    // Struck while it was asked: not one of those that had to answer.
    if (this.#arena.serving(node) !== life) return
    const tookMs = performance.now() - askedMs
    if (typeof answer === 'string' || answer.status !== 200) {
      const failure = typeof answer === 'string' ? answer : `status ${answer.status}`
      casualties.add({ node, failure: `${failure} after ${Math.round(tookMs)} ms`, behindMs: 0, tookMs })
      return
    }
    this.#roots.set(node, { root: answer.root, askedMs })
    const behindMs = this.#ledger.behindMs(key, answer.value, askedMs)
    casualties.add({ node, failure: null, behindMs: behindMs > onItsWayMs ? behindMs : 0, tookMs })
  }
}

function request({ process, agent }: Life, key: string): Promise<Answer> {
  const url = `${process.url}/api/v1/flags/${key}/evaluate?user_id=u`
  return new Promise((resolve, reject) => {
    const outgoing = get(url, { agent, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      read(response).then(resolve, reject)
    })
    outgoing.on('error', reject)
  })
}

async function read(response: IncomingMessage): Promise<Answer> {
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  const { value } = JSON.parse(text) as { value?: unknown }
  return { status: response.statusCode ?? 0, root: String(response.headers['flags-version']), value: Number(value) }
}
