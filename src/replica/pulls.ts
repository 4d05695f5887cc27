import type { Now } from '../base/clock.ts'
import type { RegisterRecord } from '../crdt/register.ts'
import type { RegisterMap } from '../crdt/register-map.ts'
import type { Stamp } from '../crdt/stamp.ts'
import type { Counters } from './counters.ts'
import type { Outbox } from './outbox.ts'
import type { Address } from './ports.ts'
import { frameBytesWanted, framesOf } from './record-frames.ts'
import type { Announcement, Ask, Rumor } from './wire-fields.ts'

/** Until an announced record that did not come is asked for again, from whoever announces it then. */
const patienceMs = 1_000
/** Announced records that are waited for; further ones come by anti-entropy. */
const pullsMax = 1_024
/** Keys and bytes that one pull is answered with; the rest comes by anti-entropy. */
const keysServedMax = 256
const bytesServedMax = 16 * frameBytesWanted

interface Pull {
  readonly stamp: Stamp
  readonly ask: Ask | null
  readonly askedAtMs: number
}

/** Fetches what gossip could only announce because it does not fit a packet. */
export class Pulls {
  readonly #map: RegisterMap
  readonly #outbox: Outbox
  readonly #counters: Counters
  readonly #pulls = new Map<string, Pull>()

  constructor(map: RegisterMap, outbox: Outbox, counters: Counters) {
    this.#map = map
    this.#outbox = outbox
    this.#counters = counters
  }

  onAnnouncements(now: Now, from: Address, announcements: readonly Announcement[]): void {
    const keys: string[] = []
    for (const { key, stamp, ask } of announcements) {
      if ((this.#map.get(key)?.stamp ?? '') >= stamp) continue
      const pull = this.#pulls.get(key)
      if (pull !== undefined && pull.stamp >= stamp && now.monotonicMs - pull.askedAtMs < patienceMs) continue
      this.#pulls.delete(key)
      this.#pulls.set(key, { stamp, ask, askedAtMs: now.monotonicMs })
      keys.push(key)
    }
    if (keys.length === 0) return
    this.#trim()
    this.#outbox.sendFrame(from, { kind: 'pull', keys })
    this.#counters.add('pulls_sent')
  }

  serve(to: Address, keys: readonly string[]): void {
    const records: RegisterRecord[] = []
    for (const key of keys.slice(0, keysServedMax)) {
      const record = this.#map.get(key)
      if (record !== undefined) records.push(record)
    }
    let bytes = 0
    for (const chunk of framesOf(records)) {
      if (bytes >= bytesServedMax) break
      bytes += chunk.bytes
      this.#outbox.sendFrame(to, { kind: 'records', records: chunk.records })
    }
    this.#counters.add('pulls_served')
  }

  /** What was pulled is news like any rumor, with the ask that its announcement carried. */
  take(records: readonly RegisterRecord[]): Rumor[] {
    return records.map((record) => {
      const pull = this.#pulls.get(record.key)
      if (pull === undefined || record.stamp < pull.stamp) return { record, ask: null }
      this.#pulls.delete(record.key)
      return { record, ask: record.stamp === pull.stamp ? pull.ask : null }
    })
  }

  #trim(): void {
    for (const key of this.#pulls.keys()) {
      if (this.#pulls.size <= pullsMax) return
      this.#pulls.delete(key)
    }
  }
}
