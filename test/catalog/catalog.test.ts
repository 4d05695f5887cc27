import { expect, test } from 'vitest'
import { createTestMesh } from './testbed.ts'

const ns = 'default'

test('a flag written at one node reads the same at every other', async () => {
  const mesh = createTestMesh(3)
  const [a, b, c] = mesh.nodes
  const { value } = await a!.catalog.flags.create(ns, { key: 'f', rolloutPercentage: 25 }, { actor: a!.actor })
  await mesh.converged()
  expect(b!.catalog.flags.get(ns, 'f')).toEqual(value)
  expect(c!.catalog.flags.get(ns, 'f')).toEqual(value)
})

test('a kill switch at one node and a rule edit at another both get their way', async () => {
  const mesh = createTestMesh(2)
  const [a, b] = mesh.nodes
  await a!.catalog.flags.create(ns, { key: 'f' }, { actor: a!.actor })
  await mesh.converged()
  mesh.cut()
  const rules = [{ id: 'r', if: { attribute: 'plan', op: 'eq', values: ['pro'] }, serve: { variation: 'on' } }]
  await a!.catalog.flags.patch(ns, 'f', { enabled: false }, { actor: a!.actor })
  await b!.catalog.flags.patch(ns, 'f', { rules }, { actor: b!.actor })
  mesh.heal()
  await mesh.converged()
  for (const { catalog } of mesh.nodes) expect(catalog.flags.get(ns, 'f')).toMatchObject({ enabled: false, rules })
  expect(a!.replica.counters().conflicts ?? 0).toBe(0)
})

test('a flag deleted and created anew is not haunted by a rule that was edited meanwhile elsewhere', async () => {
  const mesh = createTestMesh(2)
  const [a, b] = mesh.nodes
  await a!.catalog.flags.create(ns, { key: 'f' }, { actor: a!.actor })
  await mesh.converged()
  mesh.cut()
  await a!.catalog.flags.remove(ns, 'f', { actor: a!.actor })
  await a!.catalog.flags.create(ns, { key: 'f', description: 'new life' }, { actor: a!.actor })
  const rules = [{ id: 'old', if: { attribute: 'plan', op: 'eq', values: ['pro'] }, serve: { variation: 'on' } }]
  await b!.catalog.flags.patch(ns, 'f', { rules }, { actor: b!.actor })
  mesh.heal()
  await mesh.converged()
  for (const { catalog } of mesh.nodes) {
    expect(catalog.flags.get(ns, 'f')?.description).toBe('new life')
    expect(catalog.flags.get(ns, 'f')?.rules ?? []).toEqual([])
  }
})

test('of two writes with the same If-Match at one node, the second is told that the flag has changed', async () => {
  const mesh = createTestMesh(1)
  const { catalog, actor } = mesh.nodes[0]!
  const { value } = await catalog.flags.create(ns, { key: 'f' }, { actor })
  const options = { actor, ifMatch: value.version }
  const first = catalog.flags.patch(ns, 'f', { description: 'one' }, options)
  const second = catalog.flags.patch(ns, 'f', { description: 'two' }, options)
  await expect(second).rejects.toMatchObject({ code: 'VERSION_MISMATCH' })
  expect((await first).value.description).toBe('one')
  expect(catalog.flags.get(ns, 'f')?.description).toBe('one')
})

test('a write that the disk refuses changes nothing and says so, and the next one goes through', async () => {
  const mesh = createTestMesh(1)
  const { catalog, actor } = mesh.nodes[0]!
  mesh.failDisks('disk full')
  const write = catalog.flags.create(ns, { key: 'f' }, { actor })
  await expect(write).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
    message: expect.stringContaining('disk full'),
  })
  expect(catalog.flags.get(ns, 'f')).toBeUndefined()
  mesh.failDisks(null)
  expect((await catalog.flags.create(ns, { key: 'f' }, { actor })).created).toBe(true)
})

test('acknowledgements count the peers that have the write on disk', async () => {
  const mesh = createTestMesh(3)
  const { catalog, actor } = mesh.nodes[0]!
  const ack = { ack: 'all', timeoutMs: 5_000 } as const
  const { replicated } = await catalog.flags.create(ns, { key: 'f' }, { actor, ack })
  expect(replicated).toEqual({ nodes: 3, of: 3 })
  mesh.cut()
  const cutOff = await catalog.flags.create(ns, { key: 'g' }, { actor, ack: { ack: 'all', timeoutMs: 50 } })
  expect(cutOff.replicated.nodes).toBe(1)
})

test('an import is all or nothing, and names every fault by its path', async () => {
  const mesh = createTestMesh(1)
  const { catalog, actor } = mesh.nodes[0]!
  const document = { flags: [{ key: 'good' }, { key: 'bad', fallthrough: { variation: 'purple' } }, { key: 'good' }] }
  const run = catalog.importDocument(document, 'merge', ns, { actor })
  await expect(run).rejects.toMatchObject({
    code: 'INVALID',
    faults: expect.arrayContaining([
      expect.objectContaining({ path: expect.stringMatching(/^flags\[1\]\.fallthrough/) }),
      expect.objectContaining({ path: 'flags[2].key' }),
    ]),
  })
  expect(catalog.flags.list(ns, {}).items).toEqual([])
})

test('what is exported imports as unchanged, and replace deletes what the document leaves out', async () => {
  const mesh = createTestMesh(1)
  const { catalog, actor } = mesh.nodes[0]!
  const flags = [{ key: 'a' }, { key: 'b', tags: ['x'], environments: { qa: { enabled: false } } }]
  await catalog.importDocument({ flags, segments: [{ key: 's', included: ['u'] }] }, 'merge', ns, { actor })
  const again = await catalog.importDocument(catalog.exportDocument(), 'merge', ns, { actor })
  expect(again.flags).toEqual({ created: 0, updated: 0, unchanged: 2, deleted: 0 })
  expect(again.segments).toEqual({ created: 0, updated: 0, unchanged: 1, deleted: 0 })
  const replaced = await catalog.importDocument({ flags: [{ key: 'a' }] }, 'replace', ns, { actor })
  expect(replaced.flags.deleted + replaced.segments.deleted).toBe(2)
  expect(catalog.flags.list(ns, {}).items.map(({ key }) => key)).toEqual(['a'])
})

test('pages of a list follow each other without a gap', async () => {
  const mesh = createTestMesh(1)
  const { catalog, actor } = mesh.nodes[0]!
  const keys = Array.from({ length: 25 }, (_, index) => `flag-${String(index).padStart(2, '0')}`)
  await catalog.importDocument({ flags: keys.map((key) => ({ key })) }, 'merge', ns, { actor })
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const page = catalog.flags.list(ns, { limit: 10, cursor })
    seen.push(...page.items.map(({ key }) => key))
    cursor = page.nextCursor
  } while (cursor !== undefined)
  expect(seen).toEqual(keys)
})

test('what is deleted at one node while another begins to use it stays deleted, and its users answer with an error', async () => {
  const mesh = createTestMesh(2)
  const [a, b] = mesh.nodes
  await a!.catalog.segments.create(ns, { key: 'staff', included: ['u1'] }, { actor: a!.actor })
  await mesh.converged()
  mesh.cut()
  await a!.catalog.segments.remove(ns, 'staff', { actor: a!.actor })
  const rules = [{ if: { segment: 'staff' }, serve: { variation: 'on' } }]
  await b!.catalog.flags.create(ns, { key: 'f', enabled: true, rules }, { actor: b!.actor })
  await expect(b!.catalog.segments.remove(ns, 'staff', { actor: b!.actor })).rejects.toMatchObject({ code: 'INVALID' })
  mesh.heal()
  await mesh.converged()
  for (const { catalog } of mesh.nodes) {
    expect(catalog.segments.get(ns, 'staff')).toBeUndefined()
    expect(catalog.ruleset.find(ns, 'default', 'f')?.evaluate({}, 0).errorCode).toBe('PARSE_ERROR')
  }
})
