import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ask, convergence, flagKeysOf, meshOf, metric, startWriters } from '../harness/api.ts'
import { startEvaluations } from '../harness/evaluation-load.ts'
import { until } from '../harness/until.ts'
import { WireMesh, type WireNode } from '../harness/wire-mesh.ts'

let mesh: WireMesh

beforeEach(() => {
  mesh = new WireMesh(4)
})

afterEach(() => mesh.stop())

test('with multicast off, one seed is enough for all to meet, and without it a node stays alone', async () => {
  const [first, ...others] = mesh.hosts as [WireMesh['hosts'][number], ...WireMesh['hosts']]
  const loner = others.pop() as WireMesh['hosts'][number]
  const seeds = ['--multicast', 'off', '--seeds', `${first.address}:7946`]
  const nodes = await Promise.all([
    mesh.start(first, { args: ['--multicast', 'off'] }),
    ...others.map((host) => mesh.start(host, { args: seeds })),
  ])
  const alone = await mesh.start(loner, { args: ['--multicast', 'off'] })
  await convergence(nodes)
  expect((await ask(nodes[0] as WireNode, 'POST', '/flags', { key: 'seeded' }))?.status).toBe(201)
  await convergence(nodes)
  for (const node of nodes) expect(await flagKeysOf(node)).toEqual(new Set(['seeded']))
  expect(await flagKeysOf(alone)).toEqual(new Set())
  expect((await meshOf(alone)).members.map(({ id }) => id)).toEqual([(await meshOf(alone)).self.id])
})

test('two meshes on one wire hear each other, and neither sees or changes anything of the other', async () => {
  const [red, blue] = (await Promise.all(
    [mesh.hosts.slice(0, 2), mesh.hosts.slice(2)].map((hosts, i) =>
      mesh.startAll(hosts, { args: ['--cluster', i === 0 ? 'red' : 'blue'] }),
    ),
  )) as [WireNode[], WireNode[]]
  await Promise.all([convergence(red), convergence(blue)])
  expect((await ask(red[0] as WireNode, 'POST', '/flags', { key: 'of-red' }))?.status).toBe(201)
  expect((await ask(blue[0] as WireNode, 'POST', '/flags', { key: 'of-blue' }))?.status).toBe(201)
  await Promise.all([convergence(red), convergence(blue)])
  for (const node of red) expect(await flagKeysOf(node)).toEqual(new Set(['of-red']))
  for (const node of blue) expect(await flagKeysOf(node)).toEqual(new Set(['of-blue']))
  for (const node of [...red, ...blue])
    expect(await metric(node, 'flags_mesh_dropped_foreign_mesh_total')).toBeGreaterThan(0)
})

test('the key of a mesh is changed node by node without an evaluation or a write that fails', async () => {
  const [old, young] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')]
  const hosts = mesh.hosts.slice(0, 3)
  let nodes = await mesh.startAll(hosts, { args: ['--mesh-key', old] })
  await convergence(nodes)
  expect((await ask(nodes[0] as WireNode, 'POST', '/flags', { key: 'asked' }))?.status).toBe(201)
  const written: string[] = []
  // Added everywhere, made the first, the old one removed.
  for (const keyring of [`${old},${young}`, `${young},${old}`, young]) {
    for (const index of hosts.keys()) {
      const leaver = nodes[index] as WireNode
      const stayers = nodes.filter((node) => node !== leaver)
      const load = startEvaluations(stayers, 'asked')
      const writers = startWriters(stayers, `${written.length}`, 50)
      expect(await leaver.end('SIGTERM')).toBe(0)
      const returned = await mesh.start(leaver.host, { args: ['--mesh-key', keyring], dataDir: leaver.dataDir })
      nodes = nodes.with(index, returned)
      await until('it is one of them again', async () => {
        const views = await Promise.all(nodes.map(meshOf))
        return views.every(({ members }) => members.filter(({ state }) => state === 'alive').length === 3) ? true : null
      })
      await writers.stop()
      expect((await load.stop()).failures).toEqual([])
      expect(writers.acknowledged.length).toBeGreaterThan(0)
      written.push(...writers.acknowledged)
    }
  }
  await convergence(nodes)
  for (const node of nodes) {
    const held = await flagKeysOf(node)
    expect(written.filter((key) => !held.has(key))).toEqual([])
  }
  // The old key is worth nothing any more: its holder is not let in.
  const late = await mesh.start(mesh.hosts[3] as WireMesh['hosts'][number], { args: ['--mesh-key', old] })
  expect(await flagKeysOf(late)).toEqual(new Set())
  await until('the others have refused it', async () =>
    (await metric(nodes[0] as WireNode, 'flags_mesh_dropped_bad_seal_total')) > 0 ? true : null,
  )
})
