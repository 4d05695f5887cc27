import type { Now } from '../base/clock.ts'
import type { RegisterMap } from '../crdt/register-map.ts'
import type { Stamp } from '../crdt/stamp.ts'
import type { Counters } from './counters.ts'
import type { Journal, LocalWrite } from './journal.ts'
import type { Outbox } from './outbox.ts'
import type { PeerTable } from './peers.ts'
import type { Address, Effects } from './ports.ts'
import type { Ack, Ask } from './wire-fields.ts'

/** Writes whose acknowledgements are counted; the oldest goes first, and its waiter gives up by its own timeout. */
const writesMax = 1_024
/** Asks that wait for our disk; further ones are answered by a repeat of the rumor, or by equal roots. */
const asksMax = 10_000
/** Acks in a packet: 25 bytes each. */
const acksPerPacketMax = 40

interface Awaited {
  readonly registers: number
  /** Which registers each peer has told of. */
  readonly peers: Map<Address, Set<number>>
}

interface Waiting {
  readonly stamp: Stamp
  readonly ask: Ask
}

/**
 * Tells a writer which peers have its write on disk. The rumor of such a write carries an ask; whoever has the register, or
 * a newer winner of it, durable tells the origin. A peer whose root equals ours while all of it is on its disk has the
 * write as well, however it came by it: that also covers what gossip did not carry.
 */
export class Acknowledgement {
  readonly #effects: Effects
  readonly #map: RegisterMap
  readonly #journal: Journal
  readonly #peers: PeerTable
  readonly #outbox: Outbox
  readonly #counters: Counters
  readonly #awaited = new Map<Stamp, Awaited>()
  readonly #waiting = new Map<string, Waiting[]>()
  #waitingCount = 0
  readonly #due = new Map<Address, Ack[]>()

  constructor(
    effects: Effects,
    map: RegisterMap,
    journal: Journal,
    peers: PeerTable,
    outbox: Outbox,
    counters: Counters,
  ) {
    this.#effects = effects
    this.#map = map
    this.#journal = journal
    this.#peers = peers
    this.#outbox = outbox
    this.#counters = counters
  }

  /** A local write has become visible, and its writer wants to know who has it. */
  await(write: LocalWrite): void {
    this.#awaited.set(write.stamp, { registers: write.records.length, peers: new Map() })
    if (this.#awaited.size <= writesMax) return
    const [oldest] = this.#awaited.keys()
    this.#awaited.delete(oldest as Stamp)
  }

  /** A peer's rumor asks; the record was merged already. Returns true when the disk should be asked now. */
  onAsk(key: string, stamp: Stamp, ask: Ask): boolean {
    // Only members are told: a forged origin must not turn us into an amplifier.
    if (this.#peers.get(ask.origin) === undefined || (this.#map.get(key)?.stamp ?? '') < stamp) return false
    if (this.#journal.isSaved(key)) {
      this.#owe(ask.origin, { stamp, index: ask.index })
      return false
    }
    const waiting = this.#waiting.get(key) ?? []
    if (this.#waitingCount >= asksMax || waiting.some((one) => one.stamp === stamp)) return false
    this.#waiting.set(key, [...waiting, { stamp, ask }])
    this.#waitingCount++
    return true
  }

  onDurable(keys: Iterable<string>): void {
    for (const key of keys) {
      const waiting = this.#waiting.get(key)
      if (waiting === undefined) continue
      this.#waiting.delete(key)
      this.#waitingCount -= waiting.length
      for (const { stamp, ask } of waiting) this.#owe(ask.origin, { stamp, index: ask.index })
    }
  }

  onAcks(from: Address, acks: readonly Ack[]): void {
    this.#counters.add('acks_received', acks.length)
    for (const { stamp, index } of acks) {
      const awaited = this.#awaited.get(stamp)
      if (awaited === undefined || index >= awaited.registers || this.#peers.get(from) === undefined) continue
      const told = awaited.peers.get(from) ?? new Set()
      awaited.peers.set(from, told)
      if (told.size === awaited.registers) continue
      told.add(index)
      if (told.size === awaited.registers) this.#effects.emit({ type: 'acknowledged', stamp, by: from })
    }
  }

  /** The peer's root equals ours, and all that it says is on the peer's disk. */
  onDurableRoot(from: Address): void {
    for (const [stamp, awaited] of this.#awaited) {
      if (awaited.peers.get(from)?.size === awaited.registers) continue
      awaited.peers.set(from, new Set(Array.from({ length: awaited.registers }, (_, index) => index)))
      this.#effects.emit({ type: 'acknowledged', stamp, by: from })
    }
  }

  /** Sends what is owed; called at the end of every event, so that one packet carries what one event brought. */
  flush(now: Now): void {
    for (const [origin, acks] of this.#due) {
      for (let at = 0; at < acks.length; at += acksPerPacketMax) {
        this.#outbox.sendPacket(now, [origin], { acks: acks.slice(at, at + acksPerPacketMax) })
      }
      this.#counters.add('acks_sent', acks.length)
    }
    this.#due.clear()
  }

  #owe(origin: Address, ack: Ack): void {
    const due = this.#due.get(origin)
    if (due === undefined) this.#due.set(origin, [ack])
    else due.push(ack)
  }
}
