import { auditScannedMax, refusedEntriesMax } from '../base/limits.ts'
import type { RegisterChange, RegisterRecord } from '../crdt/register.ts'
import { isLogKey } from '../replica/expiry.ts'
import type { Replica } from '../replica/ports.ts'
import { createLogChain, type Verification } from './log-chain.ts'
import {
  decodeEntry,
  encodeEntry,
  entryIdOf,
  type LogEntry,
  type LoggedChange,
  logKeyOf,
  markConflicts,
  type Noun,
  parseLogKey,
  thingName,
} from './log-entry.ts'
import { cursorOf, Timeline } from './timeline.ts'

export interface LogQuery {
  /** All when left out. Changes of API keys are in none, and so in the answer for all alone. */
  readonly namespaces?: readonly string[]
  readonly key?: string
  /** Id or name. */
  readonly actor?: string
  /** Wall clock ms, inclusive. */
  readonly fromMs?: number
  /** Wall clock ms, exclusive. */
  readonly toMs?: number
  readonly limit: number
  /** The nextCursor of the page before. */
  readonly cursor?: string
}

export interface LogPage {
  readonly entries: readonly LogEntry[]
  /** There may be more, though this page is not full: a query looks through so many entries and no more. */
  readonly nextCursor?: string
}

/** The audit log: append-only registers beside what they tell of, so they converge by the same gossip. */
export interface ChangeLog {
  /** The register that must be written together with the change. */
  register(change: LoggedChange): RegisterChange
  /** Newest first. */
  history(namespace: string, noun: Noun, key: string): readonly LogEntry[]
  /** Newest first, over everything. */
  query(query: LogQuery): LogPage
  /** The definition that the thing had before the entry, if the log still has the entry that left it so; else null. */
  definitionBefore(entry: LogEntry): unknown
  /** What the register tells; undefined for registers of other things, and for what cannot be read. */
  entry(registerKey: string): LogEntry | undefined
  verify(): Promise<Verification & { readonly refused: readonly string[] }>
  /** Registers that changed; others than the log's are ignored. */
  onChanged(keys: readonly string[]): void
  onForgotten(keys: readonly string[]): void
  /** Registers that the replica refused: they do not say what their keys were made from. */
  onForged(keys: readonly string[]): void
}

export interface ChangeLogParts {
  readonly replica: Pick<Replica, 'get'>
  readonly nodeId: string
  /** 16 lowercase hex digits, new at each call. */
  readonly newId: () => string
  /** SHA-256 as hex. */
  readonly sha256: (bytes: Uint8Array) => string
  /** Lets others have their turn. */
  readonly pause: () => Promise<void>
  /** How many entries the replica keeps. */
  readonly entriesMax: number
}

interface Thing {
  readonly registerKeys: Set<string>
  newest: string
}

export function createChangeLog({ replica, nodeId, newId, sha256, pause, entriesMax }: ChangeLogParts): ChangeLog {
  const chain = createLogChain(sha256, pause)
  const things = new Map<string, Thing>()
  const timeline = new Timeline()
  const refused = new Set<string>()
  let newest: RegisterRecord | undefined

  function recordsOf(registerKeys: Iterable<string>): RegisterRecord[] {
    const records = [...registerKeys].map((registerKey) => replica.get(registerKey))
    return records.filter((record): record is RegisterRecord => Boolean(record?.value))
  }

  function historyOf(thing: string): LogEntry[] {
    const records = recordsOf(things.get(thing)?.registerKeys ?? [])
    const entries = records.map(decodeEntry).filter((entry) => entry !== undefined)
    return markConflicts(entries.sort((a, b) => (a.version < b.version ? 1 : -1)))
  }

  function entry(registerKey: string): LogEntry | undefined {
    const record = isLogKey(registerKey) ? replica.get(registerKey) : undefined
    return record?.value ? decodeEntry(record) : undefined
  }

  /** Whether an entry lost is known from its whole history alone. */
  function withConflicts(entries: readonly LogEntry[]): LogEntry[] {
    const histories = new Map<string, Map<string, LogEntry>>()
    return entries.map((found) => {
      const thing = thingName(found.namespace, found.noun, found.key)
      const history = histories.get(thing) ?? new Map(historyOf(thing).map((one) => [one.id, one]))
      histories.set(thing, history)
      return history.get(found.id) ?? found
    })
  }

  return {
    entry,

    register(change) {
      const saw = things.get(thingName(change.namespace, change.noun, change.key))?.newest ?? ''
      const prev = newest ? { version: newest.stamp, hash: chain.hashOf(newest) } : null
      const value = encodeEntry(change, { node: nodeId, saw, prev, nonce: newId() })
      const id = entryIdOf(thingName(change.namespace, change.noun, change.key), value, sha256)
      return { key: logKeyOf(change, id), value }
    },

    history: (namespace, noun, key) => historyOf(thingName(namespace, noun, key)),

    query(query) {
      const { namespaces, key, actor, limit } = query
      const entries: LogEntry[] = []
      let [scanned, last] = [0, '']
      for (const place of timeline.newestFirst(query)) {
        if (entries.length === limit || scanned === auditScannedMax) {
          return { entries: withConflicts(entries), nextCursor: last }
        }
        last = cursorOf(place)
        const about = parseLogKey(place.registerKey)
        if (namespaces && !namespaces.includes(about.namespace)) continue
        if (key !== undefined && about.key !== key) continue
        scanned++
        const found = entry(place.registerKey)
        if (found && (actor === undefined || found.actor.id === actor || found.actor.name === actor))
          entries.push(found)
      }
      return { entries: withConflicts(entries) }
    },

    definitionBefore({ namespace, noun, key, before }) {
      if (before === null) return null
      const { registerKeys = [] } = things.get(thingName(namespace, noun, key)) ?? {}
      const record = recordsOf(registerKeys).find(({ stamp }) => stamp === before)
      return (record && decodeEntry(record)?.after) ?? null
    },

    async verify() {
      const records = recordsOf(timeline.registerKeys())
      const found = await chain.verify(records, records.length >= entriesMax)
      return { ...found, refused: [...refused] }
    },

    onChanged(keys) {
      for (const registerKey of keys) {
        const record = isLogKey(registerKey) ? replica.get(registerKey) : undefined
        if (!record?.value) continue
        const { thing, id } = parseLogKey(registerKey)
        const held = things.get(thing) ?? { registerKeys: new Set(), newest: '' }
        things.set(thing, held)
        if (held.registerKeys.has(registerKey)) continue
        held.registerKeys.add(registerKey)
        if (record.stamp > held.newest) held.newest = record.stamp
        timeline.add({ stamp: record.stamp, id, registerKey })
        if (!newest || record.stamp > newest.stamp) newest = record
      }
    },

    onForgotten(keys) {
      for (const registerKey of keys.filter(isLogKey)) {
        const { thing } = parseLogKey(registerKey)
        const held = things.get(thing)
        if (held?.registerKeys.delete(registerKey)) timeline.remove(registerKey)
        if (held?.registerKeys.size === 0) things.delete(thing)
      }
    },

    onForged(keys) {
      for (const registerKey of keys) if (refused.size < refusedEntriesMax) refused.add(registerKey)
    },
  }
}
