import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { FlagsError } from '../../base/errors.ts'
import { confinedToMax, keyNameCharactersMax } from '../../base/limits.ts'
import { type ApiKey, roles } from '../../catalog/api-keys.ts'
import type { Catalog, Confinement } from '../../catalog/ports.ts'
import { actorOf } from '../access/guard.ts'
import { isWithin } from '../access/visible.ts'
import { ackFields, key } from '../schemas.ts'
import type { App } from '../types.ts'

const confinedTo = z.array(key).min(1).max(confinedToMax).optional()

export const newKeyBody = z.strictObject({
  name: z
    .string()
    .regex(/^\P{Cc}+$/u, 'must be text without control characters')
    .max(keyNameCharactersMax)
    .describe('Who or what uses it; stands in the history beside its id'),
  role: z.enum(roles).describe('Each role may do what those before it may'),
  namespaces: confinedTo.describe('The only namespaces it sees; all when left out'),
  environments: confinedTo.describe('The only environments it sees; all when left out'),
  rateLimit: z.int().min(0).max(10_000_000).optional().describe('Requests a minute at each node; 0 is no limit'),
  expiresAt: z.iso.datetime({ offset: true }).optional().describe('RFC 3339'),
})

const keysQuery = z.strictObject(ackFields)

/** `/keys`: make, list and revoke. Who is confined makes and sees only keys that are confined to no more. */
export function keyRoutes(app: App, { catalog: { keys } }: { catalog: Catalog }): void {
  app.get('/keys', async (request) => ({ keys: keys.list().filter((held) => isWithin(held, confinementOf(request))) }))

  app.post('/keys', { schema: { querystring: keysQuery, body: newKeyBody } }, async (request, reply) => {
    checkWithin(request, request.body)
    checkExpiry(request.body.expiresAt)
    const { key, secret } = await keys.create(request.body, options(request, request.query))
    return reply
      .code(201)
      .header('cache-control', 'no-store')
      .send({ ...key, secret })
  })

  app.delete(
    '/keys/:id',
    { schema: { params: z.object({ id: z.string() }), querystring: keysQuery } },
    async (request, reply) => {
      const { id } = request.params
      const held = keys.list().find((one) => one.id === id)
      if (held) checkWithin(request, held)
      await keys.revoke(id, options(request, request.query))
      return reply.code(204).send()
    },
  )
}

/** Throws INVALID: whoever mistypes a year would be given a secret that opens nothing. */
function checkExpiry(expiresAt: string | undefined): void {
  if (expiresAt === undefined || Date.parse(expiresAt) > Date.now()) return
  const faults = [{ path: 'expiresAt', message: 'must be in the future' }]
  throw new FlagsError('INVALID', 'The key would have expired already.', { faults })
}

function options(request: FastifyRequest, { ack, timeoutMs }: z.infer<typeof keysQuery>) {
  return { actor: actorOf(request), requestId: request.id, ...(ack !== undefined && { ack: { ack, timeoutMs } }) }
}

function confinementOf({ caller }: FastifyRequest): Confinement {
  return caller ?? {}
}

function checkWithin(request: FastifyRequest, key: Confinement & Partial<Pick<ApiKey, 'name'>>): void {
  if (isWithin(key, confinementOf(request))) return
  const message = 'Your key is confined, so it makes and revokes only keys that are confined to no more than it is.'
  throw new FlagsError('FORBIDDEN', message)
}
