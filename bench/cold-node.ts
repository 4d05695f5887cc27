import { parseArgs } from 'node:util'
import { ask, convergence, rootOf } from '../test/e2e/harness/api.ts'
import { type NodeProcess, whenReady } from '../test/e2e/harness/launch.ts'
import { metricsOf, sampleOf } from '../test/e2e/harness/metrics.ts'
import { makeFlags } from './support/flags.ts'
import { MeshOfNodes } from './support/mesh-of-nodes.ts'
import { publish, spread } from './support/report.ts'

/**
 * How long a node without any state takes to answer with everything that a mesh of three holds: from the start of its process, and
 * from its first contact (the log line of its first member) until an evaluation of every flag answers.
 * `node bench/cold-node.ts [--flags 10000] [--times 5]`
 */
const goalMs = 2_000

const { values } = parseArgs({
  options: { flags: { type: 'string', default: '10000' }, times: { type: 'string', default: '5' } },
})
const [flagCount, times] = [Number(values.flags), Number(values.times)]

const mesh = await MeshOfNodes.start(3)
const imported = await ask(mesh.nodes[0] as NodeProcess, 'POST', '/import', {
  flags: makeFlags(flagCount),
  segments: [],
})
if (imported?.status !== 200) throw new Error(`the import was answered with ${imported?.status}`)
const root = await convergence(mesh.nodes)

let fetched = {}
const fromStartMs: number[] = []
const fromContactMs: number[] = []
for (let i = 0; i < times; i++) await once()
const result = { nodes: 3, flags: flagCount, times, goalMs, fetched }
publish('cold-node', { ...result, fromContactMs: spread(fromContactMs), fromProcessStartMs: spread(fromStartMs) })
process.exit(spread(fromContactMs).max < goalMs ? 0 : 1)

async function once(): Promise<void> {
  const startedWallMs = Date.now()
  const child = mesh.launch()
  const node = await whenReady(child)
  // Ready means synced: what is left is to see that it is so.
  for (;;) {
    if ((await rootOf(node)) === root) break
  }
  const answer = await ask(node, 'GET', `/flags/flag-${flagCount - 1}/evaluate?user_id=u&country=DE`)
  if (answer?.status !== 200) throw new Error(`the cold node answers with ${answer?.status}`)
  const doneWallMs = Date.now()
  const contact = node.log.find(({ msg }) => msg === 'member up')
  if (contact === undefined) throw new Error('the cold node met nobody')
  fromStartMs.push(doneWallMs - startedWallMs)
  fromContactMs.push(doneWallMs - Number(contact.time))
  const metrics = await metricsOf(node.url)
  const [records, frames, bytes] = ['sync_records', 'frames', 'frame_bytes'].map((what) =>
    sampleOf(metrics, `flags_replica_${what}_received_total`),
  )
  fetched = { records, frames, bytes }
  await node.end('SIGTERM')
}
