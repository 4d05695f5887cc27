import type { Now } from '../base/clock.ts'
import { below, type Random, unit } from '../base/random.ts'
import type { RegisterMap } from '../crdt/register-map.ts'
import type { AntiEntropy, SyncOutcome } from './anti-entropy.ts'
import type { Outbox } from './outbox.ts'
import type { Peer, PeerTable } from './peers.ts'
import type { Effects, Timer } from './ports.ts'

/** Each node asks one random peer for its root this often. */
const probeIntervalMs = 1_000
/** Each node syncs with a random peer this often, whatever the roots say. */
const routineIntervalMs = 30_000
/** A difference is given this long to vanish by gossip, and up to as much again so that nodes do not all start at once. */
const patienceMs = 250
/** The same at the first contact, when gossip brings nothing. */
const firstContactJitterMs = 100
/** A nudge says that there is too much for gossip. */
const nudgeJitterMs = 50
/** A root heard longer ago is asked for again before a session is spent on it. */
const freshMs = 200
/** Until another peer is tried when one does not answer. */
const answerMs = 400
/** Peers that are asked at once when a reader waits. */
const hurriedProbes = 16
/** How long a reader's hurry makes every difference worth a session at once. */
const hurryMs = 1_000
/** Greeting each new member costs N * N packets when a mesh starts at once; beyond so many peers only some are. */
const greetedMax = 32
const backoffMsMin = 1_000
const backoffMsMax = 15_000

/** Decides when to sync, and with whom: the roots that peers tell of are the evidence. */
export class SyncSchedule {
  readonly #map: RegisterMap
  readonly #random: Random
  readonly #effects: Effects
  readonly #peers: PeerTable
  readonly #outbox: Outbox
  readonly #antiEntropy: AntiEntropy
  #dueMs: number | null = null
  #hurriedUntilMs = Number.NEGATIVE_INFINITY

  constructor(deps: {
    readonly map: RegisterMap
    readonly random: Random
    readonly effects: Effects
    readonly peers: PeerTable
    readonly outbox: Outbox
    readonly antiEntropy: AntiEntropy
  }) {
    this.#map = deps.map
    this.#random = deps.random
    this.#effects = deps.effects
    this.#peers = deps.peers
    this.#outbox = deps.outbox
    this.#antiEntropy = deps.antiEntropy
  }

  start(): void {
    this.#effects.setTimer({ kind: 'probe' }, below(this.#random, probeIntervalMs))
    this.#effects.setTimer({ kind: 'sync-routine' }, below(this.#random, routineIntervalMs))
  }

  onProbeTimer(now: Now): void {
    this.#effects.setTimer({ kind: 'probe' }, probeIntervalMs)
    this.#probe(now, this.#peers.pick(this.#random, 1))
  }

  onRoutineTimer(now: Now): void {
    this.#effects.setTimer({ kind: 'sync-routine' }, routineIntervalMs * (0.75 + unit(this.#random) / 2))
    const [peer] = this.#peers.pick(this.#random, 1)
    if (peer !== undefined && !this.#antiEntropy.isBusy) this.#antiEntropy.open(now, peer.address)
  }

  onUp(now: Now, peer: Peer): void {
    if (below(this.#random, this.#peers.size) < greetedMax) this.#probe(now, [peer])
  }

  /** The peer has told its root, in a packet or a frame. */
  onRoot(now: Now, peer: Peer, root: string, nudged: boolean): void {
    const isFirst = peer.root === ''
    peer.root = root
    peer.lastHeardMs = now.monotonicMs
    if (peer.awaitsAnswer) {
      peer.awaitsAnswer = false
      peer.syncNotBeforeMs = now.monotonicMs
    }
    if (root === this.#map.root()) {
      peer.differsSinceMs = null
      return
    }
    if (peer.differsSinceMs === null) {
      peer.differsSinceMs = now.monotonicMs
      peer.syncDueMs = now.monotonicMs + this.#patienceMs(isFirst)
    }
    if (nudged) this.#hasten(peer, now.monotonicMs + unit(this.#random) * nudgeJitterMs)
    if (now.monotonicMs < this.#hurriedUntilMs) this.#hasten(peer, now.monotonicMs)
    this.#arm(now, whenMs(peer))
  }

  /** A reader waits for something that we lack: look for it now, at those known to differ and at others. */
  requestSync(now: Now): void {
    this.#hurriedUntilMs = now.monotonicMs + hurryMs
    for (const peer of this.#differing()) this.#hasten(peer, now.monotonicMs)
    this.#probe(now, this.#peers.pick(this.#random, hurriedProbes))
    this.#arm(now, now.monotonicMs)
  }

  onDueTimer(now: Now, timer: Timer): void {
    if (timer.atMs !== this.#dueMs) return
    this.#dueMs = null
    if (this.#antiEntropy.isBusy) return
    const due = this.#differing().filter((peer) => whenMs(peer) <= now.monotonicMs)
    const peer = due[below(this.#random, due.length)]
    if (peer !== undefined && now.monotonicMs - peer.lastHeardMs <= freshMs) {
      this.#antiEntropy.open(now, peer.address)
      return
    }
    if (peer !== undefined) {
      peer.awaitsAnswer = true
      peer.syncNotBeforeMs = now.monotonicMs + answerMs
      this.#probe(now, [peer])
    }
    this.#armNext(now)
  }

  /** A session with this peer has ended; `applied` records of it were news to us. */
  onEnd(now: Now, peer: Peer, outcome: SyncOutcome, applied: number): void {
    const differs = peer.root !== this.#map.root()
    if (outcome === 'busy') peer.syncNotBeforeMs = now.monotonicMs + 100 + below(this.#random, 300)
    else if (outcome === 'silent' || (outcome === 'done' && differs && applied === 0)) this.#backOff(now, peer)
    else if (outcome === 'done') peer.syncFailures = 0
    if (outcome === 'done' && differs) {
      peer.differsSinceMs = now.monotonicMs
      peer.syncDueMs = now.monotonicMs + unit(this.#random) * firstContactJitterMs
    }
    this.#armNext(now)
  }

  /** Doubles from 1 s to 15 s, less up to half at random. */
  #backOff(now: Now, peer: Peer): void {
    const fullMs = Math.min(backoffMsMax, backoffMsMin * 2 ** peer.syncFailures)
    peer.syncFailures++
    peer.syncNotBeforeMs = now.monotonicMs + fullMs * (0.5 + unit(this.#random) / 2)
  }

  #patienceMs(isFirst: boolean): number {
    return isFirst ? unit(this.#random) * firstContactJitterMs : patienceMs * (1 + unit(this.#random))
  }

  #hasten(peer: Peer, dueMs: number): void {
    peer.syncDueMs = Math.min(peer.syncDueMs, dueMs)
  }

  #probe(now: Now, peers: readonly Peer[]): void {
    const to = peers.map((peer) => peer.address)
    this.#outbox.sendPacket(now, to, { answer: true })
  }

  #differing(): Peer[] {
    const root = this.#map.root()
    return this.#peers.all().filter((peer) => peer.differsSinceMs !== null && peer.root !== root)
  }

  #armNext(now: Now): void {
    let nextMs = Number.POSITIVE_INFINITY
    for (const peer of this.#differing()) nextMs = Math.min(nextMs, whenMs(peer))
    if (nextMs < Number.POSITIVE_INFINITY) this.#arm(now, nextMs)
  }

  /** One timer is in force at a time, the earliest asked for. */
  #arm(now: Now, atMs: number): void {
    const dueMs = Math.max(atMs, now.monotonicMs)
    if (this.#dueMs !== null && this.#dueMs <= dueMs) return
    this.#dueMs = dueMs
    // A whole millisecond at least: a timer that goes off a hair early must not set itself for no time at all.
    this.#effects.setTimer({ kind: 'sync-due', atMs: dueMs }, Math.max(1, Math.ceil(dueMs - now.monotonicMs)))
  }
}

function whenMs(peer: Peer): number {
  return Math.max(peer.syncDueMs, peer.syncNotBeforeMs)
}
