import { randomBytes } from 'node:crypto'
import { request } from 'node:https'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { NodeProcess } from '../e2e/harness/launch.ts'
import { startNode, uniqueCluster } from '../e2e/harness/node-process.ts'
import { until } from '../e2e/harness/until.ts'

const adminKey = 'an-admin-key-for-tests'

interface Answer {
  readonly status: number | undefined
  readonly body: string
}

function ask(node: NodeProcess, method: string, path: string, key: string, body?: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { 'x-api-key': key, ...(body && { 'content-type': 'application/json' }) }
    const asked = request(node.url + path, { method, headers, rejectUnauthorized: false })
    asked.on('error', reject)
    asked.on('response', async (response) => {
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk as Buffer)
      resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString() })
    })
    asked.end(body && JSON.stringify(body))
  })
}

test('nodes with certificates of nobody that anyone knows share flags, keys and revocations over TLS', async () => {
  const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}.pem`, import.meta.url))
  const cluster = uniqueCluster()
  const args = ['--tls-cert', fixture('first.cert'), '--tls-key', fixture('first.key')]
  const env = {
    FLAGS_MESH_KEY: randomBytes(32).toString('base64'),
    FLAGS_ADMIN_KEY: adminKey,
    FLAGS_LOG_LEVEL: 'debug',
  }
  const start = () => startNode({ dataDir: ':memory:', cluster, args, env })
  const nodes = (await Promise.all([start(), start(), start()])) as [NodeProcess, NodeProcess, NodeProcess]
  const [first, , last] = nodes
  expect(first.url).toMatch(/^https:/)

  // More than a datagram holds, so that it travels between the nodes as a sealed body over HTTPS.
  const large = { key: 'large', description: randomBytes(2_000).toString('hex') }
  const made = await ask(first, 'POST', '/flags', adminKey, large)
  expect(made.status).toBe(201)
  const { secret, id } = JSON.parse((await ask(first, 'POST', '/keys', adminKey, { name: 'ci', role: 'read' })).body)
  for (const node of nodes) {
    await until('the node has the key and the flag', async () => {
      const answer = await ask(node, 'GET', '/flags/large', secret)
      return answer.status === 200 && answer.body.includes(large.description) ? true : null
    })
  }
  expect((await ask(last, 'DELETE', `/keys/${id}`, adminKey)).status).toBe(204)
  for (const node of nodes) {
    await until('the key is in force no more', async () =>
      (await ask(node, 'GET', '/flags/large', secret)).status === 401 ? true : null,
    )
  }

  const { entries } = JSON.parse((await ask(first, 'GET', '/audit?key=large', adminKey)).body)
  const arrived = last.log.find((line) => line.msg === 'change arrived' && line.key === 'large')
  expect(arrived).toMatchObject({ reqId: entries[0].requestId, change: 'created', kind: 'flag' })
  for (const node of nodes) {
    for (const hidden of [adminKey, secret, env.FLAGS_MESH_KEY]) expect(JSON.stringify(node.log)).not.toContain(hidden)
  }
})
