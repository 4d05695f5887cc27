/** Whether a counter was there before; `old` is one that came so late that nobody knows. */
export type Sighting = 'new' | 'repeated' | 'old'

/**
 * Remembers which counters of each sender were seen, so that a recorded datagram cannot be played again (the sliding
 * window of RFC 6479, here a ring of bits by counter). A sender is one start of one process, named by its sender id;
 * the least recently heard senders are forgotten first.
 */
export class ReplayWindow {
  readonly #sendersMax: number
  readonly #senders = new Map<string, Seen>()

  /** At most `sendersMax` senders are remembered, at 300 bytes each. */
  constructor(sendersMax: number) {
    this.#sendersMax = sendersMax
  }

  see(senderId: string, counter: number): Sighting {
    const seen = this.#senders.get(senderId) ?? { highest: -1, bits: new Uint32Array(windowCounters / 32) }
    // A Map keeps the order of insertion: to delete and set moves the sender to the end of the queue of the forgotten.
    this.#senders.delete(senderId)
    this.#senders.set(senderId, seen)
    if (this.#senders.size > this.#sendersMax) {
      for (const oldest of this.#senders.keys()) {
        this.#senders.delete(oldest)
        break
      }
    }
    return mark(seen, counter)
  }
}

/** How far a datagram may arrive behind a later one: 2,048 is two seconds of the busiest sender seen. */
const windowCounters = 2_048

interface Seen {
  highest: number
  readonly bits: Uint32Array
}

function mark(seen: Seen, counter: number): Sighting {
  if (counter <= seen.highest - windowCounters) return 'old'
  if (counter > seen.highest) {
    clearBetween(seen, counter)
    seen.highest = counter
  }
  const bit = counter % windowCounters
  const word = bit >>> 5
  const mask = 1 << (bit & 31)
  if (((seen.bits[word] ?? 0) & mask) !== 0) return 'repeated'
  seen.bits[word] = (seen.bits[word] ?? 0) | mask
  return 'new'
}

/** The ring's places between the highest counter and `counter` still tell of counters one window ago. */
function clearBetween(seen: Seen, counter: number): void {
  if (counter - seen.highest >= windowCounters) {
    seen.bits.fill(0)
    return
  }
  for (let passed = seen.highest + 1; passed <= counter; passed++) {
    const bit = passed % windowCounters
    seen.bits[bit >>> 5] = (seen.bits[bit >>> 5] ?? 0) & ~(1 << (bit & 31))
  }
}
