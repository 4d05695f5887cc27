import type { Now } from '../base/clock.ts'
import { packetBytesMax, rumorsMax } from '../base/limits.ts'
import type { Random } from '../base/random.ts'
import { utf8Length } from '../crdt/bytes.ts'
import { packedBytesMax } from '../crdt/delta.ts'
import type { RegisterMap } from '../crdt/register-map.ts'
import type { Counters } from './counters.ts'
import type { Outbox } from './outbox.ts'
import type { Peer, PeerTable } from './peers.ts'
import type { Address, Effects, Timer } from './ports.ts'
import type { Announcement, Ask, Rumor } from './wire-fields.ts'

/** Between repeats of what is in the queue. */
const tickMs = 100
/** From a push to the first repeat, which reaches those whose datagrams were lost. */
const firstTickMs = 60
/** Peers that a tick tells. */
const tickFanout = 3
/** First receipts within this time go out together: a hot register costs 100 pushes a second, whatever it does. */
const pushIntervalMs = 10
/** Records in a delta that gossip carries one by one; more at once are cheaper over the bulk channel. */
const deltaRecordsMax = 64
/** Records that one push or tick sends to a peer; the rest waits for the next. */
const burstRecordsMax = 64
/** Prefix, standing and array headers of a packet, at most. */
const packetOverheadBytes = 56

interface Queued {
  readonly rumor: Rumor
  /** Who told us, and need not be told. */
  readonly from: Address | undefined
  readonly bytes: number
  /** How often it was sent, or heard from others since. */
  tellings: number
}

/**
 * Spreads changes. What is new here goes at once to both neighbours in the ring of all members, which leaves nobody out, and to
 * max(1, ceil(ln N) - 2) random peers, which makes it quick (Voulgaris and van Steen, "Hybrid Dissemination: Adding
 * Determinism to Probabilistic Multicasting in Large-Scale P2P Systems", 2007: RingCast). Then each tick tells three
 * random peers more, until it was sent or heard again 4 * ceil(log10(N + 1)) times (Demers et al., "Epidemic Algorithms for
 * Replicated Database Maintenance", 1987: feedback and counter; the number is memberlist's). To hear again what one tells shows that the
 * mesh knows: where datagrams get lost, less is heard, and more told. Who holds our root holds every rumor, and is told
 * none. Anti-entropy makes certain what gossip makes quick.
 */
export class Gossip {
  readonly #self: Address
  readonly #effects: Effects
  readonly #random: Random
  readonly #map: RegisterMap
  readonly #peers: PeerTable
  readonly #outbox: Outbox
  readonly #counters: Counters
  /** By register key, oldest first: a newer value of a register takes the older one's place. */
  readonly #queue = new Map<string, Queued>()
  /** Keys in the queue that were not sent to anyone yet. */
  readonly #fresh = new Set<string>()
  #pushedAtMs = Number.NEGATIVE_INFINITY
  #pushArmed = false
  #tickDueMs: number | null = null

  constructor(deps: {
    readonly self: Address
    readonly effects: Effects
    readonly random: Random
    readonly map: RegisterMap
    readonly peers: PeerTable
    readonly outbox: Outbox
    readonly counters: Counters
  }) {
    this.#self = deps.self
    this.#effects = deps.effects
    this.#random = deps.random
    this.#map = deps.map
    this.#peers = deps.peers
    this.#outbox = deps.outbox
    this.#counters = deps.counters
  }

  /** Takes a delta that changed our state. Without peers there is nobody to tell: the first contact will sync. */
  spread(now: Now, rumors: readonly Rumor[], from?: Address): void {
    if (rumors.length === 0 || this.#peers.size === 0) return
    if (rumors.length > deltaRecordsMax) {
      this.#nudge(now, from)
      return
    }
    for (const rumor of rumors) this.#enqueue(rumor, from)
    const waitMs = this.#pushedAtMs + pushIntervalMs - now.monotonicMs
    if (waitMs <= 0) this.#push(now)
    else if (!this.#pushArmed) {
      this.#pushArmed = true
      this.#effects.setTimer({ kind: 'gossip-push' }, waitMs)
    }
  }

  /** Takes a rumor that was no news here: another who tells it, so that we need to tell it less. */
  hearAgain({ record }: Rumor): void {
    const queued = this.#queue.get(record.key)
    if (queued !== undefined && queued.rumor.record.stamp === record.stamp) this.#noteTellings(queued, 1)
  }

  /** Tells peers that we have much that they lack, and that they had better sync with us. */
  #nudge(now: Now, except?: Address): void {
    const to = this.#pushTargets(except).map((peer) => peer.address)
    this.#outbox.sendPacket(now, to, { nudge: true })
    this.#counters.add('nudges_sent', to.length)
  }

  onPushTimer(now: Now): void {
    this.#pushArmed = false
    this.#push(now)
  }

  onTickTimer(now: Now, timer: Timer): void {
    if (timer.atMs !== this.#tickDueMs) return
    this.#tickDueMs = null
    this.#send(now, this.#queue.keys(), (from) => this.#pick(tickFanout, from))
    this.#armTick(now, tickMs)
  }

  #enqueue(rumor: Rumor, from: Address | undefined): void {
    const key = rumor.record.key
    this.#queue.delete(key)
    this.#queue.set(key, { rumor, from, bytes: rumorBytes(rumor), tellings: 0 })
    this.#fresh.add(key)
    if (this.#queue.size <= rumorsMax) return
    const [oldest] = this.#queue.keys()
    this.#drop(oldest as string)
    this.#counters.add('rumors_dropped')
  }

  #push(now: Now): void {
    this.#pushedAtMs = now.monotonicMs
    this.#send(now, this.#fresh, (from) => this.#pushTargets(from))
    this.#armTick(now, firstTickMs)
  }

  #send(now: Now, keys: Iterable<string>, targets: (from: Address | undefined) => readonly Peer[]): void {
    const burst: Queued[] = []
    for (const key of keys) {
      const queued = this.#queue.get(key)
      if (queued !== undefined && burst.push(queued) === burstRecordsMax) break
    }
    const from = burst.every((queued) => queued.from === burst[0]?.from) ? burst[0]?.from : undefined
    const peers = targets(from)
    this.#sendToAll(
      now,
      burst,
      peers.map((peer) => peer.address),
    )
    for (const queued of burst) this.#sent(queued, peers.length)
  }

  #pushTargets(except: Address | undefined): readonly Peer[] {
    const neighbours = this.#peers.neighbours(this.#self)
    const isWanted = (peer: Peer) => this.#isWorthTelling(peer, except)
    const others = this.#peers.pick(
      this.#random,
      this.#fanout(),
      (peer) => !neighbours.includes(peer) && isWanted(peer),
    )
    return [...neighbours.filter(isWanted), ...others]
  }

  #pick(count: number, except: Address | undefined): Peer[] {
    return this.#peers.pick(this.#random, count, (peer) => this.#isWorthTelling(peer, except))
  }

  #isWorthTelling(peer: Peer, except: Address | undefined): boolean {
    return peer.address !== except && peer.root !== this.#map.root()
  }

  /** Everyone gets the same packets, but for those who told us part of it. */
  #sendToAll(now: Now, burst: readonly Queued[], to: readonly Address[]): void {
    const tellers = new Set(burst.map((queued) => queued.from))
    const strangers = to.filter((address) => !tellers.has(address))
    this.#sendPackets(now, burst, strangers)
    for (const address of to) {
      if (tellers.has(address))
        this.#sendPackets(
          now,
          burst.filter((queued) => queued.from !== address),
          [address],
        )
    }
    this.#counters.add('rumors_sent', burst.length * to.length)
  }

  #sendPackets(now: Now, burst: readonly Queued[], to: readonly Address[]): void {
    let rumors: Rumor[] = []
    let announcements: Announcement[] = []
    let room = packetBytesMax - packetOverheadBytes
    for (const { rumor, bytes } of burst) {
      const announced = bytes > packetBytesMax - packetOverheadBytes
      const needed = announced ? announcementBytes(rumor) : bytes
      if (needed > room) {
        this.#outbox.sendPacket(now, to, { rumors, announcements })
        rumors = []
        announcements = []
        room = packetBytesMax - packetOverheadBytes
      }
      if (announced) announcements.push({ key: rumor.record.key, stamp: rumor.record.stamp, ask: rumor.ask })
      else rumors.push(rumor)
      room -= needed
    }
    if (rumors.length + announcements.length > 0) this.#outbox.sendPacket(now, to, { rumors, announcements })
  }

  /** Moves a rumor that is due again behind the others, and drops it when there is nobody to tell. */
  #sent(queued: Queued, times: number): void {
    const key = queued.rumor.record.key
    this.#drop(key)
    if (times === 0) return
    this.#queue.set(key, queued)
    this.#noteTellings(queued, times)
  }

  /** Drops a rumor that was told often enough. */
  #noteTellings(queued: Queued, times: number): void {
    queued.tellings += times
    if (queued.tellings >= 4 * Math.ceil(Math.log10(this.#peers.size + 2))) this.#drop(queued.rumor.record.key)
  }

  #drop(key: string): void {
    this.#queue.delete(key)
    this.#fresh.delete(key)
  }

  /** One tick is in force at a time, the earliest asked for. */
  #armTick(now: Now, afterMs: number): void {
    const dueMs = now.monotonicMs + afterMs
    if (this.#queue.size === 0 || (this.#tickDueMs !== null && this.#tickDueMs <= dueMs)) return
    this.#tickDueMs = dueMs
    this.#effects.setTimer({ kind: 'gossip-tick', atMs: dueMs }, afterMs)
  }

  #fanout(): number {
    return Math.max(1, Math.ceil(Math.log(this.#peers.size + 1)) - 2)
  }
}

function rumorBytes({ record, ask }: Rumor): number {
  return 1 + packedBytesMax(record) + askBytes(ask)
}

/** Array header (1), key (3 + its bytes), stamp (18) and ask: what a packed record takes without its value and `seen`. */
function announcementBytes({ record, ask }: Rumor): number {
  return packedBytesMax({ ...record, seen: record.stamp, value: null }) + askBytes(ask)
}

/** Array header (1), address (3 and its bytes) and index (5). */
function askBytes(ask: Ask | null): number {
  return ask === null ? 1 : 9 + utf8Length(ask.origin)
}
