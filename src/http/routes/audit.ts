import { z } from 'zod'
import { pageEntriesMax } from '../../base/limits.ts'
import type { Catalog } from '../../catalog/ports.ts'
import { namespacesAsked } from '../access/visible.ts'
import { summaryOf, wholeOf } from '../log-entry-view.ts'
import { instant, key } from '../schemas.ts'
import type { App } from '../types.ts'

const auditQuery = z.strictObject({
  namespace: key.optional().describe('Only this one; all of them, and API keys, when left out'),
  key: z.string().optional().describe('Key of a flag or segment, or id of an API key'),
  actor: z.string().optional().describe('Id or name of the API key that made the change'),
  from: instant.optional().describe('Not before this moment'),
  to: instant.optional().describe('Before this moment'),
  limit: z.coerce.number().int().min(1).max(pageEntriesMax).default(100),
  cursor: z.string().optional().describe('The nextCursor of the page before'),
})

/** `GET /audit`: every change on any node, newest first. `GET /audit/verify`: whether the log is as its authors left it. */
export function auditRoutes(app: App, { catalog }: { catalog: Catalog }): void {
  const { log } = catalog

  app.get('/audit', { schema: { querystring: auditQuery } }, async (request) => {
    const { namespace, from, to, ...query } = request.query
    const namespaces = namespacesAsked(request, namespace)
    const { entries, nextCursor } = log.query({ ...query, namespaces, fromMs: from, toMs: to })
    return { entries: entries.map((entry) => wholeOf(request, log, entry)), nextCursor }
  })

  app.get('/audit/verify', async () => {
    const { entries, broken, unreadable, refused, digest } = await log.verify()
    const shown = broken.slice(0, pageEntriesMax).map((entry) => {
      return { ...summaryOf(entry), namespace: entry.namespace, kind: entry.noun, key: entry.key }
    })
    const intact = broken.length + unreadable.length + refused.length === 0
    return { intact, entries, digest, broken: shown, unreadable: unreadable.slice(0, pageEntriesMax), refused }
  })
}
