import { FlagsError, type InputFault } from '../base/errors.ts'
import type { RegisterChange } from '../crdt/register.ts'
import type { ChangeLog } from './change-log.ts'
import { checkConfinement } from './confinement.ts'
import type { DurableWrites } from './durable-writes.ts'
import type { KeyLocks } from './key-locks.ts'
import type { ImportReport, WriteOptions } from './ports.ts'
import { type Kind, lockKey, logged, type Stored } from './shelf.ts'

export interface Importer {
  /** All or nothing, under one stamp. `replace` also deletes what the document leaves out of the namespaces it names. */
  run(document: unknown, mode: 'merge' | 'replace', namespace: string, options: WriteOptions): Promise<ImportReport>
}

interface Definition {
  readonly key: string
  readonly namespace: string
}

interface Counts {
  created: number
  updated: number
  unchanged: number
  deleted: number
}

/** Definitions that are parsed before others get a turn: some 10 ms on a slow core, so that probes are answered meanwhile. */
const parsedAtOnce = 100

export interface ImporterParts<F extends Definition, G extends F & Stored, S extends Definition, T extends S & Stored> {
  readonly flags: Kind<F, G>
  readonly segments: Kind<S, T>
  /**
   * Faults of the whole document against itself and what is there, but for the namespaces that it replaces. Paths start with `flags[i]` or
   * `segments[i]`.
   */
  readonly check: (flags: readonly F[], segments: readonly S[], replaced: ReadonlySet<string>) => readonly InputFault[]
  readonly writes: DurableWrites
  readonly locks: KeyLocks
  readonly log: ChangeLog
  /** Lets everything else that waits have its turn. */
  readonly pause: () => Promise<void>
}

export function createImporter<F extends Definition, G extends F & Stored, S extends Definition, T extends S & Stored>(
  parts: ImporterParts<F, G, S, T>,
): Importer {
  return {
    async run(document, mode, namespace, options) {
      const { flags: flagBodies, segments: segmentBodies } = sections(document)
      const faults: InputFault[] = []
      const flags = await parseAll(parts, parts.flags, flagBodies, namespace, 'flags', faults)
      const segments = await parseAll(parts, parts.segments, segmentBodies, namespace, 'segments', faults)
      const named = [...flags, ...segments].map((definition) => definition.namespace)
      const namespaces = new Set(named.length > 0 ? named : [namespace])
      // Before any fault is told, because faults tell what exists.
      for (const name of namespaces) checkConfinement(options.confinement, name, [])
      if (faults.length === 0) {
        const replaced = mode === 'replace' ? namespaces : new Set<string>()
        faults.push(...parts.check(flags, segments, replaced))
      }
      if (faults.length > 0) {
        throw new FlagsError(
          'INVALID',
          'The document has faults; nothing was imported. Mend them and import it again.',
          { faults },
        )
      }
      const lockKeys = [
        ...affected(parts.flags, flags, namespaces, mode),
        ...affected(parts.segments, segments, namespaces, mode),
      ]
      return parts.locks.run(lockKeys, async () => {
        const changes: RegisterChange[] = []
        const report = {
          flags: plan(parts.flags, flags, { log: parts.log, namespaces, mode, options, changes }),
          segments: plan(parts.segments, segments, { log: parts.log, namespaces, mode, options, changes }),
        }
        if (changes.length > 0) await parts.writes.write(changes, options.ack)
        return report
      })
    },
  }
}

function sections(document: unknown): { flags: readonly unknown[]; segments: readonly unknown[] } {
  const example = 'Send {"flags": [...], "segments": [...]}; GET /export gives one.'
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new FlagsError('MALFORMED', `The document is not a JSON object. ${example}`)
  }
  const { flags = [], segments = [], ...unknown } = document as Record<string, unknown>
  const faults: InputFault[] = Object.keys(unknown).map((path) => ({ path, message: 'is not known here' }))
  if (!Array.isArray(flags)) faults.push({ path: 'flags', message: 'must be a list' })
  if (!Array.isArray(segments)) faults.push({ path: 'segments', message: 'must be a list' })
  if (faults.length > 0) throw new FlagsError('MALFORMED', `The document has the wrong shape. ${example}`, { faults })
  return { flags: flags as unknown[], segments: segments as unknown[] }
}

async function parseAll<D extends Definition, T extends D & Stored>(
  { pause }: { readonly pause: () => Promise<void> },
  kind: Kind<D, T>,
  bodies: readonly unknown[],
  namespace: string,
  section: string,
  faults: InputFault[],
): Promise<D[]> {
  const parsed: D[] = []
  const seen = new Set<string>()
  for (const [index, body] of bodies.entries()) {
    const at = `${section}[${index}]`
    if (index % parsedAtOnce === parsedAtOnce - 1) await pause()
    try {
      const definition = kind.parse(namespaceOf(body) ?? namespace, body)
      const id = lockKey(kind.noun, definition.namespace, definition.key)
      if (seen.has(id)) faults.push({ path: `${at}.key`, message: `"${definition.key}" stands twice in the document` })
      seen.add(id)
      parsed.push(definition)
    } catch (error) {
      if (!(error instanceof FlagsError)) throw error
      if (error.faults.length === 0) faults.push({ path: at, message: error.message })
      for (const { path, message } of error.faults) faults.push({ path: path ? `${at}.${path}` : at, message })
    }
  }
  return parsed
}

function namespaceOf(body: unknown): string | undefined {
  const namespace = (body as { namespace?: unknown } | null)?.namespace
  return typeof namespace === 'string' ? namespace : undefined
}

function affected<D extends Definition, T extends D & Stored>(
  kind: Kind<D, T>,
  definitions: readonly D[],
  namespaces: ReadonlySet<string>,
  mode: 'merge' | 'replace',
): string[] {
  const keys = new Set(definitions.map((definition) => lockKey(kind.noun, definition.namespace, definition.key)))
  if (mode === 'replace') {
    for (const namespace of namespaces)
      for (const thing of kind.all(namespace)) keys.add(lockKey(kind.noun, namespace, thing.key))
  }
  return [...keys]
}

interface Plan {
  readonly log: ChangeLog
  readonly namespaces: ReadonlySet<string>
  readonly mode: 'merge' | 'replace'
  readonly options: WriteOptions
  /** Receives the registers that must change. */
  readonly changes: RegisterChange[]
}

/** Finds the registers that must change, and counts what happens to whom. */
function plan<D extends Definition, T extends D & Stored>(
  kind: Kind<D, T>,
  definitions: readonly D[],
  to: Plan,
): Counts {
  const counts: Counts = { created: 0, updated: 0, unchanged: 0, deleted: 0 }
  const named = new Set<string>()
  for (const after of definitions) {
    const { namespace, key } = after
    named.add(lockKey(kind.noun, namespace, key))
    const before = kind.get(namespace, key)
    const authorship = { ...kind.life(namespace, key), by: to.options.actor.name }
    const own = before ? kind.changed(kind.definition(before), after, authorship) : kind.split(after, authorship)
    counts[before ? (own.length > 0 ? 'updated' : 'unchanged') : 'created']++
    if (own.length === 0) continue
    const deed = { change: 'imported', namespace, key, before: before?.version ?? null, after } as const
    to.changes.push(...logged(to.log, kind.noun, deed, own, to.options))
  }
  if (to.mode === 'merge') return counts
  for (const namespace of to.namespaces) {
    for (const thing of kind.all(namespace)) {
      if (named.has(lockKey(kind.noun, namespace, thing.key))) continue
      const tombstones = kind.registerKeys(thing).map((key) => ({ key, value: null }))
      const deed = { change: 'deleted', namespace, key: thing.key, before: thing.version, after: null } as const
      to.changes.push(...logged(to.log, kind.noun, deed, tombstones, to.options))
      counts.deleted++
    }
  }
  return counts
}
