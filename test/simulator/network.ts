import { bulkFrameBytesMax, packetBytesMax } from '../../src/base/limits.ts'
import { type Random, unit } from '../../src/base/random.ts'
import type { Address } from '../../src/replica/ports.ts'
import type { EventQueue } from './event-queue.ts'

/** What the network does to traffic; rates are 0 to 1. */
export interface NetworkFaults {
  lossRate: number
  repeatRate: number
  /** Share of packets that take up to `delayMsMax` rather than the usual time, and so are overtaken. */
  delayRate: number
  delayMsMax: number
  /** Share of packets of which a bit is flipped on the way. */
  corruptRate: number
  /** Share of bulk frames that are lost with the connection. */
  bulkBreakRate: number
}

export interface Receiver {
  onPacket(from: Address, packet: Uint8Array): void
  onBulk(from: Address, frame: Uint8Array): void
}

/** What happened to traffic, so that a test of a fault can tell that the fault happened. */
export interface NetworkCounters {
  packets: number
  packetBytes: number
  lost: number
  repeated: number
  delayed: number
  corrupted: number
  cut: number
  frames: number
  frameBytes: number
  framesBroken: number
  versioned: number
}

/** A network of real bytes: loses, repeats, delays, reorders, cuts (one way too) and enforces the limits on size. */
export class SimNetwork {
  readonly faults: NetworkFaults = {
    lossRate: 0,
    repeatRate: 0,
    delayRate: 0,
    delayMsMax: 0,
    corruptRate: 0,
    bulkBreakRate: 0,
  }
  readonly counters: NetworkCounters = {
    packets: 0,
    packetBytes: 0,
    lost: 0,
    repeated: 0,
    delayed: 0,
    corrupted: 0,
    cut: 0,
    frames: 0,
    frameBytes: 0,
    framesBroken: 0,
    versioned: 0,
  }
  /** Nodes that speak another protocol version: what passes between versions carries the sender's in its third byte. */
  readonly versions = new Map<Address, number>()
  readonly #queue: EventQueue
  readonly #random: Random
  readonly #hopMs: number
  readonly #receivers = new Map<Address, Receiver>()
  readonly #cuts = new Set<string>()
  /** When the last bulk frame of a link arrives: the next one does not overtake it. */
  readonly #bulkAtMs = new Map<string, number>()

  constructor(queue: EventQueue, random: Random, hopMs: number) {
    this.#queue = queue
    this.#random = random
    this.#hopMs = hopMs
  }

  attach(address: Address, receiver: Receiver): void {
    this.#receivers.set(address, receiver)
  }

  detach(address: Address): void {
    this.#receivers.delete(address)
  }

  /** Stops everything from `from` to `to`, that direction alone. */
  cut(from: Address, to: Address): void {
    this.#cuts.add(link(from, to))
  }

  mend(from: Address, to: Address): void {
    this.#cuts.delete(link(from, to))
  }

  mendAll(): void {
    this.#cuts.clear()
  }

  isCut(from: Address, to: Address): boolean {
    return this.#cuts.size > 0 && this.#cuts.has(link(from, to))
  }

  sendPacket(from: Address, to: Address, packet: Uint8Array): void {
    if (packet.length > packetBytesMax) throw new Error(`A packet of ${packet.length} bytes does not fit the network.`)
    this.counters.packets++
    this.counters.packetBytes += packet.length
    if (this.isCut(from, to)) {
      this.counters.cut++
      return
    }
    if (this.#happens(this.faults.lossRate)) {
      this.counters.lost++
      return
    }
    this.#carry(from, to, packet)
    if (this.#happens(this.faults.repeatRate)) {
      this.counters.repeated++
      this.#carry(from, to, packet)
    }
  }

  sendBulk(from: Address, to: Address, frame: Uint8Array): void {
    if (frame.length > bulkFrameBytesMax) throw new Error(`A frame of ${frame.length} bytes does not fit the channel.`)
    this.counters.frames++
    this.counters.frameBytes += frame.length
    if (this.isCut(from, to) || this.#happens(this.faults.bulkBreakRate)) {
      this.counters.framesBroken++
      return
    }
    const name = link(from, to)
    const atMs = Math.max(this.#queue.nowMs + 2 * this.#delayMs(), this.#bulkAtMs.get(name) ?? 0)
    this.#bulkAtMs.set(name, atMs)
    const copy = this.#versioned(from, to, frame)
    this.#queue.after(atMs - this.#queue.nowMs, () => this.#receivers.get(to)?.onBulk(from, copy))
  }

  #carry(from: Address, to: Address, packet: Uint8Array): void {
    const copy = this.#versioned(from, to, packet)
    if (this.#happens(this.faults.corruptRate)) {
      this.counters.corrupted++
      const at = Math.floor(unit(this.#random) * copy.length)
      copy[at] = (copy[at] as number) ^ (1 << Math.floor(unit(this.#random) * 8))
    }
    this.#queue.after(this.#delayMs(), () => this.#receivers.get(to)?.onPacket(from, copy))
  }

  #versioned(from: Address, to: Address, bytes: Uint8Array): Uint8Array {
    const copy = bytes.slice()
    if (this.versions.size === 0) return copy
    const version = this.versions.get(from)
    if (version !== this.versions.get(to)) {
      this.counters.versioned++
      copy[2] = version ?? 3
    }
    return copy
  }

  #delayMs(): number {
    const usualMs = this.#hopMs * (0.5 + unit(this.#random))
    if (!this.#happens(this.faults.delayRate)) return usualMs
    this.counters.delayed++
    return usualMs + unit(this.#random) * this.faults.delayMsMax
  }

  #happens(rate: number): boolean {
    return rate > 0 && unit(this.#random) < rate
  }
}

function link(from: Address, to: Address): string {
  return `${from}>${to}`
}
