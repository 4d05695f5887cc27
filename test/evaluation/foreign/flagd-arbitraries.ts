import fc from 'fast-check'

/** Random targeting of flagd and contexts that are likely to meet it: few names, few values, of every kind. */

export const variants = { on: true, off: false, blue: 'blue', '1': 1, true: 'yes' }

const attributeNames = ['email', 'country', 'age', 'version', 'tags', 'weight', 'targetingKey', 'user.plan']
const word = fc.constantFrom('a', 'ab', 'b', 'DE', '', '5', 'a@x.com')
const number = fc.integer({ min: -2, max: 20 })
const version = fc.constantFrom('1.0.0', 'v1.2', '2', '1.2.3-rc.1', '2.0.0.0', 'none')
const scalar = fc.oneof(word, number, fc.boolean())
const attribute = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...attributeNames).map((name) => ({ var: name })) },
  fc.tuple(fc.constantFrom(...attributeNames), scalar).map((pair) => ({ var: pair })),
)
const operand = fc.oneof({ weight: 3, arbitrary: attribute }, scalar, fc.constant(null))
const scalars = fc.array(scalar, { maxLength: 3 })

/** An operator with operands; one at least reads the context, since what reads nothing is found to fail when it is imported. */
function pair(operators: readonly string[], one: fc.Arbitrary<unknown>, other: fc.Arbitrary<unknown>) {
  return fc.tuple(fc.constantFrom(...operators), one, other).map(([operator, a, b]) => ({ [operator]: [a, b] }))
}

const leaf = fc.oneof(
  pair(['in'], attribute, scalars),
  pair(['in'], scalar, attribute),
  pair(['==', '!=', '===', '!=='], attribute, scalar),
  pair(['==', '!=', '===', '!==', '<', '<=', '>', '>='], attribute, operand),
  pair(['===', '!=='], scalar, attribute),
  pair(['starts_with', 'ends_with'], attribute, word),
  pair(['some', 'all', 'none'], attribute, pair(['=='], fc.constant({ var: '' }), word)),
  fc
    .tuple(attribute, fc.constantFrom('=', '!=', '<', '<=', '>', '>=', '^', '~', '?'), version)
    .map((sem_ver) => ({ sem_ver })),
  fc.constantFrom(...attributeNames).map((name) => ({ missing: [name] })),
  attribute,
  fc.boolean(),
)

const { condition } = fc.letrec<{ condition: unknown }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 3, arbitrary: leaf },
    fc.array(tie('condition'), { minLength: 1, maxLength: 3 }).map((and) => ({ and })),
    fc.array(tie('condition'), { minLength: 1, maxLength: 3 }).map((or) => ({ or })),
    tie('condition').map((one) => ({ '!': one })),
    tie('condition').map((one) => ({ '!': [one] })),
    tie('condition').map((one) => ({ '!!': [one] })),
  ),
}))

const variant = fc.constantFrom('on', 'off', 'blue', 1, true)
const weight = fc.oneof({ weight: 6, arbitrary: fc.integer({ min: -1, max: 40 }) }, attribute)
const entry = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(variant, weight) },
  variant.map((name) => [name]),
  fc.constant([null, 5]),
)
const text = fc.oneof(
  attribute,
  fc.constantFrom('email', 'age').map((name) => ({ cat: [{ var: '$flagd.flagKey' }, { var: name }] })),
  fc.tuple(word, attribute).map((cat) => ({ cat })),
)
const entries = fc.array(entry, { minLength: 1, maxLength: 4 })
const fractional = fc.oneof(
  entries,
  fc.tuple(text, entries).map(([first, others]) => [first, ...others]),
)

const { result } = fc.letrec<{ result: unknown }>((tie) => ({
  result: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    { weight: 2, arbitrary: variant },
    { weight: 2, arbitrary: fractional.map((shares) => ({ fractional: shares })) },
    fc.constant(null),
    fc.tuple(condition, tie('result')).map((branches) => ({ if: branches })),
    fc.tuple(condition, tie('result'), tie('result')).map((branches) => ({ if: branches })),
    fc.tuple(condition, tie('result'), condition, tie('result'), tie('result')).map((branches) => ({ if: branches })),
  ),
}))

/** Targeting as people write it, and now and then a mere condition, whose result is the name of a variant or of none. */
export const expressions: fc.Arbitrary<unknown> = fc.oneof({ weight: 9, arbitrary: result }, condition)

const value = fc.oneof(word, number, fc.boolean(), version, fc.array(word, { maxLength: 2 }), fc.constant(null))

export const flagdContext: fc.Arbitrary<Record<string, unknown>> = fc.record(
  {
    targetingKey: fc.stringMatching(/^[a-z0-9-]{0,6}$/),
    email: value,
    country: value,
    age: value,
    version,
    tags: value,
    weight: value,
    user: fc.record({ plan: value }),
  },
  { requiredKeys: [] },
)
