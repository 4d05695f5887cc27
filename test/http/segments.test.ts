import { expect, test } from 'vitest'
import { createTestbed } from './testbed.ts'

test('segments are written and read as flags are', async () => {
  const { send } = await createTestbed()
  const created = await send('POST', '/api/v1/segments', { key: 'staff', included: ['u1'] })
  expect(created.status).toBe(201)
  expect(created.headers.location).toBe('/api/v1/segments/staff')
  expect((await send('POST', '/segments', { key: 'staff' })).status).toBe(409)
  const etag = String(created.headers.etag)
  expect((await send('GET', '/segments/staff', undefined, { 'if-none-match': etag })).status).toBe(304)
  expect((await send('PATCH', '/segments/staff', { description: 'x' }, { 'if-match': etag })).status).toBe(200)
  expect((await send('PUT', '/segments/staff', { included: ['u2'] }, { 'if-match': etag })).status).toBe(412)
  expect((await send('GET', '/segments')).json).toMatchObject({
    segments: [{ key: 'staff', included: ['u1'], description: 'x' }],
  })
  expect((await send('DELETE', '/segments/staff')).status).toBe(204)
  expect((await send('GET', '/segments/staff')).json).toMatchObject({ status: 404, code: 'NOT_FOUND' })
})

test('a change of a segment changes what the flags that use it answer', async () => {
  const { send } = await createTestbed()
  await send('POST', '/segments', { key: 'staff', included: ['u1'] })
  const rules = [{ if: { segment: 'staff' }, serve: { variation: 'on' } }]
  await send('POST', '/flags', { key: 'a', enabled: true, rules, fallthrough: { variation: 'off' } })
  expect((await send('GET', '/flags/a/evaluate?user_id=u2')).json).toMatchObject({ value: false })
  await send('PATCH', '/segments/staff', { included: ['u1', 'u2'] })
  expect((await send('GET', '/flags/a/evaluate?user_id=u2')).json).toMatchObject({ value: true })
})
