import { FlagsError, type InputFault } from '../base/errors.ts'
import { pageFlagsMax, usersToldMax } from '../base/limits.ts'
import type { RegisterChange } from '../crdt/register.ts'
import type { Authorship, Life } from '../evaluation/registers.ts'
import type { ChangeLog } from './change-log.ts'
import { checkConfinement } from './confinement.ts'
import type { DurableWrites } from './durable-writes.ts'
import type { KeyLocks } from './key-locks.ts'
import type { ChangeKind } from './log-entry.ts'
import { mergePatch } from './merge-patch.ts'
import type { ListQuery, Page, Shelf, WriteOptions, Written } from './ports.ts'

/** What a stored thing has beside its definition. */
export interface Stored {
  readonly key: string
  readonly version: string
  readonly tags?: readonly string[]
}

/** What flags and segments do differently. `D` is the definition as people write it, `T` the thing as it is read back. */
export interface Kind<D, T extends D & Stored> {
  readonly noun: 'flag' | 'segment'
  /** Checks a body; throws MALFORMED or INVALID. */
  parse(namespace: string, body: unknown): D
  /** Faults against the rest of the ruleset. */
  check(definition: D): readonly InputFault[]
  /** Where others name it. */
  users(namespace: string, key: string): readonly InputFault[]
  get(namespace: string, key: string): T | undefined
  /** Sorted by key. */
  all(namespace: string): readonly T[]
  /** The thing without what the server added: what a merge patch applies to. */
  definition(thing: T): D
  /** Into which life a write goes: the current one's, or a new one's where there is none. */
  life(namespace: string, key: string): Life
  /** All registers of a definition. */
  split(definition: D, authorship: Authorship): RegisterChange[]
  /** The registers in which two definitions differ; those that only `before` has are deleted. */
  changed(before: D, after: D, authorship: Authorship): RegisterChange[]
  /** Every register that exists of a thing. */
  registerKeys(thing: T): string[]
}

export interface ShelfParts {
  readonly writes: DurableWrites
  readonly locks: KeyLocks
  readonly log: ChangeLog
}

/** What a write did to a thing, for the log. */
export interface Deed<D> {
  readonly change: ChangeKind
  readonly namespace: string
  readonly key: string
  readonly before: string | null
  readonly after: D | null
}

/** The changes together with the log entry that tells of them: they are stored as one. Throws FORBIDDEN. */
export function logged<D>(
  log: ChangeLog,
  noun: Kind<D & { key: string; namespace: string }, never>['noun'],
  deed: Deed<D>,
  changes: readonly RegisterChange[],
  options: WriteOptions,
): RegisterChange[] {
  const { actor, reason, requestId } = options
  const thing = lockKey(noun, deed.namespace, deed.key)
  const registers = changes.map((change) => change.key.slice(thing.length + 1) || noun)
  checkConfinement(options.confinement, deed.namespace, registers)
  return [...changes, log.register({ ...deed, noun, actor, reason, requestId, registers })]
}

export function createShelf<D extends { key: string; namespace: string }, T extends D & Stored>(
  kind: Kind<D, T>,
  { writes, locks, log }: ShelfParts,
): Shelf<T> {
  const { noun } = kind

  /** Only one write at a time for a key: what `work` reads still holds when it is stored. */
  function locked<R>(namespace: string, key: string, work: () => Promise<R>): Promise<R> {
    return locks.run([lockKey(noun, namespace, key)], work)
  }

  function missing(key: string): FlagsError {
    const code = noun === 'flag' ? 'FLAG_NOT_FOUND' : 'NOT_FOUND'
    return new FlagsError(code, `There is no ${noun} "${key}". Create it with POST /${noun}s.`)
  }

  function checked(definition: D): D {
    const faults = kind.check(definition)
    if (faults.length > 0)
      throw new FlagsError('INVALID', `The ${noun} "${definition.key}" makes no sense; nothing was stored.`, { faults })
    return definition
  }

  function authorship(namespace: string, key: string, options: WriteOptions): Authorship {
    return { ...kind.life(namespace, key), by: options.actor.name }
  }

  async function store(deed: Deed<D>, changes: readonly RegisterChange[], options: WriteOptions): Promise<Written<T>> {
    const { nodes, of } = await writes.write(logged(log, noun, deed, changes, options), options.ack)
    const value = kind.get(deed.namespace, deed.key)
    // A delete that came from a peer between storing and reading is newer and has won.
    if (!value) throw missing(deed.key)
    return { value, created: deed.before === null, replicated: { nodes, of } }
  }

  /** Writes just the registers in which two definitions of the same life differ. */
  async function rewrite(before: T, held: D, after: D, change: ChangeKind, options: WriteOptions): Promise<Written<T>> {
    const changes = kind.changed(held, after, authorship(after.namespace, after.key, options))
    if (changes.length === 0) return { value: before, created: false, replicated: { nodes: 1, of: 1 } }
    const { namespace, key } = after
    return store({ change, namespace, key, before: before.version, after }, changes, options)
  }

  return {
    get: kind.get,
    list: (namespace, query) => page(kind.all(namespace), query),

    async create(namespace, body, options) {
      const definition = kind.parse(namespace, body)
      return locked(namespace, definition.key, async () => {
        if (kind.get(namespace, definition.key)) {
          throw new FlagsError(
            'ALREADY_EXISTS',
            `The ${noun} "${definition.key}" exists already. Change it with PUT or PATCH.`,
          )
        }
        const changes = kind.split(checked(definition), authorship(namespace, definition.key, options))
        const deed: Deed<D> = { change: 'created', namespace, key: definition.key, before: null, after: definition }
        return store(deed, changes, options)
      })
    },

    async put(namespace, key, body, options) {
      const definition = kind.parse(namespace, withKey(body, key, noun))
      return locked(namespace, key, async () => {
        const before = kind.get(namespace, key)
        checkPreconditions(before, options, noun, key)
        const changes = kind.split(checked(definition), authorship(namespace, key, options))
        if (before) changes.push(...gone(kind.registerKeys(before), changes))
        const change = before ? 'updated' : 'created'
        return store({ change, namespace, key, before: before?.version ?? null, after: definition }, changes, options)
      })
    },

    async patch(namespace, key, body, options) {
      return locked(namespace, key, async () => {
        const before = kind.get(namespace, key)
        if (!before) throw missing(key)
        checkPreconditions(before, options, noun, key)
        if (typeof body !== 'object' || body === null || Array.isArray(body)) {
          throw new FlagsError('MALFORMED', 'A patch is a JSON object with the properties to change (RFC 7396).')
        }
        const held = kind.definition(before)
        const after = checked(kind.parse(namespace, withKey(mergePatch(held, body), key, noun)))
        return rewrite(before, held, after, 'updated', options)
      })
    },

    history: (namespace, key) => log.history(namespace, noun, key),

    async rollback(namespace, key, version, options) {
      return locked(namespace, key, async () => {
        const entry = log.history(namespace, noun, key).find((candidate) => candidate.version === version)
        if (!entry?.after) {
          const message = `The history of ${noun} "${key}" has no version ${version} to go back to. GET /${noun}s/${key}/history lists them.`
          throw new FlagsError('NOT_FOUND', message)
        }
        const target = checked(kind.parse(namespace, entry.after))
        const before = kind.get(namespace, key)
        checkPreconditions(before, options, noun, key)
        if (before) return rewrite(before, kind.definition(before), target, 'rolledBack', options)
        const changes = kind.split(target, authorship(namespace, key, options))
        return store({ change: 'rolledBack', namespace, key, before: null, after: target }, changes, options)
      })
    },

    async remove(namespace, key, options) {
      return locked(namespace, key, async () => {
        const before = kind.get(namespace, key)
        if (!before) throw missing(key)
        checkPreconditions(before, options, noun, key)
        const changes = kind.registerKeys(before).map((registerKey) => ({ key: registerKey, value: null }))
        const deed: Deed<D> = { change: 'deleted', namespace, key, before: before.version, after: null }
        // Who may not delete it is not told who uses it.
        const registers = logged(log, noun, deed, changes, options)
        checkUnused(kind.users(namespace, key), noun, key)
        const { nodes, of } = await writes.write(registers, options.ack)
        return { value: null, created: false, replicated: { nodes, of } }
      })
    },
  }
}

export function lockKey(noun: string, namespace: string, key: string): string {
  return `${noun}|${namespace}|${key}`
}

/** Tombstones for the registers that exist and that `changes` does not write. */
export function gone(existing: readonly string[], changes: readonly RegisterChange[]): RegisterChange[] {
  const written = new Set(changes.map((change) => change.key))
  return existing.filter((key) => !written.has(key)).map((key) => ({ key, value: null }))
}

function withKey(body: unknown, key: string, noun: string): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body
  const named = Object.hasOwn(body, 'key') ? (body as { key: unknown }).key : key
  if (named !== key) {
    const message = `The body names the ${noun} ${JSON.stringify(named)}, the path "${key}". Leave the key out of the body.`
    throw new FlagsError('MALFORMED', message, { faults: [{ path: 'key', message: `must be "${key}"` }] })
  }
  return { ...body, key }
}

function checkPreconditions(before: Stored | undefined, options: WriteOptions, noun: string, key: string): void {
  if (options.ifNoneMatch !== undefined && before) {
    throw new FlagsError(
      'VERSION_MISMATCH',
      `The ${noun} "${key}" exists already, and If-None-Match asked that it does not.`,
    )
  }
  if (options.ifMatch === undefined) return
  if (!before) throw new FlagsError('VERSION_MISMATCH', `There is no ${noun} "${key}", and If-Match asked for one.`)
  if (options.ifMatch !== '*' && options.ifMatch !== before.version) {
    const message = `The ${noun} "${key}" is at version ${before.version}, not ${options.ifMatch}. Read it again, and repeat the change.`
    throw new FlagsError('VERSION_MISMATCH', message)
  }
}

/** What others name stays, though a merge can still take it from them. Throws INVALID with the first of its users. */
function checkUnused(users: readonly InputFault[], noun: string, key: string): void {
  if (users.length === 0) return
  const others = users.length === 1 ? '1 other names it' : `${users.length} others name it`
  const message = `The ${noun} "${key}" is in use: ${others}. Nothing was deleted; change them first.`
  throw new FlagsError('INVALID', message, { faults: users.slice(0, usersToldMax) })
}

/** One page of things that are sorted by key. */
function page<T extends Stored>(things: readonly T[], query: ListQuery): Page<T> {
  const limit = Math.min(query.limit ?? pageFlagsMax, pageFlagsMax)
  const items: T[] = []
  for (const thing of things) {
    if (query.cursor !== undefined && thing.key <= query.cursor) continue
    if (query.prefix !== undefined && !thing.key.startsWith(query.prefix)) continue
    if (query.tag !== undefined && !thing.tags?.includes(query.tag)) continue
    if (items.length === limit) return { items, nextCursor: items[limit - 1]?.key }
    items.push(thing)
  }
  return { items }
}
