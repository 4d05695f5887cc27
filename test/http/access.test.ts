import { fastify } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { expect, test } from 'vitest'
import { guard } from '../../src/http/access.ts'
import { createTestbed } from './testbed.ts'

const secret = 'an-admin-key'

test('with an admin key, everything but health and the bulk route is closed to those without it', async () => {
  const { send } = await createTestbed({ adminKey: secret })
  const closed = [
    ['GET', '/flags'],
    ['POST', '/flags'],
    ['GET', '/flags/a'],
    ['PUT', '/flags/a'],
    ['PATCH', '/flags/a'],
    ['DELETE', '/flags/a'],
    ['POST', '/flags/a/rollout'],
    ['GET', '/flags/a/evaluate'],
    ['POST', '/evaluate'],
    ['POST', '/evaluate/batch'],
    ['GET', '/features'],
    ['GET', '/segments'],
    ['POST', '/import'],
    ['GET', '/export'],
    ['GET', '/mesh'],
    ['GET', '/metrics'],
    ['GET', '/ruleset'],
    ['GET', '/stream'],
    ['POST', '/ofrep/v1/evaluate/flags'],
    ['POST', '/ofrep/v1/evaluate/flags/a'],
    ['GET', '/ofrep/v1/stream'],
  ] as const
  for (const [method, url] of closed) {
    for (const prefix of ['', '/api/v1']) {
      const answer = await send(method, prefix + url, method === 'GET' ? undefined : '{not even JSON')
      expect([url, answer.status]).toEqual([url, 401])
      expect(answer.headers['www-authenticate']).toBe('Bearer')
      expect(answer.json).toMatchObject({ code: 'UNAUTHENTICATED' })
    }
  }
  for (const url of ['/health', '/health/live', '/health/ready']) expect((await send('GET', url)).status).toBe(200)
  expect(
    (await send('POST', '/mesh/bulk', Buffer.from([0xf1]), { 'content-type': 'application/octet-stream' })).status,
  ).toBe(204)
})

test('the admin key opens, as X-API-Key and as a bearer token', async () => {
  const { send } = await createTestbed({ adminKey: secret })
  expect((await send('GET', '/flags', undefined, { 'x-api-key': secret })).status).toBe(200)
  expect((await send('GET', '/flags', undefined, { authorization: `Bearer ${secret}` })).status).toBe(200)
  for (const wrong of ['', 'an-admin-ke', `${secret}x`]) {
    expect((await send('GET', '/flags', undefined, { 'x-api-key': wrong })).status).toBe(401)
    expect((await send('GET', '/flags', undefined, { authorization: `Bearer ${wrong}` })).status).toBe(401)
  }
  expect((await send('GET', '/flags', undefined, { authorization: `Basic ${secret}` })).status).toBe(401)
})

test('without an admin key the node is open', async () => {
  const { send } = await createTestbed()
  expect((await send('GET', '/flags')).status).toBe(200)
})

test('who wrote is known to the catalog', async () => {
  const { send } = await createTestbed({ adminKey: secret })
  const created = await send('POST', '/flags', { key: 'a' }, { 'x-api-key': secret })
  expect(created.json).toMatchObject({ updatedBy: 'admin' })
})

test('a route that names no role cannot be registered', async () => {
  const app = fastify().withTypeProvider<ZodTypeProvider>()
  guard(app, undefined)
  expect(() => app.get('/forgotten', () => 'x')).toThrow('/forgotten')
  await app.close()
})
