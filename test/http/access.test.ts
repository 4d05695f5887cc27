import { fastify, type HTTPMethods } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { expect, test } from 'vitest'
import { roles } from '../../src/catalog/api-keys.ts'
import { guard } from '../../src/http/access/guard.ts'
import { type Access, accessTable } from '../../src/http/access/table.ts'
import { adminKey, createGuardedTestbed } from './access-keys.ts'
import { createTestbed } from './testbed.ts'

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

interface Row {
  readonly name: string
  readonly method: Method
  readonly path: string
  readonly access: Access
}

const rows = Object.entries(accessTable).map(([name, access]): Row => {
  const [method, path = ''] = name.split(' ') as [Method, string]
  return { name, method, path, access }
})

/** A request for the row, about the namespace `a` and the environment `qa` where it can be about any. Its body changes nothing. */
function requestOf({ method, path, access }: Row): { url: string; body: unknown; headers: Record<string, string> } {
  const query = new URLSearchParams()
  if (['default', 'header', 'all'].includes(access.namespace)) query.set('namespace', 'a')
  if (['default', 'header', 'all'].includes(access.environment)) query.set('environment', 'qa')
  const url = `${path.replace(/:\w+/, 'thing')}?${query}`
  if (path === '/mesh/bulk') {
    return { url, body: Buffer.from([0xf1]), headers: { 'content-type': 'application/octet-stream' } }
  }
  return { url, body: method === 'GET' || method === 'DELETE' ? undefined : [], headers: {} }
}

const isStream = ({ path }: Row) => path.endsWith('/stream')

test('every row of the table is a route, with and without the prefix, and each route is a row', async () => {
  const { app } = await createGuardedTestbed()
  for (const { name, method, path } of rows) {
    for (const prefix of ['', '/api/v1']) {
      const found = app.hasRoute({ method: method as HTTPMethods, url: prefix + path })
      expect([prefix, name, found]).toEqual([prefix, name, true])
    }
  }
})

test('the hot route runs no hook, with keys in force or without: each would cost more than its evaluation', async () => {
  for (const settings of [{}, { adminKey }]) {
    const { app } = await createTestbed(settings)
    await app.ready()
    const lines = app.printRoutes({ includeHooks: true, commonPrefix: false }).split('\n')
    const hot = lines.flatMap((line, i) => (line.includes('/evaluate (GET)') ? [lines[i + 1]] : []))
    expect(hot).toHaveLength(2)
    for (const next of hot) expect(next).toContain('/evaluate (HEAD)')
  }
})

test('a route that nobody decided about cannot be registered', async () => {
  const app = fastify().withTypeProvider<ZodTypeProvider>()
  guard(app, undefined)
  expect(() => app.get('/forgotten', () => 'x')).toThrow('/forgotten')
  await app.close()
})

test('without a key everything that is not open answers 401, whatever the body', async () => {
  const { send } = await createGuardedTestbed()
  for (const row of rows) {
    const { url, headers, body } = requestOf(row)
    for (const prefix of ['', '/api/v1']) {
      const sent = row.access.role === 'open' ? body : body && '{not even JSON'
      const answer = await send(row.method, prefix + url, sent, headers)
      if (row.access.role === 'open') expect([row.name, [401, 403].includes(answer.status)]).toEqual([row.name, false])
      else {
        expect([row.name, answer.status, answer.headers['www-authenticate']]).toEqual([row.name, 401, 'Bearer'])
        expect(answer.json).toMatchObject({ code: 'UNAUTHENTICATED' })
      }
    }
  }
})

/** What keys of a role are tried with, and whether such a key reaches namespace `a` and environment `qa`. */
const confinements = [
  { named: 'no confinement', of: {}, reaches: true, all: true },
  { named: 'its namespace', of: { namespaces: ['a'] }, reaches: true, all: false },
  { named: 'its namespaces', of: { namespaces: ['b', 'a'] }, reaches: true, all: false },
  { named: 'another namespace', of: { namespaces: ['b'] }, reaches: false, all: false },
  { named: 'its environment', of: { environments: ['qa'] }, reaches: true, all: false },
  { named: 'another environment', of: { environments: ['production'] }, reaches: false, all: false },
] as const

test.each(roles)(
  'a key with the role %s reaches the routes of its role in its namespaces and environments',
  async (role) => {
    const { makeKey, as } = await createGuardedTestbed()
    for (const confinement of confinements) {
      const secret = await makeKey({ role, ...confinement.of })
      for (const row of rows) {
        const { url, body, headers } = requestOf(row)
        const request = [row.name, role, confinement.named]
        if (isStream(row) && mayCall(row.access, role, confinement)) continue
        const { status } = await as(secret, row.method, url, body, headers)
        const refused = status === 401 || status === 403
        expect([...request, refused]).toEqual([...request, !mayCall(row.access, role, confinement)])
        expect(status).toBeLessThan(500)
      }
    }
  },
)

/** The expectation, written down a second time and from the contract's words. */
function mayCall(access: Access, role: (typeof roles)[number], confinement: (typeof confinements)[number]): boolean {
  if (access.role === 'open') return true
  if (roles.indexOf(role) < roles.indexOf(access.role)) return false
  const confined = Object.keys(confinement.of)[0]
  if (confined === undefined) return true
  const reach = confined === 'namespaces' ? access.namespace : access.environment
  if (reach === 'whole') return false
  return reach === 'none' || confinement.reaches
}

test('a key reaches streams of its own namespace and of no other', async () => {
  const { makeKey, as, app } = await createGuardedTestbed()
  const secret = await makeKey({ role: 'evaluate', namespaces: ['a'] })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as { port: number }
  for (const path of ['/stream', '/ofrep/v1/stream']) {
    expect((await as(secret, 'GET', `${path}?namespace=b`)).status).toBe(403)
    for (const query of ['', '?namespace=a']) {
      const stop = new AbortController()
      const url = `http://127.0.0.1:${port}${path}${query}`
      const answer = await fetch(url, { headers: { 'x-api-key': secret }, signal: stop.signal })
      expect(answer.status).toBe(200)
      stop.abort()
    }
  }
})

test('a stream ends when its key is revoked, and those of other keys go on', async () => {
  const { makeKey, as, app, catalog } = await createGuardedTestbed()
  const [revoked, kept] = [await makeKey({ name: 'revoked' }), await makeKey({ name: 'kept' })]
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as { port: number }
  const open = async (secret: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}/stream`, { headers: { 'x-api-key': secret } })
    return answer.body?.pipeThrough(new TextDecoderStream()).getReader() as ReadableStreamDefaultReader<string>
  }
  const [ending, lasting] = [await open(revoked), await open(kept)]
  const { id } = catalog.keys.list().find(({ name }) => name === 'revoked') ?? { id: '' }
  await as(adminKey, 'DELETE', `/keys/${id}`)
  let heard = ''
  for (let part = await ending.read(); !part.done; part = await ending.read()) heard += part.value
  expect(heard).not.toContain('event: change')
  await as(adminKey, 'POST', '/flags', { key: 'f' })
  for (heard = ''; !heard.includes('event: change'); ) heard += (await lasting.read()).value
  await lasting.cancel()
})

test('the admin key opens, as X-API-Key and as a bearer token', async () => {
  const { send } = await createGuardedTestbed()
  expect((await send('GET', '/flags', undefined, { 'x-api-key': adminKey })).status).toBe(200)
  expect((await send('GET', '/flags', undefined, { authorization: `Bearer ${adminKey}` })).status).toBe(200)
  for (const wrong of ['', 'an-admin-ke', `${adminKey}x`]) {
    expect((await send('GET', '/flags', undefined, { 'x-api-key': wrong })).status).toBe(401)
    expect((await send('GET', '/flags', undefined, { authorization: `Bearer ${wrong}` })).status).toBe(401)
  }
  expect((await send('GET', '/flags', undefined, { authorization: `Basic ${adminKey}` })).status).toBe(401)
})

test('without an admin key the node is open', async () => {
  const { send } = await createTestbed()
  expect((await send('GET', '/flags')).status).toBe(200)
})
