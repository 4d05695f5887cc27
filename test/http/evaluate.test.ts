import { expect, test } from 'vitest'
import { createTestbed } from './testbed.ts'

const checkout = {
  key: 'checkout',
  enabled: true,
  rules: [
    { id: 'dach', if: { attribute: 'country', op: 'in', values: ['DE', 'AT', 'CH'] }, serve: { variation: 'on' } },
  ],
  fallthrough: { variation: 'off' },
}

test('GET evaluates with user_id as the targeting key and every other parameter as an attribute', async () => {
  const { send, catalog } = await createTestbed()
  await send('POST', '/flags', checkout)
  const answer = await send('GET', '/api/v1/flags/checkout/evaluate?user_id=u%221&country=DE')
  expect(answer.status).toBe(200)
  expect(answer.headers['content-type']).toContain('application/json')
  expect(answer.headers['flags-version']).toBe(catalog.root())
  expect(answer.json).toEqual({
    flag_id: 'checkout',
    enabled: true,
    variation: 'on',
    value: true,
    user_id: 'u"1',
    reason: 'TARGETING_MATCH',
    rule_id: 'dach',
    evaluated_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  })
  expect((await send('GET', '/flags/checkout/evaluate?country=FR')).json).toMatchObject({
    value: false,
    enabled: false,
    user_id: null,
  })
})

test('what was serialized once is not served after the flag has changed', async () => {
  const { send } = await createTestbed()
  await send('POST', '/flags', {
    key: 'a',
    enabled: true,
    type: 'string',
    variations: { x: 'one' },
    fallthrough: { variation: 'x' },
  })
  expect((await send('GET', '/flags/a/evaluate')).json).toMatchObject({ value: 'one' })
  expect((await send('GET', '/flags/a/evaluate')).json).toMatchObject({ value: 'one' })
  await send('PATCH', '/flags/a', { variations: { x: 'two' } })
  expect((await send('GET', '/flags/a/evaluate')).json).toMatchObject({ value: 'two' })
})

test('a flag that is not there is 404, or what the caller named as default', async () => {
  const { send, catalog } = await createTestbed()
  const missing = await send('GET', '/flags/nope/evaluate?user_id=u')
  expect(missing.status).toBe(404)
  expect(missing.headers['flags-version']).toBe(catalog.root())
  expect(missing.json).toMatchObject({ code: 'FLAG_NOT_FOUND' })
  const fallback = await send('GET', '/flags/nope/evaluate?user_id=u&default=true')
  expect(fallback.status).toBe(200)
  expect(fallback.json).toMatchObject({
    value: true,
    enabled: true,
    reason: 'DEFAULT',
    error_code: 'FLAG_NOT_FOUND',
    user_id: 'u',
  })
  expect((await send('GET', '/flags/nope/evaluate?default=plain')).json).toMatchObject({ value: 'plain' })
  expect((await send('GET', '/flags/nope/evaluate?default=1e999')).json).toMatchObject({ value: '1e999' })
})

test('namespace and environment of an evaluation come from the query', async () => {
  const { send } = await createTestbed()
  await send('POST', '/flags?namespace=shop', { key: 'a', enabled: false, environments: { qa: { enabled: true } } })
  expect((await send('GET', '/flags/a/evaluate?namespace=shop')).json).toMatchObject({
    value: false,
    reason: 'DISABLED',
  })
  expect((await send('GET', '/flags/a/evaluate?namespace=shop&environment=qa')).json).toMatchObject({ value: true })
  expect((await send('POST', '/evaluate?namespace=shop&environment=qa', { flagKey: 'a' })).json).toMatchObject({
    value: true,
  })
  expect((await send('GET', '/flags/a/evaluate')).status).toBe(404)
})

test('POST /evaluate takes its own names and those of other servers', async () => {
  const { send, catalog } = await createTestbed()
  await send('POST', '/flags', checkout)
  const version = catalog.flags.get('default', 'checkout')?.version
  const expected = { key: 'checkout', value: true, variation: 'on', reason: 'TARGETING_MATCH', ruleId: 'dach', version }
  const own = await send('POST', '/evaluate', { flagKey: 'checkout', context: { targetingKey: 'u', country: 'AT' } })
  expect(own.json).toEqual(expected)
  expect(own.headers['flags-version']).toBe(catalog.root())
  const other = await send('POST', '/evaluate', { flag_key: 'checkout', user_id: 7, user_context: { country: 'CH' } })
  expect(other.json).toEqual(expected)
})

test('user_id is the subject of a rollout, as a number too', async () => {
  const { send } = await createTestbed()
  await send('POST', '/flags', { key: 'a', rolloutPercentage: 50 })
  for (let id = 0; id < 20; id++) {
    const byNumber = await send('POST', '/evaluate', { flagKey: 'a', user_id: id })
    const byText = await send('POST', '/evaluate', { flagKey: 'a', context: { targetingKey: String(id) } })
    expect(byNumber.json).toEqual(byText.json)
    expect(byNumber.json).toMatchObject({ reason: 'SPLIT' })
  }
})

test('POST /evaluate answers with the default where there is no flag or no value', async () => {
  const { send } = await createTestbed()
  await send('POST', '/flags', { key: 'none', variations: { x: 1 }, type: 'number', fallthrough: { variation: 'x' } })
  expect((await send('POST', '/evaluate', { flagKey: 'nope' })).status).toBe(404)
  const unknown = await send('POST', '/evaluate', { flagKey: 'nope', default: { a: [1] } })
  expect(unknown.status).toBe(200)
  expect(unknown.json).toEqual({ key: 'nope', value: { a: [1] }, reason: 'DEFAULT', errorCode: 'FLAG_NOT_FOUND' })
  expect((await send('POST', '/evaluate', { flagKey: 'none', default: 5 })).json).toMatchObject({
    value: 5,
    reason: 'DISABLED',
  })
  expect((await send('POST', '/evaluate', { flagKey: 'none' })).json).toMatchObject({ value: null, reason: 'DISABLED' })
})

test('each request of a batch has its own answer or its own error', async () => {
  const { send } = await createTestbed()
  await send('POST', '/flags', checkout)
  const requests = [
    { flagKey: 'checkout', context: { country: 'DE' } },
    { flagKey: 'nope' },
    { flagKey: 'nope', default: 0 },
    { key: 'checkout' },
    7,
  ]
  const batch = await send('POST', '/evaluate/batch', { requests })
  expect(batch.status).toBe(200)
  expect(batch.json).toMatchObject({
    results: [
      { key: 'checkout', value: true },
      { status: 404, code: 'FLAG_NOT_FOUND' },
      { key: 'nope', value: 0, errorCode: 'FLAG_NOT_FOUND' },
      { status: 400, code: 'MALFORMED', errors: expect.arrayContaining([expect.objectContaining({ path: 'key' })]) },
      { status: 400, code: 'MALFORMED' },
    ],
  })
  const tooMany = Array.from({ length: 1_001 }, () => ({ flagKey: 'checkout' }))
  expect((await send('POST', '/evaluate/batch', { requests: tooMany })).status).toBe(400)
})

test('features are the sorted keys of the boolean flags that are on', async () => {
  const { send } = await createTestbed()
  await send('POST', '/flags', { key: 'z', enabled: true })
  await send('POST', '/flags', {
    key: 'a',
    enabled: true,
    overrides: { group: { g1: 'off' }, targetingKey: { u1: 'on' } },
  })
  await send('POST', '/flags', {
    key: 'text',
    enabled: true,
    type: 'string',
    variations: { x: 'true' },
    fallthrough: { variation: 'x' },
  })
  await send('POST', '/flags', { key: 'off' })
  expect((await send('GET', '/features?version=v1&user=u1')).json).toEqual({ features: ['a', 'z'] })
  expect((await send('GET', '/features?version=v1&group=g1&user=u1')).json).toEqual({ features: ['z'] })
})

test('names that every object inherits are attributes like any other', async () => {
  const { send } = await createTestbed()
  for (const attribute of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    const rules = [{ if: { attribute, op: 'exists' }, serve: { variation: 'on' } }]
    const flag = { key: `has-${attribute}`, enabled: true, rules, fallthrough: { variation: 'off' } }
    expect((await send('POST', '/flags', flag)).status).toBe(201)
    const url = `/flags/has-${attribute}/evaluate`
    expect((await send('GET', url)).json).toMatchObject({ value: false })
    expect((await send('GET', `${url}?${attribute}=x`)).json).toMatchObject({ value: true })
    expect((await send('POST', '/evaluate', { flagKey: flag.key, context: {} })).json).toMatchObject({ value: false })
    if (attribute === '__proto__') continue
    expect((await send('POST', '/evaluate', { flagKey: flag.key, context: { [attribute]: 'x' } })).json).toMatchObject({
      value: true,
    })
  }
})
