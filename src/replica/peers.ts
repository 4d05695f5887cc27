import type { Now } from '../base/clock.ts'
import { below, type Random, sample } from '../base/random.ts'
import type { Address, NodeId, PeerView } from './ports.ts'

/** Samples of a peer's clock that are kept: enough that one of them came without delay. */
const clockSamplesMax = 5

/** Draws for each peer that is to be picked out of a large mesh. */
const drawsPerPick = 8

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
  /** All addresses in order, a ring that each node sees alike. */
  readonly #ring: Address[] = []

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
    this.#ring.splice(this.#placeInRing(address), 0, address)
    return peer
  }

  remove(address: Address): void {
    const place = this.#places.get(address)
    if (place === undefined) return
    this.#byAddress.delete(address)
    this.#places.delete(address)
    this.#ring.splice(this.#placeInRing(address), 1)
    const last = this.#order.pop() as Peer
    if (last.address === address) return
    this.#order[place] = last
    this.#places.set(last.address, place)
  }

  /**
   * Up to `count` different peers among those wanted, uniformly. Where the mesh is large and few are wanted it may find fewer
   * than there are: it draws a bounded number of times, so that its time does not grow with the mesh.
   */
  pick(random: Random, count: number, isWanted: (peer: Peer) => boolean = () => true): Peer[] {
    if (this.size <= drawsPerPick * count) return sample(random, this.#order.filter(isWanted), count)
    const chosen = new Set<Peer>()
    for (let draws = 0; chosen.size < count && draws < drawsPerPick * count; draws++) {
      const peer = this.#order[below(random, this.size)] as Peer
      if (isWanted(peer)) chosen.add(peer)
    }
    return [...chosen]
  }

  /** Who would come after this address in the ring of all peers, and who before it: two, or as many as there are. */
  neighbours(address: Address): Peer[] {
    const place = this.#placeInRing(address)
    const neighbours = new Set([this.#ring[place % this.#ring.length], this.#ring.at(place - 1)])
    return [...neighbours].map((name) => this.#byAddress.get(name ?? '')).filter((peer) => peer !== undefined)
  }

  /** Where this address stands in the ring, or would. */
  #placeInRing(address: Address): number {
    let [low, high] = [0, this.#ring.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#ring[middle] as Address) < address) low = middle + 1
      else high = middle
    }
    return low
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
