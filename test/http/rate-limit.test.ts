import type { FastifyReply } from 'fastify'
import { afterEach, expect, test, vi } from 'vitest'
import { failingNetworksMax, failuresPerMinuteMax } from '../../src/base/limits.ts'
import { createCallers } from '../../src/http/access/callers.ts'
import { countRequest, RateWindow, RateWindows } from '../../src/http/access/rate-limit.ts'
import { adminKey, createGuardedTestbed } from './access-keys.ts'
import { createTestbed } from './testbed.ts'

afterEach(() => {
  vi.useRealTimers()
})

const start = Date.parse('2030-01-01T00:00:00Z')

function stopTheClock(): void {
  vi.useFakeTimers({ toFake: ['Date'], now: start })
}

test('a key may send as many requests a minute as it has, and is told so', async () => {
  stopTheClock()
  const { as, makeKey } = await createGuardedTestbed({ rateLimitPerMinute: 1_000 })
  const secret = await makeKey({ rateLimit: 2 })
  const answers = [await as(secret, 'GET', '/flags'), await as(secret, 'GET', '/flags/none')]
  expect(answers.map(({ status }) => status)).toEqual([200, 404])
  expect(answers[0]?.headers).toMatchObject({
    'ratelimit-limit': '2',
    'ratelimit-remaining': '1',
    'ratelimit-reset': '60',
  })
  vi.setSystemTime(start + 20_500)
  const refused = await as(secret, 'GET', '/flags')
  expect(refused.status).toBe(429)
  expect(refused.headers).toMatchObject({ 'ratelimit-remaining': '0', 'retry-after': '40' })
  expect(refused.json).toMatchObject({ code: 'RATE_LIMITED' })
  vi.setSystemTime(start + 60_000)
  expect((await as(secret, 'GET', '/flags')).status).toBe(200)
})

test('a key with a limit for thousands a second is told of it when half is used', () => {
  const told: string[] = []
  const reply = { header } as unknown as FastifyReply
  function header(name: string): FastifyReply {
    told.push(name)
    return reply
  }
  const window = new RateWindow()
  for (let i = 0; i < 30_000; i++) countRequest(window, 60_000, start, reply)
  expect(told).toEqual([])
  for (let i = 0; i < 30_000; i++) countRequest(window, 60_000, start, reply)
  expect(told).toHaveLength(90_000)
  expect(() => countRequest(window, 60_000, start, reply)).toThrow('60000 requests')
})

test('a limit is for one key: others, and the admin, go on', async () => {
  stopTheClock()
  const { as, makeKey } = await createGuardedTestbed({ rateLimitPerMinute: 3 })
  const [one, two] = [await makeKey({}), await makeKey({ rateLimit: 0 })]
  for (const expected of [200, 200, 200, 429]) expect((await as(one, 'GET', '/flags')).status).toBe(expected)
  for (let i = 0; i < 5; i++) {
    const answer = await as(two, 'GET', '/flags')
    expect(answer.status).toBe(200)
    expect(answer.headers).not.toHaveProperty('ratelimit-limit')
  }
  expect((await as(adminKey, 'GET', '/flags')).status).toBe(200)
})

test('what a key has used is kept when another key changes', async () => {
  stopTheClock()
  const { as, makeKey } = await createGuardedTestbed()
  const secret = await makeKey({ rateLimit: 1 })
  expect((await as(secret, 'GET', '/flags')).status).toBe(200)
  await makeKey({})
  expect((await as(secret, 'GET', '/flags')).status).toBe(429)
})

test('a request over the limit is refused before its body is parsed, on OFREP as well', async () => {
  const { as, makeKey } = await createGuardedTestbed()
  const secret = await makeKey({ role: 'write', rateLimit: 1 })
  await as(secret, 'GET', '/flags')
  expect((await as(secret, 'POST', '/flags', '{not even JSON')).status).toBe(429)
  const ofrep = await as(secret, 'POST', '/ofrep/v1/evaluate/flags', { context: {} })
  expect(ofrep.status).toBe(429)
  expect(Number(ofrep.headers['retry-after'])).toBeGreaterThan(0)
})

test('a clock that is set back does not shut a key out for longer than a minute', async () => {
  stopTheClock()
  const { as, makeKey } = await createGuardedTestbed()
  const secret = await makeKey({ rateLimit: 1 })
  await as(secret, 'GET', '/flags')
  vi.setSystemTime(start - 3_600_000)
  expect((await as(secret, 'GET', '/flags')).status).toBe(200)
  expect((await as(secret, 'GET', '/flags')).status).toBe(429)
})

test('an address that guesses is stopped, and whoever has a valid key there is not', async () => {
  stopTheClock()
  const { as, makeKey } = await createGuardedTestbed()
  const valid = await makeKey({})
  for (let i = 0; i < failuresPerMinuteMax; i++) expect((await as(`guess-${i}`, 'GET', '/flags')).status).toBe(401)
  const stopped = await as('guess', 'GET', '/flags')
  expect(stopped.status).toBe(429)
  expect(stopped.headers['retry-after']).toBe('60')
  expect((await as(adminKey, 'GET', '/flags')).status).toBe(429)
  expect((await as(valid, 'GET', '/flags')).status).toBe(200)
  vi.setSystemTime(start + 60_000)
  expect((await as(adminKey, 'GET', '/flags')).status).toBe(200)
})

test('whoever goes on with a revoked key is refused each time, and locks nobody out', async () => {
  stopTheClock()
  const { as } = await createGuardedTestbed()
  for (let i = 0; i < 3 * failuresPerMinuteMax; i++) expect((await as('revoked', 'GET', '/flags')).status).toBe(401)
  expect((await as(adminKey, 'GET', '/flags')).status).toBe(200)
})

test('a million distinct keys from a million addresses leave nothing behind but a bounded count', () => {
  const windows = new RateWindows(failingNetworksMax)
  for (let i = 0; i < 1_000_000; i++) windows.of(`10.${i}`).use(start)
  expect(windows.size).toBe(failingNetworksMax)
})

test('addresses of one IPv6 network are counted together', () => {
  const keys = { authenticate: () => undefined, isInForce: () => false, onChange: () => () => undefined }
  const callers = createCallers({ adminKey, keys, rateLimitPerMinute: 0 })
  let guesses = 0
  const guess = (ip: string) => () => callers.authenticate(`guess-${guesses++}`, start, { ip })
  for (let i = 0; i < failuresPerMinuteMax; i++) {
    expect(guess(`2001:db8:1:2:${i.toString(16)}::9`)).toThrow('not known')
  }
  expect(guess('2001:db8:1:2:ffff::1')).toThrow('Too many')
  expect(guess('2001:db8:1:3::1')).toThrow('not known')
})

test('without keys there is no limit', async () => {
  const { send } = await createTestbed({ rateLimitPerMinute: 1 })
  for (let i = 0; i < 3; i++) expect((await send('GET', '/flags')).status).toBe(200)
})
