import type { Now } from '../base/clock.ts'
import { syncsServedMax } from '../base/limits.ts'
import type { Random } from '../base/random.ts'
import type { RegisterRecord } from '../crdt/register.ts'
import type { RegisterMap } from '../crdt/register-map.ts'
import { wallMsOf } from '../crdt/stamp.ts'
import type { Counters } from './counters.ts'
import { type Outbox, wireWallMs } from './outbox.ts'
import type { Address, Effects, Timer } from './ports.ts'
import type { Presence } from './presence.ts'
import { SyncSession, type Turn } from './sync-session.ts'
import type { SyncFrame } from './wire-fields.ts'

/** A session without a frame for so long is over: the bulk channel broke, or the peer died. */
const sessionTimeoutMs = 5_000

/** Frames of records that go out without waiting for an answer to each: while one is merged, the next are on their way. */
const burstFramesMax = 8

/** `yielded`: both sides opened at once, and the other session goes on. */
export type SyncOutcome = 'done' | 'busy' | 'silent' | 'yielded'

/** What sessions need of the replica around them. */
export interface SyncHost {
  /** Merges records; returns those that changed our state. */
  absorb(now: Now, records: readonly RegisterRecord[]): RegisterRecord[]
  /** Drops registers that the mesh no longer has. */
  forget(keys: readonly string[]): void
  onRoot(now: Now, from: Address, root: string): void
  /** A session has ended; `news` is what it changed here. */
  onEnd(now: Now, session: SyncSession, outcome: SyncOutcome, news: readonly RegisterRecord[]): void
}

interface Running {
  readonly session: SyncSession
  readonly news: RegisterRecord[]
  theirAbsentSinceWallMs: number
}

/** Holds the sessions of anti-entropy: at most one that we opened, and syncsServedMax that others did. */
export class AntiEntropy {
  readonly #map: RegisterMap
  readonly #self: Address
  readonly #random: Random
  readonly #effects: Effects
  readonly #outbox: Outbox
  readonly #presence: Presence
  readonly #counters: Counters
  readonly #host: SyncHost
  #opened: Running | null = null
  readonly #served = new Map<string, Running>()

  constructor(
    deps: {
      readonly map: RegisterMap
      readonly self: Address
      readonly random: Random
      readonly effects: Effects
      readonly outbox: Outbox
      readonly presence: Presence
      readonly counters: Counters
    },
    host: SyncHost,
  ) {
    this.#map = deps.map
    this.#self = deps.self
    this.#random = deps.random
    this.#effects = deps.effects
    this.#outbox = deps.outbox
    this.#presence = deps.presence
    this.#counters = deps.counters
    this.#host = host
  }

  /** No session is to be opened: one is, or a peer is giving us what it has, which another would give once more. */
  get isBusy(): boolean {
    return this.#opened !== null || this.#isFilling()
  }

  /** Starts a session with this peer. Call only while not busy. */
  open(now: Now, peer: Address): void {
    const session = new SyncSession(this.#map, this.#random.uint32(), peer, true)
    this.#opened = { session, news: [], theirAbsentSinceWallMs: 0 }
    this.#counters.add('syncs_started')
    if (this.#presence.isAbsent) session.pretendEmpty()
    else session.summarizeAll()
    this.#speak(now, this.#opened)
  }

  onFrame(now: Now, from: Address, frame: SyncFrame): void {
    this.#presence.onContact(now, from, frame.wallMs)
    const running = this.#find(from, frame.session) ?? (frame.turn === 0 ? this.#serve(now, from, frame) : undefined)
    if (running === undefined) return
    const { session } = running
    if (frame.turn !== session.turn + 1) {
      this.#counters.add('frames_dropped_stale')
      return
    }
    session.turn = frame.turn
    running.theirAbsentSinceWallMs = frame.absentSinceWallMs
    this.#counters.add('sync_records_received', frame.records.length)
    for (const record of this.#host.absorb(now, frame.records)) running.news.push(record)
    this.#align(running)
    session.take(frame)
    this.#host.onRoot(now, from, frame.root)
    if (frame.done) this.#end(now, running, 'done')
    else if (frame.goesOn) this.#armTimeout(session)
    else this.#speak(now, running)
  }

  onBusy(now: Now, from: Address, id: number): void {
    if (this.#opened?.session.peer === from && this.#opened.session.id === id) this.#end(now, this.#opened, 'busy')
  }

  onTimeout(now: Now, timer: Timer): void {
    const running = this.#find(String(timer.peer), Number(timer.session))
    if (running === undefined || running.session.turn !== timer.turn) return
    this.#counters.add('syncs_timed_out')
    this.#end(now, running, 'silent')
  }

  #find(peer: Address, id: number): Running | undefined {
    if (this.#opened?.session.peer === peer && this.#opened.session.id === id) return this.#opened
    return this.#served.get(servedKey(peer, id))
  }

  #serve(now: Now, from: Address, frame: SyncFrame): Running | undefined {
    const crossing = this.#opened?.session.peer === from ? this.#opened : null
    // Of two sessions that cross, the one opened by the lower address goes on.
    const isFull = this.#served.size >= syncsServedMax || (crossing !== null && this.#self < from)
    if (isFull || (crossing === null && this.#hasEnoughToTake())) {
      this.#counters.add('syncs_refused')
      this.#outbox.sendFrame(from, { kind: 'busy', session: frame.session })
      return undefined
    }
    const session = new SyncSession(this.#map, frame.session, from, false)
    const running: Running = { session, news: [], theirAbsentSinceWallMs: frame.absentSinceWallMs }
    this.#served.set(servedKey(from, frame.session), running)
    this.#counters.add('syncs_served')
    if (crossing !== null) this.#end(now, crossing, 'yielded')
    return running
  }

  #isFilling(): boolean {
    if (this.#opened?.session.isFilling) return true
    for (const { session } of this.#served.values()) if (session.isFilling) return true
    return false
  }

  /** A node that has been gone would be given everything by each peer that notices: one at a time will do. */
  #hasEnoughToTake(): boolean {
    const { values, tombstones } = this.#map.size()
    const isInTouch = this.#opened !== null || this.#served.size > 0
    return this.#isFilling() || (isInTouch && values + tombstones === 0)
  }

  /** Whether we return to this peer shows when it says how it stands. */
  #align({ session, theirAbsentSinceWallMs }: Running): void {
    const returns = this.#presence.mustReturnTo(theirAbsentSinceWallMs)
    if (returns && session.mentioned === null) session.pretendEmpty()
    if (!returns && session.mentioned !== null) session.stopPretending()
  }

  #speak(now: Now, running: Running): void {
    const { session } = running
    for (let frames = 1; ; frames++) {
      const said = session.next()
      const goesOn = frames < burstFramesMax && session.hasOnlyRecords
      this.#send(now, session, { ...said, goesOn })
      if (said.done) this.#end(now, running, 'done')
      else if (goesOn) continue
      else this.#armTimeout(session)
      return
    }
  }

  #send(now: Now, session: SyncSession, said: Turn & { readonly goesOn: boolean }): void {
    session.turn++
    this.#counters.add('sync_records_sent', said.records.length)
    const { absentSinceWallMs } = this.#presence
    const root = this.#map.root()
    const { id, peer, turn } = session
    const wallMs = wireWallMs(now)
    this.#outbox.sendFrame(peer, { kind: 'sync', session: id, turn, root, wallMs, absentSinceWallMs, ...said })
  }

  #armTimeout({ id, peer, turn }: SyncSession): void {
    this.#effects.setTimer({ kind: 'sync-timeout', peer, session: id, turn }, sessionTimeoutMs)
  }

  #end(now: Now, running: Running, outcome: SyncOutcome): void {
    const { session, news, theirAbsentSinceWallMs } = running
    if (running === this.#opened) this.#opened = null
    else this.#served.delete(servedKey(session.peer, session.id))
    if (outcome === 'done') {
      this.#counters.add('syncs_completed')
      if (this.#presence.isDecided) {
        if (session.mentioned !== null) this.#forgetUnmentioned(session.mentioned)
        this.#presence.onSynced(now, theirAbsentSinceWallMs)
      }
      this.#effects.emit({ type: 'synced', with: session.peer, received: session.received, sent: session.sent })
    }
    this.#host.onEnd(now, session, outcome, news)
  }

  /** We are back: what we knew before we left, and the mesh no longer has, was deleted meanwhile. */
  #forgetUnmentioned(mentioned: ReadonlySet<string>): void {
    const leftAtWallMs = this.#presence.absentSinceWallMs
    const gone: string[] = []
    for (const { key, stamp } of this.#map.records()) {
      if (!mentioned.has(key) && wallMsOf(stamp) < leftAtWallMs) gone.push(key)
    }
    this.#host.forget(gone)
  }
}

function servedKey(peer: Address, id: number): string {
  return `${peer}#${id}`
}
