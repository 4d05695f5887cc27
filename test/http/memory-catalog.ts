import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type CatalogCore, createCatalog } from '../../src/catalog/catalog.ts'
import { createMemoryReplica, type MemoryReplica } from './memory-replica.ts'

/** The real catalog over a replica that has no mesh and no disk. */
export function createMemoryCatalog(): { readonly catalog: CatalogCore; readonly replica: MemoryReplica } {
  const replica = createMemoryReplica((event) => catalog.onReplicaEvent(event))
  const catalog = createCatalog({
    replica,
    nodeId: '00000000000000bb',
    logEntriesMax: 100_000,
    now: () => ({ monotonicMs: performance.now(), wallMs: Date.now() }),
    delay: (ms) => delay(ms),
    secrets: {
      newId: () => randomBytes(8).toString('hex'),
      newSecret: () => randomBytes(32).toString('base64url'),
      sha256: (input) => createHash('sha256').update(input).digest('hex'),
      equal: (a, b) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b)),
    },
  })
  catalog.load()
  return { catalog, replica }
}
