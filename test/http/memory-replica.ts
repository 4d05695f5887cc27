import type { Now } from '../../src/base/clock.ts'
import { FlagsError } from '../../src/base/errors.ts'
import { murmur128Half } from '../../src/base/murmur128.ts'
import { fingerprintText } from '../../src/crdt/digest.ts'
import type { RegisterChange, RegisterRecord } from '../../src/crdt/register.ts'
import { makeStamp, noStamp } from '../../src/crdt/stamp.ts'
import type { Replica, ReplicaEvent, WriteTicket } from '../../src/replica/ports.ts'

/** A replica without mesh and disk: a write is durable as soon as the present turn ends. */
export interface MemoryReplica extends Replica {
  /** From now on writes are refused, as by a full disk; null heals it. */
  failWrites(reason: string | null): void
  /** Peers that acknowledge every write; for `?ack=`. */
  pretendPeers(addresses: readonly string[]): void
}

export function createMemoryReplica(emit: (event: ReplicaEvent) => void): MemoryReplica {
  const records = new Map<string, RegisterRecord>()
  let refusal: string | null = null
  let peers: readonly string[] = []
  let counter = 0
  let tickets = 0
  let root = hash64('')

  function store(changes: readonly RegisterChange[], ticket: WriteTicket): void {
    for (const { key, value } of changes) {
      records.set(key, { key, stamp: ticket.stamp, seen: records.get(key)?.stamp ?? noStamp, value })
    }
    root = hash64(root + ticket.stamp)
    emit({ type: 'changed', keys: changes.map((change) => change.key), local: true })
    emit({ type: 'written', id: ticket.id, stamp: ticket.stamp })
    for (const by of peers) emit({ type: 'acknowledged', stamp: ticket.stamp, by })
  }

  return {
    write(now: Now, changes) {
      const ticket = { id: ++tickets, stamp: makeStamp(Math.floor(now.wallMs), ++counter % 65_536, '00000000000000aa') }
      const reason = refusal
      queueMicrotask(() => {
        if (reason === null) store(changes, ticket)
        else emit({ type: 'refused', id: ticket.id, reason })
      })
      return ticket
    },
    get: (key) => records.get(key),
    records: () => records.values(),
    root: () => root,
    size() {
      const values = [...records.values()].filter((record) => record.value !== null).length
      return { values, tombstones: records.size - values }
    },
    peers: () =>
      peers.map((address) => ({
        address,
        id: hash64(address),
        root,
        lastHeardMonotonicMs: 0,
        differsSinceMonotonicMs: null,
        clockOffsetMs: 0,
      })),
    counters: () => ({ packets_received: 0 }),
    requestSync: () => undefined,
    start: () => undefined,
    onPacket: unused,
    onBulk: unused,
    onTimer: unused,
    onAppended: unused,
    onMember: unused,
    failWrites(reason) {
      refusal = reason
    },
    pretendPeers(addresses) {
      peers = addresses
    },
  }
}

function unused(): never {
  throw new FlagsError('INTERNAL', 'The memory replica has no mesh.')
}

function hash64(text: string): string {
  return fingerprintText(murmur128Half(new TextEncoder().encode(text)))
}
