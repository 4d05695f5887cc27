import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask, convergence, flagKeysOf, meshOf, metric, startWriters } from '../harness/api.ts'
import { startEvaluations } from '../harness/evaluation-load.ts'
import { until } from '../harness/until.ts'
import { deathsSeenBy, untilSeen, WireMesh, type WireNode } from '../harness/wire-mesh.ts'

/** One mesh of five, on a wire of its own; each test does something to the wire and leaves it, and the mesh, whole. */
let mesh: WireMesh
let nodes: WireNode[]

beforeAll(async () => {
  mesh = new WireMesh(5)
  nodes = await mesh.startAll(mesh.hosts)
  await convergence(nodes)
  expect((await ask(node(0), 'POST', '/flags', { key: 'asked' }))?.status).toBe(201)
  await convergence(nodes)
})

afterAll(() => mesh.stop())

function node(index: number): WireNode {
  return nodes[index] as WireNode
}

function deaths(): number {
  return nodes.reduce((sum, one) => sum + deathsSeenBy(one), 0)
}

async function writeFor(ms: number, prefix: string, at: readonly WireNode[]): Promise<readonly string[]> {
  const writers = startWriters(at, prefix, 20)
  await delay(ms)
  await writers.stop()
  expect(writers.acknowledged.length).toBeGreaterThan(0)
  return writers.acknowledged
}

async function expectEverywhere(keys: readonly string[]): Promise<void> {
  await convergence(nodes)
  for (const one of nodes) {
    const held = await flagKeysOf(one)
    expect(keys.filter((key) => !held.has(key))).toEqual([])
  }
}

test('nodes on one wire find each other by multicast alone', async () => {
  const addresses = new Set((await meshOf(node(0))).members.map(({ id }) => id))
  expect(addresses.size).toBe(5)
  for (const one of nodes) expect(await flagKeysOf(one)).toContain('asked')
})

test('both sides of a partition evaluate and take writes, and after it nothing acknowledged is missing anywhere', async () => {
  const [left, right] = [nodes.slice(0, 2), nodes.slice(2)]
  const load = startEvaluations(nodes, 'asked')
  const eatenBefore = mesh.network.eaten()
  mesh.network.partition(
    left.map(({ host }) => host),
    right.map(({ host }) => host),
  )
  const written = (await Promise.all([writeFor(3_000, 'left', left), writeFor(3_000, 'right', right)])).flat()
  await untilSeen(left, right, 'dead')
  await untilSeen(right, left, 'dead')
  expect(mesh.network.eaten()).toBeGreaterThan(eatenBefore)
  expect((await meshOf(node(0))).ruleset.root).not.toBe((await meshOf(node(4))).ruleset.root)

  mesh.network.heal()
  await expectEverywhere(written)
  expect((await load.stop()).failures).toEqual([])
})

test('a node cut off from all says on every evaluation that it may be out of date, until it hears them again', async () => {
  const loner = node(4)
  const others = nodes.slice(0, 4)
  mesh.network.partition(
    [loner.host],
    others.map(({ host }) => host),
  )
  await untilSeen([loner], others, 'dead')
  const written = await writeFor(1_000, 'unheard', others)
  const told = await evaluate(loner)
  expect(told.headers.get('flags-stale')).toBe('true')
  expect(await told.json()).toMatchObject({ reason: 'DISABLED', metadata: { reason: 'STALE' } })
  expect((await evaluate(node(0))).headers.get('flags-stale')).toBeNull()
  expect(await metric(loner, 'flags_mesh_isolated')).toBe(1)
  expect(await metric(loner, 'flags_mesh_partitions_suspected_total')).toBeGreaterThan(0)

  mesh.network.heal()
  await until('it is one of them again', async () =>
    (await evaluate(loner)).headers.get('flags-stale') === null ? true : null,
  )
  await expectEverywhere(written)
  expect(await metric(loner, 'flags_convergence_seconds_count')).toBeGreaterThan(0)
})

test('a node that does not hear one peer gets its writes by the others, and nobody is held dead', async () => {
  const [deathsBefore, eatenBefore] = [deaths(), mesh.network.eaten()]
  mesh.network.cut(node(0).host, node(1).host)
  const written = await writeFor(8_000, 'one-way', [node(0)])
  await until('what was written behind the cut is there', async () => {
    const held = await flagKeysOf(node(1))
    return written.every((key) => held.has(key)) ? true : null
  })
  expect(mesh.network.eaten()).toBeGreaterThan(eatenBefore)
  mesh.network.heal()
  await expectEverywhere(written)
  expect(deaths()).toBe(deathsBefore)
})

test('two nodes that cannot reach a third, nor it them, get its writes and hold it alive by the word of the others', async () => {
  const [deathsBefore, eatenBefore] = [deaths(), mesh.network.eaten()]
  mesh.network.partition([node(0).host], [node(1).host, node(2).host])
  const written = await writeFor(8_000, 'cut-from-some', [node(0), node(1)])
  await until('what was written behind the cut is there', async () => {
    const held = await Promise.all([0, 1, 2].map((index) => flagKeysOf(node(index))))
    return held.every((keys) => written.every((key) => keys.has(key))) ? true : null
  })
  expect(mesh.network.eaten()).toBeGreaterThan(eatenBefore)
  mesh.network.heal()
  await expectEverywhere(written)
  expect(deaths()).toBe(deathsBefore)
})

test('at 30 % loss every evaluation answers, writes arrive everywhere, and nobody alive is held dead', async () => {
  const [deathsBefore, eatenBefore] = [deaths(), mesh.network.eaten()]
  mesh.network.lose(30)
  const load = startEvaluations(nodes, 'asked')
  const written = await writeFor(12_000, 'lossy', [node(0), node(3)])
  await until('everyone has what was written', async () => {
    const held = await Promise.all(nodes.map(flagKeysOf))
    return held.every((keys) => written.every((key) => keys.has(key))) ? true : null
  })
  expect(mesh.network.eaten() - eatenBefore).toBeGreaterThan(100)
  mesh.network.heal()
  expect((await load.stop()).failures).toEqual([])
  await expectEverywhere(written)
  expect(deaths()).toBe(deathsBefore)
})

test.for([
  { seconds: 5, fate: 'is back at once' },
  { seconds: 30, fate: 'is held dead, and comes back to life' },
])('a process that stands still for $seconds s $fate, with what it wrote and what it missed', async ({ seconds }) => {
  const sleeper = node(2)
  const others = nodes.filter((one) => one !== sleeper)
  const before = await writeFor(500, `before-${seconds}`, [sleeper])
  const load = startEvaluations(others, 'asked')
  process.kill(sleeper.pid, 'SIGSTOP')
  const [missed] = await Promise.all([writeFor(2_000, `missed-${seconds}`, others), delay(seconds * 1_000)])
  if (seconds === 30) await untilSeen(others, [sleeper], 'dead')
  // Nobody answers there: it does stand still.
  const answer = await Promise.race([ask(sleeper, 'GET', '/health/live'), delay(500, 'silence')])
  expect(answer).toBe('silence')

  process.kill(sleeper.pid, 'SIGCONT')
  await expectEverywhere([...before, ...missed])
  expect((await load.stop()).failures).toEqual([])
})

function evaluate({ url }: WireNode): Promise<Response> {
  return fetch(`${url}/ofrep/v1/evaluate/flags/asked`, { method: 'POST' })
}
