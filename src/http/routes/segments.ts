import { z } from 'zod'
import { FlagsError } from '../../base/errors.ts'
import type { Catalog } from '../../catalog/ports.ts'
import { keyParams, namespace, pageFields } from '../schemas.ts'
import type { App } from '../types.ts'
import { answerRead } from '../writing.ts'
import { shelfWriteRoutes } from './shelf-writes.ts'

const listQuery = z.strictObject({ namespace, ...pageFields })
const readQuery = z.strictObject({ namespace })

/** `/segments`: as for flags. */
export function segmentRoutes(app: App, { catalog }: { catalog: Catalog }): void {
  app.get('/segments', { schema: { querystring: listQuery } }, async (request) => {
    const { namespace, ...query } = request.query
    const { items, nextCursor } = catalog.segments.list(namespace, query)
    return { segments: items, nextCursor }
  })

  app.get('/segments/:key', { schema: { params: keyParams, querystring: readQuery } }, async (request, reply) => {
    const segment = catalog.segments.get(request.query.namespace, request.params.key)
    if (!segment) throw new FlagsError('NOT_FOUND', `There is no segment "${request.params.key}".`)
    return answerRead(request, reply, segment)
  })

  shelfWriteRoutes(app, '/segments', catalog.segments)
}
