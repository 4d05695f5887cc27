import type { Role as KeyRole } from '../../catalog/api-keys.ts'

/** What a route asks of its caller. Each role includes those before it; `open` asks nothing. */
export type Role = 'open' | KeyRole

/**
 * What a route has to do with namespaces, and likewise with environments; it decides what a key that is confined to some may ask.
 *
 * - `none`: nothing, or the route and the catalog see to it by themselves: a write is checked register by register.
 * - `default`: the query names one; left out it is `default`.
 * - `header`: as OFREP has it, the query or a header names one; left out it is `default`.
 * - `all`: the query may name one; left out the route answers for all that the key may see.
 * - `whole`: the route tells of all of them at once, so it is for keys that see all.
 */
export type Reach = 'none' | 'default' | 'header' | 'all' | 'whole'

/** Who may call a route, and for what. */
export interface Access {
  readonly role: Role
  readonly namespace: Reach
  readonly environment: Reach
}

export const open: Access = { role: 'open', namespace: 'none', environment: 'none' }
const evaluating: Access = { role: 'evaluate', namespace: 'default', environment: 'default' }
const evaluatingOfrep: Access = { role: 'evaluate', namespace: 'header', environment: 'header' }
const reading: Access = { role: 'read', namespace: 'default', environment: 'all' }
const readingShared: Access = { role: 'read', namespace: 'default', environment: 'none' }
const explaining: Access = { role: 'read', namespace: 'default', environment: 'default' }
const overviewing: Access = { role: 'read', namespace: 'all', environment: 'none' }
const watchingNode: Access = { role: 'read', namespace: 'none', environment: 'none' }
const writing: Access = { role: 'write', namespace: 'default', environment: 'none' }
const administering: Access = { role: 'admin', namespace: 'none', environment: 'none' }

/** Every route of the API, without its prefix: registering one that is not here throws. HEAD goes with GET. */
export const accessTable: Readonly<Record<string, Access>> = {
  'GET /flags': reading,
  'POST /flags': writing,
  'GET /flags/:key': reading,
  'PUT /flags/:key': writing,
  'PATCH /flags/:key': writing,
  'DELETE /flags/:key': writing,
  'POST /flags/:key/rollout': writing,
  'GET /segments': readingShared,
  'POST /segments': writing,
  'GET /segments/:key': readingShared,
  'PUT /segments/:key': writing,
  'PATCH /segments/:key': writing,
  'DELETE /segments/:key': writing,
  'GET /flags/:key/history': readingShared,
  'GET /flags/:key/history/:version': readingShared,
  'POST /flags/:key/rollback': writing,
  'GET /segments/:key/history': readingShared,
  'GET /segments/:key/history/:version': readingShared,
  'POST /segments/:key/rollback': writing,
  'POST /import': writing,
  'GET /export': overviewing,

  'GET /flags/:key/evaluate': evaluating,
  'POST /evaluate': evaluating,
  'POST /evaluate/batch': evaluating,
  'GET /features': evaluating,
  'GET /ruleset': evaluating,
  'GET /stream': evaluating,
  'POST /ofrep/v1/evaluate/flags': evaluatingOfrep,
  'POST /ofrep/v1/evaluate/flags/:key': evaluatingOfrep,
  'GET /ofrep/v1/stream': evaluatingOfrep,
  'GET /flags/:key/audit': explaining,
  'POST /whatif': explaining,

  'GET /keys': administering,
  'POST /keys': administering,
  'DELETE /keys/:id': administering,

  'GET /audit': overviewing,
  'GET /audit/verify': { role: 'read', namespace: 'whole', environment: 'whole' },
  'GET /reports/diff': overviewing,
  'GET /reports/changes': overviewing,
  'GET /mesh': watchingNode,
  'GET /metrics': { role: 'read', namespace: 'whole', environment: 'whole' },
  'GET /openapi.json': open,
  'GET /docs': open,
  'GET /docs/:asset': open,
  'GET /health': open,
  'GET /health/live': open,
  'GET /health/ready': open,
  // Peers prove themselves by the seal of what they send.
  'POST /mesh/bulk': open,
}

/** The row of a route; undefined for one that nobody has decided about. */
export function accessOf(method: string, url: string): Access | undefined {
  const path = url.replace(/^\/api\/v1(?=\/)/, '')
  return accessTable[`${method === 'HEAD' ? 'GET' : method} ${path}`]
}
