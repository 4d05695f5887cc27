import { type Random, seededRandom } from '../../src/base/random.ts'
import type { RegisterRecord } from '../../src/crdt/register.ts'
import type { ReplicaEvent } from '../../src/replica/ports.ts'
import { EventQueue } from './event-queue.ts'
import { SimMembership } from './membership.ts'
import { SimNetwork } from './network.ts'
import { whyNotConverged } from './pending.ts'
import { type NodeOptions, SimNode } from './sim-node.ts'

export interface SimulationOptions {
  readonly seed: number
  readonly nodes: number
  /** One way, on average. */
  readonly hopMs?: number
  readonly node?: NodeOptions
  /** The one command that runs this again; for runs that no command knows, the test that has the seed does. */
  readonly replay?: string
}

/** One process, one queue of events, one seed: a mesh of replicas with simulated networks, disks and clocks. */
export class Simulation {
  readonly seed: number
  readonly random: Random
  readonly queue = new EventQueue()
  readonly network: SimNetwork
  readonly membership: SimMembership
  readonly nodes: SimNode[] = []
  readonly #options: SimulationOptions
  readonly #listeners: ((node: SimNode, event: ReplicaEvent) => void)[] = []

  constructor(options: SimulationOptions) {
    this.#options = options
    this.seed = options.seed
    this.random = seededRandom(options.seed)
    this.network = new SimNetwork(this.queue, this.random, options.hopMs ?? 1)
    this.membership = new SimMembership(this.queue, this.network, this.random, () => this.nodes)
    for (let i = 0; i < options.nodes; i++) this.addNode()
    for (const node of this.nodes) node.start()
    this.membership.introduceAll()
  }

  /** A machine that is off still. */
  addNode(): SimNode {
    const address = `10.0.${this.nodes.length >> 8}.${this.nodes.length & 255}:7946`
    const world = { queue: this.queue, network: this.network, random: this.random }
    const node = new SimNode(address, world, this.#options.node ?? {}, (from, event) => {
      for (const listener of this.#listeners) listener(from, event)
    })
    this.nodes.push(node)
    return node
  }

  get running(): readonly SimNode[] {
    return this.nodes.filter((node) => node.isUp)
  }

  node(index: number): SimNode {
    const node = this.nodes[index]
    if (node === undefined) throw new Error(`There is no node ${index}.`)
    return node
  }

  onEvent(listener: (node: SimNode, event: ReplicaEvent) => void): void {
    this.#listeners.push(listener)
  }

  start(node: SimNode): void {
    this.membership.forget(node)
    node.start()
    this.membership.observeNode(node)
  }

  crash(node: SimNode): void {
    node.crash()
    this.membership.observeNode(node)
  }

  /** Cuts every link between the groups, both ways; a node in no group keeps all its links. */
  partition(...groups: readonly (readonly SimNode[])[]): void {
    for (const from of groups) {
      for (const to of groups)
        if (from !== to) for (const a of from) for (const b of to) this.network.cut(a.address, b.address)
    }
    this.membership.observe()
  }

  heal(): void {
    this.network.mendAll()
    this.membership.observe()
  }

  /** Lets simulated time pass. */
  run(durationMs: number): void {
    const untilMs = this.queue.nowMs + durationMs
    while (this.queue.step(untilMs)) {
      // Every step is one event.
    }
  }

  /** Wall clocks go on by so much everywhere, as in a time in which nothing else happened; then the full hour passes. */
  skip(durationMs: number): void {
    for (const node of this.nodes) node.clock.step(durationMs)
    this.run(3_600_000 + 1_000)
  }

  /** Runs until `reached`, looking every few simulated milliseconds; returns how long it took. Throws at the deadline. */
  runUntil(reached: () => boolean, deadlineMs: number, why: () => string = () => ''): number {
    const startedMs = this.queue.nowMs
    while (!reached()) {
      if (this.queue.nowMs - startedMs > deadlineMs) {
        throw new Error(`Not reached within ${deadlineMs} simulated ms. ${why()}\n${this.replay()}`)
      }
      this.run(5)
    }
    return this.queue.nowMs - startedMs
  }

  /** Fair anti-entropy ends in equal roots (invariant 2). Returns the simulated milliseconds it took. */
  converge(deadlineMs = 60_000): number {
    const tookMs = this.runUntil(
      () => this.isConverged(),
      deadlineMs,
      () => this.pending(),
    )
    this.#checkEqualMaps()
    return tookMs
  }

  isConverged(): boolean {
    const [first, ...others] = this.running
    return first === undefined || others.every((node) => node.running.root() === first.running.root())
  }

  /** Why the mesh has not converged. */
  pending(): string {
    return whyNotConverged(this)
  }

  /** How to run this again. */
  replay(): string {
    return `Replay: ${this.#options.replay ?? `this test, seed ${this.seed}`}`
  }

  /** Equal roots mean equal maps, and equal maps give equal answers to every context. */
  #checkEqualMaps(): void {
    const [first, ...others] = this.running
    if (first === undefined) return
    const expected = contents(first)
    for (const node of others) {
      const actual = contents(node)
      if (actual !== expected) throw new Error(`Equal roots, different maps at ${node.address}.\n${this.replay()}`)
    }
  }
}

/** All registers as one text, in one order. */
function contents(node: SimNode): string {
  const lines = Array.from(node.running.records(), recordLine)
  return lines.sort().join('\n')
}

function recordLine({ key, stamp, seen, value }: RegisterRecord): string {
  return `${key} ${stamp} ${seen} ${value === null ? 'tombstone' : value.toHex()}`
}
