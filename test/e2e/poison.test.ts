import { setTimeout as delay } from 'node:timers/promises'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { flagBytesMax, registerValueBytesMax } from '../../src/base/limits.ts'
import { parseFlag } from '../../src/evaluation/parse.ts'
import { splitFlag } from '../../src/evaluation/registers.ts'
import { ask, convergence, metric, rootOf } from './harness/api.ts'
import { startEvaluations } from './harness/evaluation-load.ts'
import { makeDirectory, type NodeProcess, startNode, uniqueCluster } from './harness/node-process.ts'
import { type RawPeer, startRawPeer } from './harness/raw-peer.ts'
import { until } from './harness/until.ts'

/** What a node may take more of after a flood than before; a leak of what flowed through would be several times as much. */
const growthBytesMax = 150 * 1024 * 1024

let cluster: string
let nodes: NodeProcess[]

beforeEach(() => {
  cluster = uniqueCluster()
})

async function start(): Promise<void> {
  nodes = await Promise.all([0, 1, 2].map(() => startNode({ dataDir: makeDirectory(), cluster })))
  await convergence(nodes)
  expect((await ask(node(0), 'POST', '/flags', { key: 'sound', enabled: true }))?.status).toBe(201)
  await convergence(nodes)
}

async function startPeer(): Promise<RawPeer> {
  const peer = await startRawPeer(cluster)
  onTestFinished(() => peer.stop())
  await until('the peer has met all', async () => (peer.replica.peers().length === nodes.length ? true : null))
  await agreement(peer)
  return peer
}

function node(index: number): NodeProcess {
  return nodes[index] as NodeProcess
}

/** Waits until every node holds what the peer holds. */
function agreement(peer: RawPeer): Promise<true> {
  return until('all have what the peer wrote', async () => {
    const roots = new Set(await Promise.all(nodes.map(rootOf)))
    return roots.size === 1 && roots.has(peer.replica.root()) ? true : null
  })
}

async function evaluations(key: string): Promise<unknown[]> {
  const answers = await Promise.all(
    nodes.map((one) => ask(one, 'POST', '/evaluate', { flagKey: key, default: 'none' })),
  )
  return answers.map((answer) => answer?.body)
}

function residentBytes(): Promise<number[]> {
  return Promise.all(nodes.map((one) => metric(one, 'process_resident_memory_bytes')))
}

function registersOf(key: string, more: object = {}): { key: string; value: Uint8Array | null }[] {
  const flag = parseFlag('default', { key, enabled: true, ...more })
  return splitFlag(flag, { birth: '', ended: '', by: 'a test' })
}

/** The registers of a flag, the one of this part holding something else. */
function poisoned(key: string, part: string, value: string | Uint8Array): { key: string; value: Uint8Array | null }[] {
  return registersOf(key).map((register) =>
    register.key.includes(`|${part}`) ? { ...register, value: Buffer.from(value) } : register,
  )
}

function envelope(data: unknown, schema = 1): string {
  return JSON.stringify({ schema, birth: '', ended: '', data })
}

test('what makes no sense costs its own flag, the same on every node, and stops none', async () => {
  await start()
  const peer = await startPeer()
  const deep = '['.repeat(10_000) + ']'.repeat(10_000)
  const poison = {
    'no-json': poisoned('no-json', 'definition', Buffer.from([0xff, 0xfe, 0x00, 0x80])),
    'no-register': poisoned('no-register', 'definition', '"hello"'),
    'wrong-shape': poisoned('wrong-shape', 'definition', envelope({ type: 7, variations: 'on' })),
    'too-deep': poisoned('too-deep', 'targeting|default', envelope(JSON.parse(`{"rules":${deep}}`))),
    'lost-variation': poisoned('lost-variation', 'targeting|default', envelope({ fallthrough: { variation: 'gone' } })),
    'bad-pattern': poisoned(
      'bad-pattern',
      'targeting|default',
      envelope({
        rules: [{ id: 'r', if: { attribute: 'a', op: 'matches', values: ['(?<=x)('] }, serve: { variation: 'on' } }],
      }),
    ),
    huge: poisoned('huge', 'definition', Buffer.alloc(registerValueBytesMax, 0x7b)),
  }
  const load = startEvaluations(nodes, 'sound')
  for (const registers of Object.values(poison)) peer.write(registers)
  peer.write([
    { key: 'flag|default', value: Buffer.from('x') },
    { key: '\u0000|||', value: Buffer.from('{}') },
  ])
  await agreement(peer)

  for (const key of Object.keys(poison)) {
    const [first, ...others] = await evaluations(key)
    expect(first).toMatchObject({ value: 'none' })
    for (const other of others) expect(other).toEqual(first)
  }
  for (const one of nodes) expect(await metric(one, 'flags_ruleset_faults')).toBeGreaterThanOrEqual(5)
  for (const answer of await evaluations('sound')) expect(answer).toMatchObject({ value: true, reason: 'STATIC' })
  expect((await load.stop()).failures).toEqual([])
  // And whoever owns the flag can mend it.
  const mended = await ask(node(1), 'PUT', '/flags/wrong-shape', { key: 'wrong-shape', enabled: true })
  expect([200, 201]).toContain(mended?.status)
  await agreement(peer)
  for (const answer of await evaluations('wrong-shape')) expect(answer).toMatchObject({ value: true, reason: 'STATIC' })
})

test('a register of a newer schema is passed on as it is, and nodes answer from the last form that they understood', async () => {
  await start()
  expect((await ask(node(0), 'POST', '/flags', { key: 'upgraded', enabled: true }))?.status).toBe(201)
  const peer = await startPeer()
  const newer = Buffer.from(envelope({ type: 'quantum', superpositions: [] }, 2))
  peer.write([{ key: 'flag|default|upgraded|definition', value: newer }])
  await agreement(peer)
  for (const answer of await evaluations('upgraded')) expect(answer).toMatchObject({ value: true, reason: 'STATIC' })
  // Whoever comes later gets it byte for byte from those who do not understand it.
  await peer.stop()
  const late = await startRawPeer(cluster)
  onTestFinished(() => late.stop())
  await until('the later peer has it', async () =>
    Buffer.from(late.replica.get('flag|default|upgraded|definition')?.value ?? []).equals(newer) ? true : null,
  )
})

test('flags of 64 KiB spread, and evaluation goes on', async () => {
  await start()
  const load = startEvaluations(nodes, 'sound')
  const large = { key: 'large', variations: { on: 'x'.repeat(flagBytesMax - 1_000), off: '' }, type: 'string' }
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, i) => ask(node(i % 3), 'POST', '/flags', { ...large, key: `large-${i}` })),
  )
  expect(answers.map((answer) => answer?.status)).toEqual(Array.from({ length: 30 }, () => 201))
  expect((await ask(node(0), 'POST', '/flags', { ...large, owner: 'x'.repeat(2_000) }))?.status).toBe(400)
  await convergence(nodes)
  for (const one of nodes) expect(await metric(one, 'flags_ruleset_flags')).toBe(31)
  expect((await load.stop()).failures).toEqual([])
})

test('10,000 flags at once reach every node while all evaluate', async () => {
  await start()
  const load = startEvaluations(nodes, 'sound')
  const flags = Array.from({ length: 10_000 }, (_, i) => ({ key: `flag-${i}`, rolloutPercentage: i % 100 }))
  expect((await ask(node(0), 'POST', '/import', { flags, segments: [] }))?.status).toBe(200)
  await until('all roots are equal', async () => {
    const roots = new Set(await Promise.all(nodes.map(rootOf)))
    return roots.size === 1 ? true : null
  })
  for (const one of nodes) expect(await metric(one, 'flags_ruleset_flags')).toBe(10_001)
  expect((await load.stop()).failures).toEqual([])
})

test('a flag that changes 1,000 times a second costs no evaluation, and memory only while it lasts', async () => {
  await start()
  const peer = await startPeer()
  peer.write(registersOf('hot'))
  await agreement(peer)
  const before = await residentBytes()
  const packetsBefore = await Promise.all(nodes.map((one) => metric(one, 'flags_replica_packets_sent_total')))
  const load = startEvaluations(nodes, 'sound')
  const startedMs = performance.now()
  let written = 0
  for (const endMs = startedMs + 5_000; performance.now() < endMs; ) {
    // What a pause of 10 ms has let wait is made up for at once.
    while (written < performance.now() - startedMs) {
      const value = Buffer.from(envelope({ enabled: written++ % 2 === 0 }))
      peer.write([{ key: 'flag|default|hot|switch|default', value }])
    }
    await delay(10)
  }
  expect(written).toBeGreaterThan(4_500)
  await agreement(peer)
  expect((await load.stop()).failures).toEqual([])
  const hot = await evaluations('hot')
  expect(new Set(hot.map((answer) => JSON.stringify(answer))).size).toBe(1)
  // Newer values take the place of older ones on their way: far fewer packets than changes times peers.
  const packets = await Promise.all(nodes.map((one) => metric(one, 'flags_replica_packets_sent_total')))
  for (const [i, sent] of packets.entries()) expect(sent - (packetsBefore[i] ?? 0)).toBeLessThan(written)
  const after = await residentBytes()
  for (const [i, bytes] of after.entries()) expect(bytes - (before[i] ?? 0)).toBeLessThan(growthBytesMax)
})
