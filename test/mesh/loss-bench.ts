/**
 * Measures the membership over real sockets on loopback, with datagrams dropped at the receiver:
 *
 *     node test/mesh/loss-bench.ts loss NODES PERCENT SECONDS     how many live members are declared dead
 *     node test/mesh/loss-bench.ts crash NODES TIMES              how long until all have noticed a crash
 */
import { setTimeout as delay } from 'node:timers/promises'
import { freePort, seen, TestNetwork, until, untilAllSee } from './harness.ts'

async function measureLoss(count: number, percent: number, seconds: number): Promise<void> {
  const network = new TestNetwork({ multicast: { host: '239.255.70.71', port: await freePort() } })
  await Promise.all(Array.from({ length: count }, () => network.start()))
  await untilAllSee(network.nodes, 'alive')
  for (const node of network.nodes) node.events.length = 0
  network.lossRatio = percent / 100
  const cpu = process.cpuUsage()
  const sentBefore = sent(network)
  let suspected = 0
  for (let second = 0; second < seconds; second++) {
    await delay(1_000)
    for (const { mesh } of network.nodes)
      suspected += mesh.membership.members().filter((m) => m.state === 'suspect').length
  }
  const { user, system } = process.cpuUsage(cpu)
  const deaths = network.nodes.flatMap((node) => node.events).filter((event) => event.type === 'down').length
  const row = {
    nodes: count,
    lossPercent: percent,
    seconds,
    datagramsLost: network.lost,
    liveDeclaredDead: deaths,
    suspectsSeenAtOnce: round(suspected / seconds),
    datagramsPerNodeAndSecond: round((sent(network) - sentBefore) / count / seconds),
    cpuPercentPerNode: round((user + system) / 10_000 / seconds / count),
  }
  console.log(JSON.stringify(row))
  network.lossRatio = 0
  await network.stop()
}

async function measureCrash(count: number, times: number): Promise<void> {
  const tookMs: number[] = []
  const network = new TestNetwork({ multicast: { host: '239.255.70.71', port: await freePort() } })
  for (let i = 0; i < count; i++) await network.start()
  for (let time = 0; time < times; time++) {
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
  tookMs.sort((a, b) => a - b)
  console.log(JSON.stringify({ nodes: count, crashes: times, p50Ms: tookMs[times >> 1], maxMs: tookMs.at(-1), tookMs }))
  await network.stop()
}

function sent(network: TestNetwork): number {
  return network.nodes.reduce((sum, { mesh }) => sum + mesh.counters().datagramsSent, 0)
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000
}

const [what, ...numbers] = process.argv.slice(2)
const [a = 10, b = 10, c = 30] = numbers.map(Number)
await (what === 'crash' ? measureCrash(a, b) : measureLoss(a, b, c))
