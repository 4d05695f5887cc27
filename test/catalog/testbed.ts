import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, vi } from 'vitest'
import type { Now } from '../../src/base/clock.ts'
import { seededRandom } from '../../src/base/random.ts'
import { type CatalogCore, createCatalog } from '../../src/catalog/catalog.ts'
import { isGenuine } from '../../src/catalog/log-entry.ts'
import type { Actor } from '../../src/catalog/ports.ts'
import type { Replica } from '../../src/replica/ports.ts'
import { createReplica } from '../../src/replica/replica.ts'

export interface TestNode {
  readonly catalog: CatalogCore
  readonly replica: Replica
  readonly actor: Actor
}

/** Catalogs on real replicas, joined by a network in memory that can be cut. The disk answers at the next turn. */
export interface TestMesh {
  readonly nodes: readonly TestNode[]
  cut(): void
  heal(): void
  /** Until every node has the same root. */
  converged(): Promise<void>
  /** From now on every append fails with this reason; null heals the disks. */
  failDisks(reason: string | null): void
}

const options = { timeout: 10_000, interval: 5 }

export function createTestMesh(size: number): TestMesh {
  let connected = true
  let stopped = false
  let diskFailure: string | null = null
  const now = (): Now => ({ monotonicMs: performance.now(), wallMs: Date.now() })
  onTestFinished(() => {
    stopped = true
  })

  const nodes = Array.from({ length: size }, (_, index): TestNode => {
    const later = (work: () => void) => setImmediate(() => stopped || work())
    const deliver = (to: string, work: (replica: Replica) => void) => {
      if (connected) later(() => connected && work(nodes[Number(to.slice('node-'.length))]!.replica))
    }
    const self = `node-${index}`
    const replica: Replica = createReplica({
      self,
      id: idOf(index),
      random: seededRandom(index + 1),
      isGenuine: (record) => isGenuine(record, secrets.sha256),
      effects: {
        sendPacket: (to, packet) => deliver(to, (peer) => peer.onPacket(now(), self, packet)),
        sendBulk: (to, frame) => deliver(to, (peer) => peer.onBulk(now(), self, frame)),
        setTimer: (timer, afterMs) => void setTimeout(() => stopped || replica.onTimer(now(), timer), afterMs).unref(),
        append: () => later(() => replica.onAppended(now(), 1, diskFailure ?? undefined)),
        forget: (keys) => catalog.onForgotten(keys),
        emit: (event) => catalog.onReplicaEvent(event),
      },
    })
    const parts = { replica, nodeId: idOf(index), now, delay: (ms: number) => delay(ms), secrets, logEntriesMax: 1_000 }
    const catalog = createCatalog(parts)
    replica.start(now(), { records: [], notes: { issued: '' as never, lastContactWallMs: 0 } })
    catalog.load()
    return { catalog, replica, actor: { id: `key-${index}`, name: `person ${index}`, from: '127.0.0.1' } }
  })

  function members(type: 'up' | 'down'): void {
    for (const [index, { replica }] of nodes.entries()) {
      for (let other = 0; other < size; other++) {
        if (other !== index) replica.onMember(now(), { type, address: `node-${other}`, id: idOf(other) })
      }
    }
  }

  members('up')
  return {
    nodes,
    cut() {
      connected = false
      members('down')
    },
    heal() {
      connected = true
      members('up')
    },
    converged: () =>
      vi.waitFor(() => expect(new Set(nodes.map(({ replica }) => replica.root())).size).toBe(1), options),
    failDisks(reason) {
      diskFailure = reason
    },
  }
}

function idOf(index: number): string {
  return index.toString(16).padStart(16, '0')
}

const secrets = {
  newId: () => randomBytes(8).toString('hex'),
  newSecret: () => randomBytes(32).toString('base64url'),
  sha256: (input: string | Uint8Array) => createHash('sha256').update(input).digest('hex'),
  equal: (a: string, b: string) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b)),
}
