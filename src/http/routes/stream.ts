import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Catalog, CatalogChange } from '../../catalog/ports.ts'
import type { NamespaceChange, RecentChanges } from '../recent-changes.ts'
import { scopeQuery } from '../schemas.ts'
import { type EventStreams, eventFrame } from '../sse.ts'
import type { App } from '../types.ts'

export interface StreamParts {
  readonly catalog: Catalog
  readonly recent: RecentChanges
  readonly streams: EventStreams
  /** Whether the key that the request came with is still in force. */
  readonly isAdmitted: (request: FastifyRequest) => boolean
}

/** How a client of one kind is told. */
interface Dialect {
  /** Sent to a client that does not say what it has seen. */
  greeting(root: string): string
  /** The namespace changed. */
  changed(root: string, change: NamespaceChange): string
  /** More may have changed than this node remembers. */
  resync(root: string): string
}

const native: Dialect = {
  greeting: () => '',
  changed: framedOnce((root, { flags, segments }) =>
    eventFrame('change', root, { flags: Object.fromEntries(flags), segments: Object.fromEntries(segments), root }),
  ),
  resync: (root) => eventFrame('resync', root, { root }),
}

// OpenFeature clients evaluate first and listen afterwards: the greeting brings what changed between the two, or a 304.
const refetch = (root: string) => eventFrame('message', root, { type: 'refetchEvaluation', etag: root })
const ofrep: Dialect = { greeting: refetch, changed: refetch, resync: refetch }

/** Thousands of streams are told of one change: its frame is made for the first of them. */
function framedOnce(make: Dialect['changed']): Dialect['changed'] {
  const frames = new WeakMap<NamespaceChange, string>()
  return (root, change) => {
    const frame = frames.get(change) ?? make(root, change)
    frames.set(change, frame)
    return frame
  }
}

/** `GET /stream`: the changes of a namespace as they happen. `Last-Event-ID` resumes where this node remembers that root. */
export function streamRoute(app: App, parts: StreamParts): void {
  app.get('/stream', { schema: { querystring: scopeQuery }, exposeHeadRoute: false }, (request, reply) =>
    follow(request, reply, request.query.namespace, native, parts),
  )
}

/** `GET /ofrep/v1/stream`: tells OpenFeature clients to ask again. Other parameters are theirs. */
export function ofrepStreamRoute(app: App, parts: StreamParts): void {
  const querystring = z.object({ namespace: z.string().default('default') })
  app.get('/stream', { schema: { querystring }, exposeHeadRoute: false }, (request, reply) =>
    follow(request, reply, request.query.namespace, ofrep, parts),
  )
}

function follow(
  request: FastifyRequest,
  reply: FastifyReply,
  namespace: string,
  dialect: Dialect,
  { catalog, recent, streams, isAdmitted }: StreamParts,
): FastifyReply {
  const lastSeen = request.headers['last-event-id']
  const first =
    typeof lastSeen === 'string'
      ? missed(lastSeen, namespace, dialect, catalog, recent)
      : dialect.greeting(catalog.root())
  const stream = streams.open(first, () => isAdmitted(request))
  const stop = catalog.onChange((change: CatalogChange) => {
    const own = change.namespaces.get(namespace)
    if (own && own.flags.size + own.segments.size > 0) stream.push(dialect.changed(change.root, own))
  })
  stream.onClose(stop)
  return reply
    .header('content-type', 'text/event-stream')
    .header('cache-control', 'no-store')
    .header('x-accel-buffering', 'no')
    .header('flags-version', catalog.root())
    .send(stream.body)
}

/** What a client that has seen `lastSeen` must still be told. */
function missed(
  lastSeen: string,
  namespace: string,
  dialect: Dialect,
  catalog: Catalog,
  recent: RecentChanges,
): string {
  const root = catalog.root()
  const change = recent.since(lastSeen, namespace)
  if (!change) return dialect.resync(root)
  return change.flags.size + change.segments.size > 0 ? dialect.changed(root, change) : ''
}
