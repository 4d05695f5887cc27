import type { FastifyReply, FastifyRequest } from 'fastify'
import { FlagsError } from '../base/errors.ts'
import type { WriteOptions, Written } from '../catalog/ports.ts'
import { actorOf } from './access/guard.ts'
import { visibleTo } from './access/visible.ts'
import type { WriteQuery } from './schemas.ts'

/** The entity tag of a version. */
export function etagOf(version: string): string {
  return `"${version}"`
}

/** What a write must know besides its body: who, on which condition, waiting for whom. Throws MALFORMED. */
export function writeOptions(request: FastifyRequest, query: WriteQuery, reason?: string): WriteOptions {
  const ifMatch = versionIn(request.headers['if-match'], 'If-Match')
  const ifNoneMatch = request.headers['if-none-match']
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') {
    throw new FlagsError('MALFORMED', 'If-None-Match of a write is * and nothing else.')
  }
  return {
    actor: actorOf(request),
    requestId: request.id,
    ...(request.caller && { confinement: request.caller }),
    ...(ifMatch !== undefined && { ifMatch }),
    ...(ifNoneMatch !== undefined && { ifNoneMatch }),
    ...(reason !== undefined && { reason }),
    ...(query.ack !== undefined && { ack: { ack: query.ack, timeoutMs: query.timeoutMs } }),
  }
}

/** The version in a header of one entity tag, as `"v"`, `W/"v"` or bare; `*` stays itself. */
function versionIn(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined
  const version = /^(?:W\/)?"([^"]*)"$|^([^\s",]+)$/.exec(header.trim())
  if (!version) throw new FlagsError('MALFORMED', `${name} takes one version, as the ETag of an answer gave it.`)
  return version[1] ?? version[2]
}

/** Answers a write with the thing as it stands now. */
export function answerWritten<T extends { readonly version: string }>(
  reply: FastifyReply,
  written: Written<T>,
): FastifyReply {
  return tellReplicated(reply, written)
    .code(written.created ? 201 : 200)
    .header('etag', etagOf(written.value.version))
    .send(visibleTo(reply.request, written.value))
}

export function tellReplicated(reply: FastifyReply, { replicated }: Written<unknown>): FastifyReply {
  return reply
    .header('flags-replicated', `${replicated.nodes}/${replicated.of}`)
    .header('x-request-id', reply.request.id)
}

/** Answers a read; 304 when the client has this version already. */
export function answerRead<T extends { readonly version: string }>(
  request: FastifyRequest,
  reply: FastifyReply,
  thing: T,
): FastifyReply {
  const etag = etagOf(thing.version)
  reply.header('etag', etag)
  return knows(request, etag) ? reply.code(304).send() : reply.send(thing)
}

/** Whether `If-None-Match` names this entity tag, weakly compared (RFC 9110, 13.1.2). */
export function knows(request: FastifyRequest, etag: string): boolean {
  const header = request.headers['if-none-match']
  if (header === undefined) return false
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag)
}
