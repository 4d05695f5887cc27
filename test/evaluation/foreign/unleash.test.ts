import { expect, test } from 'vitest'
import { isEnabled, importUnleash as rulesOf, type UnleashContext } from '../../conformance/unleash/unleash-answers.ts'

const startMs = Date.UTC(2026, 0, 1)

function feature(strategies: readonly object[], more: object = {}): { features: object[] } {
  return { features: [{ name: 'f', enabled: true, strategies, ...more }] }
}

function imported(state: object) {
  return rulesOf(state).flag('default', 'f')
}

const rollout = (percentage: string, stickiness: string, groupId = 'g') => ({
  name: 'flexibleRollout',
  parameters: { rollout: percentage, stickiness, groupId },
})

test('a feature that is on for a share of everybody becomes a rollout, whose percentage can be changed', () => {
  expect(imported(feature([rollout('25', 'default')]))).toMatchObject({
    type: 'boolean',
    variations: { on: true, off: false },
    enabled: true,
    offVariation: 'off',
    fallthrough: {
      rollout: {
        algorithm: 'unleash',
        salt: 'g',
        weights: [
          { variation: 'on', weight: 2_500 },
          { variation: 'off', weight: 7_500 },
        ],
      },
    },
  })
})

test('strategies become rules in their order, and a constraint keeps its words where ours mean something else', () => {
  const constraints = [
    { contextName: 'userId', operator: 'IN', values: ['7', 'x'] },
    { contextName: 'email', operator: 'STR_ENDS_WITH', values: ['@x.com'], inverted: true },
  ]
  const strategies = [{ name: 'default', title: 'Testers', constraints }, rollout('50', 'tenant')]
  expect(imported(feature(strategies))).toMatchObject({
    rules: [
      {
        description: 'Testers',
        if: {
          all: [
            { attribute: 'targetingKey', op: 'in', values: ['7', 7, 'x'] },
            { not: { attribute: 'email', op: 'unleash:STR_ENDS_WITH', values: ['@x.com'] } },
          ],
        },
        serve: { variation: 'on' },
      },
      {
        if: { bucket: { algorithm: 'unleash', bucketBy: 'tenant', salt: 'g', below: 5_000 } },
        serve: { variation: 'on' },
      },
    ],
    fallthrough: { variation: 'off' },
  })
})

test('a variant that is called as a state of the feature gets another name, and keeps its own in the value', () => {
  const variants = [
    { name: 'on', weight: 500 },
    { name: 'red', weight: 250, payload: { type: 'string', value: 'x' } },
    { name: 'red', weight: 250 },
  ]
  expect(imported(feature([{ name: 'default' }], { variants }))?.variations).toEqual({
    on: { name: 'disabled', enabled: false, feature_enabled: true },
    off: false,
    'on#2': { name: 'on', enabled: true, feature_enabled: true },
    red: { name: 'red', payload: { type: 'string', value: 'x' }, enabled: true, feature_enabled: true },
    'red#2': { name: 'red', enabled: true, feature_enabled: true },
  })
})

test('a dependency becomes a prerequisite', () => {
  const child = { name: 'f', enabled: true, strategies: [], dependencies: [{ feature: 'p', variants: ['red'] }] }
  const variants = [{ name: 'red', weight: 1 }]
  const state = { features: [child, { name: 'p', enabled: true, strategies: [], variants }] }
  expect(imported(state)?.prerequisites).toEqual([{ flag: 'p', variations: ['red'] }])
})

test('project, type and staleness become tags', () => {
  const more = { project: 'shop', type: 'experiment', stale: true, description: null }
  const flag = imported(feature([], more))
  expect(flag?.tags).toEqual(['project:shop', 'type:experiment', 'stale'])
  expect(flag?.description).toBeUndefined()
})

test('lots are drawn anew as time goes by, in the share that was asked for, and the same at one time everywhere', () => {
  const state = feature([rollout('30', 'random')])
  const [one, other] = [rulesOf(state), rulesOf(state)]
  const draws = Array.from({ length: 5_000 }, (_, i) => isEnabled(one, 'f', { userId: 'u' }, startMs + i))
  // Six standard deviations around 1,500.
  const won = draws.filter(Boolean).length
  expect(Math.abs(won - 1_500)).toBeLessThan(195)
  expect(draws).toEqual(draws.map((_, i) => isEnabled(other, 'f', { userId: 'u' }, startMs + i)))
  const flag = one.find('default', 'default', 'f')
  expect([flag?.ticking, flag?.constant]).toEqual([true, false])
})

test('who has an id keeps it, and so what it gives; who has none draws lots', () => {
  const rules = rulesOf(feature([rollout('50', 'default')]))
  const over = (context: UnleashContext) =>
    new Set(Array.from({ length: 100 }, (_, i) => isEnabled(rules, 'f', context, startMs + i)))
  expect(over({ userId: 'u1' }).size).toBe(1)
  expect(over({ sessionId: 's1' }).size).toBe(1)
  expect(over({}).size).toBe(2)
  expect(rules.find('default', 'default', 'f')?.ticking).toBe(false)
})

test('dates are compared with the clock, in segments too, and the flag says that it ticks', () => {
  const constraints = [{ contextName: 'currentTime', operator: 'DATE_AFTER', value: '2026-01-01T00:00:00.000Z' }]
  const state = {
    ...feature([{ name: 'default', segments: [7] }]),
    segments: [{ id: 7, name: 'new year', constraints }],
  }
  const rules = rulesOf(state)
  expect([-1, 0, 1].map((ms) => isEnabled(rules, 'f', {}, startMs + ms))).toEqual([false, false, true])
  expect(isEnabled(rules, 'f', { currentTime: '2025-06-01T00:00:00Z' }, startMs + 1)).toBe(false)
  expect(rules.find('default', 'default', 'f')?.ticking).toBe(true)
  expect(rules.segment('default', 'unleash:7')?.description).toBe('new year')
})

test('a strategy that only its inventors know enables nothing', () => {
  expect(isEnabled(rulesOf(feature([{ name: 'byMoonPhase', parameters: { phase: 3 } }])), 'f', {}, startMs)).toBe(false)
})
