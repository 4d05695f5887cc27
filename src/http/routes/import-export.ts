import { z } from 'zod'
import { importBytesMax } from '../../base/limits.ts'
import { foreignToDocument } from '../../catalog/foreign-import.ts'
import type { Catalog } from '../../catalog/ports.ts'
import { namespacesAsked, visibleTo } from '../access/visible.ts'
import { ackFields, key, namespace } from '../schemas.ts'
import type { App } from '../types.ts'
import { writeOptions } from '../writing.ts'

/** Turns a document of another format into ours. Throws MALFORMED or INVALID with the path of each fault. */
type Reader = (document: unknown, namespace: string) => unknown

const readers = {
  flags: (document) => document,
  flagd: (document, namespace) => foreignToDocument('flagd', document, namespace),
  unleash: (document, namespace) => foreignToDocument('unleash', document, namespace),
} satisfies Record<string, Reader>
const formats = Object.keys(readers) as (keyof typeof readers)[]

const importQuery = z.strictObject({
  namespace,
  ...ackFields,
  mode: z.enum(['merge', 'replace']).default('merge').describe('replace also deletes what the document leaves out'),
  format: z.enum(formats).default('flags'),
})
const exportQuery = z.strictObject({ namespace: key.optional().describe('Only this one; all of them when left out') })

/** `POST /import`, all or nothing, and `GET /export`, which gives what import takes. */
export function importExportRoutes(app: App, { catalog }: { catalog: Catalog }): void {
  const schema = { querystring: importQuery, body: z.unknown() }
  app.post('/import', { schema, bodyLimit: importBytesMax }, async (request) => {
    const { mode, format, namespace } = request.query
    const document = readers[format](request.body, namespace)
    return catalog.importDocument(document, mode, namespace, writeOptions(request, request.query))
  })

  app.get('/export', { schema: { querystring: exportQuery } }, async (request) => {
    const { flags, segments } = catalog.exportDocument(namespacesAsked(request, request.query.namespace))
    return { flags: flags.map((flag) => visibleTo(request, flag)), segments }
  })
}
