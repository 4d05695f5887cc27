import { type Random, unit } from '../../src/base/random.ts'
import type { EventQueue } from './event-queue.ts'
import type { SimNetwork } from './network.ts'
import type { SimNode } from './sim-node.ts'

/** How long news of a member takes: SWIM finds out who is back much sooner than who is gone. */
const upDelayMs = { min: 20, max: 500 }
const downDelayMs = { min: 2_000, max: 6_000 }

/**
 * The membership protocol's twin: tells each node who is up, some time after the truth, by what the network lets through.
 * `observe` and `observeNode` are called whenever that may have changed.
 */
export class SimMembership {
  readonly #queue: EventQueue
  readonly #network: SimNetwork
  readonly #random: Random
  readonly #nodes: () => readonly SimNode[]
  /** By observer's address: the address and life of those it believes to be up. */
  readonly #believed = new Map<string, Map<string, number>>()

  constructor(queue: EventQueue, network: SimNetwork, random: Random, nodes: () => readonly SimNode[]) {
    this.#queue = queue
    this.#network = network
    this.#random = random
    this.#nodes = nodes
  }

  /** All nodes know each other from now on, as in a mesh that has stood for a while. */
  introduceAll(): void {
    for (const observer of this.#nodes()) {
      for (const subject of this.#nodes()) this.#learn(observer, subject)
    }
  }

  /** A node starts without knowing anyone. */
  forget(observer: SimNode): void {
    this.#believed.delete(observer.address)
  }

  /** Links were cut or mended: the news spreads. */
  observe(): void {
    for (const node of this.#nodes()) this.#observeAll(node)
  }

  /** This node went up or down: it hears of all others, and all others of it. */
  observeNode(node: SimNode): void {
    this.#observeAll(node)
    for (const observer of this.#nodes()) this.#observeOne(observer, node)
  }

  #observeAll(observer: SimNode): void {
    for (const subject of this.#nodes()) this.#observeOne(observer, subject)
  }

  #observeOne(observer: SimNode, subject: SimNode): void {
    if (observer === subject || !observer.isUp || this.#isCurrent(observer, subject)) return
    this.#tellLater(observer, subject)
  }

  #tellLater(observer: SimNode, subject: SimNode): void {
    const life = observer.life
    const { min, max } = this.#reaches(observer, subject) ? upDelayMs : downDelayMs
    this.#queue.after(min + unit(this.#random) * (max - min), () => {
      if (observer.life === life && observer.isUp) this.#learn(observer, subject)
    })
  }

  #learn(observer: SimNode, subject: SimNode): void {
    if (observer === subject || !observer.isUp || this.#isCurrent(observer, subject)) return
    const beliefs = this.#believed.get(observer.address) ?? new Map<string, number>()
    this.#believed.set(observer.address, beliefs)
    const { address, id } = subject
    if (this.#reaches(observer, subject)) {
      beliefs.set(address, subject.life)
      observer.running.onMember(observer.now(), { type: 'up', address, id })
    } else {
      beliefs.delete(address)
      observer.running.onMember(observer.now(), { type: 'down', address, id })
    }
  }

  /** True when the observer believes what is so. */
  #isCurrent(observer: SimNode, subject: SimNode): boolean {
    const believed = this.#believed.get(observer.address)?.get(subject.address)
    return believed === (this.#reaches(observer, subject) ? subject.life : undefined)
  }

  /** SWIM's probes go both ways; a member reached through others counts as reached, which this twin leaves out. */
  #reaches(a: SimNode, b: SimNode): boolean {
    return a.isUp && b.isUp && !this.#network.isCut(a.address, b.address) && !this.#network.isCut(b.address, a.address)
  }
}
