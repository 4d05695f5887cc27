import { createSecretKey } from 'node:crypto'
import { seededRandom } from '../../src/base/random.ts'
import { type NodeProcess, spawnMain, whenReady } from '../../test/e2e/harness/launch.ts'
import { Inputs } from './inputs.ts'
import { randomBuffer } from './mutate.ts'
import { PacedSocket } from './paced-socket.ts'
import { Storm, type WireFuzzReport } from './storm.ts'
import { meshAddressOf, recordTraffic, type Traffic } from './traffic.ts'

export interface WireFuzzOptions {
  /** Datagrams that must reach the node. */
  readonly datagrams: number
  /** Bulk bodies that the node must have answered. */
  readonly bodies: number
  readonly seed: number
  /** Whether the mesh has a key. */
  readonly keyed: boolean
  /** Hears one line now and then. */
  readonly log: (line: string) => void
}

/**
 * The heap that the node may have, twice what it needs. V8 collects before it takes more than that, so what is left grows only by what is
 * held on to; and whoever holds on to a twentieth of the inputs ends with it.
 */
const heapMegabytesMax = 64

/** Throws inputs at a node that has one peer, and sees that nothing comes of it but counted drops. */
export async function fuzzWire({ datagrams, bodies, seed, keyed, log }: WireFuzzOptions): Promise<WireFuzzReport> {
  const random = seededRandom(seed)
  const cluster = `fuzz-${process.pid}-${keyed ? 'keyed' : 'open'}`
  const key = randomBuffer(random, 32)
  const keyring = keyed ? [createSecretKey(key)] : []
  const node = await start(cluster, keyed ? ['--mesh-key', key.toString('base64')] : [])
  let traffic: Traffic | undefined
  let socket: PacedSocket | undefined
  try {
    traffic = await recordTraffic(node, cluster, keyring)
    socket = await PacedSocket.open(meshAddressOf(node), cluster, keyring)
    const inputs = new Inputs({ random, cluster, keyring, traffic })
    return await new Storm({ node, peer: traffic.peer, socket, inputs, datagrams, bodies, log }).run()
  } finally {
    socket?.close()
    await traffic?.peer.stop()
    await node.end('SIGKILL')
  }
}

function start(cluster: string, more: readonly string[]): Promise<NodeProcess> {
  const place = [
    '--host',
    '127.0.0.1',
    '--port',
    '0',
    '--mesh-port',
    '0',
    '--multicast',
    'off',
    '--data-dir',
    ':memory:',
  ]
  return whenReady(
    spawnMain([...place, '--cluster', cluster, ...more], {
      env: { NODE_OPTIONS: `--max-old-space-size=${heapMegabytesMax}` },
    }),
  )
}
