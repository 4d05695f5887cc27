import { pino } from 'pino'
import { afterEach } from 'vitest'
import type { CatalogCore } from '../../src/catalog/catalog.ts'
import type { MeshMember, NodeView } from '../../src/catalog/ports.ts'
import { type AppParts, createApp } from '../../src/http/app.ts'
import type { HttpSettings } from '../../src/http/settings.ts'
import type { App } from '../../src/http/types.ts'
import { createMemoryCatalog } from './memory-catalog.ts'
import type { MemoryReplica } from './memory-replica.ts'

/** The whole HTTP API on the real catalog, over a replica that has no mesh. */
export interface Testbed {
  readonly app: App
  readonly catalog: CatalogCore
  readonly replica: MemoryReplica
  /** What the node says of itself; tests change it. */
  readonly node: {
    ready: string | null
    storage: string | null
    isolated: boolean
    members: MeshMember[]
    /** Tells the API of a change that took so many milliseconds to arrive. */
    arrived(tookMs: number): void
  }
  /** Bodies that reached the mesh. */
  readonly frames: Buffer[]
  /** Lines that were logged, parsed. */
  readonly log: Record<string, unknown>[]
  /** Sends a request; `body` as JSON, or as it is when it is a string or a Buffer. */
  send(method: Method, url: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
}

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
  /** The body, parsed, where it is JSON. */
  readonly json: unknown
}

const open: App[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((app) => app.close()))
})

export async function createTestbed(settings: HttpSettings = {}, more: Partial<AppParts> = {}): Promise<Testbed> {
  const { catalog, replica } = createMemoryCatalog()
  const state: Testbed['node'] = { ready: null, storage: null, isolated: false, members: [], arrived: () => undefined }
  const frames: Buffer[] = []
  const log: Record<string, unknown>[] = []
  const app = await createApp({
    catalog,
    node: nodeView(state, replica),
    settings,
    logger: pino({ level: 'info' }, { write: (line: string) => log.push(JSON.parse(line)) }),
    receiveBulk: (body) => body.length > 0 && body[0] === 0xf1 && frames.push(body) > 0,
    requestSync: () => undefined,
    ...more,
  })
  open.push(app)
  return { app, catalog, replica, node: state, frames, log, send: sender(app) }
}

function nodeView(state: Testbed['node'], replica: MemoryReplica): NodeView {
  return {
    id: '00000000000000bb',
    address: '127.0.0.1:7946',
    url: 'http://127.0.0.1:8080',
    members: () => state.members,
    conflicts: () => 3,
    tombstones: () => replica.size().tombstones,
    notReady: () => state.ready,
    storageFailure: () => state.storage,
    isolated: () => state.isolated,
    onArrival: (listener) => {
      state.arrived = listener
    },
    counters: () => ({ packets_received_total: 7 }),
  }
}

function sender(app: App): Testbed['send'] {
  return async (method, url, body, headers = {}) => {
    const raw = typeof body === 'string' || Buffer.isBuffer(body)
    const response = await app.inject({
      method,
      url,
      headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
      payload: body === undefined ? undefined : raw ? body : JSON.stringify(body),
    })
    const plain = response.headers['content-encoding'] === undefined
    const isJson = plain && String(response.headers['content-type'] ?? '').includes('json')
    return {
      status: response.statusCode,
      headers: response.headers,
      text: response.body,
      json: isJson && response.body !== '' ? JSON.parse(response.body) : undefined,
    }
  }
}
