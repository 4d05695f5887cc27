import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type NodeProcess, spawnMain, whenReady } from '../test/e2e/harness/launch.ts'

/**
 * How soon a revoked API key fails on every node: real processes, one key after another made at one node and revoked at the next,
 * all nodes asked without pause until each has refused it. `node bench/revocation.ts [--nodes 5] [--keys 50]`
 */

const adminKey = 'an-admin-key-for-the-bench'
const goalMs = 1_000

const { values } = parseArgs({
  options: { nodes: { type: 'string', default: '5' }, keys: { type: 'string', default: '50' } },
})
const [nodesCount, keysCount] = [Number(values.nodes), Number(values.keys)]

const cluster = `bench-${process.pid}`
const args = ['--host', '127.0.0.1', '--port', '0', '--mesh-port', '0', '--data-dir', ':memory:', '--cluster', cluster]
const env = { FLAGS_ADMIN_KEY: adminKey, FLAGS_MESH_KEY: randomBytes(32).toString('base64'), FLAGS_RATE_LIMIT: '0' }
const nodes = await Promise.all(
  Array.from({ length: nodesCount }, () => whenReady(spawnMain([...args, '--log-level', 'info'], { env }))),
)
const timesMs: number[] = []
try {
  for (const node of nodes) await until(async () => (await membersOf(node)) === nodesCount)
  for (let i = 0; i < keysCount; i++) timesMs.push(await revokeOne(i))
} finally {
  await Promise.all(nodes.map((node) => node.end('SIGTERM')))
}
report()

/** Milliseconds from sending the revocation until the last node has refused the key. */
async function revokeOne(turn: number): Promise<number> {
  const [maker, revoker] = [nodes[turn % nodesCount], nodes[(turn + 1) % nodesCount]] as [NodeProcess, NodeProcess]
  const made = await fetch(`${maker.url}/keys`, {
    method: 'POST',
    headers: { 'x-api-key': adminKey, 'content-type': 'application/json' },
    body: JSON.stringify({ name: `key ${turn}`, role: 'read' }),
  })
  const { id, secret } = (await made.json()) as { id: string; secret: string }
  for (const node of nodes) await until(async () => (await statusOf(node, secret)) === 200)
  const sentMs = performance.now()
  const revoked = await fetch(`${revoker.url}/keys/${id}`, { method: 'DELETE', headers: { 'x-api-key': adminKey } })
  if (!revoked.ok) throw new Error(`key ${turn} was not revoked: ${revoked.status}`)
  await Promise.all(nodes.map((node) => until(async () => (await statusOf(node, secret)) === 401)))
  return performance.now() - sentMs
}

async function statusOf(node: NodeProcess, key: string): Promise<number> {
  const answer = await fetch(`${node.url}/flags?limit=1`, { headers: { 'x-api-key': key } })
  await answer.arrayBuffer()
  return answer.status
}

async function membersOf(node: NodeProcess): Promise<number> {
  const answer = await fetch(`${node.url}/mesh`, { headers: { 'x-api-key': adminKey } })
  const { members } = (await answer.json()) as { members: { state: string }[] }
  return members.filter(({ state }) => state === 'alive').length
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 30_000
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error('it did not come to be in 30 s')
    await delay(1)
  }
}

function report(): void {
  const sorted = timesMs.sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
  const result = { nodes: nodesCount, keys: keysCount, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1), goalMs }
  console.table(result)
  const folder = new URL('results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL('revocation.json', folder), `${JSON.stringify(result, null, 2)}\n`)
  if (result.maxMs > goalMs) process.exitCode = 1
}
