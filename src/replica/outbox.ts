import type { Now } from '../base/clock.ts'
import type { RegisterMap } from '../crdt/register-map.ts'
import type { Counters } from './counters.ts'
import type { Address, Effects } from './ports.ts'
import { encodeFrame, encodePacket } from './wire.ts'
import type { Ack, Announcement, Frame, Packet, Rumor } from './wire-fields.ts'

export interface Content {
  readonly aheadMs?: number
  readonly answer?: boolean
  readonly nudge?: boolean
  readonly rumors?: readonly Rumor[]
  readonly announcements?: readonly Announcement[]
  readonly acks?: readonly Ack[]
}

/** The wall clock as a count of milliseconds, which a clock set before 1970 is not. */
export function wireWallMs(now: Now): number {
  return Math.max(0, Math.floor(now.wallMs))
}

/** Puts the sender's standing on whatever leaves, encodes it once for all its receivers, and counts it. */
export class Outbox {
  readonly #effects: Effects
  readonly #map: RegisterMap
  readonly #counters: Counters
  readonly #isDurable: () => boolean

  constructor(effects: Effects, map: RegisterMap, counters: Counters, isDurable: () => boolean) {
    this.#effects = effects
    this.#map = map
    this.#counters = counters
    this.#isDurable = isDurable
  }

  sendPacket(now: Now, to: readonly Address[], content: Content): void {
    if (to.length === 0) return
    const packet: Packet = {
      root: this.#map.root(),
      wallMs: wireWallMs(now),
      aheadMs: content.aheadMs ?? 0,
      durable: this.#isDurable(),
      answer: content.answer ?? false,
      nudge: content.nudge ?? false,
      rumors: content.rumors ?? [],
      announcements: content.announcements ?? [],
      acks: content.acks ?? [],
    }
    const bytes = encodePacket(packet)
    for (const address of to) this.#effects.sendPacket(address, bytes)
    this.#counters.add('packets_sent', to.length)
    this.#counters.add('packet_bytes_sent', to.length * bytes.length)
  }

  sendFrame(to: Address, frame: Frame): void {
    const bytes = encodeFrame(frame)
    this.#effects.sendBulk(to, bytes)
    this.#counters.add('frames_sent')
    this.#counters.add('frame_bytes_sent', bytes.length)
  }
}
