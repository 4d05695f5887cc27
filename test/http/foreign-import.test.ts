import { expect, test } from 'vitest'
import demo from '../data/otel-demo.flagd.json' with { type: 'json' }
import { createTestbed } from './testbed.ts'

const unleash = {
  version: 2,
  features: [
    {
      name: 'checkout',
      enabled: true,
      strategies: [
        { name: 'flexibleRollout', parameters: { rollout: '20', stickiness: 'default', groupId: 'checkout' } },
      ],
    },
    {
      name: 'sale',
      enabled: true,
      strategies: [
        {
          name: 'default',
          constraints: [{ contextName: 'currentTime', operator: 'DATE_AFTER', value: '2020-01-01T00:00:00Z' }],
        },
      ],
    },
  ],
}

test('a document of flagd is imported as it is, and its metadata is told by OFREP', async () => {
  const { send } = await createTestbed()
  const document = { ...demo, metadata: { team: 'shop' } }
  const report = await send('POST', '/api/v1/import?format=flagd', document)
  expect(report).toMatchObject({ status: 200, json: { flags: { created: 16 } } })
  expect(await send('POST', '/ofrep/v1/evaluate/flags/adFailure', { context: {} })).toMatchObject({
    status: 200,
    json: { value: false, variant: 'off', metadata: { team: 'shop', version: expect.any(String) } },
  })
  expect(await send('POST', '/api/v1/import?format=flagd', document)).toMatchObject({
    json: { flags: { unchanged: 16 } },
  })
})

test('the percentage of a rollout that came from Unleash can be raised, and everybody who was in stays in', async () => {
  const { send } = await createTestbed()
  expect((await send('POST', '/api/v1/import?format=unleash', unleash)).status).toBe(200)
  const requests = Array.from({ length: 300 }, (_, i) => ({ flagKey: 'checkout', context: { targetingKey: `u${i}` } }))
  const included = async () => {
    const { json } = await send('POST', '/api/v1/evaluate/batch', { requests })
    return (json as { results: { value: boolean }[] }).results.map(({ value }) => value)
  }
  const before = await included()
  expect((await send('POST', '/api/v1/flags/checkout/rollout', { percentage: 60 })).status).toBe(200)
  const after = await included()
  const share = (answers: readonly boolean[]) => answers.filter(Boolean).length / 300
  expect(share(before)).toBeGreaterThan(0.1)
  expect(share(after)).toBeGreaterThan(share(before))
  expect(before.every((was, i) => !was || after[i])).toBe(true)
})

test('what is exported after an import can be imported again as our own', async () => {
  const { send } = await createTestbed()
  await send('POST', '/api/v1/import?format=unleash', unleash)
  const { json } = await send('GET', '/api/v1/export')
  expect(await send('POST', '/api/v1/import', json)).toMatchObject({ status: 200, json: { flags: { unchanged: 2 } } })
})

test('faults of a foreign document have the paths that they have there, and nothing is imported', async () => {
  const { send } = await createTestbed()
  const bad = { flags: { a: { state: 'ENABLED', variants: { on: true } }, b: { state: 'ENABLED' } } }
  expect(await send('POST', '/api/v1/import?format=flagd', bad)).toMatchObject({
    status: 400,
    json: { code: 'MALFORMED', errors: [{ path: 'flags.b.variants' }] },
  })
  const senseless = { flags: { a: { state: 'ENABLED', variants: { on: true }, defaultVariant: 'off' } } }
  expect(await send('POST', '/api/v1/import?format=flagd', senseless)).toMatchObject({
    status: 422,
    json: { code: 'INVALID', errors: [{ path: 'flags.a' }] },
  })
  expect((await send('GET', '/api/v1/flags')).json).toMatchObject({ flags: [] })
})

test('the ETag of a bulk evaluation moves with the clock where a flag looks at it', async () => {
  const { send, catalog } = await createTestbed()
  await send('POST', '/api/v1/import?format=unleash', unleash)
  expect(catalog.ruleset.find('default', 'default', 'sale')?.ticking).toBe(true)
  const etag = async () =>
    (await send('POST', '/ofrep/v1/evaluate/flags', { context: { targetingKey: 'u' } })).headers.etag
  const first = await etag()
  await expect.poll(etag, { timeout: 10_000, interval: 200 }).not.toBe(first)
})
