import { beforeEach, expect, test } from 'vitest'
import { convergence } from './harness/api.ts'
import { makeDirectory, type NodeProcess, startNode, uniqueCluster } from './harness/node-process.ts'

let nodes: NodeProcess[]

beforeEach(async () => {
  const cluster = uniqueCluster()
  nodes = await Promise.all([0, 1, 2].map(() => startNode({ dataDir: makeDirectory(), cluster })))
  await convergence(nodes)
})

function request(index: number, method: string, path: string, body?: object, headers = {}): Promise<Response> {
  const json = body === undefined ? {} : { body: JSON.stringify(body) }
  const url = `${(nodes[index] as NodeProcess).url}/api/v1${path}`
  return fetch(url, { method, headers: { 'content-type': 'application/json', ...headers }, ...json })
}

function minVersion(key: string, version: string): object {
  return { 'flags-min-version': `${key}=${version}` }
}

test('a writer who asks is told how many nodes have the write on disk, also when one of them stands still', async () => {
  const all = await request(0, 'POST', '/flags?ack=all&timeoutMs=10000', { key: 'asked' })
  expect([all.status, all.headers.get('flags-replicated')]).toEqual([201, '3/3'])
  process.kill((nodes[2] as NodeProcess).pid, 'SIGSTOP')
  const majority = await request(0, 'PATCH', '/flags/asked?ack=majority&timeoutMs=10000', { description: 'second' })
  expect([majority.status, majority.headers.get('flags-replicated')]).toEqual([200, '2/3'])
  const late = await request(0, 'PATCH', '/flags/asked?ack=all&timeoutMs=300', { description: 'third' })
  expect([late.status, late.headers.get('flags-replicated')]).toEqual([200, '2/3'])
  process.kill((nodes[2] as NodeProcess).pid, 'SIGCONT')
})

test('whoever wrote at one node reads that write at any other, or is told that it is not there yet', async () => {
  expect((await request(0, 'POST', '/flags', { key: 'mine', description: '0' })).status).toBe(201)
  let fresh = 0
  for (let round = 1; round <= 20; round++) {
    const written = await request(round % 3, 'PATCH', '/flags/mine', { description: String(round) })
    const version = written.headers.get('etag')?.replaceAll('"', '') ?? ''
    const read = await request((round + 1) % 3, 'GET', '/flags/mine', undefined, minVersion('mine', version))
    const { description } = (await read.json()) as { description: string }
    if (read.headers.get('flags-stale') !== null) continue
    expect(description).toBe(String(round))
    fresh++
  }
  expect(fresh).toBeGreaterThan(0)
  // A version that nobody has.
  const unknown = await request(1, 'GET', '/flags/mine', undefined, minVersion('mine', 'f'.repeat(32)))
  expect([unknown.status, unknown.headers.get('flags-stale')]).toEqual([200, 'true'])
})
