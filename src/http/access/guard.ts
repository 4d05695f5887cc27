import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import { FlagsError } from '../../base/errors.ts'
import { roles } from '../../catalog/api-keys.ts'
import type { Actor } from '../../catalog/ports.ts'
import type { App } from '../types.ts'
import type { Caller, Callers } from './callers.ts'
import { countRequest } from './rate-limit.ts'
import { confine } from './scope.ts'
import { type Access, accessOf, type Role } from './table.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** For routes that are none of the API and so are not in the table. */
    access?: Access
    /** Who may call the route, as the guard found it. */
    role?: Role
    /** The route is too hot for hooks: it counts for itself. */
    hot?: boolean
  }
  interface FastifyRequest {
    /** Who calls, once the key was checked; null where the node is open. */
    caller: Caller | null
  }
}

/**
 * The one place where it is decided who may call what: each route gets the row that the table has of it, and, where keys are in
 * force, a hook that checks key, rate, role and scope before anything of the request but its URL is parsed. Without `callers`
 * the node is open.
 */
export function guard(app: App, callers: Callers | undefined): void {
  app.decorateRequest('caller', null)
  app.addHook('onRoute', (route) => {
    // The answers to CORS preflights, which carry no key.
    if (route.method === 'OPTIONS') return
    const access = route.config?.access ?? accessOf(String(route.method), route.url)
    if (!access)
      throw new Error(`Nobody decided who may call ${String(route.method)} ${route.url}: see access/table.ts`)
    route.config = { ...route.config, role: access.role }
    if (!callers || access.role === 'open') return
    const admit = admission(callers, access, access.role)
    const { handler } = route
    if (route.config.hot) {
      // Running a hook costs as much as all of the checks; and a GET has nothing to parse that these should come before.
      route.handler = function (request, reply) {
        admit(request, reply)
        return handler.call(this, request, reply)
      }
    } else {
      const hook: onRequestHookHandler = (request, reply, done) => {
        admit(request, reply)
        done()
      }
      route.onRequest = [hook, ...[route.onRequest ?? []].flat()]
    }
  })
}

type Admit = (request: FastifyRequest, reply: FastifyReply) => void

/** Throws UNAUTHENTICATED, RATE_LIMITED, FORBIDDEN. */
function admission(callers: Callers, access: Access, role: Exclude<Role, 'open'>): Admit {
  const rank = roles.indexOf(role)
  return (request, reply) => {
    const secret = secretOf(request)
    if (secret === undefined) {
      throw new FlagsError('UNAUTHENTICATED', 'Send an API key, as X-API-Key: KEY or Authorization: Bearer KEY.')
    }
    const nowMs = Date.now()
    const credential = callers.authenticate(secret, nowMs, request)
    const { caller, limit } = credential
    request.caller = caller
    if (limit > 0) countRequest(credential.window, limit, nowMs, reply)
    if (credential.rank < rank) {
      throw new FlagsError('FORBIDDEN', `This needs the role ${role}, and the key has ${caller.role}.`)
    }
    if (credential.isConfined) confine(request, access, caller)
  }
}

function secretOf({ headers }: FastifyRequest): string | undefined {
  const key = headers['x-api-key']
  if (typeof key === 'string') return key
  const { authorization } = headers
  return authorization === undefined ? undefined : /^Bearer +(\S+) *$/i.exec(authorization)?.[1]
}

/** Who makes the change, for the history. */
export function actorOf(request: FastifyRequest): Actor {
  const { id, name } = request.caller ?? { id: 'anonymous', name: 'anonymous' }
  return { id, name, from: request.ip }
}
