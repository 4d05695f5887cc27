import { mkdirSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type NodeProcess, spawnMain, whenReady } from '../test/e2e/harness/launch.ts'
import { metricsOf, sampleOf } from '../test/e2e/harness/metrics.ts'

/**
 * Evaluation for others while thousands of connections do nothing, or dribble: a real node, asked one evaluation after another
 * before, during and after. Connections are opened from several loopback addresses, and need file descriptors: `ulimit -n 32768`.
 * `node bench/idle-connections.ts [--connections 10000] [--seconds 15]`
 */

const { values } = parseArgs({
  options: { connections: { type: 'string', default: '10000' }, seconds: { type: 'string', default: '15' } },
})
const [connections, seconds] = [Number(values.connections), Number(values.seconds)]

interface Phase {
  readonly evaluations: number
  readonly failures: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  readonly rssMb: number
  /** Connections of the slow and the idle that are still open. */
  readonly held: number
}

const args = ['--host', '127.0.0.1', '--port', '0', '--mesh-port', '0', '--data-dir', ':memory:', '--multicast', 'off']
const node = await whenReady(spawnMain(args))
const sockets: Socket[] = []
let dribble: NodeJS.Timeout | undefined
try {
  await fetch(`${node.url}/flags`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key: 'f', enabled: true }),
  })
  const before = await measure(node, 3)
  await openAll(Number(new URL(node.url).port))
  const during = await measure(node, seconds)
  for (const socket of sockets) socket.destroy()
  const after = await measure(node, 3)
  console.table({ before, during, after })
  const folder = new URL('results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const result = { connections, before, during, after }
  writeFileSync(new URL('idle-connections.json', folder), `${JSON.stringify(result, null, 2)}\n`)
  if (before.failures + during.failures + after.failures > 0) process.exitCode = 1
} finally {
  clearInterval(dribble)
  await node.end('SIGTERM')
}

/** A third says nothing, a third sends headers without end, a third a body without end. */
async function openAll(port: number): Promise<void> {
  const head = 'POST /flags HTTP/1.1\r\nHost: x\r\n'
  const openings = ['', head, `${head}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`]
  for (let i = 0; i < connections; i++) {
    const localAddress = `127.0.0.${2 + (i % 8)}`
    const socket = connect({ port, host: '127.0.0.1', localAddress })
    socket.on('error', () => undefined).resume()
    sockets.push(socket)
    await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve))
    const opening = openings[i % openings.length] as string
    if (opening !== '') socket.write(opening)
  }
  dribble = setInterval(() => {
    for (const socket of sockets) if (socket.writable && socket.bytesWritten > 0) socket.write('X')
  }, 1_000)
}

async function measure({ url }: NodeProcess, durationSeconds: number): Promise<Phase> {
  const timesMs: number[] = []
  let failures = 0
  const endMs = performance.now() + 1_000 * durationSeconds
  while (performance.now() < endMs) {
    const startedMs = performance.now()
    const answer = await fetch(`${url}/flags/f/evaluate?user_id=u`).catch(() => undefined)
    if (answer?.status === 200) await answer.arrayBuffer()
    else failures++
    timesMs.push(performance.now() - startedMs)
    await delay(5)
  }
  const rssBytes = sampleOf(await metricsOf(url), 'process_resident_memory_bytes')
  timesMs.sort((a, b) => a - b)
  const at = (share: number) => Number((timesMs[Math.floor(share * (timesMs.length - 1))] ?? Number.NaN).toFixed(2))
  const held = sockets.filter((socket) => !socket.destroyed && socket.readyState === 'open').length
  const rssMb = Math.round(rssBytes / 2 ** 20)
  return { evaluations: timesMs.length, failures, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1), rssMb, held }
}
