import type { Now } from '../base/clock.ts'
import { clockOffsetMs, type PeerTable } from './peers.ts'
import type { Effects } from './ports.ts'

/** How far a node may be off before its stamps do harm: below what a received stamp may push a clock (500 ms). */
const offsetMsMax = 400
/** A single peer is no judge: with two nodes nobody can tell whose clock is off, and refusing on both would stop all writes. */
const judgesMin = 2

/** Compares our clock with our peers'. Off against at least half of those heard, and two at least, means ours is off. */
export class ClockCheck {
  readonly #effects: Effects
  readonly #peers: PeerTable
  #trusted = true

  constructor(effects: Effects, peers: PeerTable) {
    this.#effects = effects
    this.#peers = peers
  }

  /** Judges anew; emits `clock` when the judgement has changed. */
  isTrusted(now: Now): boolean {
    const offsets: number[] = []
    for (const peer of this.#peers.all()) {
      const offset = clockOffsetMs(peer, now)
      if (offset !== null) offsets.push(offset)
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

/** The middle one; 0 of none. */
function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
}
