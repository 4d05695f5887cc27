import { type Random, randomHex, seededRandom } from '../../src/base/random.ts'
import { Drops } from '../../src/mesh/drops.ts'
import { decodeHello } from '../../src/mesh/hello.ts'
import { SwimMembership } from '../../src/mesh/swim-membership.ts'
import type { Address, MemberEvent, MemberState } from '../../src/replica/ports.ts'
import { EventQueue } from './event-queue.ts'
import { SimNetwork } from './network.ts'
import { inVirtualTime } from './virtual-time.ts'

/** One life of a member, until it crashes or leaves. */
export interface SwimLife {
  readonly membership: SwimMembership
  readonly id: string
  readonly events: (MemberEvent & { readonly atMs: number })[]
}

export interface SwimMachine {
  readonly address: Address
  /** null while it is off. */
  life: SwimLife | null
}

export interface SwimSimulationOptions {
  readonly seed: number
  readonly nodes: number
  /** The one command that runs this again; for runs that no command knows, the test that has the seed does. */
  readonly replay?: string
}

/** Announcements to the group are repeated as often as discovery does, by two members a second. */
const announceGapMs = 500
/** Wall clock of the machines when the run begins: incarnations begin at its second. */
const epochSeconds = 1_760_000_000

/**
 * The real membership, npm swim included, in simulated time on a simulated network: its sockets, its timers, its clock and its randomness are
 * replaced, nothing else. One seed gives one run.
 */
export class SwimSimulation {
  readonly queue = new EventQueue()
  readonly random: Random
  readonly network: SimNetwork
  readonly machines: readonly SwimMachine[]
  readonly #replay: string

  constructor({ seed, nodes, replay = `this test, seed ${seed}` }: SwimSimulationOptions) {
    this.#replay = replay
    this.random = seededRandom(seed)
    this.network = new SimNetwork(this.queue, this.random, 1)
    this.machines = Array.from({ length: nodes }, (_, i) => ({ address: `10.0.${i >> 8}.${i & 255}:7946`, life: null }))
    for (const machine of this.machines) this.start(machine)
    this.#announceSometime()
  }

  get running(): readonly SwimMachine[] {
    return this.machines.filter(({ life }) => life !== null)
  }

  /** Lets simulated time pass. */
  run(durationMs: number): void {
    const untilMs = this.queue.nowMs + durationMs
    inVirtualTime(this.queue, this.random, () => {
      while (this.queue.step(untilMs)) {
        // Every step is one event.
      }
    })
  }

  /** Runs until `reached`, and returns how long it took. Throws at the deadline. */
  runUntil(what: string, reached: () => boolean, deadlineMs = 60_000): number {
    const startedMs = this.queue.nowMs
    while (!reached()) {
      if (this.queue.nowMs - startedMs > deadlineMs)
        throw new Error(`Not within ${deadlineMs} simulated ms: ${what}.\n${this.#views()}\nReplay: ${this.#replay}`)
      this.run(20)
    }
    return this.queue.nowMs - startedMs
  }

  /** The machine comes up, with another identity than before, and announces itself. */
  start(machine: SwimMachine): void {
    inVirtualTime(this.queue, this.random, () => {
      const { address } = machine
      const id = randomHex(this.random, 8)
      const isOurs = () => machine.life === life
      const drops = new Drops()
      const membership = new SwimMembership({
        id,
        address,
        incarnation: Math.floor(epochSeconds + this.queue.nowMs / 1_000),
        random: this.random,
        drops,
        sendSwim: (to, bytes) => isOurs() && this.network.sendPacket(address, to, bytes),
        sendHello: (to, bytes) => isOurs() && this.network.sendPacket(port(hello, address), port(hello, to), bytes),
        announce: () => isOurs() && this.#announce(machine),
      })
      const life: SwimLife = { membership, id, events: [] }
      machine.life = life
      membership.onMember((event) => life.events.push({ ...event, atMs: this.queue.nowMs }))
      this.#attach(machine, life)
      membership.start(urlOf(address))
      this.#announce(machine)
    })
  }

  /** Power off. Nobody is told. */
  crash(machine: SwimMachine): void {
    const { life } = machine
    machine.life = null
    for (const channel of channels) this.network.detach(port(channel, machine.address))
    // Its timers stop; the goodbye goes nowhere.
    inVirtualTime(this.queue, this.random, () => void life?.membership.leave())
  }

  /** Says goodbye and goes. */
  leave(machine: SwimMachine): void {
    inVirtualTime(this.queue, this.random, () => void machine.life?.membership.leave())
    machine.life = null
  }

  /** Stops everything from `from` to `to`, that direction alone. */
  cut(from: SwimMachine, to: SwimMachine): void {
    for (const channel of channels) this.network.cut(port(channel, from.address), port(channel, to.address))
  }

  /** Cuts every link between two groups, both ways. */
  partition(left: readonly SwimMachine[], right: readonly SwimMachine[]): void {
    for (const a of left) {
      for (const b of right) {
        this.cut(a, b)
        this.cut(b, a)
      }
    }
  }

  /** The state in which the one sees the other's present life, or its address when it is off. */
  seen(observer: SwimMachine, subject: SwimMachine): MemberState | undefined {
    const view = observer.life?.membership.find(subject.address)
    return subject.life !== null && view?.id !== subject.life.id ? undefined : view?.state
  }

  /** Every machine that runs holds exactly those that run for alive. */
  isAgreed(): boolean {
    return this.running.every((observer) =>
      this.machines.every((subject) => {
        if (subject === observer) return true
        const state = this.seen(observer, subject)
        return subject.life === null ? state !== 'alive' && state !== 'suspect' : state === 'alive'
      }),
    )
  }

  #attach({ address }: SwimMachine, { membership }: SwimLife): void {
    const hears = (channel: string, onPacket: (from: Address, bytes: Uint8Array) => void) => {
      const take = (from: Address, bytes: Uint8Array) => onPacket(from.slice(channel.length), bytes)
      this.network.attach(port(channel, address), { onPacket: take, onBulk: () => undefined })
    }
    const hearsHello = (channel: string, to: 'us' | 'group') =>
      hears(channel, (from, bytes) => {
        const decoded = decodeHello(bytes)
        if (decoded !== null) membership.onHello(from, decoded, to)
      })
    hears(swim, (from, bytes) => membership.onSwim(from, bytes))
    hearsHello(hello, 'us')
    hearsHello(group, 'group')
  }

  /** Discovery: one of two a second tells all of itself. */
  #announceSometime(): void {
    this.queue.after(announceGapMs, () => {
      const { running } = this
      const machine = running[this.random.uint32() % Math.max(1, running.length)]
      if (machine !== undefined) this.#announce(machine)
      this.#announceSometime()
    })
  }

  #announce({ address, life }: SwimMachine): void {
    if (life === null) return
    for (const to of this.machines) {
      if (to.address === address) continue
      this.network.sendPacket(port(group, address), port(group, to.address), life.membership.hello())
    }
  }

  #views(): string {
    const views = this.running.map((observer) => {
      const others = this.machines.filter((subject) => subject !== observer)
      return `${observer.address}: ${others.map((subject) => this.seen(observer, subject) ?? 'unknown').join(' ')}`
    })
    return views.join('\n')
  }
}

/** Ways on the network, which datagrams need no mark of. */
const [swim, hello, group] = ['', 'hello ', 'group ']
const channels = [swim, hello, group]

function port(channel: string, address: Address): Address {
  return `${channel}${address}`
}

function urlOf(address: Address): string {
  return `http://${address.replace('7946', '8080')}`
}
