import type { Now } from '../base/clock.ts'
import { FlagsError } from '../base/errors.ts'
import type { RegisterChange } from '../crdt/register.ts'
import type { Stamp } from '../crdt/stamp.ts'
import type { Replica, ReplicaEvent } from '../replica/ports.ts'
import type { AckWish } from './write-options.ts'

/** What became of a write: its stamp, and how many of the live nodes have it on disk. */
export interface DurableWrite {
  readonly stamp: Stamp
  readonly nodes: number
  readonly of: number
}

/** Turns the replica's tickets and events into promises. */
export interface DurableWrites {
  /** Resolves when the write is on this node's disk and visible, and, with `ack`, on that many peers' or the time is up. */
  write(changes: readonly RegisterChange[], ack?: AckWish): Promise<DurableWrite>
  onEvent(event: ReplicaEvent): void
}

export interface DurableWritesParts {
  readonly replica: Replica
  readonly now: () => Now
  /** Resolves after so many milliseconds. */
  readonly delay: (ms: number) => Promise<void>
}

interface Waiting {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

export function createDurableWrites({ replica, now, delay }: DurableWritesParts): DurableWrites {
  const disk = new Map<number, Waiting>()
  const acks = new Map<Stamp, { readonly by: Set<string>; readonly wanted: number; readonly reached: () => void }>()

  async function awaitPeers(stamp: Stamp, ack: AckWish, wanted: number): Promise<number> {
    const by = new Set<string>()
    const reached = new Promise<void>((resolve) => acks.set(stamp, { by, wanted, reached: resolve }))
    if (wanted > 0) await Promise.race([reached, delay(ack.timeoutMs)])
    acks.delete(stamp)
    return by.size
  }

  return {
    async write(changes, ack) {
      const alive = replica.peers().length + 1
      const ticket = replica.write(now(), changes, { wantAck: ack !== undefined })
      const stored = new Promise<void>((resolve, reject) => disk.set(ticket.id, { resolve, reject }))
      // Listening starts before the disk answers: a fast peer may be done first.
      const peers = ack ? awaitPeers(ticket.stamp, ack, peersWanted(ack.ack, alive)) : Promise.resolve(0)
      await stored
      return { stamp: ticket.stamp, nodes: 1 + (await peers), of: Math.max(alive, 1) }
    },
    onEvent(event) {
      if (event.type === 'written') {
        disk.get(event.id)?.resolve()
        disk.delete(event.id)
      } else if (event.type === 'refused') {
        const message = `This node could not store the write, and nothing changed: ${event.reason}. Write at another node, or try again.`
        disk.get(event.id)?.reject(new FlagsError('STORAGE_UNAVAILABLE', message, { retryAfterSeconds: 5 }))
        disk.delete(event.id)
      } else if (event.type === 'acknowledged') {
        const waiting = acks.get(event.stamp)
        waiting?.by.add(event.by)
        if (waiting && waiting.by.size >= waiting.wanted) waiting.reached()
      }
    },
  }
}

/** Peers, besides this node, that must have the write: `one` of them, enough for a majority of all nodes, or `all`. */
function peersWanted(ack: AckWish['ack'], alive: number): number {
  if (ack === 'one') return Math.min(1, alive - 1)
  return ack === 'all' ? alive - 1 : Math.floor(alive / 2)
}
