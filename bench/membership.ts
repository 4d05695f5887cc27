import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { freePort, seen, TestNetwork, until, untilAllSee } from '../test/mesh/harness.ts'
import { publish, tenth } from './support/report.ts'

/**
 * How well the membership tells the living from the dead: meshes in one process, over real sockets on loopback, with datagrams
 * dropped at the receiver. How many live members are declared dead while so many datagrams are lost, and how long until all
 * have noticed a crash.
 * `node bench/membership.ts [--nodes 32] [--seconds 60] [--losses 10,30] [--crash-nodes 10] [--crashes 20]`
 */
const goals = { liveDeclaredDead: 0, crashNoticedByAllP50Ms: 7_000 }

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '32' },
    seconds: { type: 'string', default: '60' },
    losses: { type: 'string', default: '10,30' },
    'crash-nodes': { type: 'string', default: '10' },
    crashes: { type: 'string', default: '20' },
  },
})

const losses = []
for (const percent of values.losses.split(',').map(Number))
  losses.push(await measureLoss(Number(values.nodes), percent, Number(values.seconds)))
const crash = await measureCrash(Number(values['crash-nodes']), Number(values.crashes))
publish('membership', { goals, losses, crash })
const met = losses.every(({ liveDeclaredDead }) => liveDeclaredDead === 0)
process.exit(met && crash.p50Ms < goals.crashNoticedByAllP50Ms ? 0 : 1)

async function measureLoss(nodes: number, lossPercent: number, seconds: number) {
  const network = new TestNetwork({ multicast: { host: '239.255.70.71', port: await freePort() } })
  await Promise.all(Array.from({ length: nodes }, () => network.start()))
  await untilAllSee(network.nodes, 'alive')
  for (const node of network.nodes) node.events.length = 0
  network.lossRatio = lossPercent / 100
  const cpu = process.cpuUsage()
  const [sentBefore, bytesBefore] = sent(network)
  let suspected = 0
  for (let second = 0; second < seconds; second++) {
    await delay(1_000)
    for (const { mesh } of network.nodes)
      suspected += mesh.membership.members().filter((member) => member.state === 'suspect').length
  }
  const { user, system } = process.cpuUsage(cpu)
  const [sentAfter, bytesAfter] = sent(network)
  const row = {
    nodes,
    lossPercent,
    seconds,
    datagramsLost: network.lost,
    liveDeclaredDead: network.nodes.flatMap((node) => node.events).filter((event) => event.type === 'down').length,
    suspectsSeenAtOnce: tenth(suspected / seconds),
    datagramsPerNodeAndSecond: tenth((sentAfter - sentBefore) / nodes / seconds),
    bytesPerNodeAndSecond: Math.round((bytesAfter - bytesBefore) / nodes / seconds),
    cpuPercentPerNode: (user + system) / 10_000 / seconds / nodes,
  }
  network.lossRatio = 0
  await network.stop()
  return row
}

async function measureCrash(nodes: number, crashes: number) {
  const tookMs: number[] = []
  const network = new TestNetwork({ multicast: { host: '239.255.70.71', port: await freePort() } })
  for (let i = 0; i < nodes; i++) await network.start()
  for (let time = 0; time < crashes; time++) {
    await untilAllSee(network.nodes, 'alive')
    // Anywhere within the rounds of probes.
    await delay(500 + Math.random() * 3_000)
    const victim = network.nodes[0]!
    const startMs = performance.now()
    await network.kill(victim)
    await until('all noticed', () => network.nodes.every((node) => seen(node, victim) === 'dead'), 60_000)
    tookMs.push(Math.round(performance.now() - startMs))
    await network.start()
  }
  await network.stop()
  tookMs.sort((a, b) => a - b)
  return { nodes, crashes, p50Ms: tookMs[crashes >> 1] ?? Number.NaN, maxMs: tookMs.at(-1), tookMs }
}

function sent(network: TestNetwork): readonly [datagrams: number, bytes: number] {
  const counters = network.nodes.map(({ mesh }) => mesh.counters())
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)
  return [sum(counters.map((one) => one.datagramsSent)), sum(counters.map((one) => one.datagramBytesSent))]
}
