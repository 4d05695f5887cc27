import type { Now } from '../base/clock.ts'
import { below, type Random } from '../base/random.ts'
import type { Address, NodeId, PeerView } from './ports.ts'

/** Samples of a peer's clock that are kept: enough that one of them came without delay. */
const clockSamplesMax = 5

/** What we know of a live peer. Changed only by PeerTable and by SyncSchedule, which owns what follows the clock. */
export interface Peer {
  readonly address: Address
  readonly id: NodeId
  root: string
  lastHeardMs: number
  /** Since when its root has differed from ours, as of when we last heard it; null while equal or unknown. */
  differsSinceMs: number | null
  /** Its wall clock less our monotonic one, last samples; delay only ever makes a sample too small. */
  readonly clockSamples: number[]
  /** Its wall clock less ours by its last packet; null when unheard. */
  lastClockOffsetMs: number | null
  /** It told us that our clock is ahead of its own: by how much, less what our wall clock then was ahead of our monotonic one. */
  toldAhead: { readonly baseMs: number; readonly atMs: number } | null
  /** When we last told it that its clock is ahead of ours. */
  toldItMs: number
  /** When a difference has lasted long enough to be worth a session. */
  syncDueMs: number
  /** No session before this: the peer was busy, silent or had nothing for us. */
  syncNotBeforeMs: number
  syncFailures: number
  /** It was asked for its root because what we know of it is old. */
  awaitsAnswer: boolean
}

/** The live peers: look-up by address, and fair picks in time that does not grow with the mesh. */
export class PeerTable {
  readonly #byAddress = new Map<Address, Peer>()
  readonly #order: Peer[] = []
  readonly #places = new Map<Address, number>()

  get size(): number {
    return this.#order.length
  }

  get(address: Address): Peer | undefined {
    return this.#byAddress.get(address)
  }

  all(): readonly Peer[] {
    return this.#order
  }

  add(address: Address, id: NodeId): Peer {
    this.remove(address)
    const peer: Peer = {
      address,
      id,
      root: '',
      lastHeardMs: Number.NEGATIVE_INFINITY,
      differsSinceMs: null,
      clockSamples: [],
      lastClockOffsetMs: null,
      toldAhead: null,
      toldItMs: Number.NEGATIVE_INFINITY,
      syncDueMs: 0,
      syncNotBeforeMs: 0,
      syncFailures: 0,
      awaitsAnswer: false,
    }
    this.#byAddress.set(address, peer)
    this.#places.set(address, this.#order.length)
    this.#order.push(peer)
    return peer
  }

  remove(address: Address): void {
    const place = this.#places.get(address)
    if (place === undefined) return
    this.#byAddress.delete(address)
    this.#places.delete(address)
    const last = this.#order.pop() as Peer
    if (last.address === address) return
    this.#order[place] = last
    this.#places.set(last.address, place)
  }

  /** Up to `count` different peers, uniformly, without `except`. */
  pick(random: Random, count: number, except?: Address): Peer[] {
    const available = this.size - (except !== undefined && this.#byAddress.has(except) ? 1 : 0)
    if (count >= available) return this.#order.filter((peer) => peer.address !== except)
    const chosen = new Set<Peer>()
    while (chosen.size < count) {
      const peer = this.#order[below(random, this.size)] as Peer
      if (peer.address !== except) chosen.add(peer)
    }
    return [...chosen]
  }

  views(ownRoot: string): PeerView[] {
    return this.#order.map((peer) => ({
      address: peer.address,
      id: peer.id,
      root: peer.root,
      lastHeardMonotonicMs: peer.lastHeardMs,
      differsSinceMonotonicMs: peer.root === ownRoot ? null : peer.differsSinceMs,
      clockOffsetMs: peer.lastClockOffsetMs,
    }))
  }
}

/** Keeps one more sample of the peer's clock, and lets the oldest go. */
export function sampleClock(peer: Peer, now: Now, wallMs: number): void {
  peer.lastClockOffsetMs = wallMs - now.wallMs
  if (peer.clockSamples.push(wallMs - now.monotonicMs) > clockSamplesMax) peer.clockSamples.shift()
}
