import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { ask, convergence, rootOf } from '../test/e2e/harness/api.ts'
import { until } from '../test/e2e/harness/until.ts'
import { whyNoVirtualNetwork } from '../test/e2e/harness/virtual-network.ts'
import { untilSeen, WireMesh, type WireNode } from '../test/e2e/harness/wire-mesh.ts'
import { makeFlags } from './support/flags.ts'
import { publish, spread } from './support/report.ts'

/**
 * How soon a mesh is one again after a partition: ten nodes, each on a host of its own, five on either side; both sides write, until
 * they differ in a thousand flags; then the cut is mended. Counted from the first contact, which is the first time that a node logs a
 * member up again, until all roots are equal. Needs root, for network namespaces.
 * `node bench/heal.ts [--nodes 10] [--differences 1000] [--times 3]`
 */
const goalMs = 2_000

const reason = whyNoVirtualNetwork()
if (reason !== null) {
  console.error(`The partition cannot be made here: ${reason}.`)
  process.exit(1)
}
const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '10' },
    differences: { type: 'string', default: '1000' },
    times: { type: 'string', default: '3' },
  },
})
const [count, differences, times] = [Number(values.nodes), Number(values.differences), Number(values.times)]

const mesh = new WireMesh(count)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
process.once('exit', () => mesh.stop())
const nodes = await mesh.startAll(mesh.hosts)
await convergence(nodes)
const [left, right] = [nodes.slice(0, count >> 1), nodes.slice(count >> 1)]

const fromContactMs: number[] = []
const fromMendingMs: number[] = []
const eatenPackets: number[] = []
for (let i = 0; i < times; i++) await once(i)
publish('heal', {
  nodes: count,
  differences,
  times,
  goalMs,
  fromFirstContactMs: spread(fromContactMs),
  fromMendingMs: spread(fromMendingMs),
  eatenPackets,
})
process.exit(spread(fromContactMs).max < goalMs ? 0 : 1)

async function once(round: number): Promise<void> {
  const eatenBefore = mesh.network.eaten()
  mesh.network.partition(
    left.map(({ host }) => host),
    right.map(({ host }) => host),
  )
  await Promise.all([left, right].map((side, s) => importAt(side[0] as WireNode, `${round}-${s}`)))
  await untilSeen(left, right, 'dead')
  await untilSeen(right, left, 'dead')
  await Promise.all([settled(left), settled(right)])
  eatenPackets.push(mesh.network.eaten() - eatenBefore)
  const mendedWallMs = Date.now()
  const mendedMs = performance.now()
  mesh.network.heal()
  const endedMs = await until('all roots are equal', async () => {
    const roots = new Set(await Promise.all(nodes.map(rootOf)))
    return roots.size === 1 ? performance.now() : null
  })
  const contacts = nodes.flatMap(({ log }) =>
    log.filter(({ msg }) => msg === 'member up').map(({ time }) => Number(time)),
  )
  const contactWallMs = Math.min(...contacts.filter((wallMs) => wallMs >= mendedWallMs))
  fromMendingMs.push(endedMs - mendedMs)
  fromContactMs.push(endedMs - mendedMs - (contactWallMs - mendedWallMs))
  await convergence(nodes)
}

async function importAt(node: WireNode, prefix: string): Promise<void> {
  const answer = await ask(node, 'POST', '/import', { flags: makeFlags(differences / 2, prefix), segments: [] })
  if (answer?.status !== 200) throw new Error(`the import was answered with ${answer?.status}`)
}

/** Waits until a side agrees with itself. */
async function settled(side: readonly WireNode[]): Promise<void> {
  await until('a side of the partition agrees', async () => {
    const roots = new Set(await Promise.all(side.map(rootOf)))
    return roots.size === 1 ? true : null
  })
  await delay(500)
}
