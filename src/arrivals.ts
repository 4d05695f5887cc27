import type { Now } from './base/clock.ts'
import { wallMsOf } from './crdt/stamp.ts'
import type { Replica, ReplicaEvent } from './replica/ports.ts'

/** How long changes take to reach this node. */
export interface Arrivals {
  /** Every event of the replica goes here. */
  onEvent(event: ReplicaEvent): void
  /** Called for every change that a peer made and that has become visible here, with the milliseconds that it took. */
  onArrival(listener: (tookMs: number) => void): void
}

export interface ArrivalsParts {
  readonly replica: Pick<Replica, 'get'>
  readonly now: () => Now
  /** When this process began to listen: what was written before was not on its way to it. */
  readonly sinceWallMs: number
}

/**
 * Compares the wall clock in a change's stamp with our own. Two clocks that are apart show in it as much, and below zero it is cut off:
 * so it is to be read together with how well the clocks agree. All registers of one write count once.
 */
export function createArrivals({ replica, now, sinceWallMs }: ArrivalsParts): Arrivals {
  const listeners: ((tookMs: number) => void)[] = []
  return {
    onEvent(event) {
      if (event.type !== 'changed' || event.local || listeners.length === 0) return
      const { wallMs } = now()
      const stamps = new Set(event.keys.map((key) => replica.get(key)?.stamp))
      for (const stamp of stamps) {
        const writtenMs = stamp === undefined ? 0 : wallMsOf(stamp)
        if (writtenMs < sinceWallMs) continue
        for (const listener of listeners) listener(Math.max(0, wallMs - writtenMs))
      }
    },
    onArrival: (listener) => void listeners.push(listener),
  }
}
