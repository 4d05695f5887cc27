import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { type ChangeLog, createChangeLog } from '../../src/catalog/change-log.ts'
import { isGenuine } from '../../src/catalog/log-entry.ts'
import type { RegisterRecord } from '../../src/crdt/register.ts'
import { createTestMesh, type TestNode } from './testbed.ts'

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
  const found = await Promise.all(mesh.nodes.map(({ catalog }) => catalog.log.verify()))
  for (const verification of found) expect(verification).toMatchObject({ entries: 3, broken: [], unreadable: [] })
  expect(new Set(found.map(({ digest }) => digest)).size).toBe(1)
})

test('a deleted flag that is made again has lost nothing: its author had seen the deletion', async () => {
  const mesh = createTestMesh(1)
  const { catalog, actor } = mesh.nodes[0]!
  await catalog.flags.create(ns, { key: 'f' }, { actor })
  await catalog.flags.remove(ns, 'f', { actor })
  await catalog.flags.create(ns, { key: 'f' }, { actor })
  expect(catalog.flags.history(ns, 'f').map(({ conflict }) => conflict)).toEqual([false, false, false])
})

test('a query pages through an import, whose entries share one stamp', async () => {
  const mesh = createTestMesh(1)
  const { catalog, actor } = mesh.nodes[0]!
  const flags = Array.from({ length: 7 }, (_, i) => ({ key: `f${i}` }))
  await catalog.importDocument({ flags }, 'merge', ns, { actor })
  const keys: string[] = []
  let cursor: string | undefined
  do {
    const page = catalog.log.query({ limit: 3, cursor })
    keys.push(...page.entries.map((entry) => entry.key))
    cursor = page.nextCursor
  } while (cursor !== undefined)
  expect(keys.sort()).toEqual(flags.map(({ key }) => key))
})

test('a query is confined to time, namespaces and a key', async () => {
  const mesh = createTestMesh(1)
  const { catalog, actor } = mesh.nodes[0]!
  for (const namespace of ['a', 'b', 'c']) await catalog.flags.create(namespace, { key: 'f' }, { actor })
  await catalog.flags.create('a', { key: 'g' }, { actor })
  await catalog.keys.create({ name: 'ci', role: 'read' }, { actor })
  const found = (query: object) =>
    catalog.log.query({ limit: 10, ...query }).entries.map(({ namespace, key }) => `${namespace}/${key}`)
  expect(found({ namespaces: ['a', 'c'] })).toEqual(['a/g', 'c/f', 'a/f'])
  expect(found({ namespaces: ['a'], key: 'f' })).toEqual(['a/f'])
  const [newest] = catalog.log.query({ limit: 1 }).entries
  const ms = Date.parse(newest!.at)
  expect(catalog.log.query({ limit: 10, fromMs: ms + 1 }).entries).toEqual([])
  expect(catalog.log.query({ limit: 10, toMs: ms + 1 }).entries).toHaveLength(5)
  expect(
    catalog.log.query({ limit: 10, toMs: Date.parse(catalog.log.query({ limit: 10 }).entries[4]!.at) }).entries,
  ).toEqual([])
})

test('an entry tells what was there before it', async () => {
  const mesh = createTestMesh(1)
  const { catalog, actor } = mesh.nodes[0]!
  await catalog.flags.create(ns, { key: 'f', description: 'one' }, { actor })
  await catalog.flags.patch(ns, 'f', { description: 'two' }, { actor })
  const [second, first] = catalog.flags.history(ns, 'f')
  expect(catalog.log.definitionBefore(second!)).toEqual(first!.after)
  expect(catalog.log.definitionBefore(first!)).toBeNull()
})

test('whoever changes or removes an entry in the file of one node is found out', async () => {
  const mesh = createTestMesh(2)
  const [{ catalog, replica, actor }] = mesh.nodes as [TestNode, TestNode]
  for (const turn of [1, 2, 3]) await catalog.flags.put(ns, 'f', { description: `turn ${turn}` }, { actor })
  await mesh.converged()
  const entries = [...replica.records()]
    .filter(({ key }) => key.startsWith('log|'))
    .sort((a, b) => (a.stamp < b.stamp ? -1 : 1))
  const tampered = (change: (text: string) => string) =>
    entries.map((record, i) =>
      i === 1
        ? { ...record, value: new TextEncoder().encode(change(new TextDecoder().decode(record.value!))) }
        : record,
    )
  const whole = await openLog(entries).verify()
  expect(whole).toEqual(await catalog.log.verify())
  expect(whole.broken).toEqual([])

  const changed = await openLog(tampered((text) => text.replace(actor.name, 'somebody'))).verify()
  expect(changed.broken.map(({ after }) => after)).toEqual([expect.objectContaining({ description: 'turn 3' })])
  const removed = await openLog(entries.filter((_, i) => i !== 1)).verify()
  expect(removed.broken).toHaveLength(1)
  const newest = await openLog(entries.slice(0, 2)).verify()
  expect(newest.broken).toEqual([])
  expect(new Set([whole, changed, removed, newest].map(({ digest }) => digest)).size).toBe(4)
  expect((await openLog(tampered(() => 'no JSON')).verify()).unreadable).toEqual([entries[1]!.key])
})

test('entries that have outlived their retention are not missed', async () => {
  const mesh = createTestMesh(1)
  const { catalog, replica, actor } = mesh.nodes[0]!
  for (const turn of [1, 2, 3]) await catalog.flags.put(ns, 'f', { description: `turn ${turn}` }, { actor })
  const entries = [...replica.records()]
    .filter(({ key }) => key.startsWith('log|'))
    .sort((a, b) => (a.stamp < b.stamp ? -1 : 1))
  const log = openLog(entries)
  log.onForgotten(entries.slice(0, 2).map(({ key }) => key))
  expect(log.history(ns, 'flag', 'f')).toHaveLength(1)
  expect(await log.verify()).toMatchObject({ entries: 1, broken: [] })
})

test('an entry says what its key was made from, or is refused', async () => {
  const mesh = createTestMesh(1)
  const { catalog, replica, actor } = mesh.nodes[0]!
  await catalog.flags.create(ns, { key: 'f' }, { actor })
  await catalog.flags.create('shop', { key: 'f' }, { actor })
  const [record, other] = [...replica.records()].filter(({ key }) => key.startsWith('log|'))
  const genuine = (one: Partial<RegisterRecord>) => isGenuine({ ...record!, ...one }, sha256)
  expect(genuine({})).toBe(true)
  expect(genuine({ key: 'default|flag|f|switch|default', value: null })).toBe(true)
  expect(genuine({ value: other!.value })).toBe(false)
  expect(genuine({ value: null })).toBe(false)
  expect(genuine({ key: record!.key.replace(/\|f\|/, '|g|') })).toBe(false)
  expect(genuine({ seen: record!.stamp })).toBe(false)
})

test('a full log that keeps a part of an import does not miss the other part', async () => {
  const mesh = createTestMesh(1)
  const { catalog, replica, actor } = mesh.nodes[0]!
  await catalog.importDocument({ flags: [{ key: 'f' }, { key: 'g' }] }, 'merge', ns, { actor })
  await catalog.flags.put(ns, 'f', { description: 'after it' }, { actor })
  const entries = [...replica.records()].filter(({ key }) => key.startsWith('log|'))
  const imported = entries.filter(({ key }) => catalog.log.entry(key)?.change === 'imported')
  expect(imported.map(({ stamp }) => stamp)).toEqual([imported[0]!.stamp, imported[0]!.stamp])
  const broken = async (without: RegisterRecord, entriesMax: number) => {
    const log = openLog(entries, entriesMax)
    log.onForgotten([without.key])
    return (await log.verify()).broken.length
  }
  expect(await Promise.all(imported.map((one) => broken(one, 2)))).toEqual([0, 0])
  // The later entry names one of the two.
  const missed = await Promise.all(imported.map((one) => broken(one, 3)))
  expect(missed.sort()).toEqual([0, 1])
})

test('entries that go and come back are there once, in the order of time', async () => {
  const mesh = createTestMesh(1)
  const { catalog, replica, actor } = mesh.nodes[0]!
  for (let i = 0; i < 40; i++) await catalog.flags.create(ns, { key: `f${i}` }, { actor })
  const keys = [...replica.records()].map(({ key }) => key).filter((key) => key.startsWith('log|'))
  const log = openLog([...replica.records()])
  const whole = log.query({ limit: 100 }).entries.map(({ key }) => key)
  expect(whole).toHaveLength(40)
  const some = keys.slice(0, 3)
  const gone = some.map((key) => catalog.log.entry(key)!.key)
  log.onForgotten(some)
  expect(log.query({ limit: 100 }).entries.map(({ key }) => key)).toEqual(whole.filter((key) => !gone.includes(key)))
  log.onChanged(some)
  expect(log.query({ limit: 100 }).entries.map(({ key }) => key)).toEqual(whole)
})

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** A log over these registers, as a node finds them on its disk. */
function openLog(records: readonly RegisterRecord[], entriesMax = 1_000): ChangeLog {
  const held = new Map(records.map((record) => [record.key, record]))
  const log = createChangeLog({
    replica: { get: (key) => held.get(key) },
    nodeId: '00',
    newId: () => '00',
    sha256,
    pause: () => Promise.resolve(),
    entriesMax,
  })
  log.onChanged([...held.keys()])
  return log
}
