import type { Now } from '../base/clock.ts'
import { membersMax } from '../base/limits.ts'
import { type Random, randomHex } from '../base/random.ts'
import { HybridClock } from '../crdt/hybrid-clock.ts'
import type { RegisterChange, RegisterRecord } from '../crdt/register.ts'
import { RegisterMap } from '../crdt/register-map.ts'
import { Acknowledgement } from './acknowledgement.ts'
import { AntiEntropy, type SyncHost } from './anti-entropy.ts'
import { ClockCheck } from './clock-check.ts'
import { ConflictLog } from './conflict-log.ts'
import { Counters } from './counters.ts'
import { type Retention, untilNextExpiryMs } from './expiry.ts'
import { Gossip } from './gossip.ts'
import { Intake } from './intake.ts'
import { Journal, type LocalWrite } from './journal.ts'
import { LocalWrites } from './local-writes.ts'
import { Outbox } from './outbox.ts'
import { PeerTable, sampleClock } from './peers.ts'
import type {
  Address,
  Effects,
  MemberEvent,
  NodeId,
  PeerView,
  Recovered,
  Replica,
  ReplicaCounters,
  Timer,
  WriteOptions,
  WriteTicket,
} from './ports.ts'
import { Presence } from './presence.ts'
import { Pulls } from './pulls.ts'
import { SyncSchedule } from './sync-schedule.ts'
import { decodeFrame, decodePacket } from './wire.ts'
import type { Announcement, Packet, Rumor } from './wire-fields.ts'

const dayMs = 86_400_000
const logEntriesDefault = 100_000
/** A clock that steps back and forth over the full hour must not make a busy loop. */
const expiryTimerMsMin = 1_000
/** Peers that hear from a node as soon as one said that its clock is off: each may say so too, and so on. */
const opinionPeers = 3

export interface ReplicaOptions {
  readonly self: Address
  readonly id: NodeId
  readonly random: Random
  readonly effects: Effects
  /** How long a deletion is remembered; whoever was away for longer starts from what the mesh has. Default 30 days. */
  readonly tombstoneRetentionMs?: number
  /** How long entries under `log|` are kept. Default 90 days. */
  readonly logRetentionMs?: number
  /** How many entries under `log|` are kept, the newest: the same on all nodes, as their roots differ otherwise. Default 100,000. */
  readonly logEntriesMax?: number
  /** Whether a record can be what its author wrote. A function of the record alone, the same on all nodes; what fails is refused. */
  readonly isGenuine?: (record: RegisterRecord) => boolean
}

/** Makes the replication core of one node. It does nothing until `start`, and nothing but what Effects allow. */
export function createReplica(options: ReplicaOptions): Replica {
  return new ReplicaCore(options)
}

/** Joins the parts; every event of the outside comes in here and goes to the part that decides. */
class ReplicaCore implements Replica {
  readonly #effects: Effects
  readonly #map = new RegisterMap()
  readonly #peers = new PeerTable()
  readonly #counters = new Counters()
  readonly #clockCheck: ClockCheck
  readonly #presence: Presence
  readonly #journal: Journal
  readonly #writes: LocalWrites
  readonly #intake: Intake
  readonly #outbox: Outbox
  readonly #random: Random
  readonly #gossip: Gossip
  readonly #pulls: Pulls
  readonly #acknowledgement: Acknowledgement
  readonly #antiEntropy: AntiEntropy
  readonly #schedule: SyncSchedule
  readonly #self: Address

  constructor({
    self,
    random,
    effects,
    tombstoneRetentionMs = 30 * dayMs,
    logRetentionMs = 90 * dayMs,
    logEntriesMax = logEntriesDefault,
    isGenuine = () => true,
  }: ReplicaOptions) {
    const [map, peers, counters] = [this.#map, this.#peers, this.#counters]
    this.#self = self
    this.#effects = effects
    this.#random = random
    const clock = new HybridClock(randomHex(random, 8))
    const presence = new Presence(tombstoneRetentionMs)
    const notes = () => ({ issued: this.#writes.issued, lastContactWallMs: presence.lastAgreementWallMs })
    const journal = new Journal(effects, map, counters, notes)
    const outbox = new Outbox(effects, map, counters, () => journal.isIdle)
    const conflicts = new ConflictLog(effects, counters)
    const retention: Retention = { tombstoneMs: tombstoneRetentionMs, logMs: logRetentionMs, logEntriesMax }
    this.#presence = presence
    this.#journal = journal
    this.#outbox = outbox
    this.#clockCheck = new ClockCheck(effects, peers, outbox)
    this.#writes = new LocalWrites(clock, this.#clockCheck, journal)
    this.#intake = new Intake({ map, clock, journal, presence, conflicts, effects, counters, retention, isGenuine })
    this.#gossip = new Gossip({ self, effects, random, map, peers, outbox, counters })
    this.#pulls = new Pulls(map, outbox, counters)
    this.#acknowledgement = new Acknowledgement(effects, map, journal, peers, outbox, counters)
    this.#antiEntropy = new AntiEntropy({ map, self, random, effects, outbox, presence, counters }, this.#syncHost())
    this.#schedule = new SyncSchedule({ map, random, effects, peers, outbox, antiEntropy: this.#antiEntropy })
  }

  start(now: Now, recovered: Recovered): void {
    this.#intake.recover(recovered.records)
    this.#writes.restore(recovered.notes.issued)
    this.#presence.start(now, recovered.notes.lastContactWallMs)
    this.#schedule.start()
    this.#effects.setTimer({ kind: 'expiry' }, untilNextExpiryMs(now.wallMs))
  }

  onPacket(now: Now, from: Address, bytes: Uint8Array): void {
    this.#counters.add('packets_received')
    this.#counters.add('packet_bytes_received', bytes.length)
    const packet = decodePacket(bytes)
    if (typeof packet === 'string') {
      this.#counters.add(`packets_dropped_${packet}`)
      return
    }
    this.#takeNews(now, from, packet.rumors)
    this.#pulls.onAnnouncements(now, from, packet.announcements)
    for (const { key, stamp, ask } of packet.announcements) this.#takeAsk({ key, stamp, ask })
    this.#acknowledgement.onAcks(from, packet.acks)
    this.#takeStanding(now, from, packet)
    if (packet.answer) this.#outbox.sendPacket(now, [from], {})
    this.#acknowledgement.flush(now)
  }

  onBulk(now: Now, from: Address, bytes: Uint8Array): void {
    this.#counters.add('frames_received')
    this.#counters.add('frame_bytes_received', bytes.length)
    const frame = decodeFrame(bytes)
    if (typeof frame === 'string') this.#counters.add(`frames_dropped_${frame}`)
    else if (frame.kind === 'pull') this.#pulls.serve(from, frame.keys)
    else if (frame.kind === 'records') this.#takeNews(now, from, this.#pulls.take(frame.records))
    else if (frame.kind === 'busy') this.#antiEntropy.onBusy(now, from, frame.session)
    else this.#antiEntropy.onFrame(now, from, frame)
    this.#acknowledgement.flush(now)
  }

  onTimer(now: Now, timer: Timer): void {
    switch (timer.kind) {
      case 'gossip-push':
        this.#gossip.onPushTimer(now)
        break
      case 'gossip-tick':
        this.#gossip.onTickTimer(now, timer)
        break
      case 'journal':
        this.#journal.onTimer()
        break
      case 'probe':
        this.#clockCheck.isTrusted(now)
        this.#schedule.onProbeTimer(now)
        break
      case 'sync-due':
        this.#schedule.onDueTimer(now, timer)
        break
      case 'sync-routine':
        this.#schedule.onRoutineTimer(now)
        break
      case 'sync-timeout':
        this.#antiEntropy.onTimeout(now, timer)
        break
      case 'expiry':
        this.#onExpiryTimer(now)
        break
    }
  }

  onAppended(now: Now, count: number, error?: string): void {
    const { writes, durableKeys } = this.#journal.onAppended(count, error !== undefined)
    for (const write of writes) {
      if (error === undefined) this.#commit(now, write)
      else {
        this.#counters.add('writes_refused')
        this.#effects.emit({ type: 'refused', id: write.id, reason: error })
      }
    }
    this.#acknowledgement.onDurable(durableKeys)
    this.#acknowledgement.flush(now)
  }

  onMember(now: Now, event: MemberEvent): void {
    if (event.address === this.#self) return
    if (event.type !== 'up') this.#peers.remove(event.address)
    else if (this.#peers.size >= membersMax) this.#counters.add('members_ignored')
    else this.#schedule.onUp(now, this.#peers.add(event.address, event.id))
  }

  write(now: Now, changes: readonly RegisterChange[], options: WriteOptions = {}): WriteTicket {
    const { id, stamp } = this.#writes.write(now, changes, options.wantAck ?? false)
    return { id, stamp }
  }

  requestSync(now: Now): void {
    this.#schedule.requestSync(now)
  }

  get(key: string): RegisterRecord | undefined {
    return this.#map.get(key)
  }

  records(): Iterable<RegisterRecord> {
    return this.#map.records()
  }

  root(): string {
    return this.#map.root()
  }

  size(): { readonly values: number; readonly tombstones: number } {
    return this.#map.size()
  }

  peers(): readonly PeerView[] {
    return this.#peers.views(this.root())
  }

  counters(): ReplicaCounters {
    return this.#counters.snapshot()
  }

  /** What sessions of anti-entropy may do to the rest. */
  #syncHost(): SyncHost {
    return {
      absorb: (now, records) => this.#intake.absorb(now, records),
      forget: (keys) => this.#intake.forget(keys),
      onRoot: (now, from, root) => {
        const peer = this.#peers.get(from)
        if (peer !== undefined) this.#schedule.onRoot(now, peer, root, false)
        this.#noteAgreement(now, root)
      },
      onEnd: (now, session, outcome, news) => {
        this.#gossip.spread(
          now,
          news.map((record) => ({ record, ask: null })),
          session.peer,
        )
        const peer = this.#peers.get(session.peer)
        if (peer !== undefined) this.#schedule.onEnd(now, peer, outcome, news.length)
      },
    }
  }

  /** Merges rumors, passes on what was news, and remembers who wants to know. */
  #takeNews(now: Now, from: Address, rumors: readonly Rumor[]): void {
    if (rumors.length === 0) return
    const changed = new Set(
      this.#intake.absorb(
        now,
        rumors.map(({ record }) => record),
      ),
    )
    const isNews = ({ record }: Rumor) => changed.has(record)
    for (const rumor of rumors) if (!isNews(rumor)) this.#gossip.hearAgain(rumor)
    this.#gossip.spread(now, rumors.filter(isNews), from)
    for (const { record, ask } of rumors) this.#takeAsk({ key: record.key, stamp: record.stamp, ask })
  }

  #takeAsk({ key, stamp, ask }: Announcement): void {
    if (ask !== null && this.#acknowledgement.onAsk(key, stamp, ask)) this.#journal.hurry()
  }

  /** Every packet tells how its sender stands: its root, its clock, its disk. */
  #takeStanding(now: Now, from: Address, packet: Packet): void {
    const peer = this.#peers.get(from)
    if (peer === undefined) return
    sampleClock(peer, now, packet.wallMs)
    if (this.#clockCheck.onPacket(now, peer, packet.aheadMs)) this.#askForOpinions(now)
    this.#presence.onContact(now, from, packet.wallMs)
    this.#schedule.onRoot(now, peer, packet.root, packet.nudge)
    if (packet.durable && packet.root === this.root()) this.#acknowledgement.onDurableRoot(from)
    this.#noteAgreement(now, packet.root)
  }

  /** One peer says that our clock is off: hear others at once, instead of one a second. */
  #askForOpinions(now: Now): void {
    const others = this.#peers.pick(this.#random, opinionPeers)
    this.#outbox.sendPacket(
      now,
      others.map(({ address }) => address),
      {},
    )
  }

  #noteAgreement(now: Now, root: string): void {
    if (root === this.root() && this.#presence.onAgreement(now)) this.#journal.saveNotes()
  }

  #commit(now: Now, write: LocalWrite): void {
    const inForce = this.#intake.commit(write)
    this.#counters.add('writes_accepted')
    this.#effects.emit({ type: 'written', id: write.id, stamp: write.stamp })
    this.#acknowledgement.onDurable(write.records.map(({ key }) => key))
    if (write.wantAck) this.#acknowledgement.await(write)
    // Whoever waits for acknowledgements gets them for a write that has lost meanwhile, too.
    const told = write.wantAck ? write.records : inForce
    const ask = (index: number) => (write.wantAck ? { origin: this.#self, index } : null)
    this.#gossip.spread(
      now,
      told.map((record, index) => ({ record, ask: ask(index) })),
    )
  }

  #onExpiryTimer(now: Now): void {
    this.#effects.setTimer({ kind: 'expiry' }, Math.max(expiryTimerMsMin, untilNextExpiryMs(now.wallMs)))
    if (this.#clockCheck.isTrusted(now)) this.#intake.expire(now)
  }
}
