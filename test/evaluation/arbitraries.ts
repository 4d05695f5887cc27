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

/** JSON that a flag may hold: the one name that is refused everywhere has its own test. */
const json = fc.jsonValue().filter((value) => !JSON.stringify(value).includes('__proto__'))

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

const condition = conditionOver(fc.oneof(comparison, comparison, segmentCondition, flagCondition))
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

const serve = fc.oneof(fc.record({ variation }), fc.record({ rollout }))
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
