import { expect, test } from 'vitest'
import { FlagsError } from '../../../src/base/errors.ts'
import type { Json } from '../../../src/evaluation/model.ts'
import { parseFlag } from '../../../src/evaluation/parse.ts'
import { createRuleset } from '../../../src/evaluation/ruleset.ts'
import { created, evaluate, rulesetOf } from '../testbed.ts'

function flag(jsonLogic: unknown, more: object = {}): object {
  return { key: 'f', enabled: true, rules: [{ if: { jsonLogic }, serve: { variation: 'on' } }], ...more }
}

/** The faults of a flag whose rule has this expression for a condition. */
function faults(jsonLogic: unknown): unknown {
  try {
    parseFlag('default', flag(jsonLogic))
  } catch (error) {
    if (error instanceof FlagsError)
      return [error.code, ...error.faults.map(({ path, message }) => `${path} ${message}`)]
    throw error
  }
  return []
}

const long = Array.from({ length: 400 }, (_, index) => index)
const deep = (operator: string, depth: number): Json =>
  depth === 0 ? { var: '' } : { [operator]: [{ var: 'tags' }, deep(operator, depth - 1)] }

test.each<[what: string, expression: Json, fault: string]>([
  ['an operator that nobody knows', { and: [true, { nope: [1] }] }, '.and[1] "nope" is not an operator'],
  ['an operator of the engine that flagd has not', { try: [{ throw: 'x' }] }, ' "try" is not an operator'],
  ['a name that every object has', { constructor: ['x'] }, ' "constructor" is not an operator'],
  ['two operators in one', { '==': [1, 1], '!=': [1, 1] }, ' must have one property alone'],
  ['a loop without a body', { map: [{ var: 'tags' }] }, '.map must be a list and what to do'],
  ['loops in loops', deep('some', 2), ' may take '],
  ['a loop over a long list with a long body', { all: [{ var: 'tags' }, { in: [{ var: '' }, long] }] }, ' may take '],
  [
    'a list that doubles with every item',
    { reduce: [{ var: 'tags' }, { merge: [{ var: 'accumulator' }, { var: 'accumulator' }] }, [1]] },
    '.reduce[1] "merge" cannot stand in a "reduce"',
  ],
  ['what fails whatever the context', { '/': [1, 0] }, ' fails whatever the context'],
])('%s is refused with its path', (_, expression, fault) => {
  expect(faults(expression)).toEqual(['INVALID', expect.stringContaining(`rules[0].if.jsonLogic${fault}`)])
})

test('expressions that are each small enough are too many together', () => {
  const loop = { some: [{ var: 'tags' }, { '===': [{ var: '' }, 'x'] }] }
  const rules = (count: number) => Array(count).fill({ if: { jsonLogic: loop }, serve: { variation: 'on' } })
  expect(faults(loop)).toEqual([])
  expect(() => parseFlag('default', { key: 'f', rules: rules(10) })).not.toThrow()
  expect(() => parseFlag('default', { key: 'f', rules: rules(50) })).toThrow('all of the flag at most 100000')
})

test('loops of a sensible size are taken', () => {
  const oneOfThem = { some: [{ var: 'emails' }, { ends_with: [{ var: '' }, '@x.com'] }] }
  expect(evaluate(flag(oneOfThem), { emails: ['a@y.com', 'b@x.com'] }).variation).toBe('on')
  const total = { '>': [{ reduce: [{ var: 'n' }, { '+': [{ var: 'current' }, { var: 'accumulator' }] }, 0] }, 5] }
  expect(evaluate(flag(total), { n: [1, 2, 3] }).variation).toBe('on')
})

test('a condition holds where the result is truthy as JsonLogic has it', () => {
  const off = { offVariation: 'off', fallthrough: { variation: 'off' } }
  const given = (tags: unknown) => evaluate(flag({ var: 'tags' }, off), { tags }).variation
  expect([[], {}, '', 0, null, false].map(given)).toEqual(Array(6).fill('off'))
  expect([['a'], { a: 1 }, 'a', 1, true].map(given)).toEqual(Array(5).fill('on'))
})

test('an expression that fails for a context is an error for that context alone', () => {
  const definition = flag({ '==': [{ var: 'plan' }, 'pro'] })
  expect(evaluate(definition, { plan: 'pro' }).variation).toBe('on')
  expect(evaluate(definition, { plan: 7 })).toEqual({
    value: undefined,
    variation: undefined,
    reason: 'ERROR',
    errorCode: 'GENERAL',
    errorDetails: 'rules[0].if.jsonLogic fails for this context',
  })
})

test('a serve gives the variation that its expression names, and the fallthrough where it gives null', () => {
  const served = { if: { all: [] }, serve: { jsonLogic: { var: 'wish' } } }
  const definition = { key: 'f', enabled: true, rules: [served], fallthrough: { variation: 'off' } }
  expect(evaluate(definition, { wish: 'on' })).toMatchObject({ variation: 'on', reason: 'TARGETING_MATCH' })
  expect(evaluate(definition, {})).toMatchObject({ variation: 'off', reason: 'DEFAULT' })
  expect(evaluate(definition, { wish: 'pink' })).toMatchObject({ reason: 'ERROR', errorCode: 'GENERAL' })
})

test('in the fallthrough, null leaves it to the caller', () => {
  const definition = { key: 'f', enabled: true, fallthrough: { jsonLogic: { var: 'wish' } } }
  expect(evaluate(definition, {})).toEqual({ value: undefined, variation: undefined, reason: 'DEFAULT' })
  expect(evaluate(definition, { wish: 'off' }).variation).toBe('off')
})

test('an expression that came from a peer and makes no sense costs only those who reach it', () => {
  const rules = [
    { if: { attribute: 'plan', op: 'eq' as const, values: ['pro'] }, serve: { variation: 'on' } },
    { if: { jsonLogic: { nope: [] } }, serve: { variation: 'on' } },
  ]
  const ruleset = createRuleset()
  ruleset.apply(created({ ...parseFlag('default', { key: 'f', enabled: true }), rules }))
  const found = ruleset.find('default', 'default', 'f')
  expect(found?.evaluate({ plan: 'pro' }, 0).variation).toBe('on')
  expect(found?.evaluate({}, 0).errorCode).toBe('PARSE_ERROR')
  expect(found?.fault).toContain('rules[1].if.jsonLogic "nope" is not an operator')
})

test('an expression shows in the trace of an evaluation', () => {
  const found = rulesetOf([flag({ var: 'beta' })]).find('default', 'default', 'f')
  const { steps } = found?.explain({ beta: true }, 0) ?? { steps: [] }
  expect(steps).toContainEqual({
    kind: 'condition',
    at: 'rules[0].if',
    op: 'jsonLogic',
    expected: { var: 'beta' },
    outcome: true,
  })
})

test('two thousand expressions are all compiled, not just the first five hundred', () => {
  const flags = Array.from({ length: 2_000 }, (_, i) => ({ ...flag({ '===': [{ var: 'n' }, i] }), key: `f${i}` }))
  const ruleset = rulesetOf(flags)
  const on = ruleset
    .all('default', 'default')
    .filter((one) => one.evaluate({ n: 1_999 }, 0).reason === 'TARGETING_MATCH')
  expect(on.map((one) => one.key)).toEqual(['f1999'])
})
