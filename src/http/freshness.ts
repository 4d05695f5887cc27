import type { FastifyReply, FastifyRequest } from 'fastify'
import { FlagsError } from '../base/errors.ts'
import type { Catalog } from '../catalog/ports.ts'
import type { Query } from './context.ts'
import type { RecentChanges } from './recent-changes.ts'
import type { App } from './types.ts'

/** Milliseconds that a reader who knows of something newer lets this node ask its peers for it. */
const catchUpMs = 100
/** Flags that one `Flags-Min-Version` may name. */
const minVersionsMax = 100

export interface FreshnessParts {
  readonly catalog: Catalog
  readonly recent: RecentChanges
  /** Asks the peers for what this node lacks, soon. */
  readonly requestSync: () => void
}

/** Waiting for what a client has heard of elsewhere in the mesh. */
export interface Freshness {
  /** Resolves once `root` is or was in force here, or the time is up. */
  awaitRoot(root: string): Promise<boolean>
  /** Resolves once every flag is at its version or a later one (true), or the time is up (false). */
  awaitVersions(namespace: string, versions: ReadonlyMap<string, string>): Promise<boolean>
}

export function createFreshness({ catalog, recent, requestSync }: FreshnessParts): Freshness {
  function until(holds: () => boolean): Promise<boolean> {
    if (holds()) return Promise.resolve(true)
    return new Promise((resolve) => {
      const settle = (result: boolean) => {
        clearTimeout(timer)
        stop()
        resolve(result)
      }
      const timer = setTimeout(() => settle(holds()), catchUpMs)
      const stop = catalog.onChange(() => {
        if (holds()) settle(true)
      })
      requestSync()
    })
  }

  return {
    awaitRoot: (root) => until(() => recent.knows(root)),
    awaitVersions: (namespace, versions) =>
      until(() => {
        for (const [key, version] of versions) {
          const held = catalog.flags.get(namespace, key)
          if (!held || held.version < version) return false
        }
        return true
      }),
  }
}

/**
 * `Flags-Min-Version: KEY=VERSION, …` on a read or an evaluation: whoever wrote at one node reads that write at any other.
 * Where it could not be had in time, the answer says `Flags-Stale: true`. Hot routes look for the header themselves.
 */
export function honourMinVersion(app: App, freshness: Freshness): void {
  app.addHook('onRoute', (route) => {
    const role = route.config?.role
    if (route.config?.hot || (role !== 'read' && role !== 'evaluate')) return
    route.preHandler = [route.preHandler ?? []].flat()
    route.preHandler.push((request, reply, done) => {
      if (request.headers['flags-min-version'] === undefined) done()
      else freshen(freshness, request, reply).then(() => done(), done)
    })
  })
}

/**
 * A node that may be cut off says so on every evaluation: `Flags-Stale: true`. What it answers is right as of its root. Hot routes say it
 * themselves.
 */
export function tellIsolation(app: App, isolated: () => boolean): void {
  app.addHook('onRoute', (route) => {
    if (route.config?.hot || route.config?.role !== 'evaluate') return
    route.preHandler = [route.preHandler ?? []].flat()
    route.preHandler.push((_request, reply, done) => {
      if (isolated()) reply.header('flags-stale', 'true')
      done()
    })
  })
}

/** Waits for the versions that `Flags-Min-Version` names. Throws MALFORMED. */
export async function freshen(freshness: Freshness, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const versions = minVersions(String(request.headers['flags-min-version']))
  const namespace = (request.query as Query).namespace
  const fresh = await freshness.awaitVersions(typeof namespace === 'string' ? namespace : 'default', versions)
  if (!fresh) reply.header('flags-stale', 'true')
}

function minVersions(header: string): ReadonlyMap<string, string> {
  const versions = new Map<string, string>()
  for (const pair of header.split(',')) {
    const [, key, version] = /^\s*([^=\s]+)=([0-9a-f]+)\s*$/.exec(pair) ?? []
    if (key === undefined || version === undefined || versions.size === minVersionsMax) {
      const message = `Flags-Min-Version takes up to ${minVersionsMax} pairs KEY=VERSION, with commas between them.`
      throw new FlagsError('MALFORMED', message)
    }
    versions.set(key, version)
  }
  return versions
}
