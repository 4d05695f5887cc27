import { z } from 'zod'
import type { Catalog } from '../../catalog/ports.ts'
import { inEnvironment } from '../environment-view.ts'
import type { NamespaceChange, RecentChanges } from '../recent-changes.ts'
import { environment, namespace } from '../schemas.ts'
import type { App } from '../types.ts'
import { etagOf, knows } from '../writing.ts'

const rulesetQuery = z.strictObject({
  namespace,
  environment,
  since: z.string().optional().describe('A root: answer only what changed after it, when this node knows'),
})

/**
 * `GET /ruleset`: everything a client needs to evaluate by itself. With `since`, where this node remembers that root, only what
 * changed, and the keys that are gone; the answer then says `since`.
 */
export function rulesetRoute(app: App, { catalog, recent }: { catalog: Catalog; recent: RecentChanges }): void {
  app.get('/ruleset', { schema: { querystring: rulesetQuery }, compress: {} }, (request, reply) => {
    const { namespace, environment, since } = request.query
    const root = catalog.root()
    const etag = etagOf(root)
    reply.header('etag', etag).header('flags-version', root)
    if (knows(request, etag)) return reply.code(304).send()
    const change = since === undefined ? undefined : recent.since(since, namespace)
    return reply.send({ root, namespace, environment, ...(change ? { since, ...part(change) } : whole()) })

    function whole() {
      const { ruleset } = catalog
      return {
        flags: ruleset.flags(namespace).map((flag) => inEnvironment(flag, environment)),
        segments: ruleset.segments(namespace),
      }
    }

    function part({ flags, segments }: NamespaceChange) {
      const { ruleset } = catalog
      return {
        flags: present(flags, (key) => ruleset.flag(namespace, key)).map((flag) => inEnvironment(flag, environment)),
        segments: present(segments, (key) => ruleset.segment(namespace, key)),
        removed: { flags: absent(flags), segments: absent(segments) },
      }
    }
  })
}

type Changed = ReadonlyMap<string, string | null>

function present<T>(changed: Changed, find: (key: string) => T | undefined): T[] {
  return [...changed.keys()].map(find).filter((thing) => thing !== undefined)
}

function absent(changed: Changed): string[] {
  return [...changed].filter(([, version]) => version === null).map(([key]) => key)
}
