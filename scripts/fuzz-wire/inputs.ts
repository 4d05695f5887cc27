import type { KeyObject } from 'node:crypto'
import { murmur32Bytes } from '../../src/base/hash.ts'
import { bulkFrameBytesMax, packetBytesMax } from '../../src/base/limits.ts'
import { below, type Random } from '../../src/base/random.ts'
import { parseAddress } from '../../src/mesh/address.ts'
import { Drops } from '../../src/mesh/drops.ts'
import { decodeHello } from '../../src/mesh/hello.ts'
import { type Channel, envelopeBytesMax, Seal } from '../../src/mesh/seal.ts'
import { decodeSwimMessages } from '../../src/mesh/swim-messages.ts'
import { decodeFrame, decodePacket, encodeFrame, encodePacket, prefixBytes } from '../../src/replica/wire.ts'
import { mutate, pick, randomBuffer } from './mutate.ts'
import { openEnvelope, type Traffic } from './traffic.ts'

/**
 * How an input was made. `sealed` ones are put into an envelope with the mesh's own key, as a peer gone mad would: they are what gets
 * past the seal. `checked` ones carry a right checksum as well.
 */
export const kinds = ['random', 'headed', 'truncated', 'mutated', 'replayed', 'sealed', 'checked'] as const
export type Kind = (typeof kinds)[number]

export interface InputsOptions {
  readonly random: Random
  readonly cluster: string
  readonly keyring: readonly KeyObject[]
  readonly traffic: Traffic
}

interface Sealable {
  readonly channel: Channel
  readonly body: Uint8Array
}

/** Bytes of a datagram; UDP carries more, and more is dropped by its size alone. */
const datagramBytesMax = packetBytesMax + envelopeBytesMax + 200
/** Bytes of most random bulk bodies; a few are as large as they may be. */
const randomBodyBytesMax = 20_000
/** Of so many random bulk bodies one is as large. */
const largeBodyEvery = 2_000
const headerBytes = 20
/** Senders that keep the seed's peer company. */
const strangers = 50

/**
 * Makes datagrams and bulk bodies that a node should drop, or take without keeping anything of them: what a genuine peer has sent, garbled,
 * and what nobody would send. Nothing with a right checksum carries a register, because that would be a write like any other. And nothing
 * names an address beyond loopback that a node would try.
 */
export class Inputs {
  readonly made: Record<Kind, number> = {
    random: 0,
    headed: 0,
    truncated: 0,
    mutated: 0,
    replayed: 0,
    sealed: 0,
    checked: 0,
  }
  readonly #random: Random
  readonly #cluster: string
  readonly #keyring: readonly KeyObject[]
  readonly #datagrams: readonly Uint8Array[]
  readonly #envelopes: readonly Uint8Array[]
  readonly #bodies: readonly Sealable[]
  readonly #barePackets: readonly Uint8Array[]
  readonly #frames: readonly Uint8Array[]
  readonly #bareFrames: readonly Uint8Array[]
  readonly #seals: readonly Seal[]

  constructor({ random, cluster, keyring, traffic }: InputsOptions) {
    this.#random = random
    this.#cluster = cluster
    this.#keyring = keyring
    this.#datagrams = traffic.datagrams
    this.#frames = traffic.frames
    this.#bodies = traffic.datagrams.flatMap((datagram) => openEnvelope(datagram, cluster, keyring) ?? [])
    this.#barePackets = this.#bodies.flatMap(({ channel, body }) => (channel === 'replica' ? bare(body) : []))
    this.#bareFrames = traffic.frames.flatMap(bareFrame)
    const sealOf = (address: string) =>
      new Seal({ cluster, keyring, address, bodyBytesMax: bulkFrameBytesMax, drops: new Drops() })
    const addresses = Array.from({ length: strangers }, (_, i) => `127.0.0.1:${1 + i}`)
    this.#seals = [...addresses.flatMap((address) => [address, traffic.peer.mesh.address])].map(sealOf)
    this.#envelopes = traffic.frames.flatMap((frame) => this.#seals[1]?.seal('bulk', frame) ?? [])
  }

  datagram(): Uint8Array {
    for (;;) {
      const kind = this.#kind()
      const made = this.#datagram(kind).subarray(0, datagramBytesMax)
      if (kind !== 'replayed' && leavesLoopback(openEnvelope(made, this.#cluster, this.#keyring))) continue
      this.made[kind]++
      return made
    }
  }

  bulkBody(): Uint8Array {
    const kind = this.#kind()
    this.made[kind]++
    return this.#bulkBody(kind)
  }

  #kind(): Kind {
    return pick(this.#random, kinds)
  }

  #datagram(kind: Kind): Uint8Array {
    const random = this.#random
    const genuine = pick(random, this.#datagrams)
    if (kind === 'sealed') {
      const { channel, body } = pick(random, this.#bodies)
      const isRandom = below(random, 4) === 0
      const garbled = isRandom
        ? randomBuffer(random, below(random, packetBytesMax))
        : mutate(random, body, [pick(random, this.#bodies).body], packetBytesMax)
      return this.#seal(below(random, 10) === 0 ? 'bulk' : channel, garbled)
    }
    if (kind === 'checked') return this.#seal('replica', this.#checked(this.#barePackets, packetBytesMax))
    return this.#outside(kind, genuine, this.#datagrams, datagramBytesMax)
  }

  #bulkBody(kind: Kind): Uint8Array {
    const random = this.#random
    if (kind === 'sealed')
      return this.#seal('bulk', mutate(random, pick(random, this.#frames), this.#frames, bulkFrameBytesMax))
    if (kind === 'checked') return this.#seal('bulk', this.#checked(this.#bareFrames, bulkFrameBytesMax))
    const isLarge = kind === 'random' && below(random, largeBodyEvery) === 0
    if (isLarge) return randomBuffer(random, bulkFrameBytesMax)
    return this.#outside(kind, pick(random, this.#envelopes), this.#envelopes, randomBodyBytesMax)
  }

  /** What somebody without the key can send. */
  #outside(kind: Kind, genuine: Uint8Array, others: readonly Uint8Array[], bytesMax: number): Uint8Array {
    const random = this.#random
    switch (kind) {
      case 'random':
        return randomBuffer(random, below(random, bytesMax))
      case 'headed':
        return Buffer.concat([
          genuine.subarray(0, headerBytes),
          randomBuffer(random, below(random, bytesMax - headerBytes)),
        ])
      case 'truncated':
        return genuine.subarray(0, below(random, genuine.length))
      case 'mutated':
        return mutate(random, genuine, others, Math.max(bytesMax, genuine.length))
      default:
        return genuine
    }
  }

  #checked(bodies: readonly Uint8Array[], bytesMax: number): Uint8Array {
    const body = mutate(this.#random, pick(this.#random, bodies).subarray(prefixBytes), bodies, bytesMax - prefixBytes)
    const checked = Buffer.concat([pick(this.#random, bodies).subarray(0, prefixBytes), body])
    checked.writeUInt32BE(murmur32Bytes(body), prefixBytes - 4)
    return checked
  }

  #seal(channel: Channel, body: Uint8Array): Uint8Array {
    const envelope = pick(this.#random, this.#seals).seal(channel, body)
    if (envelope === null) throw new Error(`A body of ${body.length} bytes does not fit an envelope.`)
    return envelope
  }
}

/** The same packet without registers. */
function bare(body: Uint8Array): Uint8Array[] {
  const packet = decodePacket(body)
  return typeof packet === 'string' ? [] : [encodePacket({ ...packet, rumors: [] })]
}

function bareFrame(body: Uint8Array): Uint8Array[] {
  const frame = decodeFrame(body)
  if (typeof frame === 'string') return []
  return [encodeFrame('records' in frame ? { ...frame, records: [] } : frame)]
}

/** True when a node that takes the envelope may send something to, or look up, a host that is not this machine. */
function leavesLoopback(opened: ReturnType<Seal['open']>): boolean {
  return opened !== null && [opened.from, ...hostsIn(opened.channel, opened.body)].some((host) => !isLoopback(host))
}

function isLoopback(addressOrUrl: string): boolean {
  const host = parseAddress(addressOrUrl)?.host ?? URL.parse(addressOrUrl)?.hostname
  return host === '127.0.0.1'
}

function hostsIn(channel: Channel, body: Uint8Array): string[] {
  if (channel === 'hello') {
    const hello = decodeHello(body)
    return hello === null ? [] : [hello.url]
  }
  if (channel === 'swim') {
    return (decodeSwimMessages(body) ?? []).flatMap(({ event, data }) => {
      if (event === 'pingreq') return [data.destination]
      return event === 'sync' || event === 'update' ? [data.host, data.meta.url] : []
    })
  }
  const packet = channel === 'replica' ? decodePacket(body) : 'no packet'
  if (typeof packet === 'string') return []
  return [...packet.rumors, ...packet.announcements].flatMap(({ ask }) => (ask === null ? [] : [ask.origin]))
}
