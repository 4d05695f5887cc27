import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { ask, convergence } from '../test/e2e/harness/api.ts'
import type { NodeProcess } from '../test/e2e/harness/launch.ts'
import { until } from '../test/e2e/harness/until.ts'
import { follow } from './support/event-stream.ts'
import { MeshOfNodes } from './support/mesh-of-nodes.ts'
import { statsOf } from './support/process-stats.ts'
import { publish, spread, tenth } from './support/report.ts'

/**
 * How long until a write is visible everywhere: from sending it to a random node until each node's event stream tells its
 * version. One client process watches all streams; so its own work for each of them is part of the time.
 * `node bench/propagation.ts [--nodes 32] [--writes 200] [--pause-ms 50]`
 */
const goalP99Ms = 50
const flagCount = 16

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '32' },
    writes: { type: 'string', default: '200' },
    'pause-ms': { type: 'string', default: '50' },
  },
})
const [nodes, writes, pauseMs] = [Number(values.nodes), Number(values.writes), Number(values['pause-ms'])]

const mesh = await MeshOfNodes.start(nodes)
const flags = Array.from({ length: flagCount }, (_, i) => ({ key: `flag-${i}` }))
await ask(mesh.nodes[0] as NodeProcess, 'POST', '/import', { flags, segments: [] })
await convergence(mesh.nodes)

/** When each version was first told by each node. */
const seen = new Map<string, Map<NodeProcess, number>>()
await Promise.all(
  mesh.nodes.map((node) =>
    follow(node.url, (key, version, atMs) => {
      const name = `${key}@${version}`
      const times = seen.get(name) ?? new Map<NodeProcess, number>()
      seen.set(name, times)
      if (!times.has(node)) times.set(node, atMs)
    }),
  ),
)

const cpuBeforeMs = cpuMs()
const everyPairMs: number[] = []
const lastNodeMs: number[] = []
const answeredMs: number[] = []
for (let i = 0; i < writes; i++) {
  const node = mesh.nodes[Math.floor(Math.random() * nodes)] as NodeProcess
  const key = `flag-${Math.floor(Math.random() * flagCount)}`
  const sentMs = performance.now()
  const answer = await ask(node, 'PATCH', `/flags/${key}`, { description: `write ${i}` })
  if (answer?.status !== 200) throw new Error(`write ${i} was answered with ${answer?.status}`)
  answeredMs.push(performance.now() - sentMs)
  const name = `${key}@${answer.body.version}`
  const times = await until(`all streams tell of write ${i}`, async () =>
    seen.get(name)?.size === nodes ? [...(seen.get(name)?.values() ?? [])] : null,
  )
  const tookMs = times.map((atMs) => atMs - sentMs)
  everyPairMs.push(...tookMs)
  lastNodeMs.push(Math.max(...tookMs))
  await delay(pauseMs)
}

const cpuMsPerWrite = tenth((cpuMs() - cpuBeforeMs) / writes)
const perNode = spread(everyPairMs)
const unit = 'milliseconds from sending a write until a stream tells its version'
publish('propagation', {
  unit,
  nodes,
  writes,
  goalP99Ms,
  eachNodeMs: perNode,
  lastNodeMs: spread(lastNodeMs),
  answeredMs: spread(answeredMs),
  /** Of all nodes together, what they do between writes included. */
  cpuMsPerWrite,
})
process.exit(perNode.p99 < goalP99Ms ? 0 : 1)

function cpuMs(): number {
  return mesh.nodes.reduce((sum, { pid }) => sum + statsOf(pid).cpuMs, 0)
}
