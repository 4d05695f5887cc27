import { expect, test } from 'vitest'
import { createTestbed } from './testbed.ts'

const bulk = '/ofrep/v1/evaluate/flags'
const context = { context: { targetingKey: 'u' } }

test('a node that may be cut off says so on every evaluation, and answers as before', async () => {
  const { send, node } = await createTestbed()
  await send('POST', '/flags', { key: 'a', enabled: true })
  const ask = () =>
    Promise.all([
      send('GET', '/flags/a/evaluate?user_id=u'),
      send('POST', '/evaluate', { flagKey: 'a' }),
      send('POST', '/evaluate/batch', { requests: [{ flagKey: 'a' }] }),
      send('GET', '/features'),
      send('GET', '/ruleset'),
      send('POST', `${bulk}/a`, context),
      send('POST', bulk, context),
    ])
  const before = await ask()
  node.isolated = true
  const during = await ask()
  node.isolated = false
  for (const answer of [...before, ...(await ask())]) expect(answer.headers).not.toHaveProperty('flags-stale')
  for (const answer of during) expect(answer).toMatchObject({ status: 200, headers: { 'flags-stale': 'true' } })
  expect(during[1]?.json).toEqual(before[1]?.json)
})

test('OFREP answers of such a node carry the reason STALE in their metadata, and another ETag than fresh ones', async () => {
  const { send, node, catalog } = await createTestbed()
  await send('POST', '/flags', { key: 'a', enabled: true, metadata: { team: 'shop' } })
  const fresh = await send('POST', bulk, context)
  const { etag } = fresh.headers as { etag: string }
  node.isolated = true
  const one = await send('POST', `${bulk}/a`, context)
  expect(one.json).toMatchObject({ value: true, reason: 'STATIC', metadata: { team: 'shop', reason: 'STALE' } })
  const all = await send('POST', bulk, context, { 'if-none-match': etag })
  expect(all.status).toBe(200)
  expect(all.json).toMatchObject({
    flags: [{ key: 'a', value: true, reason: 'STATIC', metadata: { reason: 'STALE' } }],
    metadata: { version: catalog.root(), reason: 'STALE' },
  })
  node.isolated = false
  expect((await send('POST', bulk, context, { 'if-none-match': etag })).status).toBe(304)
})

test('the mesh view and the metrics tell isolation, and how long changes took to arrive', async () => {
  const { send, node } = await createTestbed()
  node.arrived(30)
  node.arrived(70_000)
  node.isolated = true
  expect((await send('GET', '/mesh')).json).toMatchObject({ isolated: true })
  const { text } = await send('GET', '/metrics')
  expect(text).toContain('flags_mesh_isolated 1')
  expect(text).toContain('flags_convergence_seconds_bucket{le="0.025"} 0')
  expect(text).toContain('flags_convergence_seconds_bucket{le="0.05"} 1')
  expect(text).toContain('flags_convergence_seconds_bucket{le="60"} 1')
  expect(text).toContain('flags_convergence_seconds_count 2')
})
