import { type Random, randomHex } from '../../src/base/random.ts'
import type { RegisterChange } from '../../src/crdt/register.ts'
import type { Address, Effects, NodeId, Replica, ReplicaEvent, WriteTicket } from '../../src/replica/ports.ts'
import { createReplica } from '../../src/replica/replica.ts'
import { SimDisk } from './disk.ts'
import type { EventQueue } from './event-queue.ts'
import type { SimNetwork } from './network.ts'
import { SimClock } from './sim-clock.ts'

export interface NodeOptions {
  readonly tombstoneRetentionMs?: number
  readonly logRetentionMs?: number
  readonly logEntriesMax?: number
}

/** What a node's surroundings want to hear. */
export type NodeListener = (node: SimNode, event: ReplicaEvent) => void

interface Append {
  readonly life: number
}

/** One machine: a replica with its disk and its clocks, which can lose power and come back. */
export class SimNode {
  readonly address: Address
  readonly id: NodeId
  readonly clock = new SimClock()
  disk = new SimDisk()
  /** The replica of this life; null while the machine is off. */
  replica: Replica | null = null
  /** Milliseconds that a sync takes. */
  syncMs = 5
  life = 0
  readonly #queue: EventQueue
  readonly #network: SimNetwork
  readonly #random: Random
  readonly #options: NodeOptions
  readonly #listener: NodeListener
  #unsynced: Append[] = []
  #isSyncing = false
  /** What came while the machine was paused; null while it is not. */
  #backlog: (() => void)[] | null = null

  constructor(
    address: Address,
    world: { readonly queue: EventQueue; readonly network: SimNetwork; readonly random: Random },
    options: NodeOptions,
    listener: NodeListener,
  ) {
    this.address = address
    this.#queue = world.queue
    this.#network = world.network
    this.#random = world.random
    this.#options = options
    this.#listener = listener
    this.id = randomHex(world.random, 8)
  }

  get isUp(): boolean {
    return this.replica !== null
  }

  /** The replica of a machine that must be on. */
  get running(): Replica {
    if (this.replica === null) throw new Error(`${this.address} is off.`)
    return this.replica
  }

  get isPaused(): boolean {
    return this.#backlog !== null
  }

  /** The machine stops doing anything, its network card and its disk excepted. */
  pause(): void {
    this.#backlog ??= []
  }

  resume(): void {
    const backlog = this.#backlog ?? []
    this.#backlog = null
    for (const run of backlog) run()
  }

  now() {
    return this.clock.now(this.#queue.nowMs)
  }

  start(): void {
    const life = ++this.life
    this.clock.boot(this.#queue.nowMs)
    this.#unsynced = []
    this.#isSyncing = false
    this.#backlog = null
    const replica = createReplica({
      self: this.address,
      id: this.id,
      random: this.#random,
      effects: this.#effects(life),
      ...this.#options,
    })
    this.replica = replica
    replica.start(this.now(), this.disk.load())
    this.#network.attach(this.address, {
      onPacket: (from, packet) => this.#do(life, () => replica.onPacket(this.now(), from, packet)),
      onBulk: (from, frame) => this.#do(life, () => replica.onBulk(this.now(), from, frame)),
    })
  }

  /** Power off, at once. */
  crash(): void {
    this.replica = null
    this.life++
    this.#network.detach(this.address)
    this.disk.crash(this.#random)
  }

  write(changes: readonly RegisterChange[], wantAck = false): WriteTicket {
    return this.running.write(this.now(), changes, { wantAck })
  }

  /** What happens to a machine that lost power since is lost; a paused one does it later. */
  #do(life: number, run: () => void): void {
    if (this.life !== life) return
    if (this.#backlog === null) run()
    else this.#backlog.push(() => this.#do(life, run))
  }

  #effects(life: number): Effects {
    return {
      sendPacket: (to, packet) => this.#network.sendPacket(this.address, to, packet),
      sendBulk: (to, frame) => this.#network.sendBulk(this.address, to, frame),
      setTimer: (timer, afterMs) =>
        this.#queue.after(afterMs, () => this.#do(life, () => this.running.onTimer(this.now(), timer))),
      append: (records, notes) => {
        this.disk.append(records, notes)
        this.#unsynced.push({ life })
        this.#sync(life)
      },
      forget: (keys) => {
        this.disk.forget(keys)
        this.#sync(life)
      },
      emit: (event) => this.#listener(this, event),
    }
  }

  /** Group commit: one sync at a time, for all appends that wait. */
  #sync(life: number): void {
    if (this.#isSyncing) return
    this.#isSyncing = true
    const synced = () => {
      const count = this.#unsynced.length
      this.#unsynced = []
      this.#isSyncing = false
      const error = this.disk.sync(this.#random) ? undefined : 'the simulated disk failed'
      if (count > 0) this.running.onAppended(this.now(), count, error)
    }
    this.#queue.after(this.syncMs, () => this.#do(life, synced))
  }
}
