import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { murmur32Bytes } from '../../../src/base/hash.ts'
import demo from '../../data/otel-demo.flagd.json' with { type: 'json' }
import { expressions, flagdContext, variants } from './flagd-arbitraries.ts'
import { flagds, importFlagd, ours } from './flagd-twin.ts'

/** `npm run test:fuzz` asks for more; a failure prints the seed and path that replay it. */
const numRuns = Number(process.env.FLAGS_FUZZ_RUNS ?? 1_000)

afterEach(() => {
  vi.useRealTimers()
})

/** A document with one flag, `f`. */
function documentOf(targeting: unknown, more: object = {}): object {
  return { flags: { f: { state: 'ENABLED', variants, defaultVariant: 'off', targeting, ...more } } }
}

/** The flag `f` as we have it after the import. */
function imported(targeting: unknown, more: object = {}) {
  return importFlagd(documentOf(targeting, more)).flag('default', 'f')
}

const users = Array.from({ length: 500 }, (_, index) => ({ targetingKey: `user-${index}`, email: `u${index}@x.com` }))

test('the flags of the OpenTelemetry demo give everybody what flagd gives them', () => {
  const [here, there] = [ours(demo), flagds(demo)]
  const contexts = [{}, ...users.slice(0, 50), { product_id: 'OLJCESPC7Z' }, { product_id: 7 }, { product_id: 'other' }]
  for (const key of Object.keys(demo.flags))
    for (const context of contexts) expect(here(key, context)).toEqual(there(key, context))
  expect(here('adFailure', {})).toEqual({ variation: 'off', value: false })
})

test('random targeting gives every context what flagd gives it', () => {
  fc.assert(
    fc.property(expressions, fc.array(flagdContext, { minLength: 1, maxLength: 5 }), (targeting, contexts) => {
      const document = documentOf(targeting)
      const here = ours(document)
      const there = flagds(document)
      for (const context of contexts) expect(here('f', context)).toEqual(there('f', context))
    }),
    { numRuns },
  )
})

test.each([
  [
    'hundredths',
    [
      ['on', 25],
      ['off', 75],
    ],
  ], // prettier-ignore
  [
    'thirds',
    [
      ['on', 1],
      ['off', 1],
      ['blue', 1],
    ],
  ],
  [
    'sevenths, one of them nothing',
    [
      ['on', 2],
      ['off', 0],
      ['blue', 5],
    ],
  ],
  ['no weights', [['on'], ['off']]],
  [
    'weights that are calculated',
    [
      ['on', { '+': [10, 20] }],
      ['off', 70],
    ],
  ],
  [
    'millions',
    [
      ['on', 1_999_999],
      ['off', 8_000_001],
    ],
  ],
  ['weights of the attribute', [{ cat: [{ var: '$flagd.flagKey' }, { var: 'email' }] }, ['on', 30], ['off', 70]]],
  ['another text', [{ cat: ['salt', { var: 'email' }] }, ['on', 30], ['off', 70]]],
])('fractional with %s gives 500 users what flagd gives them', (_, fractional) => {
  const document = documentOf({ fractional })
  const [here, there] = [ours(document), flagds(document)]
  const given = users.map((user) => here('f', user))
  expect(given).toEqual(users.map((user) => there('f', user)))
  expect(new Set(given.map((outcome) => JSON.stringify(outcome))).size).toBeGreaterThan(1)
})

test('without a subject a fractional gives the default variant, or nothing where there is none', () => {
  const targeting = {
    fractional: [
      ['on', 50],
      ['blue', 50],
    ],
  } // prettier-ignore
  expect(ours(documentOf(targeting))('f', {})).toEqual({ variation: 'off', value: variants.off })
  const without = documentOf(targeting, { defaultVariant: null })
  expect(ours(without)('f', {})).toBe('nothing')
  expect(flagds(without)('f', {})).toBe('nothing')
})

test('what our own words can say just so is said in them, and a person can edit it', () => {
  const targeting = {
    if: [
      { and: [{ in: [{ var: 'country' }, ['DE', 'AT']] }, { '!': { starts_with: [{ var: 'email' }, 'test-'] } }] },
      'on',
      { '==': [{ var: 'plan' }, 'pro'] },
      {
        fractional: [
          ['on', 1],
          ['off', 3],
        ],
      },
      'blue',
    ],
  }
  expect(imported(targeting)).toMatchObject({
    rules: [
      {
        if: {
          all: [
            { attribute: 'country', op: 'in', values: ['DE', 'AT'] },
            { not: { attribute: 'email', op: 'startsWith', values: ['test-'] } },
          ],
        },
        serve: { variation: 'on' },
      },
      {
        if: { jsonLogic: { '==': [{ var: 'plan' }, 'pro'] } },
        serve: {
          rollout: {
            algorithm: 'flagd',
            weights: [
              { variation: 'on', weight: 2_500 },
              { variation: 'off', weight: 7_500 },
            ],
          },
        },
      },
      { if: { all: [] }, serve: { variation: 'blue' } },
    ],
    fallthrough: { variation: 'off' },
  })
})

test('a rollout of flagd that grows keeps everybody who was in', () => {
  const before = ours(
    documentOf({
      fractional: [
        ['on', 10],
        ['off', 90],
      ],
    }),
  ) // prettier-ignore
  const after = ours(
    documentOf({
      fractional: [
        ['on', 1],
        ['off', 2],
      ],
    }),
  )
  const inBefore = users.filter((user) => before('f', user) !== 'nothing' && isOn(before('f', user)))
  expect(inBefore.length).toBeGreaterThan(20)
  expect(inBefore.every((user) => isOn(after('f', user)))).toBe(true)
})

function isOn(outcome: unknown): boolean {
  return (outcome as { variation?: string }).variation === 'on'
}

test('evaluators are put where they are named, and may name each other', () => {
  const $evaluators = { inner: { ends_with: [{ var: 'email' }, '@x.com'] }, outer: { and: [{ $ref: 'inner' }, true] } }
  const document = { $evaluators, ...documentOf({ if: [{ $ref: 'outer' }, 'on', 'blue'] }) }
  const here = ours(document)
  expect(here('f', { email: 'a@x.com' })).toMatchObject({ variation: 'on' })
  expect(here('f', { email: 'a@y.com' })).toMatchObject({ variation: 'blue' })
})

test('an expression sees the key of its flag and the time in seconds', () => {
  const nowMs = Date.UTC(2026, 0, 1, 12) + 789
  vi.useFakeTimers({ now: nowMs })
  const at = Math.floor(nowMs / 1_000)
  const targeting = {
    if: [
      { '!=': [{ var: '$flagd.flagKey' }, 'f'] },
      'off',
      { '===': [{ var: '$flagd.timestamp' }, at] },
      'on',
      { '>': [{ var: '$flagd.timestamp' }, at] },
      'blue',
    ],
  }
  const document = documentOf(targeting)
  expect(flagds(document)('f', {})).toMatchObject({ variation: 'on' })
  expect(ours(document)('f', {}, nowMs)).toMatchObject({ variation: 'on' })
  expect(ours(document)('f', {}, nowMs + 1_000)).toMatchObject({ variation: 'blue' })
  const flag = importFlagd(document).find('default', 'default', 'f')
  expect([flag?.timed, flag?.ticking, flag?.constant]).toEqual([true, true, false])
})

test('a context cannot pass itself off as flagd', () => {
  const document = documentOf({ if: [{ '==': [{ var: '$flagd.flagKey' }, 'f'] }, 'on', 'blue'] })
  expect(ours(document)('f', { $flagd: { flagKey: 'g' } })).toMatchObject({ variation: 'on' })
})

test('a disabled flag gives nothing', () => {
  const document = documentOf('on', { state: 'DISABLED' })
  expect(ours(document)('f', {})).toBe('nothing')
  expect(flagds(document)('f', {})).toBe('nothing')
})

test('metadata of the document and of the flag is told with every answer, the flag’s before the document’s', () => {
  const document = { metadata: { team: 'shop', tier: 1 }, ...documentOf('on', { metadata: { tier: 2 } }) }
  expect(importFlagd(document).find('default', 'default', 'f')?.metadata).toEqual({ team: 'shop', tier: 2 })
})

test('texts that are not ASCII are hashed as UTF-8, as the flagd server does', () => {
  const document = documentOf({
    fractional: [
      ['on', 50],
      ['blue', 50],
    ],
  }) // prettier-ignore
  const hash = murmur32Bytes(new TextEncoder().encode('füser-1'))
  const variation = hash / 2 ** 32 < 0.5 ? 'on' : 'blue'
  expect(ours(document)('f', { targetingKey: 'üser-1' })).toMatchObject({ variation })
})
