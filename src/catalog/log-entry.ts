import type { RegisterRecord } from '../crdt/register.ts'
import { noStamp, type Stamp, wallMsOf } from '../crdt/stamp.ts'
import { isLogKey, logKeyPrefix } from '../replica/expiry.ts'
import type { Actor } from './write-options.ts'

/** What kind of thing a change was made to. */
export const nouns = ['flag', 'segment', 'key'] as const
export type Noun = (typeof nouns)[number]
export const changeKinds = ['created', 'updated', 'deleted', 'rolledBack', 'imported'] as const
export type ChangeKind = (typeof changeKinds)[number]

/** What the author says of a change; the rest of the entry follows. */
export interface LoggedChange {
  readonly namespace: string
  readonly noun: Noun
  readonly key: string
  readonly change: ChangeKind
  readonly actor: Actor
  readonly reason?: string
  /** Names the request in the logs of every node that the change reaches. */
  readonly requestId?: string
  /** Version that the author replaced, null for none. */
  readonly before: string | null
  /** The definition after the change, null when deleted. */
  readonly after: unknown
  /** Which registers it wrote, by what follows the thing's key: `switch|default`. */
  readonly registers: readonly string[]
}

/** One change, as its author's node wrote it down: replicated, never changed afterwards. */
export interface LogEntry extends LoggedChange {
  /** 32 lowercase hex digits, made from what the entry says; see entryIdOf. */
  readonly id: string
  /** The stamp of the change: the version that the thing had after it, at the node that made it. */
  readonly version: Stamp
  /** RFC 3339, from the stamp. */
  readonly at: string
  /** Id of the node where it was made. */
  readonly node: string
  /** Version of the newest entry of this thing that the author's node held, '' for none. */
  readonly saw: string
  /** The newest entry of any thing that the author's node held, by version and SHA-256; null for none. See log-chain.ts. */
  readonly prev: { readonly version: string; readonly hash: string } | null
  /** 16 random hex digits: of two entries that say the same, each is one by itself. */
  readonly nonce: string
  /** Another author, who had not seen this change, wrote one of the same registers later. */
  readonly conflict: boolean
}

/** What the node adds to what the author says. */
export type LogContext = Pick<LogEntry, 'node' | 'saw' | 'prev' | 'nonce'>

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The key of an entry's register: `log|namespace|noun|key|id`. */
export function logKeyOf({ namespace, noun, key }: LoggedChange, id: string): string {
  return `${logKeyPrefix}${thingName(namespace, noun, key)}|${id}`
}

/**
 * Names an entry by what it says: 128 bits of SHA-256. So nobody can make it say something else: that would be the entry of another
 * name, and the one that was written stays with all who have it.
 */
export function entryIdOf(thing: string, value: Uint8Array, sha256: (bytes: Uint8Array) => string): string {
  return sha256(encoder.encode(`${thing}\n${sha256(value)}`)).slice(0, 32)
}

/** False for a register of the log that does not say what its key was made from. Depends on the record alone, so all nodes refuse the same. */
export function isGenuine({ key, seen, value }: RegisterRecord, sha256: (bytes: Uint8Array) => string): boolean {
  if (!isLogKey(key)) return true
  const { thing, id } = parseLogKey(key)
  return value !== null && seen === noStamp && id === entryIdOf(thing, value, sha256)
}

/** Names what an entry is about. */
export function thingName(namespace: string, noun: Noun, key: string): string {
  return `${namespace}|${noun}|${key}`
}

/** The parts of a register key of the log. */
export function parseLogKey(registerKey: string): { thing: string; namespace: string; key: string; id: string } {
  const [, namespace = '', noun = '', key = '', id = ''] = registerKey.split('|')
  return { thing: thingName(namespace, noun as Noun, key), namespace, key, id }
}

export function encodeEntry(change: LoggedChange, context: LogContext): Uint8Array {
  const { namespace: _n, noun: _o, key: _k, ...rest } = change
  return encoder.encode(JSON.stringify({ schema: 1, ...rest, ...context }))
}

/** undefined for what no node of ours has written: whoever holds the mesh key can. It shows in verify, and nowhere else. */
export function decodeEntry(record: RegisterRecord): LogEntry | undefined {
  const [, namespace = '', noun = '', key = '', id = ''] = record.key.split('|')
  try {
    const { schema: _, ...body } = JSON.parse(decoder.decode(record.value ?? undefined)) as LogEntry & {
      schema: number
    }
    if (typeof body.actor?.name !== 'string' || !Array.isArray(body.registers)) return undefined
    const at = new Date(wallMsOf(record.stamp)).toISOString()
    return { ...body, namespace, noun: noun as Noun, key, id, version: record.stamp, at, conflict: false }
  } catch {
    return undefined
  }
}

/** A later author who had not seen an entry and wrote one of its registers made it lose. Takes them newest first. */
export function markConflicts(entries: readonly LogEntry[]): LogEntry[] {
  /** Register -> the least that any later author had seen. */
  const leastSeen = new Map<string, string>()
  return entries.map((entry) => {
    const conflict = entry.registers.some((name) => (leastSeen.get(name) ?? entry.version) < entry.version)
    for (const name of entry.registers) {
      const least = leastSeen.get(name)
      if (least === undefined || entry.saw < least) leastSeen.set(name, entry.saw)
    }
    return conflict ? { ...entry, conflict } : entry
  })
}
