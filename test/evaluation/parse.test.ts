import { expect, test } from 'vitest'
import { z } from 'zod'
import { FlagsError } from '../../src/base/errors.ts'
import { parseFlag, parseSegment } from '../../src/evaluation/parse.ts'
import { flagDocumentSchema, segmentDocumentSchema } from '../../src/evaluation/schema.ts'
import { rulesetOf } from './testbed.ts'

const everything = {
  key: 'new-checkout',
  namespace: 'default',
  type: 'boolean',
  description: 'The one-page checkout',
  tags: ['checkout'],
  owner: 'payments',
  variations: { on: true, off: false },
  enabled: true,
  offVariation: 'off',
  overrides: { group: { g1: 'off' }, targetingKey: { 'user-7': 'on' } },
  rules: [
    {
      id: 'dach-pro',
      if: {
        all: [
          { attribute: 'country', op: 'in', values: ['DE', 'AT', 'CH'] },
          { attribute: 'plan', op: 'eq', values: ['pro'] },
        ],
      },
      serve: { variation: 'on' },
    },
  ],
  fallthrough: {
    rollout: {
      bucketBy: 'targetingKey',
      weights: [
        { variation: 'on', weight: 2500 },
        { variation: 'off', weight: 7500 },
      ],
    },
  },
  environments: { qa: { enabled: true, fallthrough: { variation: 'on' } } },
  prerequisites: [{ flag: 'new-cart', variations: ['on'] }],
}

function refusal(parse: () => unknown): { code: string; status: number; paths: string[] } {
  try {
    parse()
  } catch (error) {
    if (!(error instanceof FlagsError)) throw error
    return { code: error.code, status: error.status, paths: error.faults.map(({ path }) => path) }
  }
  throw new Error('it was accepted')
}

const flagRefusal = (body: unknown) => refusal(() => parseFlag('default', body))
const ruled = (condition: unknown, more: object = {}) => ({
  key: 'a',
  rules: [{ if: condition, serve: { variation: 'on' } }],
  ...more,
})

test('the flag of the contract is accepted as it stands', () => {
  expect(parseFlag('default', everything)).toEqual(everything)
})

test('what is read back can be written back, and means the same', () => {
  const ruleset = rulesetOf([{ key: 'new-cart' }, everything])
  const flag = ruleset.flag('default', 'new-checkout')
  expect(flag).toMatchObject(everything)
  expect(flag?.version).toMatch(/^[0-9a-f]{32}$/)
  expect(parseFlag('default', JSON.parse(JSON.stringify(flag)))).toEqual(everything)
})

test('a key is all that is needed', () => {
  expect(parseFlag('team-a', { key: 'a' })).toEqual({
    key: 'a',
    namespace: 'team-a',
    type: 'boolean',
    variations: { on: true, off: false },
    enabled: false,
    offVariation: 'off',
    fallthrough: { variation: 'on' },
  })
})

test('rolloutPercentage is a rollout of on against off, in either spelling, in any environment', () => {
  const rollout = (on: number) => ({
    rollout: {
      weights: [
        { variation: 'on', weight: on },
        { variation: 'off', weight: 10_000 - on },
      ],
    },
  })
  expect(parseFlag('default', { key: 'a', rolloutPercentage: 25 })).toMatchObject({
    enabled: true,
    fallthrough: rollout(2_500),
  })
  expect(parseFlag('default', { key: 'a', enabled: false, rollout_percentage: 0.01 })).toMatchObject({
    enabled: false,
    fallthrough: rollout(1),
  })
  expect(parseFlag('default', { key: 'a', environments: { qa: { rolloutPercentage: 100 } } }).environments).toEqual({
    qa: { fallthrough: rollout(10_000) },
  })
  expect(flagRefusal({ key: 'a', rolloutPercentage: 0.005 })).toMatchObject({
    code: 'MALFORMED',
    paths: ['rolloutPercentage'],
  })
  expect(flagRefusal({ key: 'a', rolloutPercentage: 101 })).toMatchObject({
    code: 'MALFORMED',
    paths: ['rolloutPercentage'],
  })
  const colors = { red: 1, green: 2 }
  expect(flagRefusal({ key: 'a', variations: colors, rolloutPercentage: 1 })).toMatchObject({
    code: 'INVALID',
    paths: ['rolloutPercentage'],
  })
})

test('changing the percentage of a rollout keeps its salt and what it buckets by', () => {
  const before = {
    ...everything,
    fallthrough: { rollout: { salt: 's', bucketBy: 'org', weights: [{ variation: 'on', weight: 10_000 }] } },
  }
  expect(parseFlag('default', { ...before, rolloutPercentage: 50 }).fallthrough).toMatchObject({
    rollout: { salt: 's', bucketBy: 'org' },
  })
})

const malformed: [name: string, body: unknown, paths: string[]][] = [
  ['not an object', 'flag', ['']],
  ['null', null, ['']],
  ['no key', {}, ['key']],
  ['a key with a control character', { key: 'a\n' }, ['key']],
  ['a key that is too long', { key: 'a'.repeat(129) }, ['key']],
  ['an empty key', { key: '' }, ['key']],
  [
    'unknown properties',
    { key: 'a', enabeld: true, environments: { qa: { rule: [] } } },
    ['environments.qa.rule', 'enabeld'],
  ],
  ['a wrong type', { key: 'a', enabled: 'yes' }, ['enabled']],
  [
    'a wrong variation',
    { key: 'a', rules: [{ if: { all: [] }, serve: { variation: 1 } }] },
    ['rules[0].serve.variation'],
  ],
  [
    'an unknown property deep in a condition',
    ruled({ all: [{ attribute: 'a', op: 'eq', value: 1 }] }),
    ['rules[0].if.all[0].value'],
  ],
  [
    'half a weight',
    { key: 'a', fallthrough: { rollout: { weights: [{ variation: 'on', weight: 0.5 }] } } },
    ['fallthrough.rollout.weights[0].weight'],
  ],
  [
    '__proto__ as a property',
    JSON.parse('{"key": "a", "overrides": {"__proto__": {"x": "on"}}}'),
    ['overrides.__proto__'],
  ],
  [
    '__proto__ in a value',
    JSON.parse('{"key": "a", "variations": {"on": {"__proto__": 1}}}'),
    ['variations.on.__proto__'],
  ],
  ['half a surrogate pair', { key: 'a', description: '\ud800' }, ['description']],
  ['a number that overflows', JSON.parse('{"key": "a", "variations": {"on": [1e999]}}'), ['variations.on[0]']],
  ['NaN', { key: 'a', variations: { on: Number.NaN } }, ['variations.on']],
  ['an empty environment name', { key: 'a', environments: { '': {} } }, ['environments[""]']],
]

test.each(malformed)('%s is malformed, and the fault is named by its path', (_name, body, paths) => {
  expect(flagRefusal(body)).toEqual({ code: 'MALFORMED', status: 400, paths })
})

test('nesting that would end the stack is refused, not walked', () => {
  let deep: unknown = []
  for (let i = 0; i < 100_000; i++) deep = [deep]
  expect(flagRefusal({ key: 'a', variations: { on: deep } }).code).toBe('MALFORMED')
  let condition: object = { all: [] }
  for (let i = 0; i < 33; i++) condition = { not: condition }
  expect(flagRefusal(ruled(condition)).code).toBe('INVALID')
})

const senseless: [name: string, body: object, paths: string[]][] = [
  [
    'a rule that serves what is not there',
    { key: 'a', rules: [{ if: { all: [] }, serve: { variation: 'blue' } }] },
    ['rules[0].serve.variation'],
  ],
  ['an unknown off variation', { key: 'a', offVariation: 'x' }, ['offVariation']],
  ['an unknown fallthrough', { key: 'a', fallthrough: { variation: 'x' } }, ['fallthrough.variation']],
  ['an unknown override', { key: 'a', overrides: { group: { 'g 1': 'x' } } }, ['overrides.group["g 1"]']],
  [
    'an unknown variation in a rollout',
    { key: 'a', fallthrough: { rollout: { weights: [{ variation: 'x', weight: 10_000 }] } } },
    ['fallthrough.rollout.weights[0].variation'],
  ],
  [
    'weights that do not sum',
    { key: 'a', fallthrough: { rollout: { weights: [{ variation: 'on', weight: 9_999 }] } } },
    ['fallthrough.rollout.weights'],
  ],
  [
    'an unknown variation in an environment',
    { key: 'a', environments: { qa: { fallthrough: { variation: 'x' } } } },
    ['environments.qa.fallthrough.variation'],
  ],
  ['an unknown operator', ruled({ attribute: 'a', op: 'like', values: ['x'] }), ['rules[0].if.op']],
  [
    'a pattern that RE2 refuses',
    ruled({ not: { attribute: 'a', op: 'matches', values: ['(?<=a)b'] } }),
    ['rules[0].if.not.values[0]'],
  ],
  [
    'a bad CIDR block',
    ruled({ any: [{ attribute: 'ip', op: 'cidr', values: ['10.0.0.0/8', '10.0.0.0/40'] }] }),
    ['rules[0].if.any[0].values[1]'],
  ],
  ['a bad version', ruled({ attribute: 'v', op: 'semverGt', values: ['one'] }), ['rules[0].if.values[0]']],
  [
    'a date that does not exist',
    ruled({ attribute: 'd', op: 'before', values: ['2026-02-29T00:00:00Z'] }),
    ['rules[0].if.values[0]'],
  ],
  [
    'two rules of one id',
    { key: 'a', rules: [1, 2].map(() => ({ id: 'r', if: { all: [] }, serve: { variation: 'on' } })) },
    ['rules[1].id'],
  ],
  ['an environment default', { key: 'a', environments: { default: { enabled: true } } }, ['environments.default']],
  ['another namespace', { key: 'a', namespace: 'other' }, ['namespace']],
  ['64 KiB', { key: 'a', variations: { on: 'x'.repeat(64 * 1024) }, fallthrough: { variation: 'on' } }, ['']],
  [
    'a thousand and one conditions',
    ruled({ any: Array.from({ length: 1_000 }, () => ({ all: [] })) }),
    ['rules[0].if.any[999]'],
  ],
]

test.each(senseless)('%s makes no sense, and the fault is named by its path', (_name, body, paths) => {
  expect(flagRefusal(body)).toEqual({ code: 'INVALID', status: 422, paths })
})

const weights = [{ variation: 'on', weight: 10_000 }]
const scheduled = (schedule: object[], more: object = {}) => ({
  key: 'a',
  fallthrough: { rollout: { weights, schedule, ...more } },
})

test('a schedule must ascend, name instants that exist, and sum up at each step', () => {
  const at = (instant: string) => ({ at: instant, weights })
  const path = (index: number, rest: string) => [`fallthrough.rollout.schedule[${index}].${rest}`]
  expect(flagRefusal(scheduled([at('2026-01-02'), at('2026-01-01')])).paths).toEqual(path(1, 'at'))
  expect(flagRefusal(scheduled([at('2026-01-32')])).paths).toEqual(path(0, 'at'))
  expect(flagRefusal(scheduled([{ at: '2026-01-01', weights: [{ variation: 'on', weight: 1 }] }])).paths).toEqual(
    path(0, 'weights'),
  )
  const other = { at: '2026-01-03', weights: [{ variation: 'off', weight: 10_000 }] }
  expect(flagRefusal(scheduled([at('2026-01-02'), other], { curve: 'linear' })).paths).toEqual(path(1, 'weights'))
  expect(() => parseFlag('default', scheduled([at('2026-01-02'), other]))).not.toThrow()
})

test('every fault is told at once', () => {
  const body = {
    ...ruled({ attribute: 'a', op: 'like', values: [] }),
    offVariation: 'x',
    fallthrough: { variation: 'y' },
    environments: { qa: { offVariation: 'z' } },
  }
  expect(new Set(flagRefusal(body).paths)).toEqual(
    new Set(['rules[0].if.op', 'offVariation', 'fallthrough.variation', 'environments.qa.offVariation']),
  )
})

test('names that objects inherit are ordinary names', () => {
  const body = {
    key: 'constructor',
    variations: { constructor: 1, toString: 2 },
    offVariation: 'toString',
    environments: { constructor: { enabled: true } },
  }
  const flag = rulesetOf([body]).find('default', 'constructor', 'constructor')
  expect(flag?.evaluate({}, 0).reason).toBe('DEFAULT')
  expect(rulesetOf([body]).find('default', 'toString', 'constructor')?.evaluate({}, 0)).toMatchObject({
    value: 2,
    reason: 'DISABLED',
  })
  expect(flagRefusal({ key: 'a', fallthrough: { variation: 'constructor' } }).paths).toEqual(['fallthrough.variation'])
})

test('a segment is checked like a flag', () => {
  const condition = { attribute: 'plan', op: 'eq', values: ['pro'] }
  const segment = { key: 's', description: 'd', included: ['a'], excluded: ['b'], if: condition }
  expect(parseSegment('default', segment)).toEqual({ namespace: 'default', ...segment })
  const segmentRefusal = (body: unknown) => refusal(() => parseSegment('default', body))
  expect(segmentRefusal({ key: 's', includes: [] })).toEqual({ code: 'MALFORMED', status: 400, paths: ['includes'] })
  expect(segmentRefusal({ key: 's', if: { attribute: 'a', op: 'matches', values: ['('] } })).toEqual({
    code: 'INVALID',
    status: 422,
    paths: ['if.values[0]'],
  })
  expect(segmentRefusal({ key: 's', if: { flag: 'f', variations: ['on'] } })).toEqual({
    code: 'INVALID',
    status: 422,
    paths: ['if.flag'],
  })
  expect(
    segmentRefusal({ key: 's', included: Array.from({ length: 90_000 }, (_, i) => `user-${i}-abc`) }),
  ).toMatchObject({ code: 'INVALID', paths: [''] })
  expect(() =>
    parseSegment('default', { key: 's', included: Array.from({ length: 10_000 }, (_, i) => `user-${i}`) }),
  ).not.toThrow()
})

test('the schemas can be written down as JSON Schema', () => {
  const flag = JSON.stringify(z.toJSONSchema(flagDocumentSchema, { io: 'input' }))
  expect(flag).toContain('"additionalProperties":false')
  expect(flag).toContain('"semverRange"')
  expect(JSON.stringify(z.toJSONSchema(segmentDocumentSchema, { io: 'input' }))).toContain('"required":["key"]')
})
