import type { Now } from '../../src/base/clock.ts'
import { encodePacket } from '../../src/replica/wire.ts'
import type { Packet } from '../../src/replica/wire-fields.ts'

/** A peer's packet, sent now by a clock that is right, and otherwise with nothing in it but what `more` says. */
export function packetOf(now: Now, more: Partial<Packet> = {}): Uint8Array {
  return encodePacket({
    root: '0'.repeat(16),
    wallMs: now.wallMs,
    aheadMs: 0,
    durable: true,
    answer: false,
    nudge: false,
    rumors: [],
    announcements: [],
    acks: [],
    ...more,
  })
}
