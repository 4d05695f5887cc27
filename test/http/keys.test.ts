import { expect, test, vi } from 'vitest'
import { adminKey, createGuardedTestbed } from './access-keys.ts'

interface MadeKey {
  readonly id: string
  readonly secret: string
}

test('a key is made once, opens at once, is listed without its secret, and fails when it is revoked', async () => {
  const { as } = await createGuardedTestbed()
  const wanted = { name: 'ci', role: 'write', namespaces: ['a'], environments: ['qa'], rateLimit: 5 }
  const made = await as(adminKey, 'POST', '/keys', { ...wanted, expiresAt: '2099-01-01T00:00:00Z' })
  expect(made.status).toBe(201)
  expect(made.json).toMatchObject({ ...wanted, createdBy: 'admin' })
  const { id, secret } = made.json as MadeKey
  expect(secret).toMatch(/^flags_[0-9a-f]{16}_[\w-]{43}$/)
  const listed = await as(adminKey, 'GET', '/keys')
  expect(listed.json).toMatchObject({ keys: [{ id, ...wanted }] })
  expect(listed.text).not.toContain(secret)

  expect((await as(secret, 'GET', '/flags')).status).toBe(200)
  expect((await as(adminKey, 'DELETE', `/keys/${id}`)).status).toBe(204)
  expect((await as(secret, 'GET', '/flags')).status).toBe(401)
  expect((await as(adminKey, 'DELETE', `/keys/${id}`)).status).toBe(404)
  expect((await as(adminKey, 'GET', '/keys')).json).toEqual({ keys: [] })
})

test('a key stops at the moment at which it expires, though it was used right before', async () => {
  const { as, makeKey } = await createGuardedTestbed()
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2030-01-01T00:00:00Z') })
  try {
    const secret = await makeKey({ expiresAt: '2030-01-01T01:00:00+01:00' })
    expect((await as(secret, 'GET', '/flags')).status).toBe(401)
    const later = await makeKey({ expiresAt: '2030-01-01T00:00:05Z' })
    expect((await as(later, 'GET', '/flags')).status).toBe(200)
    vi.setSystemTime(Date.parse('2030-01-01T00:00:05Z'))
    expect((await as(later, 'GET', '/flags')).status).toBe(401)
  } finally {
    vi.useRealTimers()
  }
})

test('a secret is nowhere: not in logs, errors, exports, metrics, nor in what is replicated', async () => {
  const { as, log, replica } = await createGuardedTestbed()
  const { secret, id } = (await as(adminKey, 'POST', '/keys', { name: 'ci', role: 'write' })).json as MadeKey
  await as(secret, 'POST', '/flags', { key: 'f' })
  const refusal = await as(`${secret}x`, 'GET', '/flags')
  const answers = [refusal, await as(adminKey, 'GET', '/export'), await as(adminKey, 'GET', '/metrics')]
  const stored = [...replica.records()].map(({ key, value }) => key + new TextDecoder().decode(value ?? undefined))
  const random = secret.slice(secret.lastIndexOf('_') + 1)
  const everything = [...answers.map((answer) => answer.text), JSON.stringify(log), ...stored].join('\n')
  expect(everything).toContain(id)
  for (const hidden of [random, adminKey]) expect(everything).not.toContain(hidden)
})

test('who is confined makes, sees and revokes only keys that are confined to no more', async () => {
  const { as, makeKey } = await createGuardedTestbed()
  const team = await makeKey({ role: 'admin', namespaces: ['a', 'a2'] })
  const other = (await as(adminKey, 'POST', '/keys', { name: 'b', role: 'read', namespaces: ['b'] })).json as MadeKey
  for (const namespaces of [undefined, ['b'], ['a', 'b']]) {
    expect((await as(team, 'POST', '/keys', { name: 'x', role: 'read', namespaces })).status).toBe(403)
  }
  const own = await as(team, 'POST', '/keys', { name: 'x', role: 'admin', namespaces: ['a'], environments: ['qa'] })
  expect(own.status).toBe(201)
  const seen = (await as(team, 'GET', '/keys')).json as { keys: { namespaces: string[] }[] }
  expect(seen.keys.map((key) => key.namespaces)).toEqual([['a', 'a2'], ['a']])
  expect((await as(team, 'DELETE', `/keys/${other.id}`)).status).toBe(403)
  expect((await as(team, 'DELETE', `/keys/${(own.json as MadeKey).id}`)).status).toBe(204)
})

test('a key that makes no sense is refused with the path of each fault', async () => {
  const { as } = await createGuardedTestbed()
  const bad = [
    [{ role: 'read' }, 'name'],
    [{ name: 'x' }, 'role'],
    [{ name: 'x', role: 'owner' }, 'role'],
    [{ name: 'x\n', role: 'read' }, 'name'],
    [{ name: 'x', role: 'read', namespaces: [] }, 'namespaces'],
    [{ name: 'x', role: 'read', namespaces: ['a b'] }, 'namespaces[0]'],
    [{ name: 'x', role: 'read', expiresAt: 'tomorrow' }, 'expiresAt'],
    [{ name: 'x', role: 'read', rateLimit: -1 }, 'rateLimit'],
    [{ name: 'x', role: 'read', extra: 1 }, 'extra'],
  ] as const
  for (const [body, path] of bad) {
    const answer = await as(adminKey, 'POST', '/keys', body)
    expect([path, answer.status]).toEqual([path, 400])
    expect(answer.json).toMatchObject({ errors: [{ path }] })
  }
})

test('a key that would have expired already is not made', async () => {
  const { as, catalog } = await createGuardedTestbed()
  const answer = await as(adminKey, 'POST', '/keys', { name: 'x', role: 'read', expiresAt: '2020-01-01T00:00:00Z' })
  expect(answer.json).toMatchObject({ status: 422, errors: [{ path: 'expiresAt' }] })
  expect(catalog.keys.list()).toEqual([])
})

test('who wrote, and with which key, is known to the history', async () => {
  const { as, catalog } = await createGuardedTestbed()
  const made = (await as(adminKey, 'POST', '/keys', { name: 'ci', role: 'write' })).json as MadeKey
  const created = await as(made.secret, 'POST', '/flags', { key: 'f' })
  expect(created.json).toMatchObject({ updatedBy: 'ci' })
  const [entry] = catalog.flags.history('default', 'f')
  expect(entry?.actor).toEqual({ id: made.id, name: 'ci', from: '127.0.0.1' })
})
