import { randomInt } from 'node:crypto'
import { Agent, request } from 'node:http'
import { parseArgs } from 'node:util'
import { seededRandom } from '../src/base/random.ts'
import { type NodeProcess, spawnMain, whenReady } from '../test/e2e/harness/launch.ts'
import { type Metrics, metricsOf, sampleOf } from '../test/e2e/harness/metrics.ts'
import { type OpenApi, readOpenApi } from '../test/http/openapi-document.ts'
import { type FuzzedRequest, fuzzRequests } from '../test/http/openapi-fuzz.ts'

/**
 * Sends requests made from the OpenAPI document to a real node, over sockets, and wants of each that it is answered in time, as
 * documented, and without a 5xx. `npm run fuzz:http -- [--requests 100000] [--seed N] [--parallel 16]`
 */

const answerTimeoutMs = 10_000

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(randomInt(2 ** 32)) },
    parallel: { type: 'string', default: '16' },
  },
})
const [requestsCount, seed, parallel] = [Number(values.requests), Number(values.seed), Number(values.parallel)]
console.log(`npm run fuzz:http -- --requests ${requestsCount} --seed ${seed}`)

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}

const agent = new Agent({ keepAlive: true, maxSockets: parallel })
const args = ['--host', '127.0.0.1', '--port', '0', '--mesh-port', '0', '--data-dir', ':memory:', '--multicast', 'off']
const node = await whenReady(spawnMain(args))
const statuses = new Map<number, number>()
const faults: string[] = []
try {
  await run()
} finally {
  await node.end('SIGTERM')
  agent.destroy()
}

async function run(): Promise<void> {
  const document = await fetch(`${node.url}/openapi.json`)
  const api = readOpenApi(await document.text())
  const requests = fuzzRequests(api, seededRandom(seed))
  const before = await metricsOf(node.url)
  let sent = 0
  const worker = async () => {
    while (sent < requestsCount && faults.length < 10) {
      const number = ++sent
      await check(api, requests.next().value)
      if (number % 10_000 === 0) console.log(`${number} requests, ${megabytes(await metricsOf(node.url))} MB`)
    }
  }
  await Promise.all(Array.from({ length: parallel }, worker))
  report(sent, before, await metricsOf(node.url))
}

async function check(api: OpenApi, fuzzed: FuzzedRequest): Promise<void> {
  const { operation, url, headers, body } = fuzzed
  const answer = await send(node, fuzzed).catch((error: Error) => ({ status: 0, type: '', body: error.message }))
  statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
  const streams = operation.path.endsWith('/stream') && answer.status === 200
  const fault = streams ? '' : api.faultOf(operation, answer.status, answer.type, answer.body)
  if (fault === '' && answer.status < 500) return
  faults.push(
    `${operation.method} ${url} ${JSON.stringify(headers)} ${body ?? ''}\n  ${answer.status} ${fault} ${answer.body}`,
  )
}

function send({ url }: NodeProcess, fuzzed: FuzzedRequest): Promise<Answer> {
  const { operation, headers, body } = fuzzed
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(answerTimeoutMs)
    const length = body ? { 'content-length': String(body.length) } : {}
    const { hostname, port } = new URL(url)
    // The path by itself, because as part of a URL it would be tidied up.
    const target = { hostname, port, path: fuzzed.url, method: operation.method }
    const outgoing = request({ ...target, headers: { ...headers, ...length }, agent, signal }, async (response) => {
      const { statusCode: status = 0 } = response
      const type = response.headers['content-type'] ?? ''
      if (type.startsWith('text/event-stream')) {
        response.destroy()
        resolve({ status, type, body: '' })
        return
      }
      const chunks: Buffer[] = []
      try {
        for await (const chunk of response) chunks.push(chunk as Buffer)
        resolve({ status, type, body: Buffer.concat(chunks).toString() })
      } catch (error) {
        reject(error)
      }
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

function report(sent: number, before: Metrics, after: Metrics): void {
  console.table(Object.fromEntries([...statuses].sort(([a], [b]) => a - b)))
  const handles = (metrics: Metrics) => sampleOf(metrics, 'nodejs_active_handles_total')
  console.log(
    `${sent} requests; memory ${megabytes(before)} -> ${megabytes(after)} MB, handles ${handles(before)} -> ${handles(after)}`,
  )
  for (const fault of faults) console.error(fault)
  if (faults.length > 0) process.exitCode = 1
}

function megabytes(metrics: Metrics): number {
  return Math.round(sampleOf(metrics, 'process_resident_memory_bytes') / 2 ** 20)
}
