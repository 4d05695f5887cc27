import type { RegisterChange, RegisterRecord } from '../crdt/register.ts'
import { wallMsOf } from '../crdt/stamp.ts'
import type { Replica } from '../replica/ports.ts'
import type { Actor } from './ports.ts'

/** What kind of thing a change was made to. */
export type Noun = 'flag' | 'segment' | 'key'
export type ChangeKind = 'created' | 'updated' | 'deleted' | 'rolledBack' | 'imported'

/** One change, as its author's node wrote it down: replicated, never changed afterwards. */
export interface LogEntry {
  /** The stamp of the change: the version that the thing had after it, at the node that made it. */
  readonly version: string
  /** RFC 3339, from the stamp. */
  readonly at: string
  readonly actor: Actor
  /** Id of the node where it was made. */
  readonly node: string
  readonly namespace: string
  readonly noun: Noun
  readonly key: string
  readonly change: ChangeKind
  readonly reason?: string
  /** Version that the author replaced, null for none. */
  readonly before: string | null
  /** The definition after the change, null when deleted. */
  readonly after: unknown
  /** Which registers it wrote, by what follows the thing's key: `switch|default`. */
  readonly registers: readonly string[]
  /** SHA-256 of the newest entry that the author's node held, '' for none: see verify. */
  readonly prev: string
  /** Another author, who had not seen this change, wrote one of the same registers later. */
  readonly conflict: boolean
}

export interface LogQuery {
  readonly namespace?: string
  readonly key?: string
  /** Id or name. */
  readonly actor?: string
  /** Wall clock ms, inclusive. */
  readonly fromMs?: number
  /** Wall clock ms, exclusive. */
  readonly toMs?: number
  readonly limit: number
  /** Version of the last entry of the page before. */
  readonly cursor?: string
}

/** What the author says; the rest of the entry follows. */
export interface LoggedChange {
  readonly namespace: string
  readonly noun: Noun
  readonly key: string
  readonly change: ChangeKind
  readonly actor: Actor
  readonly reason?: string
  readonly before: string | null
  readonly after: unknown
  readonly registers: readonly string[]
}

/** The audit log: append-only registers beside what they tell of, so they converge by the same gossip. */
export interface ChangeLog {
  /** The register that must be written together with the change. */
  register(change: LoggedChange): RegisterChange
  /** Newest first. */
  history(namespace: string, noun: Noun, key: string): LogEntry[]
  /** Newest first, over everything. */
  query(query: LogQuery): { entries: LogEntry[]; nextCursor?: string }
  /** Entries whose `prev` names an entry that is not there as it was: missing, or changed since. */
  verify(): { entries: number; broken: LogEntry[] }
  /** Registers that changed; others than the log's are ignored. */
  onChanged(keys: readonly string[]): void
  onForgotten(keys: readonly string[]): void
}

export interface ChangeLogParts {
  readonly replica: Pick<Replica, 'get' | 'records'>
  readonly nodeId: string
  /** 16 lowercase hex digits, new at each call. */
  readonly newId: () => string
  /** SHA-256 as hex. */
  readonly sha256: (bytes: Uint8Array) => string
}

const prefix = 'log|'
const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function createChangeLog({ replica, nodeId, newId, sha256 }: ChangeLogParts): ChangeLog {
  /** thing -> register keys of its entries. */
  const things = new Map<string, Set<string>>()
  let newest: RegisterRecord | undefined

  function thingOf(registerKey: string): string {
    return registerKey.slice(prefix.length, registerKey.lastIndexOf('|'))
  }

  /** Stamps cover the order, so that exchanging two entries' stamps shows as well. */
  function hashOf(record: RegisterRecord): string {
    return sha256(encoder.encode(`${record.key}\n${record.stamp}\n${decoder.decode(record.value ?? new Uint8Array())}`))
  }

  function read(registerKey: string): LogEntry | undefined {
    const record = replica.get(registerKey)
    if (!record?.value) return undefined
    const parts = registerKey.split('|')
    try {
      const body = JSON.parse(decoder.decode(record.value)) as Omit<LogEntry, 'version' | 'at' | 'conflict'>
      const at = new Date(wallMsOf(record.stamp)).toISOString()
      const [, namespace = '', noun = '', key = ''] = parts
      return { ...body, namespace, noun: noun as Noun, key, version: record.stamp, at, conflict: false }
    } catch {
      // A peer of ours cannot have written this; whoever holds the mesh key can. It shows in verify, and nowhere else.
      return undefined
    }
  }

  function entriesOf(thing: string): LogEntry[] {
    const entries: LogEntry[] = []
    for (const key of things.get(thing) ?? []) {
      const entry = read(key)
      if (entry) entries.push(entry)
    }
    return markConflicts(entries.sort(newestFirst))
  }

  return {
    register(change) {
      const { namespace, noun, key, ...rest } = change
      const value = { schema: 1, node: nodeId, ...rest, prev: newest ? hashOf(newest) : '' }
      return { key: `${prefix}${namespace}|${noun}|${key}|${newId()}`, value: encoder.encode(JSON.stringify(value)) }
    },

    history: (namespace, noun, key) => entriesOf(`${namespace}|${noun}|${key}`),

    query({ namespace, key, actor, fromMs, toMs, limit, cursor }) {
      const found: LogEntry[] = []
      for (const thing of things.keys()) {
        const [thingNamespace, , thingKey] = thing.split('|')
        if (namespace !== undefined && thingNamespace !== namespace) continue
        if (key !== undefined && thingKey !== key) continue
        for (const entry of entriesOf(thing)) {
          const ms = wallMsOf(entry.version as RegisterRecord['stamp'])
          if (actor !== undefined && entry.actor.id !== actor && entry.actor.name !== actor) continue
          if ((fromMs !== undefined && ms < fromMs) || (toMs !== undefined && ms >= toMs)) continue
          if (cursor === undefined || entry.version < cursor) found.push(entry)
        }
      }
      const entries = found.sort(newestFirst).slice(0, limit)
      return found.length > limit ? { entries, nextCursor: entries[limit - 1]?.version } : { entries }
    },

    verify() {
      const hashes = new Set<string>()
      const keys = [...things.values()].flatMap((set) => [...set])
      for (const key of keys) {
        const record = replica.get(key)
        if (record?.value) hashes.add(hashOf(record))
      }
      const broken = keys
        .flatMap((key) => read(key) ?? [])
        .filter((entry) => entry.prev !== '' && !hashes.has(entry.prev))
      return { entries: keys.length, broken }
    },

    onChanged(keys) {
      for (const key of keys) {
        if (!key.startsWith(prefix)) continue
        const record = replica.get(key)
        if (!record?.value) continue
        const thing = thingOf(key)
        const entries = things.get(thing)
        if (entries) entries.add(key)
        else things.set(thing, new Set([key]))
        if (!newest || record.stamp > newest.stamp) newest = record
      }
    },

    onForgotten(keys) {
      for (const key of keys) {
        const entries = key.startsWith(prefix) ? things.get(thingOf(key)) : undefined
        entries?.delete(key)
        if (entries?.size === 0) things.delete(thingOf(key))
      }
    },
  }
}

function newestFirst(a: LogEntry, b: LogEntry): number {
  return a.version < b.version ? 1 : -1
}

/** A later author who had not seen an entry (`before` is older than it) and wrote one of its registers made it lose. */
function markConflicts(entries: LogEntry[]): LogEntry[] {
  return entries.map((entry, index) => {
    const lost = entries
      .slice(0, index)
      .some(
        (later) =>
          (later.before ?? '') < entry.version && later.registers.some((name) => entry.registers.includes(name)),
      )
    return lost ? { ...entry, conflict: true } : entry
  })
}
