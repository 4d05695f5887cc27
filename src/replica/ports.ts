import type { Now } from '../base/clock.ts'
import type { RegisterChange, RegisterRecord } from '../crdt/register.ts'
import type { Stamp } from '../crdt/stamp.ts'

/** `host:meshPort`: where a node takes datagrams, and by which its peers know it. */
export type Address = string
/** 16 lowercase hex digits, made when the data directory is made; a node keeps it across restarts. */
export type NodeId = string

/** Small facts of this node alone that must survive together with the records. */
export interface ReplicaNotes {
  /** The greatest stamp this node has issued: stamps grow across restarts though the clock was set back. */
  readonly issued: Stamp
  /**
   * Wall clock at the last contact with a peer whose root was equal to ours, 0 for never: tells a node that it was away for
   * longer than tombstones live, and what of its state the mesh has had.
   */
  readonly lastContactWallMs: number
}

export interface Recovered {
  readonly records: Iterable<RegisterRecord>
  readonly notes: ReplicaNotes
}

/** The only way out of the core. Implemented by the adapters, and by test/simulator/. No method may call back at once. */
export interface Effects {
  /** Best effort, at most packetBytesMax bytes. */
  sendPacket(to: Address, packet: Uint8Array): void
  /** At most bulkFrameBytesMax bytes; arrives whole and in order while the connection lasts, or not at all. */
  sendBulk(to: Address, frame: Uint8Array): void
  /** Timers are data that carry their evidence: a stale one is a no-op, so none is ever cancelled. */
  setTimer(timer: Timer, afterMs: number): void
  /** Make durable, all or nothing and in order of the calls. Each call is answered by onAppended. */
  append(records: readonly RegisterRecord[], notes: ReplicaNotes): void
  /** Drop these registers from the durable state: their retention has run out. Best effort; asked again after a restart. */
  forget(keys: readonly string[]): void
  emit(event: ReplicaEvent): void
}

/** What the replica asks to be reminded of. `kind` names the handler, the rest is its evidence. */
export interface Timer {
  readonly kind: string
  readonly [evidence: string]: string | number
}

export interface WriteOptions {
  /** Ask the peers to say (event `acknowledged`) when they have the write on disk. */
  readonly wantAck?: boolean
}

/** A local write on its way to the disk. Its end is told by the event `written` or `refused` with the same id. */
export interface WriteTicket {
  readonly id: number
  readonly stamp: Stamp
}

export interface WriteOptions {
  /** Peers are asked to tell when they have the write on disk: event `acknowledged`. */
  readonly wantAck?: boolean
}

export type ReplicaEvent =
  /**
   * These registers have new winners, visible in `get` already. `local` when written here. A register that is not in
   * `get` any more was forgotten, and counts as deleted.
   */
  | { readonly type: 'changed'; readonly keys: readonly string[]; readonly local: boolean }
  /** The local write is on this node's disk and visible. */
  | { readonly type: 'written'; readonly id: number; readonly stamp: Stamp }
  /** The local write could not be stored; nothing changed. */
  | { readonly type: 'refused'; readonly id: number; readonly reason: string }
  /** The winner's author had not seen the loser. */
  | { readonly type: 'conflict'; readonly winner: RegisterRecord; readonly loser: RegisterRecord }
  /** A peer has everything of the local write with this stamp on its disk. Once per peer and write. */
  | { readonly type: 'acknowledged'; readonly stamp: Stamp; readonly by: Address }
  /** A session of anti-entropy with this peer has ended, roots equal or not. */
  | { readonly type: 'synced'; readonly with: Address; readonly received: number; readonly sent: number }
  /** Records of these keys came from a peer, or from the disk, and cannot be what their authors wrote: they were refused. */
  | { readonly type: 'forged'; readonly keys: readonly string[] }
  /** The clock was found off (writes are refused), or is trusted again. */
  | { readonly type: 'clock'; readonly trusted: boolean; readonly offsetMs: number }

export type MemberEvent =
  | { readonly type: 'up'; readonly address: Address; readonly id: NodeId }
  | { readonly type: 'down'; readonly address: Address; readonly id: NodeId }
  | { readonly type: 'left'; readonly address: Address; readonly id: NodeId }

/** What the replica knows of a live peer. */
export interface PeerView {
  readonly address: Address
  readonly id: NodeId
  /** Root of the peer's map when last heard, '' for not yet. */
  readonly root: string
  readonly lastHeardMonotonicMs: number
  /** Since when its root has differed from ours without a break; null while equal or unknown. */
  readonly differsSinceMonotonicMs: number | null
  /** The peer's wall clock less ours, by its last packet; null for not yet. */
  readonly clockOffsetMs: number | null
}

/** Counters since start; the names are the words of the metrics. */
export type ReplicaCounters = Readonly<Record<string, number>>

export interface Replica {
  start(now: Now, recovered: Recovered): void
  onPacket(now: Now, from: Address, packet: Uint8Array): void
  onBulk(now: Now, from: Address, frame: Uint8Array): void
  onTimer(now: Now, timer: Timer): void
  /** The oldest `count` unanswered appends are durable, or, with `error`, are not and never will be. */
  onAppended(now: Now, count: number, error?: string): void
  onMember(now: Now, event: MemberEvent): void
  /** All changes get one stamp. Throws FlagsError CLOCK_UNTRUSTED, OVERLOADED; then nothing happened. */
  write(now: Now, changes: readonly RegisterChange[], options?: WriteOptions): WriteTicket
  /** Asks a peer to sync with us soon, or every known one in turn; for readers that know of a version we lack. */
  requestSync(now: Now): void
  get(key: string): RegisterRecord | undefined
  /** All registers, tombstones included, in no order. */
  records(): Iterable<RegisterRecord>
  /** The root of the digest: 16 lowercase hex digits; equal roots mean equal maps. */
  root(): string
  size(): { readonly values: number; readonly tombstones: number }
  peers(): readonly PeerView[]
  counters(): ReplicaCounters
}

// --- ports that the adapters implement and the composition root joins

export type MemberState = 'alive' | 'suspect' | 'dead' | 'left'

export interface MemberView {
  readonly id: NodeId
  readonly address: Address
  /** Base URL of the peer's HTTP API. */
  readonly url: string
  readonly state: MemberState
  readonly incarnation: number
}

/** Who is in the mesh. Implemented by mesh/swim-membership.ts, and by the simulator's twin. */
export interface Membership {
  readonly self: MemberView
  /** Everyone known but self. */
  members(): readonly MemberView[]
  /** Called for every change of a member from or to alive. */
  onMember(listener: (event: MemberEvent) => void): void
  /** Tries these addresses; unreachable ones cost nothing. */
  join(addresses: readonly Address[]): void
  /** Says goodbye, then stops. */
  leave(): Promise<void>
}

/** Durable registers and notes. Implemented by storage/sqlite-store.ts, and by the simulator's disk. */
export interface RegisterStore {
  /** Everything that was ever acknowledged here. Call once, before append. */
  load(): Promise<Recovered & { readonly nodeId: NodeId }>
  /** Resolves when durable (fsync); rejects when it is not. Appends are grouped, and keep their order. */
  append(records: readonly RegisterRecord[], notes: ReplicaNotes): Promise<void>
  /** Forgets registers whose tombstones or retention have run out. */
  remove(keys: readonly string[]): Promise<void>
  /** null while the last append succeeded, else one sentence on what fails. */
  failure(): string | null
  close(): Promise<void>
}
