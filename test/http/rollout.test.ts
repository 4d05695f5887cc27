import { expect, test } from 'vitest'
import type { Flag } from '../../src/evaluation/model.ts'
import { createTestbed } from './testbed.ts'

function weightsOf(json: unknown): object | undefined {
  const { fallthrough } = json as Flag
  return fallthrough && 'rollout' in fallthrough
    ? fallthrough.rollout.weights.map(({ variation, weight }) => [variation, weight])
    : undefined
}

test('a rollout serves the flag’s main variation to a percentage and the off variation to the rest', async () => {
  const { send } = await createTestbed()
  await send('POST', '/flags', { key: 'a', enabled: true })
  const rolled = await send('POST', '/flags/a/rollout', { percentage: 25.01 })
  expect(rolled.status).toBe(200)
  expect(weightsOf(rolled.json)).toEqual([
    ['on', 2501],
    ['off', 7499],
  ])
})

test('growing a rollout keeps everyone who was in, whichever side of the split they were on', async () => {
  const { send, catalog } = await createTestbed()
  const split = (weight: number) => [
    { variation: 'off', weight: 10_000 - weight },
    { variation: 'on', weight },
  ]
  await send('POST', '/flags', {
    key: 'a',
    enabled: true,
    fallthrough: { rollout: { salt: 's', bucketBy: 'company', weights: split(2_000) } },
  })
  const isIn = (company: number) =>
    catalog.ruleset.find('default', 'default', 'a')?.evaluate({ company: String(company) }, Date.now()).value === true
  const subjects = Array.from({ length: 1_000 }, (_, i) => i)
  const before = subjects.filter(isIn)
  const rolled = await send('POST', '/flags/a/rollout', { percentage: 50 })
  expect((rolled.json as Flag).fallthrough).toMatchObject({
    rollout: { salt: 's', bucketBy: 'company', weights: split(5_000) },
  })
  expect(before.length).toBeGreaterThan(100)
  expect(before.filter((subject) => !isIn(subject))).toEqual([])
  expect(subjects.filter(isIn).length).toBeGreaterThan(before.length)
})

test('a rollout in one environment leaves the others alone', async () => {
  const { send } = await createTestbed()
  await send('POST', '/flags', { key: 'a', enabled: true })
  const rolled = await send('POST', '/flags/a/rollout', { percentage: 10, environment: 'qa' })
  const { fallthrough, environments } = rolled.json as Flag
  expect(fallthrough).toEqual({ variation: 'on' })
  expect(weightsOf({ fallthrough: environments?.qa?.fallthrough })).toEqual([
    ['on', 1_000],
    ['off', 9_000],
  ])
})

test('a rollout names any variation, and replaces a schedule', async () => {
  const { send } = await createTestbed()
  const weights = [
    { variation: 'red', weight: 5_000 },
    { variation: 'blue', weight: 5_000 },
  ]
  const schedule = [{ at: '2031-01-01T00:00:00Z', weights }]
  const flag = {
    key: 'a',
    type: 'string',
    variations: { red: '#f00', blue: '#00f' },
    fallthrough: { rollout: { weights, schedule } },
  }
  expect((await send('POST', '/flags', flag)).status).toBe(201)
  const rolled = await send('POST', '/flags/a/rollout', { percentage: 1, variation: 'blue' })
  expect(weightsOf(rolled.json)).toEqual([
    ['red', 9_900],
    ['blue', 100],
  ])
  expect(JSON.stringify(rolled.json)).not.toContain('schedule')
})

test.each([
  ['a percentage above 100', { percentage: 100.01 }, 422],
  ['a percentage below 0', { percentage: -1 }, 422],
  ['a percentage finer than 0.01', { percentage: 0.001 }, 422],
  ['a variation that does not exist', { percentage: 10, variation: 'nope' }, 422],
  ['a variation that every object inherits', { percentage: 10, variation: 'constructor' }, 422],
  ['a percentage in a string', { percentage: '10' }, 400],
  ['an unknown property', { percentage: 10, percent: 10 }, 400],
  ['no percentage', {}, 400],
])('%s is refused and changes nothing', async (_what, body, status) => {
  const { send } = await createTestbed()
  const { headers } = await send('POST', '/flags', { key: 'a' })
  const refused = await send('POST', '/flags/a/rollout', body)
  expect(refused.status).toBe(status)
  expect((refused.json as { errors: object[] }).errors[0]).toMatchObject({
    path: expect.any(String),
    message: expect.any(String),
  })
  expect((await send('GET', '/flags/a')).headers.etag).toBe(headers.etag)
})

test('rollouts at the same time all come through, one after the other', async () => {
  const { send } = await createTestbed()
  await send('POST', '/flags', { key: 'a' })
  const answers = await Promise.all([1, 2, 3].map((percentage) => send('POST', '/flags/a/rollout', { percentage })))
  expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200])
})
