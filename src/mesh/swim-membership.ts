import type Swim from 'swim'
import type { SwimUpdate } from 'swim'
import { murmur32 } from '../base/hash.ts'
import { deadMembersMax, membersMax } from '../base/limits.ts'
import { below, type Random, sample, unit } from '../base/random.ts'
import type { Address, MemberEvent, MemberState, Membership, MemberView, NodeId } from '../replica/ports.ts'
import { Backoff } from './backoff.ts'
import { Budget } from './budget.ts'
import type { Drops } from './drops.ts'
import { encodeHello, type Hello } from './hello.ts'
import { News } from './news.ts'
import { decodeSwimMessages, type SwimMessage, swimTypes } from './swim-messages.ts'
import { createSwimNode, suspicionMs } from './swim-node.ts'

export interface SwimMembershipOptions {
  readonly id: NodeId
  /** The address that this node advertises. */
  readonly address: Address
  /** The wall clock's second, so that a restarted node outranks what its peers remember of it. */
  readonly incarnation: number
  readonly random: Random
  readonly drops: Drops
  readonly sendSwim: (to: Address, bytes: Uint8Array) => void
  readonly sendHello: (to: Address, bytes: Uint8Array) => void
  /** Asks discovery to announce us to everyone soon. */
  readonly announce: () => void
}

const [alive, suspect, faulty] = [0, 1, 2] as const
const states: readonly MemberState[] = ['alive', 'suspect', 'dead']

/** How often suspects are told, the dead are tried and stalls are looked for. Two chances to answer a probe interval. */
const tickMs = 250
/** A tick this late means that the process stood still, and its suspicions are about itself. */
const stallMs = 1_000
/** One member is asked whether it holds the same members alive: soon after views differed, then less and less often. */
const compareFirstMs = 250
const compareLastMs = 10_000
/** Of a group that hears an announcement from someone with another view, about this many answer. */
const answersWanted = 3
/** Suspects that are told at one tick. */
const suspectsToldMax = 64
/** Members that hear our goodbye from ourselves. */
const goodbyesMax = 64

interface Known extends MemberView {
  /** Monotonic time of its last change of state. */
  readonly sinceMs: number
}

/**
 * Who is in the mesh, by SWIM (Das, Gupta, Motivala 2002) as npm `swim` 0.6.0 implements it, and what that lacks:
 *
 * - news are pushed at once, not only on probes;
 * - a suspect hears of it from whoever suspects it, twice an interval, until it answers (the buddy system of Lifeguard,
 *   Dadgar, Phillips, Currey 2018);
 * - a death that others tell is believed of a long-standing suspect only, else it begins a suspicion: two halves of a
 *   healed partition would otherwise bury each other's members once more;
 * - a process that stood still begins its suspicions anew;
 * - views are compared by digest, and the dead are tried again, so that partitions heal;
 * - a leaving member is told apart from a dead one, and the list of both is bounded.
 */
export class SwimMembership implements Membership {
  readonly #options: SwimMembershipOptions
  readonly #swim: Swim
  readonly #news: News
  readonly #redials: Backoff
  /** Telling one peer all members: as many packets as there are tens of them. */
  readonly #syncs = new Budget(16, 16)
  /** Telling one peer that it is held dead: one packet. */
  readonly #replies = new Budget(64, 64)
  readonly #known = new Map<Address, Known>()
  readonly #listeners: ((event: MemberEvent) => void)[] = []
  #url = ''
  #liveCount = 0
  #viewDigest: number
  #answering: Address | null = null
  #timer: NodeJS.Timeout | undefined
  #tickedMs = 0
  #compareDueMs = 0
  #compareGapMs = compareFirstMs

  constructor(options: SwimMembershipOptions) {
    const { id, address, incarnation, random, sendSwim } = options
    this.#options = options
    this.#viewDigest = murmur32(address)
    this.#swim = createSwimNode({ address, incarnation, meta: { id, url: '', left: false }, send: sendSwim })
    // swim lists all its members to count them, at each change of one.
    this.#swim.membership.size = (hasLocal) => this.#liveCount + (hasLocal ? 1 : 0)
    this.#news = new News({ random, audience: () => this.#live(), send: (to, updates) => this.#tell(to, updates) })
    this.#redials = new Backoff({ firstMs: 1_000, lastMs: 30_000, random })
  }

  /** `url` is the base URL of this node's HTTP API as peers reach it. */
  start(url: string): void {
    this.#url = url
    this.#swim.membership.local.meta = { id: this.#options.id, url, left: false }
    this.#swim.on('update', (update: SwimUpdate) => this.#onUpdate(update))
    this.#swim.bootstrap([], () => {})
    this.#tickedMs = performance.now()
    this.#timer = setInterval(() => this.#tick(), tickMs)
  }

  get self(): MemberView {
    const { id, address } = this.#options
    return { id, address, url: this.#url, state: 'alive', incarnation: this.#swim.membership.local.incarnation }
  }

  members(): readonly MemberView[] {
    return [...this.#known.values()].map(({ sinceMs: _, ...view }) => view)
  }

  /** What is known of the member with this address. */
  find(address: Address): MemberView | undefined {
    return this.#known.get(address)
  }

  isLive(address: Address): boolean {
    return isLive(this.#known.get(address))
  }

  /** Peers that are alive, or suspect. */
  get liveCount(): number {
    return this.#liveCount
  }

  /** True when all peers are gone and not all of them said goodbye: this node may be cut off. */
  isolated(): boolean {
    return this.#liveCount === 0 && this.#dead().length > 0
  }

  onMember(listener: (event: MemberEvent) => void): void {
    this.#listeners.push(listener)
  }

  join(addresses: readonly Address[]): void {
    for (const address of addresses) {
      if (address !== this.#options.address) this.#options.sendHello(address, this.hello())
    }
  }

  /** What discovery tells of this node. */
  hello(): Uint8Array {
    const { id, url, incarnation } = this.self
    return encodeHello({ id, url, incarnation, viewDigest: this.#viewDigest })
  }

  /** A node announced itself: to the group, or to us. */
  onHello(from: Address, hello: Hello, to: 'group' | 'us'): void {
    const { id, url, incarnation, viewDigest } = hello
    this.#learn({ host: from, state: alive, incarnation, meta: { id, url, left: false } })
    const held = this.#swim.membership.get(from)
    if (held !== undefined && (held.meta.id !== id || held.meta.url !== url)) {
      // It was started twice within a second, or its clock was set back: a suspicion makes it outrank its earlier life.
      this.#tell(from, [{ ...held.data(), state: suspect }])
    }
    if (viewDigest === this.#viewDigest) return
    this.#compareGapMs = compareFirstMs
    const chosen = to === 'us' || below(this.#options.random, Math.max(1, this.#liveCount)) < answersWanted
    if (chosen && this.#syncs.take(performance.now())) this.#swim.membership.sync([from])
  }

  /** A datagram of swim from the member that advertises `from`. */
  onSwim(from: Address, bytes: Uint8Array): void {
    const messages = decodeSwimMessages(bytes)
    if (messages === null) {
      this.#options.drops.count('malformed')
      return
    }
    this.#answering = from
    const buried = this.#swim.membership.hostToFaulty[from]
    // It does not know yet, or it would have refuted it: a process that stood still, or half of a healed partition.
    if (buried !== undefined && this.#replies.take(performance.now())) this.#tell(from, [buried.data()])
    for (const message of messages) this.#onMessage(from, message)
    this.#answering = null
  }

  async leave(): Promise<void> {
    clearInterval(this.#timer)
    this.#news.stop()
    const { local } = this.#swim.membership
    local.incarnation++
    const goodbye = { ...local.data(), state: faulty, meta: { ...local.meta, left: true } }
    for (const to of sample(this.#options.random, this.#live(), goodbyesMax)) this.#tell(to, [goodbye])
    this.#swim.leave()
  }

  #onMessage(from: Address, message: SwimMessage): void {
    const { membership, net } = this.#swim
    if (message.event === 'update') {
      this.#learn(message.data)
      return
    }
    if (message.event === 'sync') {
      if (message.data.host !== from) this.#options.drops.count('malformed')
      else if (this.#hasRoomFor(from)) net.emit('sync', message.data, from)
      return
    }
    // swim would probe any address for anyone.
    if (message.event === 'pingreq' && membership.get(message.data.destination) === undefined) return
    net.emit(message.event, message.data, from)
  }

  #hasRoomFor(address: Address): boolean {
    return this.#known.has(address) || this.#known.size < membersMax
  }

  #learn(update: SwimUpdate): void {
    const { membership, net } = this.#swim
    const { host, state, incarnation } = update
    if (host === this.#options.address) {
      const declaredDead = state === faulty && incarnation >= membership.local.incarnation
      net.emit('update', update)
      if (declaredDead) this.#options.announce()
      return
    }
    if (!this.#hasRoomFor(host)) return
    const held = membership.get(host)
    const ofNote = held !== undefined && incarnation >= held.incarnation
    if (state === faulty && !update.meta.left && ofNote && !this.#longSuspected(host)) {
      if (membership.hostToSuspectTimeout[host] === undefined) membership.onSuspect(held)
      return
    }
    net.emit('update', update)
  }

  #longSuspected(address: Address): boolean {
    const known = this.#known.get(address)
    return known?.state === 'suspect' && performance.now() - known.sinceMs >= suspicionMs / 2
  }

  /** swim has accepted something new about a member or about us. */
  #onUpdate(update: SwimUpdate): void {
    if (update.host === this.#options.address) {
      // We refuted what someone believed of us: whoever told us hears it first.
      if (this.#answering !== null) this.#tell(this.#answering, [update])
      this.#news.add(update)
      return
    }
    const { host, incarnation, meta } = update
    const before = this.#known.get(host)
    const state = meta.left && update.state === faulty ? 'left' : states[update.state]!
    const sinceMs = before?.state === state ? before.sinceMs : performance.now()
    // Deleted first, so that the map is in the order of changes and the longest dead are the first of it.
    this.#known.delete(host)
    this.#known.set(host, { id: meta.id, address: host, url: meta.url, state, incarnation, sinceMs })
    this.#onChange(update, before, this.#known.get(host)!)
  }

  #onChange(update: SwimUpdate, before: Known | undefined, after: Known): void {
    const wasLive = isLive(before)
    const live = isLive(after)
    if (wasLive !== live) {
      this.#liveCount += live ? 1 : -1
      this.#viewDigest = (this.#viewDigest ^ murmur32(after.address)) >>> 0
    }
    if (wasLive !== live || (before?.state === 'suspect' && after.state === 'alive')) this.#news.add(update)
    const { address } = after
    // Another node may have taken the address over.
    if (before !== undefined && wasLive && (!live || before.id !== after.id)) {
      this.#emit({ type: after.state === 'left' ? 'left' : 'down', address, id: before.id })
    }
    if (live && (!wasLive || before?.id !== after.id)) this.#emit({ type: 'up', address, id: after.id })
    if (!live) this.#forgetLongestDead()
  }

  #emit(event: MemberEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  #forgetLongestDead(): void {
    const gone = [...this.#known.values()].filter((known) => !isLive(known))
    for (const { address } of gone.slice(0, Math.max(0, gone.length - deadMembersMax))) {
      this.#known.delete(address)
      delete this.#swim.membership.hostToFaulty[address]
    }
  }

  #tick(): void {
    const nowMs = performance.now()
    const stalled = nowMs - this.#tickedMs > stallMs
    this.#tickedMs = nowMs
    if (stalled) this.#options.announce()
    this.#tellSuspects(stalled)
    this.join(this.#redials.due(nowMs, this.#dead(), 1))
    this.#compareViews(nowMs)
  }

  /** What gossip missed is found by this; equal views cost one small datagram. */
  #compareViews(nowMs: number): void {
    if (nowMs < this.#compareDueMs) return
    this.join(sample(this.#options.random, this.#live(), 1))
    this.#compareGapMs = Math.min(compareLastMs, this.#compareGapMs * 2)
    this.#compareDueMs = nowMs + this.#compareGapMs * (0.75 + unit(this.#options.random) / 2)
  }

  /** Those whom we ourselves suspect hear it, and can refute it, before swim's timer buries them. */
  #tellSuspects(stalled: boolean): void {
    const { membership } = this.#swim
    for (const address of Object.keys(membership.hostToSuspectTimeout).slice(0, suspectsToldMax)) {
      const member = membership.get(address)
      if (member === undefined || member.state !== suspect) continue
      if (stalled) membership.onSuspect(member)
      this.#tell(address, [member.data()])
    }
  }

  #tell(to: Address, updates: readonly SwimUpdate[]): void {
    const messages = updates.map((data) => ({ type: swimTypes.update, data }))
    this.#swim.net.sendMessages(messages, to)
  }

  #live(): readonly Address[] {
    return [...this.#known.values()].filter(isLive).map((known) => known.address)
  }

  #dead(): readonly Address[] {
    return [...this.#known.values()].filter((known) => known.state === 'dead').map((known) => known.address)
  }
}

function isLive(known: Known | undefined): boolean {
  return known?.state === 'alive' || known?.state === 'suspect'
}
