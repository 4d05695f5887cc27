import { seededRandom } from '../../src/base/random.ts'
import type { RegisterChange, RegisterRecord } from '../../src/crdt/register.ts'
import { noStamp } from '../../src/crdt/stamp.ts'
import type {
  Address,
  Effects,
  Recovered,
  Replica,
  ReplicaEvent,
  ReplicaNotes,
  Timer,
  WriteTicket,
} from '../../src/replica/ports.ts'
import { createReplica } from '../../src/replica/replica.ts'
import { decodeFrame, decodePacket } from '../../src/replica/wire.ts'
import type { Frame, Packet } from '../../src/replica/wire-fields.ts'

export interface Sent<T> {
  readonly to: Address
  readonly message: T
}

/** A replica on the bench: its effects are written down, and its surroundings do what the test says. */
export class BenchReplica {
  readonly replica: Replica
  readonly packets: Sent<Packet>[] = []
  readonly frames: Sent<Frame>[] = []
  readonly appends: { readonly records: readonly RegisterRecord[]; readonly notes: ReplicaNotes }[] = []
  readonly forgotten: string[] = []
  readonly events: ReplicaEvent[] = []
  readonly timers: { readonly timer: Timer; readonly atMs: number }[] = []
  nowMs = 0
  wallMs = Date.UTC(2026, 0, 1, 12, 30)

  constructor(
    options: { readonly recovered?: Partial<Recovered>; readonly self?: Address; readonly seed?: number } = {},
  ) {
    const { recovered, self = '10.0.0.1:7946', seed = 1 } = options
    this.replica = createReplica({ self, id: '0'.repeat(16), random: seededRandom(seed), effects: this.#effects() })
    const notes = recovered?.notes ?? { issued: noStamp, lastContactWallMs: 0 }
    this.replica.start(this.now(), { records: recovered?.records ?? [], notes })
  }

  now() {
    return { monotonicMs: this.nowMs, wallMs: this.wallMs + this.nowMs }
  }

  write(...changes: RegisterChange[]): WriteTicket {
    return this.replica.write(this.now(), changes)
  }

  /** The disk answers for the oldest appends that it has not answered for. */
  appended(count: number, error?: string): void {
    this.replica.onAppended(this.now(), count, error)
  }

  up(...addresses: readonly Address[]): void {
    for (const address of addresses) this.replica.onMember(this.now(), { type: 'up', address, id: address })
  }

  /** Time passes, and the timers that are due by its end go off in order. */
  pass(durationMs: number): void {
    const untilMs = this.nowMs + durationMs
    for (;;) {
      this.timers.sort((a, b) => a.atMs - b.atMs)
      const next = this.timers[0]
      if (next === undefined || next.atMs > untilMs) break
      this.timers.shift()
      this.nowMs = Math.max(this.nowMs, next.atMs)
      this.replica.onTimer(this.now(), next.timer)
    }
    this.nowMs = untilMs
  }

  eventsOf<T extends ReplicaEvent['type']>(type: T): Extract<ReplicaEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<ReplicaEvent, { type: T }> => event.type === type)
  }

  #effects(): Effects {
    return {
      sendPacket: (to, bytes) => {
        const message = decodePacket(bytes)
        if (typeof message === 'string') throw new Error(`The replica sent a packet that is ${message}.`)
        this.packets.push({ to, message })
      },
      sendBulk: (to, bytes) => {
        const message = decodeFrame(bytes)
        if (typeof message === 'string') throw new Error(`The replica sent a frame that is ${message}.`)
        this.frames.push({ to, message })
      },
      setTimer: (timer, afterMs) => this.timers.push({ timer, atMs: this.nowMs + afterMs }),
      append: (records, notes) => this.appends.push({ records, notes }),
      forget: (keys) => this.forgotten.push(...keys),
      emit: (event) => this.events.push(event),
    }
  }
}
