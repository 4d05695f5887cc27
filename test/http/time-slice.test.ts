import { expect, test } from 'vitest'
import { timeSlice } from '../../src/http/time-slice.ts'
import { createTestbed } from './testbed.ts'

const weights = (on: number) => [
  { variation: 'on', weight: on },
  { variation: 'off', weight: 10_000 - on },
]
const schedule = [
  { at: '2030-01-01T00:00:00Z', weights: weights(1_000) },
  { at: '2030-01-02T00:00:00Z', weights: weights(2_000) },
]
const [before, between, after] = ['2029-12-31T23:59:59Z', '2030-01-01T12:00:00Z', '2030-01-02T00:00:00Z'].map((text) =>
  Date.parse(text),
) as [number, number, number]

async function sliceOf(flag: object): Promise<(nowMs: number) => string> {
  const { send, catalog } = await createTestbed()
  expect((await send('POST', '/flags', { key: 'a', enabled: true, ...flag })).status).toBe(201)
  return (nowMs) => timeSlice(catalog.ruleset, 'default', 'default', nowMs)
}

test('without a schedule there is one slice for all time', async () => {
  expect((await sliceOf({ rolloutPercentage: 5 }))(before)).toBe('')
})

test('the slices of a stepped schedule end at its steps', async () => {
  const slice = await sliceOf({ fallthrough: { rollout: { weights: weights(0), schedule } } })
  expect(new Set([before - 1, before, between, between + 3_600_000, after, after + 1].map(slice)).size).toBe(3)
  expect(slice(between)).toBe(slice(between + 3_600_000))
})

test('while a linear ramp moves, a slice lasts a second', async () => {
  const slice = await sliceOf({ fallthrough: { rollout: { weights: weights(0), schedule, curve: 'linear' } } })
  expect(slice(between)).toBe(slice(between + 999))
  expect(slice(between)).not.toBe(slice(between + 1_000))
  expect(slice(before - 5_000)).toBe(slice(before))
  expect(slice(after)).toBe(slice(after + 5_000))
})

test('a schedule inside a rule counts, one of another environment does not', async () => {
  const rollout = { weights: weights(0), schedule }
  const rules = [{ if: { attribute: 'a', op: 'exists' }, serve: { rollout } }]
  const ruled = await sliceOf({ rules })
  expect(ruled(before)).not.toBe(ruled(between))
  const elsewhere = await sliceOf({ environments: { qa: { fallthrough: { rollout } } } })
  expect(elsewhere(before)).toBe(elsewhere(between))
})
