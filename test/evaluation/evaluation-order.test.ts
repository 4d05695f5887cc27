import { expect, test } from 'vitest'
import type { EvaluationContext } from '../../src/evaluation/model.ts'
import { evaluate, rulesetOf } from './testbed.ts'

const isPro = { attribute: 'plan', op: 'eq', values: ['pro'] }
const colors = { red: 'r', green: 'g', blue: 'b' }

test('a flag of which only the key is known is off, and serves on once switched on', () => {
  expect(evaluate({ key: 'a' }, {})).toEqual({ value: false, variation: 'off', reason: 'DISABLED' })
  expect(evaluate({ key: 'a', enabled: true }, {})).toEqual({ value: true, variation: 'on', reason: 'STATIC' })
})

test('a disabled flag serves its off variation, and nothing when it has none', () => {
  const flag = { key: 'a', enabled: false, variations: colors, fallthrough: { variation: 'red' } }
  expect(evaluate({ ...flag, offVariation: 'blue' }, {})).toEqual({ value: 'b', variation: 'blue', reason: 'DISABLED' })
  expect(evaluate(flag, {})).toEqual({ value: undefined, variation: undefined, reason: 'DISABLED' })
})

test('an enabled flag without a fallthrough leaves the value to the caller', () => {
  expect(evaluate({ key: 'a', enabled: true, variations: colors }, {})).toEqual({
    value: undefined,
    variation: undefined,
    reason: 'DEFAULT',
  })
})

test('the first rule that holds decides and is named; when none does, the fallthrough is the default', () => {
  const flag = {
    key: 'a',
    enabled: true,
    variations: colors,
    rules: [
      { id: 'pros', if: isPro, serve: { variation: 'green' } },
      { id: 'all-known', if: { attribute: 'plan', op: 'exists' }, serve: { variation: 'blue' } },
    ],
    fallthrough: { variation: 'red' },
  }
  expect(evaluate(flag, { plan: 'pro' })).toEqual({
    value: 'g',
    variation: 'green',
    reason: 'TARGETING_MATCH',
    ruleId: 'pros',
  })
  expect(evaluate(flag, { plan: 'free' })).toEqual({
    value: 'b',
    variation: 'blue',
    reason: 'TARGETING_MATCH',
    ruleId: 'all-known',
  })
  expect(evaluate(flag, {})).toEqual({ value: 'r', variation: 'red', reason: 'DEFAULT' })
})

test('overrides come before rules, and a later level beats an earlier one', () => {
  const flag = {
    key: 'a',
    enabled: true,
    variations: colors,
    overrides: { group: { g1: 'green' }, targetingKey: { u1: 'blue' }, version: { v1: 'red' }, zone: { z1: 'green' } },
    rules: [{ if: { all: [] }, serve: { variation: 'red' } }],
  }
  expect(evaluate(flag, { group: 'g1' }).variation).toBe('green')
  expect(evaluate(flag, { group: 'g1', version: 'v1', zone: 'z1' }).variation).toBe('green')
  expect(evaluate(flag, { version: 'v1', zone: 'z1' }).variation).toBe('red')
  expect(evaluate(flag, { group: 'g1', targetingKey: 'u1' })).toEqual({
    value: 'b',
    variation: 'blue',
    reason: 'TARGETING_MATCH',
  })
  expect(evaluate(flag, { group: 'other' }).variation).toBe('red')
})

test('an override to the off variation beats every other override', () => {
  const flag = { key: 'a', enabled: true, overrides: { version: { v1: 'off' }, targetingKey: { u1: 'on' } } }
  expect(evaluate(flag, { targetingKey: 'u1' }).value).toBe(true)
  expect(evaluate(flag, { targetingKey: 'u1', version: 'v1' }).value).toBe(false)
})

test('an attribute that is a list matches overrides by each of its items', () => {
  const flag = {
    key: 'a',
    enabled: true,
    overrides: { group: { g1: 'on', banned: 'off' } },
    fallthrough: { variation: 'off' },
  }
  expect(evaluate(flag, { group: ['x', 'g1'] }).value).toBe(true)
  expect(evaluate(flag, { group: ['g1', 'banned', 'g1'] })).toMatchObject({ value: false, reason: 'TARGETING_MATCH' })
  expect(evaluate(flag, { group: [{}] })).toMatchObject({ value: false, reason: 'DEFAULT' })
})

test('conditions nest with all, any and not; empty all holds and empty any does not', () => {
  const flag = (condition: object) => ({
    key: 'a',
    enabled: true,
    rules: [{ if: condition, serve: { variation: 'on' } }],
    fallthrough: { variation: 'off' },
  })
  const inEu = { attribute: 'country', op: 'in', values: ['DE', 'FR'] }
  expect(evaluate(flag({ all: [] }), {}).value).toBe(true)
  expect(evaluate(flag({ any: [] }), {}).value).toBe(false)
  expect(evaluate(flag({ not: { any: [] } }), {}).value).toBe(true)
  const nested = {
    all: [{ any: [isPro, { attribute: 'age', op: 'gte', values: [18] }] }, { not: { all: [inEu, { not: isPro }] } }],
  }
  expect(evaluate(flag(nested), { plan: 'pro', country: 'DE' }).value).toBe(true)
  expect(evaluate(flag(nested), { age: 30, country: 'DE' }).value).toBe(false)
  expect(evaluate(flag(nested), { age: 30, country: 'US' }).value).toBe(true)
  expect(evaluate(flag(nested), { age: 3, country: 'US' }).value).toBe(false)
})

test('an attribute may be a path, and a name with a dot in it comes first', () => {
  const flag = {
    key: 'a',
    enabled: true,
    rules: [{ if: { attribute: 'device.os', op: 'eq', values: ['ios'] }, serve: { variation: 'on' } }],
    fallthrough: { variation: 'off' },
  }
  expect(evaluate(flag, { device: { os: 'ios' } }).value).toBe(true)
  expect(evaluate(flag, { 'device.os': 'ios', device: { os: 'android' } }).value).toBe(true)
  expect(evaluate(flag, { 'device.os': 'android', device: { os: 'ios' } }).value).toBe(false)
  for (const device of [undefined, null, 'ios', [], { other: 1 }]) expect(evaluate(flag, { device }).value).toBe(false)
})

test('attributes that every object inherits are missing unless the context has them itself', () => {
  for (const attribute of ['constructor', 'toString', '__proto__', 'a.constructor', 'hasOwnProperty']) {
    const flag = {
      key: 'a',
      enabled: true,
      rules: [{ if: { attribute, op: 'exists' }, serve: { variation: 'on' } }],
      fallthrough: { variation: 'off' },
    }
    expect(evaluate(flag, { a: {} }).value, attribute).toBe(false)
    const context = JSON.parse(`{"${attribute}": "x"}`)
    expect(evaluate(flag, context).value, attribute).toBe(true)
  }
})

test('an environment changes what it names and inherits the rest; one that nobody names is the default', () => {
  const ruleset = rulesetOf([
    {
      key: 'a',
      enabled: false,
      variations: colors,
      offVariation: 'blue',
      fallthrough: { variation: 'red' },
      environments: {
        qa: { enabled: true },
        production: { enabled: true, fallthrough: { variation: 'green' } },
        closed: { offVariation: 'green' },
      },
    },
    { key: 'b', enabled: true },
  ])
  const variation = (environment: string, key = 'a') =>
    ruleset.find('default', environment, key)?.evaluate({}, 0).variation
  expect(variation('default')).toBe('blue')
  expect(variation('nobody-names-this')).toBe('blue')
  expect(variation('qa')).toBe('red')
  expect(variation('production')).toBe('green')
  expect(variation('closed')).toBe('green')
  expect(variation('qa', 'b')).toBe('on')
  expect(ruleset.find('default', 'qa', 'c')).toBeUndefined()
  expect(ruleset.find('other', 'default', 'a')).toBeUndefined()
})

test('prerequisites that are not met give the off variation, before overrides and rules are looked at', () => {
  const cart = {
    key: 'cart',
    enabled: true,
    rules: [{ if: isPro, serve: { variation: 'on' } }],
    fallthrough: { variation: 'off' },
  }
  const ruleset = rulesetOf([
    cart,
    {
      key: 'a',
      enabled: true,
      overrides: { targetingKey: { u1: 'on' } },
      prerequisites: [{ flag: 'cart', variations: ['on'] }],
    },
  ])
  const flag = ruleset.find('default', 'default', 'a')
  expect(flag?.evaluate({ targetingKey: 'u1' }, 0)).toEqual({ value: false, variation: 'off', reason: 'DISABLED' })
  expect(flag?.evaluate({ targetingKey: 'u1', plan: 'pro' }, 0).value).toBe(true)
})

test('a rule can ask another flag', () => {
  const rules = [{ if: { flag: 'other', variations: ['green', 'blue'] }, serve: { variation: 'on' } }]
  const ruleset = rulesetOf([
    {
      key: 'other',
      enabled: true,
      variations: colors,
      fallthrough: { variation: 'green' },
      environments: { qa: { fallthrough: { variation: 'red' } } },
    },
    { key: 'a', enabled: true, rules, fallthrough: { variation: 'off' } },
  ])
  expect(ruleset.find('default', 'default', 'a')?.evaluate({}, 0).value).toBe(true)
  expect(ruleset.find('default', 'qa', 'a')?.evaluate({}, 0).value).toBe(false)
})

test('a segment holds those whom it includes or whose attributes fit, but never those whom it excludes', () => {
  const segments = [
    { key: 'beta', included: ['u1', 'u2', '7'], excluded: ['u2', 'u3'], if: { any: [isPro, { segment: 'staff' }] } },
    { key: 'staff', if: { attribute: 'email', op: 'endsWith', values: ['@our.org'] } },
    { key: 'nobody' },
  ]
  const rules = [
    { id: 'beta', if: { segment: 'beta' }, serve: { variation: 'on' } },
    { id: 'nobody', if: { segment: 'nobody' }, serve: { variation: 'on' } },
  ]
  const flag = rulesetOf([{ key: 'a', enabled: true, rules, fallthrough: { variation: 'off' } }], segments).find(
    'default',
    'default',
    'a',
  )
  const value = (context: EvaluationContext) => flag?.evaluate(context, 0).value
  expect(value({ targetingKey: 'u1' })).toBe(true)
  expect(value({ targetingKey: '7' })).toBe(true)
  expect(value({ targetingKey: 'u2', plan: 'pro' })).toBe(false)
  expect(value({ targetingKey: 'u3', email: 'a@our.org' })).toBe(false)
  expect(value({ targetingKey: 'u4', email: 'a@our.org' })).toBe(true)
  expect(value({ plan: 'pro' })).toBe(true)
  expect(value({})).toBe(false)
})

test('a context that throws while it is read costs one answer, not the caller', () => {
  const context: EvaluationContext = Object.defineProperty({}, 'plan', {
    get() {
      throw new Error('no')
    },
  })
  expect(
    evaluate({ key: 'a', enabled: true, rules: [{ if: isPro, serve: { variation: 'on' } }] }, context),
  ).toMatchObject({
    value: undefined,
    reason: 'ERROR',
    errorCode: 'GENERAL',
  })
})

test('the explanation of an answer is that answer, with every decision on the way to it in order', () => {
  const flag = {
    key: 'a',
    enabled: true,
    overrides: { group: { g1: 'off' } },
    rules: [
      {
        id: 'pros',
        if: { all: [isPro, { not: { attribute: 'age', op: 'lt', values: [18] } }] },
        serve: { variation: 'on' },
      },
    ],
  }
  const found = rulesetOf([flag]).find('default', 'default', 'a')
  const context = { plan: 'pro', age: 12 }
  const { evaluation, steps } = found?.explain(context, 0) ?? { evaluation: undefined, steps: [] }
  expect(evaluation).toEqual(found?.evaluate(context, 0))
  expect(steps).toEqual([
    { kind: 'switch', at: 'enabled', outcome: true },
    { kind: 'override', at: 'overrides.group', subject: 'group', actual: undefined, outcome: null },
    {
      kind: 'condition',
      at: 'rules[0].if.all[0]',
      subject: 'plan',
      op: 'eq',
      actual: 'pro',
      expected: ['pro'],
      outcome: true,
    },
    {
      kind: 'condition',
      at: 'rules[0].if.all[1].not',
      subject: 'age',
      op: 'lt',
      actual: 12,
      expected: [18],
      outcome: true,
    },
    { kind: 'not', at: 'rules[0].if.all[1]', outcome: false },
    { kind: 'all', at: 'rules[0].if', outcome: false },
    { kind: 'rule', at: 'rules[0]', subject: 'pros', outcome: false },
    { kind: 'serve', at: 'fallthrough', outcome: 'on' },
  ])
})

test('an explanation leads into segments', () => {
  const rules = [{ if: { any: [{ segment: 's' }] }, serve: { variation: 'on' } }]
  const segments = [{ key: 's', included: ['u1'], excluded: ['u2'], if: isPro }]
  const flag = rulesetOf([{ key: 'a', enabled: true, rules }], segments).find('default', 'default', 'a')
  const steps = (context: EvaluationContext) => flag?.explain(context, 0).steps.slice(1, 3)
  const at = 'rules[0].if.any[0]'
  const listed = { kind: 'listed', subject: 'targetingKey' }
  expect(steps({ targetingKey: 'u1' })).toEqual([
    { ...listed, at: 'segment:s.included', actual: 'u1', outcome: true },
    { kind: 'segment', at, subject: 's', outcome: true },
  ])
  expect(steps({ targetingKey: 'u2', plan: 'pro' })?.[0]).toEqual({
    ...listed,
    at: 'segment:s.excluded',
    actual: 'u2',
    outcome: false,
  })
  expect(steps({ plan: 'pro' })?.[0]).toMatchObject({
    kind: 'condition',
    at: 'segment:s.if',
    actual: 'pro',
    outcome: true,
  })
})

test('only a flag that neither context nor clock can change is constant', () => {
  const isConstant = (flag: object) =>
    rulesetOf([{ key: 'a', enabled: true, ...flag }]).find('default', 'default', 'a')?.constant
  expect(isConstant({})).toBe(true)
  expect(isConstant({ enabled: false, rules: [{ if: isPro, serve: { variation: 'on' } }] })).toBe(true)
  expect(isConstant({ rules: [], overrides: {} })).toBe(true)
  expect(isConstant({ rules: [{ if: isPro, serve: { variation: 'on' } }] })).toBe(false)
  expect(isConstant({ overrides: { group: { g: 'on' } } })).toBe(false)
  expect(isConstant({ rolloutPercentage: 50 })).toBe(false)
})
