import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { FlagsError } from '../base/errors.ts'
import type { Actor } from '../catalog/ports.ts'
import type { App } from './types.ts'

/** What a route asks of its caller. Each role includes those before it; `open` asks nothing. */
export const roles = ['open', 'evaluate', 'read', 'write', 'admin'] as const
export type Role = (typeof roles)[number]

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call the route. Every route names it: registering one that does not throws. */
    role?: Role
    /** The route is too hot for hooks: it counts for itself. */
    hot?: boolean
  }
  interface FastifyRequest {
    /** Who calls, once the key was checked; null where the node is open. */
    caller: Caller | null
  }
}

/** The holder of an API key. */
export interface Caller {
  readonly id: string
  readonly name: string
  readonly role: Role
}

/** Who holds this secret; undefined for nobody. */
export type Authenticate = (secret: string) => Caller | undefined

/** Knows the admin key alone. Compares hashes in constant time, so that answers do not tell how much of a guess was right. */
export function adminKeyOnly(adminKey: string): Authenticate {
  const expected = sha256(adminKey)
  const admin: Caller = { id: 'admin', name: 'admin', role: 'admin' }
  return (secret) => (timingSafeEqual(sha256(secret), expected) ? admin : undefined)
}

/**
 * The one place where it is decided who may call what: each route names its role, and, where keys are in force, a hook
 * compares it to the caller's before anything of the request is parsed. Without `authenticate` the node is open.
 */
export function guard(app: App, authenticate: Authenticate | undefined): void {
  app.decorateRequest('caller', null)
  app.addHook('onRoute', (route) => {
    // The answers to CORS preflights, which carry no key.
    if (route.method === 'OPTIONS') return
    if (route.config?.role === undefined) throw new Error(`Route ${String(route.method)} ${route.url} names no role`)
  })
  if (!authenticate) return
  app.addHook('onRequest', (request, _reply, done) => {
    const wanted = request.routeOptions.config.role ?? 'open'
    if (wanted !== 'open') request.caller = admit(authenticate, secretOf(request), wanted)
    done()
  })
}

function admit(authenticate: Authenticate, secret: string | undefined, wanted: Role): Caller {
  if (secret === undefined) {
    throw new FlagsError('UNAUTHENTICATED', 'Send an API key, as X-API-Key: KEY or Authorization: Bearer KEY.')
  }
  const caller = authenticate(secret)
  if (!caller)
    throw new FlagsError('UNAUTHENTICATED', 'This API key is not known, or no longer. Ask an admin for another.')
  if (roles.indexOf(caller.role) < roles.indexOf(wanted)) {
    throw new FlagsError('FORBIDDEN', `This needs the role ${wanted}, and the key has ${caller.role}.`)
  }
  return caller
}

function secretOf(request: FastifyRequest): string | undefined {
  const key = request.headers['x-api-key']
  if (typeof key === 'string') return key
  const bearer = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')
  return bearer?.[1]
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** Who makes the change, for the history. */
export function actorOf(request: FastifyRequest): Actor {
  const { id, name } = request.caller ?? { id: 'anonymous', name: 'anonymous' }
  return { id, name, from: request.ip }
}
