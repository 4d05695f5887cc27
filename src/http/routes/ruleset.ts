import { z } from 'zod'
import type { Catalog } from '../../catalog/ports.ts'
import type { Ruleset } from '../../evaluation/ruleset.ts'
import { inEnvironment } from '../environment-view.ts'
import type { NamespaceChange, RecentChanges } from '../recent-changes.ts'
import { environment, namespace, type Scope } from '../schemas.ts'
import type { App } from '../types.ts'
import { etagOf, knows } from '../writing.ts'

const rulesetQuery = z.strictObject({
  namespace,
  environment,
  since: z.string().optional().describe('A root: answer only what changed after it, when this node knows'),
})

/** Whole rulesets, of one namespace and environment each, that are kept as JSON: after a change every client asks for the same. */
const documentsMax = 16

/**
 * `GET /ruleset`: everything a client needs to evaluate by itself. With `since`, where this node remembers that root, only what
 * changed, and the keys that are gone; the answer then says `since`.
 */
export function rulesetRoute(app: App, { catalog, recent }: { catalog: Catalog; recent: RecentChanges }): void {
  const documents = new Map<string, { readonly root: string; readonly json: string }>()

  app.get('/ruleset', { schema: { querystring: rulesetQuery }, compress: {} }, (request, reply) => {
    const { since, ...scope } = request.query
    const root = catalog.root()
    const etag = etagOf(root)
    reply.header('etag', etag).header('flags-version', root)
    if (knows(request, etag)) return reply.code(304).send()
    const change = since === undefined ? undefined : recent.since(since, scope.namespace)
    if (change) return reply.send({ root, ...scope, since, ...changedPart(catalog.ruleset, scope, change) })
    return reply.header('content-type', 'application/json; charset=utf-8').send(wholeDocument(root, scope))
  })

  function wholeDocument(root: string, scope: Scope): string {
    const id = `${scope.namespace}|${scope.environment}`
    const held = documents.get(id)
    if (held?.root === root) return held.json
    const json = JSON.stringify({ root, ...scope, ...whole(catalog.ruleset, scope) })
    documents.delete(id)
    documents.set(id, { root, json })
    if (documents.size > documentsMax) documents.delete(documents.keys().next().value ?? '')
    return json
  }
}

function whole(ruleset: Ruleset, { namespace, environment }: Scope): object {
  const flags = ruleset.flags(namespace).map((flag) => inEnvironment(flag, environment))
  return { flags, segments: ruleset.segments(namespace) }
}

function changedPart(
  ruleset: Ruleset,
  { namespace, environment }: Scope,
  { flags, segments }: NamespaceChange,
): object {
  const changed = present(flags, (key) => ruleset.flag(namespace, key))
  return {
    flags: changed.map((flag) => inEnvironment(flag, environment)),
    segments: present(segments, (key) => ruleset.segment(namespace, key)),
    removed: { flags: absent(flags), segments: absent(segments) },
  }
}

type Changed = ReadonlyMap<string, string | null>

function present<T>(changed: Changed, find: (key: string) => T | undefined): T[] {
  return [...changed.keys()].map(find).filter((thing) => thing !== undefined)
}

function absent(changed: Changed): string[] {
  return [...changed].filter(([, version]) => version === null).map(([key]) => key)
}
