import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Shelf } from '../../catalog/ports.ts'
import { keyParams, writeQuery } from '../schemas.ts'
import type { App } from '../types.ts'
import { answerWritten, tellReplicated, writeOptions } from '../writing.ts'

interface Thing {
  readonly key: string
  readonly namespace: string
  readonly version: string
}

/** Create, replace, change and delete, alike for flags and segments. Bodies are checked by the catalog. */
export function shelfWriteRoutes<T extends Thing>(app: App, path: '/flags' | '/segments', shelf: Shelf<T>): void {
  const one = `${path}/:key` as const
  const schema = { params: keyParams, querystring: writeQuery, body: z.unknown() }

  app.post(path, { schema: { querystring: writeQuery, body: z.unknown() } }, async (request, reply) => {
    const written = await shelf.create(request.query.namespace, request.body, writeOptions(request, request.query))
    reply.header('location', locationOf(request, written.value))
    return answerWritten(reply, written)
  })

  app.put(one, { schema }, async (request, reply) => {
    const options = writeOptions(request, request.query)
    return answerWritten(reply, await shelf.put(request.query.namespace, request.params.key, request.body, options))
  })

  app.patch(one, { schema }, async (request, reply) => {
    const options = writeOptions(request, request.query)
    return answerWritten(reply, await shelf.patch(request.query.namespace, request.params.key, request.body, options))
  })

  app.delete(one, { schema: { params: keyParams, querystring: writeQuery } }, async (request, reply) => {
    const options = writeOptions(request, request.query)
    const written = await shelf.remove(request.query.namespace, request.params.key, options)
    return tellReplicated(reply, written).code(204).send()
  })
}

function locationOf(request: FastifyRequest, thing: Thing): string {
  const path = `${request.routeOptions.url ?? ''}/${encodeURIComponent(thing.key)}`
  return thing.namespace === 'default' ? path : `${path}?namespace=${encodeURIComponent(thing.namespace)}`
}
