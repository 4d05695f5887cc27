import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { ask, convergence } from '../test/e2e/harness/api.ts'
import type { NodeProcess } from '../test/e2e/harness/launch.ts'
import { metricsOf, sampleOf } from '../test/e2e/harness/metrics.ts'
import { makeFlags } from './support/flags.ts'
import { MeshOfNodes } from './support/mesh-of-nodes.ts'
import { type ProcessStats, statsOf } from './support/process-stats.ts'
import { publish, spread } from './support/report.ts'

/**
 * What a node takes that nobody asks anything: processor, memory, and what it sends to its peers.
 * `node bench/idle.ts [--nodes 32] [--flags 1000] [--seconds 20] [--settle 30]`; Linux only.
 */
const goals = { cpuPercent: 1, memoryMb: 110, gossipBytesPerSecond: 5_000 }

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '32' },
    flags: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '20' },
    /** Seconds of quiet between the import and the measurement: discovery slows down, and garbage goes. */
    settle: { type: 'string', default: '30' },
  },
})
const [nodes, flags, seconds, settle] = [
  Number(values.nodes),
  Number(values.flags),
  Number(values.seconds),
  Number(values.settle),
]

interface Sample extends ProcessStats {
  readonly atMs: number
  readonly datagramBytes: number
  readonly bulkBytes: number
}

const mesh = await MeshOfNodes.start(nodes)
await ask(mesh.nodes[0] as NodeProcess, 'POST', '/import', { flags: makeFlags(flags), segments: [] })
await convergence(mesh.nodes)
await delay(settle * 1_000)
const before = await Promise.all(mesh.nodes.map(sample))
await delay(seconds * 1_000)
const after = await Promise.all(mesh.nodes.map(sample))

const perSecond = (of: (one: Sample) => number) =>
  after.map((end, i) => (of(end) - of(before[i] as Sample)) / ((end.atMs - (before[i] as Sample).atMs) / 1_000))
const cpuPercent = perSecond((one) => one.cpuMs).map((cpuMs) => cpuMs / 10)
const gossip = perSecond((one) => one.datagramBytes + one.bulkBytes)
const result = {
  nodes,
  flags,
  seconds,
  goals,
  cpuPercentOfACore: spread(cpuPercent),
  rssMb: spread(after.map((one) => one.rssMb)),
  pssMb: spread(after.map((one) => one.pssMb)),
  gossipBytesSentPerSecond: spread(gossip),
}
publish('idle', result)
const { cpuPercentOfACore, pssMb, gossipBytesSentPerSecond } = result
const met =
  cpuPercentOfACore.p50 < goals.cpuPercent &&
  pssMb.p50 < goals.memoryMb &&
  gossipBytesSentPerSecond.p50 < goals.gossipBytesPerSecond
process.exit(met ? 0 : 1)

async function sample(node: NodeProcess): Promise<Sample> {
  const stats = statsOf(node.pid)
  const metrics = await metricsOf(node.url)
  const datagramBytes = sampleOf(metrics, 'flags_mesh_datagram_bytes_sent_total')
  return {
    ...stats,
    atMs: performance.now(),
    datagramBytes,
    bulkBytes: sampleOf(metrics, 'flags_mesh_bulk_bytes_sent_total'),
  }
}
