import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { pino } from 'pino'
import type { Now } from '../../../src/base/clock.ts'
import type { RegisterChange } from '../../../src/crdt/register.ts'
import { noStamp } from '../../../src/crdt/stamp.ts'
import type { Keyring } from '../../../src/mesh/keyring.ts'
import { Mesh } from '../../../src/mesh/mesh.ts'
import { openUdpSocket, type UdpSocket } from '../../../src/mesh/udp-socket.ts'
import type { Address, Replica } from '../../../src/replica/ports.ts'
import { createReplica } from '../../../src/replica/replica.ts'
import { replicaEffects } from '../../../src/replica-effects.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'

/** A member of a mesh that writes registers as they are: what a faulty, newer or hostile node might send its peers. */
export interface RawPeer {
  readonly replica: Replica
  readonly mesh: Mesh
  /** Writes registers, whatever they say. */
  write(changes: readonly RegisterChange[]): void
  /** Leaves; asked again, it waits for the same. */
  stop(): Promise<void>
}

export interface RawPeerOptions {
  readonly keyring?: Keyring
  /** Whom to join, by multicast turned off; without it, everybody on the default group. */
  readonly join?: Address
  /** Hears each datagram as it goes out on the wire. */
  readonly onDatagram?: (datagram: Uint8Array) => void
  /** Hears each bulk frame before it is sealed. */
  readonly onFrame?: (frame: Uint8Array) => void
}

const random = { uint32: () => randomBytes(4).readUInt32LE() }
const now = (): Now => ({ monotonicMs: performance.now(), wallMs: Date.now() })

/** Joins the mesh of this name on loopback. */
export async function startRawPeer(cluster: string, options: RawPeerOptions = {}): Promise<RawPeer> {
  const { keyring = [], join, onDatagram = () => undefined, onFrame = () => undefined } = options
  const id = randomBytes(8).toString('hex')
  const socket = await openUdpSocket({ host: '127.0.0.1', port: 0, portFixed: true })
  const settings = {
    host: '127.0.0.1',
    port: 0,
    portFixed: true,
    advertise: null,
    cluster,
    keyring,
    multicast: join === undefined ? { host: '239.255.70.71', port: 7947 } : null,
    seeds: [],
    nodeId: id,
    random,
    logger: pino({ level: 'silent' }),
  }
  const mesh = new Mesh(settings, tapped(socket, onDatagram))
  const sendBulk = (to: Address, frame: Uint8Array) => {
    onFrame(frame)
    mesh.sendBulk(to, frame)
  }
  const effects = replicaEffects({
    mesh: { sendPacket: (to, packet) => mesh.sendPacket(to, packet), sendBulk },
    store: new MemoryStore(),
    now,
    replica: () => replica,
    onEvent: () => undefined,
    onForgotten: () => undefined,
    onFailure: () => undefined,
  })
  const replica: Replica = createReplica({ self: mesh.address, id, random, effects })
  replica.start(now(), { records: [], notes: { issued: noStamp, lastContactWallMs: 0 } })
  const server = createServer(async (request, response) => {
    response.writeHead(mesh.receiveBulk(await buffer(request)) ? 204 : 400).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  mesh.onPacket((from, packet) => replica.onPacket(now(), from, packet))
  mesh.onBulk((from, frame) => replica.onBulk(now(), from, frame))
  mesh.membership.onMember((event) => replica.onMember(now(), event))
  await mesh.start(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  if (join !== undefined) mesh.membership.join([join])
  let stopped: Promise<void> | undefined
  async function stop(): Promise<void> {
    await mesh.stop()
    server.closeAllConnections()
    server.close()
  }
  return {
    replica,
    mesh,
    write: (changes) => void replica.write(now(), changes),
    stop: () => (stopped ??= stop()),
  }
}

function tapped(socket: UdpSocket, onDatagram: (datagram: Uint8Array) => void): UdpSocket {
  return {
    ...socket,
    send(to, datagram) {
      onDatagram(datagram)
      socket.send(to, datagram)
    },
  }
}
