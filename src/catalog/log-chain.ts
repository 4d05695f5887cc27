import type { RegisterRecord } from '../crdt/register.ts'
import { decodeEntry, type LogEntry } from './log-entry.ts'

/** What was found by looking at every entry of the log. */
export interface Verification {
  readonly entries: number
  /** Entries whose `prev` is not there as it was: missing, or changed since. */
  readonly broken: readonly LogEntry[]
  /** Register keys whose content is no entry. */
  readonly unreadable: readonly string[]
  /** SHA-256 over all entries: the same on every node that holds the same log, so that what no entry names shows as well. */
  readonly digest: string
}

export interface LogChain {
  /** SHA-256 of an entry as hex: of its key, stamp and content, so that exchanging the stamps of two shows as well. */
  hashOf(record: RegisterRecord): string
  /**
   * Takes all entries. Where the log is full, of a write of many, like an import, it may have kept a part: what the oldest
   * moment lacks is not missed. Pauses again and again, because a long log must not keep evaluations waiting. */
  verify(records: readonly RegisterRecord[], isFull: boolean): Promise<Verification>
}

/** Entries that are hashed between two pauses: about 3 ms. */
const entriesPerTurn = 500

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/**
 * Each entry names the newest one that its author's node held, by hash: a chain with branches where nodes wrote at the same time.
 * Whoever changes or removes an entry in one node's file would have to change every later one, and those are on other nodes.
 * An entry that was older than all that are held has outlived its retention, and is not missed.
 */
export function createLogChain(sha256: (bytes: Uint8Array) => string, pause: () => Promise<void>): LogChain {
  function hashOf(record: RegisterRecord): string {
    return sha256(encoder.encode(`${record.key}\n${record.stamp}\n${decoder.decode(record.value ?? undefined)}`))
  }

  return {
    hashOf,
    async verify(records, isFull) {
      const hashes = new Set<string>()
      const entries: LogEntry[] = []
      const unreadable: string[] = []
      for (const [index, record] of records.entries()) {
        if (index % entriesPerTurn === entriesPerTurn - 1) await pause()
        hashes.add(hashOf(record))
        const entry = decodeEntry(record)
        if (entry) entries.push(entry)
        else unreadable.push(record.key)
      }
      const oldest = entries.reduce((least, { version }) => (version < least ? version : least), '~')
      const isMissed = (version: string) => (isFull ? version > oldest : version >= oldest)
      const broken = entries.filter(({ prev }) => prev && isMissed(prev.version) && !hashes.has(prev.hash))
      const digest = sha256(encoder.encode([...hashes].sort().join('\n')))
      return { entries: records.length, broken, unreadable, digest }
    },
  }
}
