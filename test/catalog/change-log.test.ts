import { expect, test } from 'vitest'
import { createTestMesh } from './testbed.ts'

const ns = 'default'

test('the history of a flag edited at every node of a cut mesh is complete and the same everywhere after it', async () => {
  const mesh = createTestMesh(5)
  await mesh.nodes[0]!.catalog.flags.create(ns, { key: 'f' }, { actor: mesh.nodes[0]!.actor })
  await mesh.converged()
  mesh.cut()
  for (const { catalog, actor } of mesh.nodes) {
    for (const turn of [1, 2]) await catalog.flags.patch(ns, 'f', { description: `${actor.name}, ${turn}` }, { actor })
  }
  mesh.heal()
  await mesh.converged()
  const histories = mesh.nodes.map(({ catalog }) => catalog.flags.history(ns, 'f'))
  expect(histories[0]).toHaveLength(11)
  for (const history of histories) expect(history).toEqual(histories[0])
  // Four of five second edits lost to the newest, whose author had not seen them, and so did what they stood on.
  expect(histories[0]!.filter((entry) => entry.conflict)).toHaveLength(8)
  expect(histories[0]![0]).toMatchObject({ conflict: false, change: 'updated', before: histories[0]![1]!.version })
})

test('rolling back writes an earlier version again, and only the registers that differ', async () => {
  const mesh = createTestMesh(1)
  const { catalog, actor } = mesh.nodes[0]!
  const { value: first } = await catalog.flags.create(ns, { key: 'f', description: 'first' }, { actor })
  await catalog.flags.patch(ns, 'f', { description: 'second' }, { actor })
  const { value } = await catalog.flags.rollback(ns, 'f', first.version, { actor, reason: 'second was wrong' })
  expect(value.description).toBe('first')
  expect(value.version > first.version).toBe(true)
  const [newest] = catalog.flags.history(ns, 'f')
  expect(newest).toMatchObject({ change: 'rolledBack', reason: 'second was wrong', registers: ['definition'] })
})

test('a deleted flag can be rolled back to what it was', async () => {
  const mesh = createTestMesh(1)
  const { catalog, actor } = mesh.nodes[0]!
  const { value } = await catalog.flags.create(ns, { key: 'f', description: 'dear' }, { actor })
  await catalog.flags.remove(ns, 'f', { actor })
  expect(catalog.flags.get(ns, 'f')).toBeUndefined()
  await catalog.flags.rollback(ns, 'f', value.version, { actor })
  expect(catalog.flags.get(ns, 'f')?.description).toBe('dear')
})

test('a query pages through the changes of one actor, newest first', async () => {
  const mesh = createTestMesh(1)
  const { catalog, actor } = mesh.nodes[0]!
  for (let i = 0; i < 5; i++) await catalog.flags.create(ns, { key: `f${i}` }, { actor })
  await catalog.flags.create(ns, { key: 'other' }, { actor: { ...actor, id: 'k', name: 'somebody else' } })
  const first = catalog.log.query({ actor: actor.name, limit: 3 })
  const second = catalog.log.query({ actor: actor.name, limit: 3, cursor: first.nextCursor })
  expect([...first.entries, ...second.entries].map((entry) => entry.key)).toEqual(['f4', 'f3', 'f2', 'f1', 'f0'])
  expect(second.nextCursor).toBeUndefined()
})

test('verify finds nothing to complain about after edits on all sides of a cut', async () => {
  const mesh = createTestMesh(3)
  mesh.cut()
  for (const { catalog, actor } of mesh.nodes) await catalog.flags.put(ns, 'f', { description: actor.name }, { actor })
  mesh.heal()
  await mesh.converged()
  for (const { catalog } of mesh.nodes) expect(catalog.log.verify()).toEqual({ entries: 3, broken: [] })
})
