import { bulkFrameBytesMax, packetBytesMax } from '../base/limits.ts'
import type { Random } from '../base/random.ts'
import type { Address, Membership, NodeId } from '../replica/ports.ts'
import { advertisedHost, type Endpoint, formatAddress, multicastInterfaces } from './address.ts'
import { type BulkCounters, BulkTransport } from './bulk-transport.ts'
import { type DropCause, Drops } from './drops.ts'
import { decodeHello } from './hello.ts'
import type { Keyring } from './keyring.ts'
import type { MeshLogger } from './logger.ts'
import { type MulticastDiscovery, startMulticastDiscovery } from './multicast-discovery.ts'
import { PartitionWatch } from './partition-watch.ts'
import { Seal } from './seal.ts'
import { type SeedDiscovery, startSeedDiscovery } from './seed-discovery.ts'
import { SwimMembership } from './swim-membership.ts'
import { openUdpSocket, type UdpCounters, type UdpSocket } from './udp-socket.ts'

export interface MeshOptions {
  /** The address to bind; `0.0.0.0` for all. */
  readonly host: string
  /** UDP; 0 lets the system choose. */
  readonly port: number
  /** A taken port fails the start; otherwise one of the next hundred is used. */
  readonly portFixed: boolean
  /** Host that peers reach; null: see `advertisedHost`. */
  readonly advertise: string | null
  /** Mesh name: others on the same network are ignored. */
  readonly cluster: string
  readonly keyring: Keyring
  /** Discovery group; null for none. */
  readonly multicast: Endpoint | null
  readonly seeds: readonly Endpoint[]
  readonly nodeId: NodeId
  readonly random: Random
  readonly logger: MeshLogger
  /** Fault injection: what comes from a sender for whom this is false is lost. Everything is heard without it. */
  readonly hears?: (from: Address) => boolean
}

export interface MeshCounters extends UdpCounters, BulkCounters {
  readonly drops: Readonly<Record<DropCause, number>>
  /** Times that so many members died at once that the network is the likelier cause. */
  readonly partitionsSuspected: number
}

type Listener = (from: Address, bytes: Uint8Array) => void

/** Joins membership, discovery and transports to one socket and one seal. Made by `createMesh`. */
export class Mesh {
  /** Host by which peers reach this node, for the URL that `start` wants. */
  readonly advertisedHost: string
  readonly address: Address
  readonly #options: MeshOptions
  readonly #socket: UdpSocket
  readonly #drops = new Drops()
  readonly #seal: Seal
  readonly #bulk: BulkTransport
  readonly #membership: SwimMembership
  readonly #partitions = new PartitionWatch()
  readonly #packetListeners: Listener[] = []
  readonly #bulkListeners: Listener[] = []
  #multicast: MulticastDiscovery | null = null
  #seeds: SeedDiscovery | null = null
  #listening = false
  #twinReported = false

  constructor(options: MeshOptions, socket: UdpSocket) {
    const { nodeId: id, random, cluster, keyring } = options
    this.#options = options
    this.#socket = socket
    this.advertisedHost = advertisedHost(options.host, options.advertise)
    this.address = formatAddress({ host: this.advertisedHost, port: socket.port })
    const { address } = this
    const drops = this.#drops
    this.#seal = new Seal({ cluster, keyring, address, bodyBytesMax: packetBytesMax, drops })
    this.#membership = new SwimMembership({
      id,
      address,
      incarnation: Math.floor(Date.now() / 1_000),
      random,
      drops,
      sendSwim: (to, bytes) => this.#send('swim', to, bytes),
      sendHello: (to, bytes) => this.#send('hello', to, bytes),
      announce: () => this.#multicast?.announce(),
    })
    this.#bulk = new BulkTransport({
      seal: new Seal({ cluster, keyring, address, bodyBytesMax: bulkFrameBytesMax, drops }),
      drops,
      urlOf: (to) => this.#membership.find(to)?.url,
    })
    this.#membership.onMember(({ type }) => {
      if (type === 'down') this.#partitions.onDeath(performance.now(), this.#membership.liveCount + 1)
    })
    socket.onDatagram((datagram) => this.#onDatagram(datagram, 'us'))
  }

  get membership(): Membership {
    return this.#membership
  }

  /** True when all peers are gone and not all of them said goodbye: this node may be cut off. */
  isolated(): boolean {
    return this.#membership.isolated()
  }

  /** Appears in the mesh. `url` is the base URL of this node's HTTP API as peers reach it. */
  async start(url: string): Promise<void> {
    const { multicast, seeds, random, logger, host } = this.#options
    this.#membership.start(new URL(url).origin)
    this.#listening = true
    if (multicast !== null) {
      this.#multicast = await startMulticastDiscovery({
        group: multicast,
        interfaces: multicastInterfaces(host),
        random,
        logger,
        announcement: () => this.#seal.seal('hello', this.#membership.hello())!,
        memberCount: () => this.#membership.members().length,
        onDatagram: (datagram) => this.#onDatagram(datagram, 'group'),
      })
    }
    if (seeds.length > 0) {
      const isLive = (address: Address) => address === this.address || this.#membership.isLive(address)
      const join = (addresses: readonly Address[]) => this.#membership.join(addresses)
      const family = host.includes(':') ? 6 : 4
      this.#seeds = startSeedDiscovery({ seeds, family, random, logger, isLive, join })
    }
  }

  /** Says goodbye and closes the socket. */
  async stop(): Promise<void> {
    this.#seeds?.stop()
    await this.#multicast?.stop()
    // Deaf first: whoever asked now would hear that we are here after we have said goodbye.
    this.#listening = false
    await this.#membership.leave()
    this.#bulk.stop()
    await this.#socket.close()
  }

  /** Best effort; a packet above `packetBytesMax` is dropped and counted. */
  sendPacket(to: Address, packet: Uint8Array): void {
    this.#send('replica', to, packet)
  }

  /** In order and whole while the connection lasts, or not at all. */
  sendBulk(to: Address, frame: Uint8Array): void {
    this.#bulk.send(to, frame)
  }

  onPacket(listener: Listener): void {
    this.#packetListeners.push(listener)
  }

  onBulk(listener: Listener): void {
    this.#bulkListeners.push(listener)
  }

  /** For the route `POST /mesh/bulk`. False: not an envelope of a peer of this mesh, and nothing was done. */
  receiveBulk(body: Uint8Array): boolean {
    const opened = this.#bulk.open(body)
    if (opened === null || !this.#hears(opened.from)) return false
    for (const listener of this.#bulkListeners) listener(opened.from, opened.frame)
    return true
  }

  counters(): MeshCounters {
    const partitionsSuspected = this.#partitions.suspected
    return { ...this.#socket.counters(), ...this.#bulk.counters(), partitionsSuspected, drops: this.#drops.counts() }
  }

  #send(channel: 'swim' | 'replica' | 'hello', to: Address, body: Uint8Array): void {
    const datagram = this.#seal.seal(channel, body)
    if (datagram !== null) this.#socket.send(to, datagram)
  }

  #hears(from: Address): boolean {
    if (from === this.address) {
      this.#reportTwin()
      return false
    }
    return this.#options.hears?.(from) ?? true
  }

  /** Our own echo does not come so far: this is another process, and its words are not to be taken for ours. */
  #reportTwin(): void {
    if (this.#twinReported) return
    this.#twinReported = true
    const message =
      'another process advertises the address of this node and is ignored; check --advertise and --mesh-port'
    this.#options.logger.warn({ address: this.address }, message)
  }

  #onDatagram(datagram: Uint8Array, to: 'group' | 'us'): void {
    const opened = this.#listening ? this.#seal.open(datagram) : null
    if (opened === null || !this.#hears(opened.from)) return
    const { channel, from, body } = opened
    if (channel === 'hello') {
      const hello = decodeHello(body)
      if (hello === null) this.#drops.count('malformed')
      else this.#membership.onHello(from, hello, to)
    } else if (to === 'group' || channel === 'bulk') {
      this.#drops.count('malformed')
    } else if (channel === 'swim') {
      this.#membership.onSwim(from, body)
    } else {
      for (const listener of this.#packetListeners) listener(from, body)
    }
  }
}

/** Binds the mesh port. Rejects with the system's error when it cannot. Silent and deaf until `start`. */
export async function createMesh(options: MeshOptions): Promise<Mesh> {
  return new Mesh(options, await openUdpSocket(options))
}
