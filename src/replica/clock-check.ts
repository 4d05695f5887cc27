import type { Now } from '../base/clock.ts'
import type { Outbox } from './outbox.ts'
import type { Peer, PeerTable } from './peers.ts'
import type { Effects } from './ports.ts'

/** How far a node may be off before its stamps do harm: below what a received stamp may push a clock (500 ms). */
const offsetMsMax = 400
/** A single peer is no judge: with two nodes nobody can tell whose clock is off, and refusing on both would stop all writes. */
const judgesMin = 2
/** What a peer told us counts for so long: several times what it takes to meet every peer of a mesh of tens. */
const toldLifetimeMs = 60_000
/** A peer is told at most so often. */
const tellIntervalMs = 1_000

/**
 * Compares our clock with our peers'. Off against at least half of those heard, and two at least, means ours is off.
 *
 * A packet takes time, and a busy machine makes it take long; so a sample of a peer's clock is a lower bound of what it shows,
 * and proves only that ours is behind. That ours is ahead only the peer can prove, by the same bound: it tells us (`aheadMs`).
 * No delay, however long, can make a clock seem off that is not.
 */
export class ClockCheck {
  readonly #effects: Effects
  readonly #peers: PeerTable
  readonly #outbox: Outbox
  #trusted = true

  constructor(effects: Effects, peers: PeerTable, outbox: Outbox) {
    this.#effects = effects
    this.#peers = peers
    this.#outbox = outbox
  }

  /** The peer's packet was sampled. Tells it when its clock is ahead, and takes what it tells; true when that is news. */
  onPacket(now: Now, peer: Peer, aheadMs: number): boolean {
    const behindMs = clockOffsetMs(peer, now)
    if (behindMs > offsetMsMax && now.monotonicMs - peer.toldItMs >= tellIntervalMs) {
      peer.toldItMs = now.monotonicMs
      this.#outbox.sendPacket(now, [peer.address], { aheadMs: Math.floor(behindMs) })
    }
    if (aheadMs === 0) return false
    const isNews = !isToldAhead(peer, now)
    peer.toldAhead = { baseMs: aheadMs - (now.wallMs - now.monotonicMs), atMs: now.monotonicMs }
    return isNews
  }

  /** Judges anew; emits `clock` when the judgement has changed. */
  isTrusted(now: Now): boolean {
    const offsets: number[] = []
    for (const peer of this.#peers.all()) {
      if (peer.clockSamples.length === 0) continue
      const behindMs = clockOffsetMs(peer, now)
      offsets.push(behindMs > offsetMsMax ? behindMs : -toldAheadMs(peer, now))
    }
    const against = offsets.filter((offset) => Math.abs(offset) > offsetMsMax).length
    const trusted = against < judgesMin || against * 2 < offsets.length
    if (trusted !== this.#trusted) {
      this.#trusted = trusted
      this.#effects.emit({ type: 'clock', trusted, offsetMs: median(offsets) })
    }
    return trusted
  }
}

/** The peer's wall clock less ours, at least, as it is if both ran on evenly since it was sampled. */
function clockOffsetMs(peer: Peer, now: Now): number {
  return Math.max(...peer.clockSamples) - (now.wallMs - now.monotonicMs)
}

function isToldAhead(peer: Peer, now: Now): boolean {
  return peer.toldAhead !== null && now.monotonicMs - peer.toldAhead.atMs < toldLifetimeMs
}

/** How far our clock is ahead of the peer's as it told us, corrected by what our clock was set since; 0 when it did not. */
function toldAheadMs(peer: Peer, now: Now): number {
  if (peer.toldAhead === null || !isToldAhead(peer, now)) return 0
  return peer.toldAhead.baseMs + (now.wallMs - now.monotonicMs)
}

/** The middle one; 0 of none. */
function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
}
