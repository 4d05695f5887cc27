import fc from 'fast-check'
import { expect, test } from 'vitest'
import { indexRules } from '../../src/evaluation/rule-index.ts'
import { rulesetOf } from './testbed.ts'

/** `npm run test:fuzz` asks for more; a failure prints the seed and path that replay it. */
const numRuns = Number(process.env.FLAGS_FUZZ_RUNS ?? 300)

const gated = (name: string, ...values: (string | number)[]) => ({ name, gate: { attribute: 'plan', values } })
const open = (name: string) => ({ name, gate: undefined })

function found(rules: readonly (ReturnType<typeof gated> | ReturnType<typeof open>)[], plan: unknown) {
  return indexRules(rules)?.({ plan }).map(({ name }) => name)
}

test('a context meets the rules of its value and those that ask something else, in their order', () => {
  const rules = [gated('a', 'x'), open('b'), gated('c', 'x', 'y', 'x'), gated('d', 'y'), gated('e', 'z', 7), open('f')]
  expect(found(rules, 'x')).toEqual(['a', 'b', 'c', 'f'])
  expect(found(rules, 'y')).toEqual(['b', 'c', 'd', 'f'])
  expect(found(rules, 7)).toEqual(['b', 'e', 'f'])
  expect(found(rules, '7')).toEqual(['b', 'f'])
  expect(found(rules, undefined)).toEqual(['b', 'f'])
})

test('few rules, a first rule that asks something else, and an index out of proportion are left alone', () => {
  const four = ['a', 'b', 'c', 'd'].map((name) => gated(name, name))
  expect(indexRules(four)).toBeDefined()
  expect(indexRules(four.slice(1))).toBeUndefined()
  expect(indexRules([open('first'), ...four])).toBeUndefined()
  const many = Array.from({ length: 1_000 }, (_, i) =>
    gated(`${i}`, ...Array.from({ length: 6 }, (_, j) => `${i}-${j}`)),
  )
  expect(indexRules(many)).toBeDefined()
  expect(indexRules([...many, open('last')])).toBeUndefined()
})

const value = fc.constantFrom<(string | number | boolean)[]>('a', 'b', 'c', 'A', '1', 1, 0, -0, true)
const comparison = fc.record(
  {
    attribute: fc.constantFrom('plan', 'plan', 'plan', 'user.plan', 'constructor'),
    op: fc.constantFrom('eq', 'in', 'in', 'neq'),
    values: fc.array(value, { minLength: 1, maxLength: 3 }),
    caseInsensitive: fc.constantFrom(false, false, false, true),
  },
  { requiredKeys: ['attribute', 'op', 'values'] },
)
/** The last one cannot be answered: who reaches it gets PARSE_ERROR. */
const other = fc.constantFrom<object[]>(
  { attribute: 'age', op: 'gt', values: [3] },
  { attribute: 'age', op: 'exists' },
  { segment: 'missing' },
)
const condition = fc.oneof(
  { weight: 3, arbitrary: comparison },
  { weight: 3, arbitrary: fc.tuple(comparison, other).map((all) => ({ all })) },
  { weight: 1, arbitrary: fc.tuple(other, comparison).map((all) => ({ all })) },
  { weight: 1, arbitrary: fc.tuple(comparison, other).map((any) => ({ any })) },
  { weight: 1, arbitrary: comparison.map((not) => ({ not })) },
)
const serve = fc.constantFrom<object[]>(
  { variation: 'on' },
  { variation: 'off' },
  {
    rollout: {
      coverage: 5_000,
      weights: [
        { variation: 'on', weight: 5_000 },
        { variation: 'off', weight: 5_000 },
      ],
    },
  },
)
const rules = fc
  .array(fc.record({ if: condition, serve }), { minLength: 4, maxLength: 12 })
  .map((list) => list.map((rule, index) => ({ ...rule, id: `rule-${index}` })))
const plan = fc.oneof(value, fc.constantFrom<unknown[]>(null, Number.NaN, [], ['a'], {}))
const context = fc.record(
  {
    plan,
    user: fc.record({ plan }),
    'user.plan': plan,
    constructor: plan,
    age: fc.integer({ min: 0, max: 6 }),
    targetingKey: fc.constantFrom('u1', 'u2', 'u3'),
  },
  { requiredKeys: [] },
)

test('an index changes no answer: asking every rule in turn, as a trace does, gives the same', () => {
  fc.assert(
    fc.property(rules, fc.array(context, { minLength: 1, maxLength: 5 }), (list, contexts) => {
      const flag = { key: 'f', enabled: true, rules: list, fallthrough: { variation: 'off' } }
      const compiled = rulesetOf([flag]).find('default', 'default', 'f')
      for (const asked of contexts) expect(compiled?.evaluate(asked, 0)).toEqual(compiled?.explain(asked, 0).evaluation)
    }),
    { numRuns },
  )
})
