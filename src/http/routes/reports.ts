import { z } from 'zod'
import { confinedToMax, reportedChangesMax } from '../../base/limits.ts'
import type { LogEntry } from '../../catalog/log-entry.ts'
import type { Catalog } from '../../catalog/ports.ts'
import type { EnvironmentSettings, Flag } from '../../evaluation/model.ts'
import { checkEnvironments, namespacesAsked } from '../access/visible.ts'
import { canonicalJson } from '../canonical-json.ts'
import { inEnvironment, ownSettings } from '../environment-view.ts'
import { summaryOf } from '../log-entry-view.ts'
import { instant, key } from '../schemas.ts'
import type { App } from '../types.ts'

const someNamespace = key.optional().describe('Only this one; all of them when left out')

const diffQuery = z.strictObject({
  namespace: someNamespace,
  environments: z
    .string()
    .transform((text) => text.split(',').map((name) => name.trim()))
    .pipe(z.array(key).min(2).max(confinedToMax))
    .describe('Two or more, with commas between them'),
})

const changesQuery = z.strictObject({ namespace: someNamespace, since: instant.describe('From this moment on') })

/** What an environment can decide for itself. */
const settings = [
  'enabled',
  'offVariation',
  'overrides',
  'rules',
  'fallthrough',
  'prerequisites',
] as const satisfies readonly (keyof EnvironmentSettings)[]

/** `/reports`: what differs between environments, and what has changed of late, over the whole mesh. */
export function reportRoutes(app: App, { catalog }: { catalog: Catalog }): void {
  const { ruleset, log } = catalog

  app.get('/reports/diff', { schema: { querystring: diffQuery } }, async (request) => {
    const { environments } = request.query
    checkEnvironments(request, environments)
    const namespaces = namespacesAsked(request, request.query.namespace) ?? ruleset.namespaces()
    const differing = namespaces
      .flatMap((namespace) => ruleset.flags(namespace))
      .map((flag) => compare(flag, environments))
      .filter(({ differs }) => differs.length > 0)
    const switched = ({ differs }: Comparison) => differs.includes('enabled')
    return {
      environments,
      switched: differing.filter(switched),
      targeted: differing.filter((comparison) => !switched(comparison)),
    }
  })

  app.get('/reports/changes', { schema: { querystring: changesQuery } }, async (request) => {
    const { since, namespace } = request.query
    const entries = entriesSince(log, namespacesAsked(request, namespace), since)
    const byThing = Object.groupBy(entries.shown, ({ namespace, noun, key }) => `${namespace}|${noun}|${key}`)
    return {
      since: new Date(since).toISOString(),
      changes: entries.shown.length,
      truncated: entries.truncated || undefined,
      by: countBy(entries.shown, ({ actor }) => actor.name),
      nodes: countBy(entries.shown, ({ node }) => node),
      things: Object.values(byThing).map((history) => latest(history as [LogEntry, ...LogEntry[]])),
    }
  })
}

interface Comparison {
  readonly namespace: string
  readonly key: string
  /** By environment. */
  readonly enabled: Readonly<Record<string, boolean>>
  readonly differs: readonly (typeof settings)[number][]
}

function compare(flag: Flag, environments: readonly string[]): Comparison {
  const views = environments.map((environment) => inEnvironment(flag, environment))
  const own = environments.map((environment) => ownSettings(flag.environments, environment))
  // What none of them decides for itself, all of them inherit.
  const decided = settings.filter((name) => own.some((settings) => settings[name] !== undefined))
  const differs = decided.filter((name) => new Set(views.map((view) => canonicalJson(view[name] ?? null))).size > 1)
  const enabled = Object.fromEntries(views.map((view) => [view.environment, view.enabled]))
  return { namespace: flag.namespace, key: flag.key, enabled, differs }
}

/** Newest first, at most reportedChangesMax: a report is for people. */
function entriesSince(log: Catalog['log'], namespaces: readonly string[] | undefined, fromMs: number) {
  const { entries, nextCursor } = log.query({ namespaces, fromMs, limit: reportedChangesMax })
  return { shown: entries, truncated: nextCursor !== undefined }
}

function latest([newest, ...older]: readonly [LogEntry, ...LogEntry[]]): object {
  const { namespace, noun, key } = newest
  return {
    ...(namespace !== '' && { namespace }),
    kind: noun,
    key,
    changes: older.length + 1,
    latest: summaryOf(newest),
  }
}

function countBy(entries: readonly LogEntry[], name: (entry: LogEntry) => string): Record<string, number> {
  const counts = new Map<string, number>()
  for (const entry of entries) counts.set(name(entry), (counts.get(name(entry)) ?? 0) + 1)
  return Object.fromEntries(counts)
}
