import { z } from 'zod'
import { FlagsError } from '../../base/errors.ts'
import { pageEntriesMax } from '../../base/limits.ts'
import type { LogEntry } from '../../catalog/log-entry.ts'
import type { Catalog, Shelf } from '../../catalog/ports.ts'
import { summaryOf, wholeOf } from '../log-entry-view.ts'
import { keyParams, namespace, reason, writeQuery } from '../schemas.ts'
import type { App } from '../types.ts'
import { answerWritten, writeOptions } from '../writing.ts'

const historyQuery = z.strictObject({
  namespace,
  limit: z.coerce.number().int().min(1).max(pageEntriesMax).default(pageEntriesMax),
})
export const rollbackBody = z.strictObject({ version: z.string().describe('One of the history'), reason })

interface Thing {
  readonly key: string
  readonly version: string
}

/** `…/history` and `…/rollback`, alike for flags and segments. */
export function historyRoutes(app: App, { catalog }: { catalog: Catalog }): void {
  shelfHistoryRoutes(app, '/flags', catalog.flags, catalog.log)
  shelfHistoryRoutes(app, '/segments', catalog.segments, catalog.log)
}

function shelfHistoryRoutes<T extends Thing>(
  app: App,
  path: '/flags' | '/segments',
  shelf: Shelf<T>,
  log: Catalog['log'],
): void {
  const one = `${path}/:key` as const

  function existing(namespace: string, key: string): readonly LogEntry[] {
    const history = shelf.history(namespace, key)
    if (history.length === 0) throw new FlagsError('NOT_FOUND', `Nothing is remembered of "${key}".`)
    return history
  }

  app.get(`${one}/history`, { schema: { params: keyParams, querystring: historyQuery } }, async (request) => {
    const { namespace, limit } = request.query
    return { versions: existing(namespace, request.params.key).slice(0, limit).map(summaryOf) }
  })

  const versionParams = keyParams.extend({ version: z.string() })
  const versionQuery = z.strictObject({ namespace })
  app.get(
    `${one}/history/:version`,
    { schema: { params: versionParams, querystring: versionQuery } },
    async (request) => {
      const { key, version } = request.params
      const entry = existing(request.query.namespace, key).find((candidate) => candidate.version === version)
      if (!entry) throw new FlagsError('NOT_FOUND', `The history of "${key}" has no version ${version}.`)
      return wholeOf(request, log, entry)
    },
  )

  const schema = { params: keyParams, querystring: writeQuery, body: rollbackBody }
  app.post(`${one}/rollback`, { schema }, async (request, reply) => {
    const { version, reason } = request.body
    const options = writeOptions(request, request.query, reason)
    return answerWritten(reply, await shelf.rollback(request.query.namespace, request.params.key, version, options))
  })
}
