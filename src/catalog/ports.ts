import type { Flag, FlagDefinition, Segment, SegmentDefinition } from '../evaluation/model.ts'
import type { Ruleset } from '../evaluation/ruleset.ts'
import type { ApiKeys } from './api-keys.ts'
import type { ChangeLog } from './change-log.ts'
import type { LogEntry } from './log-entry.ts'
import type { WriteOptions } from './write-options.ts'

export type { AckWish, Actor, Confinement, WriteOptions } from './write-options.ts'

export interface Written<T> {
  /** The thing as it stands after the write; null when deleted. */
  readonly value: T
  readonly created: boolean
  /** Nodes that have the write on disk, this one included, of all alive. */
  readonly replicated: { readonly nodes: number; readonly of: number }
}

export interface Page<T> {
  readonly items: readonly T[]
  readonly nextCursor?: string
}

export interface ListQuery {
  readonly tag?: string
  readonly prefix?: string
  readonly limit?: number
  /** The last key of the page before. */
  readonly cursor?: string
}

export interface ImportReport {
  readonly flags: {
    readonly created: number
    readonly updated: number
    readonly unchanged: number
    readonly deleted: number
  }
  readonly segments: {
    readonly created: number
    readonly updated: number
    readonly unchanged: number
    readonly deleted: number
  }
}

/** Reads and writes of one kind of thing, flags or segments. Bodies are parsed JSON that nobody has checked yet. */
export interface Shelf<T> {
  get(namespace: string, key: string): T | undefined
  list(namespace: string, query: ListQuery): Page<T>
  /** MALFORMED (shape), INVALID (sense), ALREADY_EXISTS, STORAGE_UNAVAILABLE, CLOCK_UNTRUSTED. */
  create(namespace: string, body: unknown, options: WriteOptions): Promise<Written<T>>
  /** Replaces or creates. Also VERSION_MISMATCH. */
  put(namespace: string, key: string, body: unknown, options: WriteOptions): Promise<Written<T>>
  /** JSON merge patch (RFC 7396); writes only the registers that it touches. Also NOT_FOUND. */
  patch(namespace: string, key: string, body: unknown, options: WriteOptions): Promise<Written<T>>
  remove(namespace: string, key: string, options: WriteOptions): Promise<Written<null>>
  /** What happened to it, newest first; also of a thing that is gone. */
  history(namespace: string, key: string): readonly LogEntry[]
  /** Writes an earlier version again: only the registers that differ. NOT_FOUND when the history has no such version. */
  rollback(namespace: string, key: string, version: string, options: WriteOptions): Promise<Written<T>>
}

export interface RulesetDocument {
  readonly flags: readonly FlagDefinition[]
  readonly segments: readonly SegmentDefinition[]
}

/** Flags and segments as users see them: reading, checking, writing. What http/ works on. */
export interface Catalog {
  readonly ruleset: Ruleset
  readonly flags: Shelf<Flag>
  readonly segments: Shelf<Segment>
  /** Who changed what, on any node. */
  readonly log: Pick<ChangeLog, 'query' | 'definitionBefore' | 'verify' | 'entry'>
  readonly keys: Omit<ApiKeys, 'onChanged'>
  /** The root of the replicated map: the ruleset's version. */
  root(): string
  /** All or nothing; `replace` also deletes what the document does not name in the namespaces it names. */
  importDocument(
    document: unknown,
    mode: 'merge' | 'replace',
    namespace: string,
    options: WriteOptions,
  ): Promise<ImportReport>
  /** Of these namespaces, or of all. */
  exportDocument(namespaces?: readonly string[]): RulesetDocument
  /** After every change of the ruleset, wherever it was made. Returns the way to stop listening. */
  onChange(listener: (change: CatalogChange) => void): () => void
}

export interface CatalogChange {
  readonly root: string
  readonly namespaces: ReadonlyMap<
    string,
    { readonly flags: ReadonlyMap<string, string | null>; readonly segments: ReadonlyMap<string, string | null> }
  >
}

/** What `GET /mesh`, health and metrics tell; put together by the composition root. */
export interface NodeView {
  readonly id: string
  readonly address: string
  readonly url: string
  members(): readonly MeshMember[]
  conflicts(): number
  tombstones(): number
  /** null when ready, else why not. */
  notReady(): string | null
  /** null when writes are stored, else one sentence on what fails. */
  storageFailure(): string | null
  /** All peers are gone, and not all of them said goodbye: this node may be cut off, and answers from what it knew. */
  isolated(): boolean
  /** Called for every change that a peer made and that has become visible here, with the milliseconds that it took. */
  onArrival(listener: (tookMs: number) => void): void
  /** name -> value, monotonic; names as in docs/metrics.md without the prefix `flags_`. */
  counters(): Readonly<Record<string, number>>
}

export interface MeshMember {
  readonly id: string
  readonly address: string
  readonly url: string
  readonly state: 'alive' | 'suspect' | 'dead' | 'left'
  readonly incarnation: number
  readonly root: string
  /** Milliseconds since we last heard its replica, null for never. */
  readonly lastSeenMs: number | null
  /** Milliseconds since its root has differed from ours without a break; 0 while equal, null while unknown. */
  readonly behindMs: number | null
}
