import type { KeyObject } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { bulkFrameBytesMax } from '../../src/base/limits.ts'
import { parseFlag } from '../../src/evaluation/parse.ts'
import { splitFlag } from '../../src/evaluation/registers.ts'
import { Drops } from '../../src/mesh/drops.ts'
import { Seal } from '../../src/mesh/seal.ts'
import { ask } from '../../test/e2e/harness/api.ts'
import type { NodeProcess } from '../../test/e2e/harness/launch.ts'
import { type RawPeer, startRawPeer } from '../../test/e2e/harness/raw-peer.ts'
import { until } from '../../test/e2e/harness/until.ts'

/** What a real peer has sent a real node: the node has taken all that is in it. */
export interface Traffic {
  readonly peer: RawPeer
  readonly datagrams: readonly Uint8Array[]
  /** Bodies of its bulk requests before they were sealed. */
  readonly frames: readonly Uint8Array[]
}

/** Envelopes and frames kept: enough of each kind, and little memory. */
const datagramsMax = 2_000
const framesMax = 500
/** What a conversation holds at least before it is worth garbling. */
const datagramsMin = 60
const framesMin = 3

/**
 * A peer joins the node's mesh and they talk: of flags small and large, new, changed and deleted, written on either side, some to be
 * acknowledged. Resolves once both hold the same.
 */
export async function recordTraffic(
  node: NodeProcess,
  cluster: string,
  keyring: readonly KeyObject[],
): Promise<Traffic> {
  const datagrams: Uint8Array[] = []
  const frames: Uint8Array[] = []
  const keep = (kept: Uint8Array[], max: number) => (bytes: Uint8Array) => {
    if (kept.length < max) kept.push(Buffer.from(bytes))
  }
  for (let i = 0; i < 5; i++)
    await write(node, 'POST', '/flags', { key: `theirs-${i}`, description: 'x'.repeat(3_000) })
  const onDatagram = keep(datagrams, datagramsMax)
  const onFrame = keep(frames, framesMax)
  const peer = await startRawPeer(cluster, { keyring, join: meshAddressOf(node), onDatagram, onFrame })
  await agreement(node, peer)
  for (let i = 0; datagrams.length < datagramsMin || frames.length < framesMin || i < 10; i++) {
    // Every third flag does not fit a packet, and is announced and pulled.
    const more = i % 3 === 0 ? { description: 'y'.repeat(2_000) } : {}
    peer.write(
      splitFlag(parseFlag('default', { key: `ours-${i % 10}`, ...more }), { birth: '', ended: '', by: 'the fuzzer' }),
    )
    if (i % 5 === 0) peer.write([{ key: `flag|default|gone-${i}|definition`, value: null }])
    await write(node, 'PATCH', `/flags/theirs-${i % 5}?ack=one`, { description: `changed ${i}` })
    await delay(20)
  }
  await agreement(node, peer)
  return { peer, datagrams, frames }
}

/** The address by which the node's peers reach it. */
export function meshAddressOf(node: NodeProcess): string {
  const listening = node.log.find(({ msg }) => msg === 'listening')
  if (typeof listening?.mesh !== 'string') throw new Error('the node does not say where it listens')
  return listening.mesh
}

/** Waits until the node holds what the peer holds; gives the root. */
export function agreement(node: NodeProcess, { replica }: RawPeer): Promise<string> {
  return until('the node and its peer hold the same', async () => {
    const answer = await ask(node, 'GET', '/health')
    return answer?.body.root === replica.root() ? replica.root() : null
  })
}

/** Opens envelopes that others made; each of these forgets at once what it has seen, so that nothing is a replay to it. */
export function openEnvelope(
  bytes: Uint8Array,
  cluster: string,
  keyring: readonly KeyObject[],
): ReturnType<Seal['open']> {
  const options = { cluster, keyring, address: '127.0.0.1:1', bodyBytesMax: bulkFrameBytesMax, drops: new Drops() }
  return new Seal(options).open(bytes)
}

async function write(node: NodeProcess, method: string, path: string, body: object): Promise<void> {
  const answer = await ask(node, method, path, body)
  if (answer === null || answer.status >= 300) throw new Error(`${method} ${path} was answered ${answer?.status}`)
}
