import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { states, unleashContexts } from './arbitraries.ts'
import { getVariant, importUnleash, isEnabled, type UnleashContext } from './unleash-answers.ts'
import { createUnleashClient } from './unleash-twin.ts'

/** `npm run test:fuzz` asks for more; a failure prints the seed and path that replay it. */
const numRuns = Number(process.env.FLAGS_FUZZ_RUNS ?? 1_000)
const nowMs = Date.UTC(2026, 2, 1)

beforeEach(() => {
  vi.useFakeTimers({ now: nowMs, toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

test('random states answer every context as Unleash’s client does', () => {
  fc.assert(
    fc.property(states, fc.array(unleashContexts, { minLength: 1, maxLength: 4 }), (state, contexts) => {
      const ruleset = importUnleash(state)
      const client = createUnleashClient(state)
      for (const context of contexts) {
        for (const { name } of state.features) {
          const at = `${name} for ${JSON.stringify(context)}`
          expect(isEnabled(ruleset, name, context, nowMs), at).toBe(client.isEnabled(name, context))
          expect(getVariant(ruleset, name, context, nowMs), at).toEqual(client.getVariant(name, context))
        }
      }
    }),
    { numRuns },
  )
})

function stateOf(...strategies: object[]): { features: object[] } {
  return { features: [{ name: 'f', enabled: true, strategies }] }
}

const variants = [
  { name: 'red', weight: 333, stickiness: 'default' },
  { name: 'green', weight: 333, stickiness: 'default' },
  { name: 'blue', weight: 334, stickiness: 'default' },
]

test.each([1, 7, 25, 50, 99])('a rollout to %i percent enables the same of 5,000 users', (rollout) => {
  const parameters = { groupId: 'checkout', rollout: String(rollout), stickiness: 'default' }
  const state = stateOf({ name: 'flexibleRollout', parameters, variants })
  const ruleset = importUnleash(state)
  const client = createUnleashClient(state)
  let enabled = 0
  for (let i = 0; i < 5_000; i++) {
    const context: UnleashContext = { userId: `user-${i}` }
    const answer = getVariant(ruleset, 'f', context, nowMs)
    expect(answer).toEqual(client.getVariant('f', context))
    if (answer.feature_enabled) enabled++
  }
  expect(Math.abs(enabled / 50 - rollout)).toBeLessThan(3)
})
