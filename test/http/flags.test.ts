import { expect, test } from 'vitest'
import { createTestbed } from './testbed.ts'

test('a flag that only has a key is created, with Location, ETag and how many nodes have it', async () => {
  const { send } = await createTestbed()
  const created = await send('POST', '/api/v1/flags', { key: 'shop/new-checkout' })
  expect(created.status).toBe(201)
  expect(created.headers.location).toBe('/api/v1/flags/shop%2Fnew-checkout')
  expect(created.headers['flags-replicated']).toBe('1/1')
  const read = await send('GET', String(created.headers.location))
  expect(read.json).toEqual(created.json)
  expect(read.json).toMatchObject({
    key: 'shop/new-checkout',
    namespace: 'default',
    type: 'boolean',
    variations: { on: true, off: false },
  })
  expect(read.headers.etag).toBe(`"${(read.json as { version: string }).version}"`)
})

test('every route answers with the prefix and without it', async () => {
  const { send } = await createTestbed()
  expect((await send('POST', '/flags', { key: 'a' })).headers.location).toBe('/flags/a')
  expect((await send('GET', '/api/v1/flags/a')).status).toBe(200)
  expect((await send('GET', '/flags/a')).status).toBe(200)
})

test('creating a flag twice is refused with 409', async () => {
  const { send } = await createTestbed()
  await send('POST', '/flags', { key: 'a' })
  const again = await send('POST', '/flags', { key: 'a' })
  expect(again.status).toBe(409)
  expect(again.headers['content-type']).toContain('application/problem+json')
  expect(again.json).toMatchObject({ status: 409, code: 'ALREADY_EXISTS', detail: expect.stringContaining('"a"') })
})

test('a list is paged, and filtered by prefix and tag', async () => {
  const { send } = await createTestbed()
  for (const key of ['a1', 'a2', 'a3', 'b1']) await send('POST', '/flags', { key, tags: key === 'a3' ? ['hot'] : [] })
  const keys = (json: unknown) => (json as { flags: { key: string }[] }).flags.map((flag) => flag.key)
  const first = await send('GET', '/flags?prefix=a&limit=2')
  expect(keys(first.json)).toEqual(['a1', 'a2'])
  const cursor = (first.json as { nextCursor: string }).nextCursor
  const second = await send('GET', `/flags?prefix=a&limit=2&cursor=${encodeURIComponent(cursor)}`)
  expect(keys(second.json)).toEqual(['a3'])
  expect(second.json).not.toHaveProperty('nextCursor')
  expect(keys((await send('GET', '/flags?tag=hot')).json)).toEqual(['a3'])
})

test('a flag shown for an environment has that environment’s settings at the top', async () => {
  const { send } = await createTestbed()
  await send('POST', '/flags', { key: 'a', enabled: true, environments: { qa: { enabled: false } } })
  expect((await send('GET', '/flags/a?environment=qa')).json).toMatchObject({ enabled: false, environment: 'qa' })
  expect((await send('GET', '/flags/a?environment=constructor')).json).toMatchObject({ enabled: true })
  expect((await send('GET', '/flags?environment=qa')).json).toMatchObject({ flags: [{ enabled: false }] })
})

test('PUT creates with 201 and replaces with 200', async () => {
  const { send } = await createTestbed()
  expect((await send('PUT', '/flags/a', { description: 'one' })).status).toBe(201)
  const replaced = await send('PUT', '/flags/a', { enabled: true })
  expect(replaced.status).toBe(200)
  expect(replaced.json).not.toHaveProperty('description')
})

test('If-Match lets a write through that has seen the version in force, and refuses any other', async () => {
  const { send } = await createTestbed()
  const first = await send('PUT', '/flags/a', { description: 'one' })
  const etag = String(first.headers.etag)
  expect((await send('PATCH', '/flags/a', { description: 'two' }, { 'if-match': etag })).status).toBe(200)
  const late = await send('PATCH', '/flags/a', { description: 'three' }, { 'if-match': etag })
  expect(late.status).toBe(412)
  expect(late.json).toMatchObject({ code: 'VERSION_MISMATCH' })
  expect((await send('DELETE', '/flags/a', undefined, { 'if-match': etag })).status).toBe(412)
  expect((await send('GET', '/flags/a')).json).toMatchObject({ description: 'two' })
  expect((await send('PUT', '/flags/a', {}, { 'if-match': '"a", "b"' })).status).toBe(400)
})

test('If-None-Match: * refuses to replace', async () => {
  const { send } = await createTestbed()
  expect((await send('PUT', '/flags/a', {}, { 'if-none-match': '*' })).status).toBe(201)
  expect((await send('PUT', '/flags/a', {}, { 'if-none-match': '*' })).status).toBe(412)
})

test('a reader that has the version already gets 304', async () => {
  const { send } = await createTestbed()
  const { headers } = await send('POST', '/flags', { key: 'a' })
  const again = await send('GET', '/flags/a', undefined, { 'if-none-match': `"x", W/${headers.etag}` })
  expect(again.status).toBe(304)
  expect(again.text).toBe('')
  await send('PATCH', '/flags/a', { enabled: true })
  expect((await send('GET', '/flags/a', undefined, { 'if-none-match': String(headers.etag) })).status).toBe(200)
})

test('a merge patch changes what it names, under either media type', async () => {
  const { send } = await createTestbed()
  await send('POST', '/flags', { key: 'a', description: 'one', owner: 'x' })
  const type = { 'content-type': 'application/merge-patch+json' }
  const patched = await send('PATCH', '/flags/a', { description: 'two', owner: null }, type)
  expect(patched.json).toMatchObject({ description: 'two' })
  expect(patched.json).not.toHaveProperty('owner')
  expect((await send('PATCH', '/flags/nope', {})).status).toBe(404)
})

test('a deleted flag is gone, and can be created again', async () => {
  const { send } = await createTestbed()
  await send('POST', '/flags', { key: 'a' })
  const deleted = await send('DELETE', '/flags/a', undefined, { 'content-type': 'application/json' })
  expect(deleted.status).toBe(204)
  expect(deleted.text).toBe('')
  expect((await send('GET', '/flags/a')).json).toMatchObject({ code: 'FLAG_NOT_FOUND' })
  expect((await send('DELETE', '/flags/a')).status).toBe(404)
  expect((await send('POST', '/flags', { key: 'a' })).status).toBe(201)
})

test('namespaces do not see each other', async () => {
  const { send } = await createTestbed()
  const created = await send('POST', '/flags?namespace=shop', { key: 'a' })
  expect(created.headers.location).toBe('/flags/a?namespace=shop')
  expect((await send('GET', '/flags/a')).status).toBe(404)
  expect((await send('GET', '/flags/a?namespace=shop')).status).toBe(200)
})

test('acknowledgement by peers is waited for and told', async () => {
  const { send, replica } = await createTestbed()
  replica.pretendPeers(['127.0.0.1:1', '127.0.0.1:2'])
  const all = await send('POST', '/flags?ack=all&timeoutMs=500', { key: 'a' })
  expect(all.headers['flags-replicated']).toBe('3/3')
  expect((await send('PATCH', '/flags/a?ack=sometimes', { enabled: true })).status).toBe(400)
})

test('a disk that fails gives 503 with Retry-After, and changes nothing', async () => {
  const { send, replica, log } = await createTestbed()
  replica.failWrites('ENOSPC: no space left on device')
  const refused = await send('POST', '/flags', { key: 'a' })
  expect(refused.status).toBe(503)
  expect(refused.headers['retry-after']).toMatch(/^\d+$/)
  expect(refused.json).toMatchObject({ code: 'STORAGE_UNAVAILABLE', requestId: expect.any(String) })
  expect(log.map((line) => line.code)).toContain('STORAGE_UNAVAILABLE')
  expect((await send('GET', '/flags/a')).status).toBe(404)
})

test('writes are logged with request id, route and status', async () => {
  const { send, log } = await createTestbed()
  await send('POST', '/flags', { key: 'a' })
  expect(log).toContainEqual(
    expect.objectContaining({ msg: 'write', method: 'POST', url: '/flags', status: 201, reqId: expect.any(String) }),
  )
  const before = log.length
  await send('GET', '/flags/a')
  expect(log).toHaveLength(before)
})
