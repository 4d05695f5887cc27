import { expect, test } from 'vitest'
import { createTestbed } from './testbed.ts'

const rules = [{ id: 'de', if: { attribute: 'country', op: 'eq', values: ['DE'] }, serve: { variation: 'on' } }]
const checkout = { key: 'checkout', enabled: true, rules, fallthrough: { variation: 'off' } }

test('an audit shows the flag, the result and every step with what was compared', async () => {
  const { send } = await createTestbed()
  await send('POST', '/flags', checkout)
  const audit = await send('GET', '/flags/checkout/audit?user_id=u&country=FR')
  expect(audit.json).toMatchObject({
    flag: { key: 'checkout' },
    environment: 'default',
    context: { targetingKey: 'u', country: 'FR' },
    result: { value: false, variation: 'off', reason: 'DEFAULT' },
  })
  const { steps } = audit.json as { steps: object[] }
  const compared = {
    kind: 'condition',
    at: 'rules[0].if',
    subject: 'country',
    op: 'eq',
    actual: 'FR',
    expected: ['DE'],
    outcome: false,
  }
  expect(steps[0]).toEqual({ kind: 'switch', at: 'enabled', outcome: true })
  expect(steps).toContainEqual(compared)
  expect(steps.at(-1)).toMatchObject({ at: 'fallthrough', outcome: 'off' })
  expect((await send('GET', '/flags/nope/audit')).status).toBe(404)
})

test('POST /evaluate explains where it is asked to, and answers the same', async () => {
  const { send } = await createTestbed()
  await send('POST', '/flags', checkout)
  const body = { flagKey: 'checkout', context: { country: 'DE' } }
  const plain = await send('POST', '/evaluate', body)
  const explained = await send('POST', '/evaluate?explain=true', body)
  const { steps, ...answer } = explained.json as { steps: object[] }
  expect(answer).toEqual(plain.json)
  expect(steps.length).toBeGreaterThan(1)
  expect((await send('POST', '/evaluate?explain=1', body)).status).toBe(400)
})

test.each([
  [true, 'number', 1],
  [true, 'string', 'true'],
  [true, 'json', true],
])('%s as %s is %s', async (_value, as, expected) => {
  const { send } = await createTestbed()
  await send('POST', '/flags', checkout)
  const answer = await send('POST', '/evaluate', { flagKey: 'checkout', context: { country: 'DE' }, as })
  expect(answer.json).toMatchObject({ value: expected, reason: 'TARGETING_MATCH' })
})

test('what cannot be cast gives the default and TYPE_MISMATCH', async () => {
  const { send } = await createTestbed()
  const flag = { key: 'a', enabled: true, type: 'string', variations: { x: 'seven' }, fallthrough: { variation: 'x' } }
  await send('POST', '/flags', flag)
  const answer = await send('POST', '/evaluate', { flagKey: 'a', as: 'number', default: 7 })
  expect(answer.status).toBe(200)
  expect(answer.json).toMatchObject({ value: 7, reason: 'ERROR', errorCode: 'TYPE_MISMATCH' })
})

test('what if tells who would get something else from a draft, and stores nothing', async () => {
  const { send, catalog } = await createTestbed()
  await send('POST', '/flags', checkout)
  const root = catalog.root()
  const contexts = [{ country: 'DE' }, { country: 'FR' }, { country: 'AT' }]
  const values = ['DE', 'AT']
  const flag = { ...checkout, rules: [{ ...rules[0], if: { attribute: 'country', op: 'in', values } }] }
  const answer = await send('POST', '/whatif', { flag, contexts })
  expect(answer.json).toMatchObject({
    key: 'checkout',
    changed: 1,
    results: [
      { changes: false },
      { changes: false },
      { context: { country: 'AT' }, before: { value: false }, after: { value: true }, changes: true },
    ],
  })
  expect(catalog.root()).toBe(root)
  const unborn = await send('POST', '/whatif', { flag: { ...flag, key: 'unborn' }, contexts: [{}] })
  expect(unborn.json).toMatchObject({ changed: 1, results: [{ before: null, after: { value: false } }] })
})

test('what if refuses a draft that PUT would refuse', async () => {
  const { send } = await createTestbed()
  expect((await send('POST', '/whatif', { flag: { key: 'a', x: 1 }, contexts: [] })).json).toMatchObject({
    code: 'MALFORMED',
  })
  const nonsense = { key: 'a', fallthrough: { variation: 'nope' } }
  expect((await send('POST', '/whatif', { flag: nonsense, contexts: [] })).json).toMatchObject({ code: 'INVALID' })
})
