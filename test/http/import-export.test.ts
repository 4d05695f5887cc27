import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createTestbed } from './testbed.ts'

const demo = JSON.parse(readFileSync(new URL('../data/otel-demo.flags.json', import.meta.url), 'utf8')) as {
  flags: { key: string }[]
}

test('what is exported from one node can be imported into another, and answers the same', async () => {
  const first = await createTestbed()
  const imported = await first.send('POST', '/api/v1/import', demo)
  expect(imported.status).toBe(200)
  expect(imported.json).toMatchObject({ flags: { created: demo.flags.length, updated: 0, unchanged: 0, deleted: 0 } })
  await first.send('POST', '/segments?namespace=other', { key: 's', included: ['u'] })
  const document = (await first.send('GET', '/export')).json
  const second = await createTestbed()
  expect((await second.send('POST', '/import', document)).status).toBe(200)
  expect((await second.send('GET', '/export')).json).toEqual(document)
  for (const { key } of demo.flags) {
    const body = { flagKey: key, context: { targetingKey: 'u' } }
    const [one, other] = [await first.send('POST', '/evaluate', body), await second.send('POST', '/evaluate', body)]
    expect({ ...(other.json as object), version: '' }).toEqual({ ...(one.json as object), version: '' })
  }
})

test('importing the same document again changes nothing', async () => {
  const { send, catalog } = await createTestbed()
  await send('POST', '/import', demo)
  const root = catalog.root()
  const again = await send('POST', '/import', demo)
  expect(again.json).toMatchObject({ flags: { created: 0, updated: 0, unchanged: demo.flags.length } })
  expect(catalog.root()).toBe(root)
})

test('mode=replace deletes what the document leaves out, mode=merge keeps it', async () => {
  const { send } = await createTestbed()
  await send('POST', '/flags', { key: 'old' })
  const document = { flags: [{ key: 'new' }] }
  expect((await send('POST', '/import', document)).json).toMatchObject({ flags: { created: 1, deleted: 0 } })
  expect((await send('POST', '/import?mode=replace', document)).json).toMatchObject({
    flags: { unchanged: 1, deleted: 1 },
  })
  expect((await send('GET', '/flags/old')).status).toBe(404)
  expect((await send('GET', '/flags/new')).status).toBe(200)
})

test('one bad flag refuses the whole document, and every error has its path', async () => {
  const { send, catalog } = await createTestbed()
  const root = catalog.root()
  const flags = [{ key: 'fine' }, { key: 'bad key' }, { key: 'b', fallthrough: { variation: 'nope' } }]
  const refused = await send('POST', '/import', { flags, segments: [{ key: 's', x: 1 }] })
  expect(refused.status).toBe(422)
  const { errors } = refused.json as { errors: { path: string }[] }
  expect(errors.map((error) => error.path)).toEqual(['flags[1].key', 'flags[2].fallthrough.variation', 'segments[0].x'])
  expect(catalog.root()).toBe(root)
})

test('an import may be larger than other bodies', async () => {
  const { send } = await createTestbed()
  const flags = Array.from({ length: 100 }, (_, i) => ({
    key: `f${i}`,
    type: 'string',
    variations: { x: 'y'.repeat(20_000) },
  }))
  const answer = await send('POST', '/import', { flags })
  expect(answer.json).toMatchObject({ flags: { created: 100 } })
})

test('an export can be confined to a namespace', async () => {
  const { send } = await createTestbed()
  await send('POST', '/flags', { key: 'a' })
  await send('POST', '/flags?namespace=shop', { key: 'b' })
  expect((await send('GET', '/export?namespace=shop')).json).toMatchObject({
    flags: [{ key: 'b', namespace: 'shop' }],
    segments: [],
  })
})
