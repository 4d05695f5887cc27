import fc from 'fast-check'

/** Random flags, segments and contexts that are valid and likely to meet: few names, few values, every feature. */

const flagKeys = ['f0', 'f1', 'f2', 'f3']
const segmentKeys = ['s0', 's1', 's2']
const variationNames = ['on', 'off', 'blue']
const attributeNames = ['targetingKey', 'plan', 'age', 'ip', 'version', 'tags', 'device.os', 'since', 'constructor']
export const environmentNames = ['default', 'qa', 'production', 'elsewhere']

const word = fc.constantFrom('a', 'b', 'A', 'pro', '')
const number = fc.oneof(fc.integer({ min: -3, max: 12 }), fc.double({ noNaN: true, noDefaultInfinity: true }))
const versionText = fc.constantFrom('1.0.0', '1.2.3', '2.0.0-rc.1', '10.0.0')
const address = fc.constantFrom('10.0.0.1', '10.255.0.1', '192.168.1.1', '2001:db8::1')
const instant = fc.constantFrom('2026-01-01T00:00:00Z', '2026-06-01', '1999-12-31T23:59:59+02:00')

/** JSON that a flag may hold, mostly small, as that is quickly drawn. The one name that is refused everywhere has its own test. */
const json = fc.oneof(
  {
    weight: 7,
    arbitrary: fc.constantFrom<unknown[]>(true, false, null, 0, -1.5, '', 'é', [], { a: [1, { b: null }] }),
  },
  fc.jsonValue().filter((value) => !JSON.stringify(value).includes('__proto__')),
)

const some = <T>(value: fc.Arbitrary<T>) => fc.array(value, { minLength: 1, maxLength: 3 })
const ordered = fc
  .tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 6, max: 12 }))
  .map(([low, high]) => [low, high])

const valuesOf: Record<string, fc.Arbitrary<unknown[]>> = {
  eq: some(fc.oneof(word, number, fc.boolean())),
  neq: some(fc.oneof(word, number, fc.boolean())),
  in: some(word),
  notIn: some(word),
  contains: some(word),
  notContains: some(word),
  startsWith: some(word),
  endsWith: some(word),
  matches: some(fc.constantFrom('^a', 'b+', '(a|b)*$', '.')),
  lt: some(number),
  lte: some(number),
  gt: some(number),
  gte: some(number),
  between: ordered,
  before: some(instant),
  after: some(instant),
  semverEq: some(versionText),
  semverNeq: some(versionText),
  semverLt: some(versionText),
  semverLte: some(versionText),
  semverGt: some(versionText),
  semverGte: some(versionText),
  semverRange: some(fc.constantFrom('^1.0.0', '~1.2.0', '>=2.0.0-0', '1.x || 10.x')),
  cidr: some(fc.constantFrom('10.0.0.0/8', '192.168.1.1', '2001:db8::/32')),
  notCidr: some(fc.constantFrom('10.0.0.0/8', '::/0')),
  exists: fc.constant([]),
  notExists: fc.constant([]),
  modulo: fc.constantFrom([3, 1], [10, 0]),
  arrayContainsAny: some(word),
  arrayContainsAll: some(word),
  'unleash:STR_CONTAINS': some(word),
  'unleash:NUM_GT': fc.tuple(number),
  'unleash:DATE_AFTER': fc.tuple(instant),
  'unleash:SEMVER_LTE': fc.tuple(fc.oneof(versionText, word)),
  'unleash:REGEX': fc.tuple(fc.constantFrom('^a', '(')),
  'unleash:IN_CIDR': some(fc.oneof(address, word)),
}

const comparison = fc.constantFrom(...Object.keys(valuesOf)).chain((op) =>
  fc.record(
    {
      attribute: fc.constantFrom(...attributeNames),
      op: fc.constant(op),
      values: valuesOf[op] as fc.Arbitrary<unknown[]>,
      caseInsensitive: fc.boolean(),
    },
    { requiredKeys: ['attribute', 'op', 'values'] },
  ),
)

const flagCondition = fc.record({
  flag: fc.constantFrom(...flagKeys),
  variations: some(fc.constantFrom(...variationNames)),
})
const bucketCondition = fc.record({
  bucket: fc.record(
    {
      algorithm: fc.constantFrom('flags', 'flagd', 'unleash', 'unleashVariants'),
      bucketBy: fc.constantFrom(...attributeNames, 'default', 'random'),
      salt: word,
      below: fc.integer({ min: 0, max: 10_000 }),
    },
    { requiredKeys: ['salt', 'below'] },
  ),
})
const jsonLogicCondition = fc.record({
  jsonLogic: fc.constantFrom<unknown[]>(
    { '==': [{ var: 'plan' }, 'pro'] },
    { '>': [{ var: 'age' }, 3] },
    { starts_with: [{ var: 'ip' }, '10.'] },
    { sem_ver: [{ var: 'version' }, '^', '1.0.0'] },
    { some: [{ var: 'tags' }, { '==': [{ var: '' }, 'a'] }] },
    { '>=': [{ var: '$flagd.timestamp' }, 1_775_000_000] },
  ),
})
const segmentCondition = fc.record({ segment: fc.constantFrom(...segmentKeys) })

function conditionOver(leaf: fc.Arbitrary<object>): fc.Arbitrary<object> {
  const { condition } = fc.letrec<{ condition: object }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      leaf,
      fc.record({ all: fc.array(tie('condition'), { maxLength: 3 }) }),
      fc.record({ any: fc.array(tie('condition'), { maxLength: 3 }) }),
      fc.record({ not: tie('condition') }),
    ),
  }))
  return condition
}

const condition = conditionOver(
  fc.oneof(
    { weight: 4, arbitrary: comparison },
    { weight: 2, arbitrary: segmentCondition },
    { weight: 2, arbitrary: flagCondition },
    bucketCondition,
    jsonLogicCondition,
  ),
)
const variation = fc.constantFrom(...variationNames)

const weights = fc
  .tuple(fc.integer({ min: 0, max: 10_000 }), fc.shuffledSubarray(variationNames, { minLength: 2, maxLength: 2 }))
  .map(([weight, [one, other]]) => [
    { variation: one, weight },
    { variation: other, weight: 10_000 - weight },
  ])

const rollout = fc.record(
  {
    bucketBy: fc.constantFrom(...attributeNames),
    salt: word,
    coverage: fc.integer({ min: 0, max: 10_000 }),
    weights,
    schedule: weights.chain((step) =>
      fc.constant([
        { at: '2026-01-01', weights: step },
        { at: '2026-07-01T00:00:00Z', weights: step },
      ]),
    ),
    curve: fc.constantFrom('step', 'linear'),
  },
  { requiredKeys: ['weights'] },
)

const foreignRollout = fc.record(
  {
    algorithm: fc.constantFrom('flagd', 'unleash', 'unleashVariants'),
    bucketBy: fc.constantFrom(...attributeNames, 'default', 'random'),
    salt: word,
    buckets: fc.constantFrom(1, 3, 100, 1_000),
    weights,
  },
  { requiredKeys: ['algorithm', 'weights'] },
)

/** The last names no variation wherever there is no such attribute. */
const jsonLogicServe = fc.record({
  jsonLogic: fc.constantFrom<unknown[]>(
    { if: [{ '==': [{ var: 'plan' }, 'pro'] }, 'on', 'blue'] },
    {
      fractional: [
        ['on', 30],
        ['off', 70],
      ],
    },
    { var: 'plan' },
  ),
})

const serve = fc.oneof(
  { weight: 4, arbitrary: fc.record({ variation }) },
  { weight: 3, arbitrary: fc.record({ rollout }) },
  fc.record({ rollout: foreignRollout }),
  jsonLogicServe,
)
const rule = fc.record({ if: condition, serve })

const targeting = {
  offVariation: variation,
  overrides: fc.dictionary(
    fc.constantFrom('group', 'version', 'targetingKey', 'plan'),
    fc.dictionary(fc.constantFrom('a', 'b', 'g1'), variation),
  ),
  rules: fc.array(rule, { maxLength: 3 }),
  fallthrough: serve,
  prerequisites: fc.array(fc.record({ flag: fc.constantFrom(...flagKeys), variations: some(variation) }), {
    maxLength: 1,
  }),
}

const settings = fc.record({ enabled: fc.boolean(), ...targeting }, { requiredKeys: [] })
const variations = fc.record({ on: json, off: json, blue: json })

function flag(key: string): fc.Arbitrary<object> {
  const optional = {
    description: fc.string(),
    tags: fc.array(fc.constantFrom('x', 'y')),
    type: fc.constantFrom('json', 'string'),
  }
  return fc.record(
    {
      key: fc.constant(key),
      variations,
      enabled: fc.boolean(),
      ...optional,
      ...targeting,
      environments: fc.dictionary(fc.constantFrom('qa', 'production'), settings),
    },
    { requiredKeys: ['key', 'variations', 'enabled'] },
  )
}

function segment(key: string): fc.Arbitrary<object> {
  return fc.record(
    {
      key: fc.constant(key),
      included: fc.array(word),
      excluded: fc.array(word),
      if: conditionOver(fc.oneof(comparison, segmentCondition)),
    },
    { requiredKeys: ['key'] },
  )
}

/** Flags and segments that may name each other, themselves, and what is not there: as a merge can leave them. */
export const documents: fc.Arbitrary<{ flags: object[]; segments: object[] }> = fc.record({
  flags: fc.subarray(flagKeys, { minLength: 1 }).chain((keys) => fc.tuple(...keys.map(flag))),
  segments: fc.subarray(segmentKeys).chain((keys) => fc.tuple(...keys.map(segment))),
})

const attributeValue = fc.oneof(
  word,
  number,
  fc.boolean(),
  versionText,
  address,
  instant,
  fc.array(word),
  fc.constant(null),
  fc.jsonValue(),
  fc.record({ os: word }),
  fc.anything(),
)

export const context = fc.dictionary(fc.constantFrom(...attributeNames, 'group', 'device'), attributeValue)
