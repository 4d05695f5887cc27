import { expect, test } from 'vitest'
import { createTestbed } from './testbed.ts'

const one = '/ofrep/v1/evaluate/flags'

const rules = [{ id: 'de', if: { attribute: 'country', op: 'eq', values: ['DE'] }, serve: { variation: 'on' } }]
const checkout = { key: 'shop/checkout', enabled: true, rules, fallthrough: { variation: 'off' } }

test('a flag is evaluated, its key one percent-encoded segment of the path', async () => {
  const { send, catalog } = await createTestbed()
  const created = await send('POST', '/flags', checkout)
  const { version } = created.json as { version: string }
  const answer = await send('POST', `${one}/shop%2Fcheckout`, { context: { targetingKey: 'u', country: 'DE' } })
  expect(answer.status).toBe(200)
  expect(answer.headers['flags-version']).toBe(catalog.root())
  const metadata = { version, ruleId: 'de' }
  expect(answer.json).toEqual({ key: 'shop/checkout', value: true, variant: 'on', reason: 'TARGETING_MATCH', metadata })
})

test('an empty context and an empty body are served when no flag needs a subject', async () => {
  const { send } = await createTestbed()
  await send('POST', '/flags', checkout)
  for (const body of [{ context: {} }, {}, '', undefined]) {
    expect((await send('POST', `${one}/shop%2Fcheckout`, body)).json).toMatchObject({ value: false, reason: 'DEFAULT' })
    expect((await send('POST', one, body)).json).toMatchObject({ flags: [{ key: 'shop/checkout', value: false }] })
  }
})

test('a rollout without a subject is TARGETING_KEY_MISSING, alone with 400, in bulk as an item', async () => {
  const { send } = await createTestbed()
  await send('POST', '/flags', { key: 'rolled', rolloutPercentage: 50 })
  await send('POST', '/flags', { key: 'plain', enabled: true })
  const alone = await send('POST', `${one}/rolled`, { context: {} })
  expect(alone.status).toBe(400)
  expect(alone.json).toMatchObject({
    key: 'rolled',
    errorCode: 'TARGETING_KEY_MISSING',
    errorDetails: expect.any(String),
  })
  const bulk = await send('POST', one, { context: {} })
  expect(bulk.status).toBe(200)
  expect(bulk.json).toMatchObject({
    flags: [
      { key: 'plain', value: true },
      { key: 'rolled', errorCode: 'TARGETING_KEY_MISSING' },
    ],
  })
})

test('where there is no value to give, value is left out', async () => {
  const { send } = await createTestbed()
  await send('POST', '/flags', { key: 'a', type: 'number', variations: { x: 1 }, fallthrough: { variation: 'x' } })
  const answer = await send('POST', `${one}/a`, { context: {} })
  expect(answer.status).toBe(200)
  expect(answer.json).toEqual({ key: 'a', reason: 'DISABLED', metadata: expect.any(Object) })
})

test.each([
  ['an unknown flag', 'nope', { context: {} }, 404, 'FLAG_NOT_FOUND'],
  ['JSON that ends early', 'a', '{', 400, 'PARSE_ERROR'],
  ['a list as body', 'a', [], 400, 'INVALID_CONTEXT'],
  ['a context that is a text', 'a', { context: 'x' }, 400, 'INVALID_CONTEXT'],
  ['a targeting key that is a list', 'a', { context: { targetingKey: [] } }, 400, 'INVALID_CONTEXT'],
  [
    'a context with too many attributes',
    'a',
    { context: { list: Array.from({ length: 2_000 }, () => 0) } },
    400,
    'INVALID_CONTEXT',
  ],
])('%s is answered with key and errorCode', async (_what, key, body, status, errorCode) => {
  const { send } = await createTestbed()
  await send('POST', '/flags', { key: 'a' })
  const alone = await send('POST', `${one}/${key}`, body)
  expect(alone.status).toBe(status)
  expect(alone.json).toEqual({ key, errorCode, errorDetails: expect.any(String) })
  if (status !== 400) return
  const bulk = await send('POST', one, body)
  expect(bulk.status).toBe(400)
  expect(bulk.json).toEqual({ key: '', errorCode, errorDetails: expect.any(String) })
})

test('what OFREP leaves to HTTP is a problem as everywhere else', async () => {
  const { send } = await createTestbed({ adminKey: 'k' })
  const answer = await send('POST', one, { context: {} })
  expect(answer.status).toBe(401)
  expect(answer.json).toMatchObject({ code: 'UNAUTHENTICATED' })
})

test('namespace and environment come from the query, else from headers', async () => {
  const { send } = await createTestbed()
  await send('POST', '/flags?namespace=shop', { key: 'a', enabled: false, environments: { qa: { enabled: true } } })
  const headers = { 'flags-namespace': 'shop', 'flags-environment': 'qa' }
  expect((await send('POST', `${one}/a`, {}, headers)).json).toMatchObject({ value: true })
  expect((await send('POST', `${one}/a?namespace=shop&environment=qa&vendor=x`, {})).json).toMatchObject({
    value: true,
  })
  expect((await send('POST', `${one}/a?environment=default`, {}, headers)).json).toMatchObject({ value: false })
  expect((await send('POST', one, {}, headers)).json).toMatchObject({
    flags: [{ key: 'a', value: true }],
    eventStreams: [{ type: 'sse', endpoint: { requestUri: '/ofrep/v1/stream?namespace=shop&environment=qa' } }],
  })
})

test('the bulk ETag depends on the ruleset, the whole context, namespace and environment, and on nothing else', async () => {
  const { send } = await createTestbed()
  await send('POST', '/flags', checkout)
  const etag = async (body: unknown, query = '') => (await send('POST', one + query, body)).headers.etag
  const context = { targetingKey: 'u', a: { x: 1, y: [1, 2] } }
  const first = await etag({ context })
  expect(first).toMatch(/^"[\w-]{22}"$/)
  expect(await etag({ context: { a: { y: [1, 2], x: 1 }, targetingKey: 'u' } })).toBe(first)
  expect(await etag({ context }, '?flagConfigLastModified=7')).toBe(first)
  const others = [
    await etag({ context: { ...context, targetingKey: 'v' } }),
    await etag({ context: { ...context, plan: 'pro' } }),
    await etag({ context: { ...context, a: { x: 1, y: [2, 1] } } }),
    await etag({ context }, '?environment=qa'),
    await etag({ context }, '?namespace=shop'),
  ]
  expect(new Set([first, ...others]).size).toBe(6)
  await send('PATCH', '/flags/shop%2Fcheckout', { enabled: false })
  expect(await etag({ context })).not.toBe(first)
})

test('a matching ETag is 304, and a context change without a new targeting key is not', async () => {
  const { send } = await createTestbed()
  await send('POST', '/flags', checkout)
  const first = await send('POST', one, { context: { targetingKey: 'u', country: 'FR' } })
  const headers = { 'if-none-match': String(first.headers.etag) }
  const same = await send('POST', one, { context: { country: 'FR', targetingKey: 'u' } }, headers)
  expect(same.status).toBe(304)
  expect(same.headers.etag).toBe(first.headers.etag)
  expect(same.text).toBe('')
  const other = await send('POST', one, { context: { targetingKey: 'u', country: 'DE' } }, headers)
  expect(other.json).toMatchObject({ flags: [{ value: true }] })
})

test('a flagConfigEtag that nobody here has heard of makes the node ask its peers, for 100 ms at most', async () => {
  let asked = 0
  const { send, catalog } = await createTestbed({}, { requestSync: () => void asked++ })
  await send('POST', '/flags', checkout)
  const earlier = catalog.root()
  await send('PATCH', '/flags/shop%2Fcheckout', { description: 'x' })
  await send('POST', `${one}?flagConfigEtag=${catalog.root()}`, {})
  await send('POST', `${one}?flagConfigEtag=${earlier}`, {})
  expect(asked).toBe(0)
  expect((await send('POST', `${one}?flagConfigEtag=0123456789abcdef`, {})).status).toBe(200)
  expect(asked).toBe(1)
})

test('browsers of any origin may evaluate, and nothing else', async () => {
  const { send } = await createTestbed()
  const origin = { origin: 'https://shop.example' }
  const answer = await send('POST', one, {}, origin)
  expect(answer.headers['access-control-allow-origin']).toBe('*')
  expect(answer.headers['access-control-expose-headers']).toBe(
    'ETag, Retry-After, Flags-Version, Flags-Stale, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset',
  )
  const preflight = { ...origin, 'access-control-request-method': 'POST' }
  expect((await send('OPTIONS', one, undefined, preflight)).status).toBe(204)
  const elsewhere = await send('OPTIONS', '/flags', undefined, preflight)
  expect(elsewhere.status).toBe(404)
  expect((await send('GET', '/flags', undefined, origin)).headers).not.toHaveProperty('access-control-allow-origin')
})

test('pages of the origins that the setting names may evaluate, and no others; off is none', async () => {
  const allowed = async (corsOrigins: readonly string[], origin: string) => {
    const { send } = await createTestbed({ corsOrigins })
    const { headers } = await send('POST', '/ofrep/v1/evaluate/flags', { context: {} }, { origin })
    return headers['access-control-allow-origin']
  }
  const shop = 'https://shop.example'
  expect(await allowed([shop], shop)).toBe(shop)
  expect(await allowed([shop], 'https://evil.example')).toBeUndefined()
  expect(await allowed([], shop)).toBeUndefined()
})
