import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { pino } from 'pino'
import type { Now } from '../../../src/base/clock.ts'
import type { RegisterChange } from '../../../src/crdt/register.ts'
import { noStamp } from '../../../src/crdt/stamp.ts'
import { createMesh } from '../../../src/mesh/mesh.ts'
import type { Replica } from '../../../src/replica/ports.ts'
import { createReplica } from '../../../src/replica/replica.ts'
import { replicaEffects } from '../../../src/replica-effects.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'

/** A member of a mesh that writes registers as they are: what a faulty, newer or hostile node might send its peers. */
export interface RawPeer {
  readonly replica: Replica
  /** Writes registers, whatever they say. */
  write(changes: readonly RegisterChange[]): void
  /** Leaves; asked again, it waits for the same. */
  stop(): Promise<void>
}

const random = { uint32: () => randomBytes(4).readUInt32LE() }
const now = (): Now => ({ monotonicMs: performance.now(), wallMs: Date.now() })

/** Joins the mesh of this name on loopback, by multicast on the default group. */
export async function startRawPeer(cluster: string): Promise<RawPeer> {
  const id = randomBytes(8).toString('hex')
  const mesh = await createMesh({
    host: '127.0.0.1',
    port: 0,
    portFixed: true,
    advertise: null,
    cluster,
    keyring: [],
    multicast: { host: '239.255.70.71', port: 7947 },
    seeds: [],
    nodeId: id,
    random,
    logger: pino({ level: 'silent' }),
  })
  const effects = replicaEffects({
    mesh,
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
  let stopped: Promise<void> | undefined
  async function stop(): Promise<void> {
    await mesh.stop()
    server.closeAllConnections()
    server.close()
  }
  return {
    replica,
    write: (changes) => void replica.write(now(), changes),
    stop: () => (stopped ??= stop()),
  }
}
