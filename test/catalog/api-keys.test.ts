import { expect, test } from 'vitest'
import { createTestMesh } from './testbed.ts'

test('a key made at one node opens every other, until it is revoked anywhere', async () => {
  const mesh = createTestMesh(3)
  const [a, b, c] = mesh.nodes
  const { key, secret } = await a!.catalog.keys.create({ name: 'ci', role: 'write' }, { actor: a!.actor })
  await mesh.converged()
  for (const { catalog } of mesh.nodes) expect(catalog.keys.authenticate(secret, Date.now())).toEqual(key)
  await c!.catalog.keys.revoke(key.id, { actor: c!.actor })
  await mesh.converged()
  for (const { catalog } of mesh.nodes) expect(catalog.keys.authenticate(secret, Date.now())).toBeUndefined()
  expect(b!.catalog.log.query({ key: key.id, limit: 10 }).entries.map(({ change }) => change)).toEqual([
    'deleted',
    'created',
  ])
})

test('no register holds the secret of a key', async () => {
  const mesh = createTestMesh(1)
  const { catalog, replica, actor } = mesh.nodes[0]!
  const { secret } = await catalog.keys.create({ name: 'ci', role: 'read' }, { actor })
  const random = secret.slice(secret.lastIndexOf('_') + 1)
  for (const { value } of replica.records()) expect(new TextDecoder().decode(value ?? undefined)).not.toContain(random)
})

test('an expired key and a guess at a known id open nothing', async () => {
  const mesh = createTestMesh(1)
  const { catalog, actor } = mesh.nodes[0]!
  const { secret } = await catalog.keys.create(
    { name: 'ci', role: 'read', expiresAt: '2030-01-01T00:00:00Z' },
    { actor },
  )
  expect(catalog.keys.authenticate(secret, Date.parse('2029-12-31T23:59:59Z'))).toBeDefined()
  expect(catalog.keys.authenticate(secret, Date.parse('2030-01-01T00:00:00Z'))).toBeUndefined()
  expect(catalog.keys.authenticate(`${secret.slice(0, -2)}AA`, Date.parse('2026-01-01T00:00:00Z'))).toBeUndefined()
})
