import fc from 'fast-check'

/**
 * Random states of Unleash, and contexts that are likely to meet them. Nothing here is left to chance in Unleash: everybody has a user id
 * and a tenant, so that whatever is asked for is there; `team` may be missing, and only strategies ask for it.
 */

const word = fc.constantFrom('a', 'ab', 'B', ' b ', '', '5', 'true', '1.2.3', '10.0.0.1')
const number = fc.constantFrom('5', '-1', '5.5', '1e3', ' 7 ', '', 'x', '0x10')
const version = fc.constantFrom('1.2.3', 'v1.2.3', '2.0.0-rc.1', '1.2', '10.0.0', '')
const instant = fc.constantFrom('2026-01-01T00:00:00.000Z', '2026-06-01', '2025-12-31T23:59:59+02:00', 'never')
const block = fc.constantFrom(
  '10.0.0.0/8',
  '10.0.0.1',
  '192.168.1.0/24',
  '2001:db8::/32',
  '::1',
  '10.0.0.0/33',
  'x',
  '',
)
const pattern = fc.constantFrom('^a', 'b$', '[0-9]+', '(', 'A|B', '')
const attributeName = fc.constantFrom('userId', 'sessionId', 'tenant', 'team', 'age', 'remoteAddress', 'environment')

const some = <T>(value: fc.Arbitrary<T>) => fc.array(value, { maxLength: 3 })

function constraintOf(operators: readonly string[], values: fc.Arbitrary<object>) {
  const common = fc.record(
    {
      contextName: attributeName,
      operator: fc.constantFrom(...operators),
      inverted: fc.boolean(),
      caseInsensitive: fc.boolean(),
    },
    { requiredKeys: ['contextName', 'operator'] },
  )
  return fc.tuple(common, values).map(([one, other]) => ({ ...one, ...other }))
}

const constraint = fc.oneof(
  constraintOf(['IN', 'NOT_IN', 'STR_STARTS_WITH', 'STR_ENDS_WITH', 'STR_CONTAINS'], fc.record({ values: some(word) })),
  constraintOf(['NUM_EQ', 'NUM_GT', 'NUM_GTE', 'NUM_LT', 'NUM_LTE'], fc.record({ value: number })),
  constraintOf(['DATE_AFTER', 'DATE_BEFORE'], fc.record({ value: instant })),
  constraintOf(['SEMVER_EQ', 'SEMVER_GT', 'SEMVER_GTE', 'SEMVER_LT', 'SEMVER_LTE'], fc.record({ value: version })),
  constraintOf(['REGEX'], fc.record({ value: pattern })),
  constraintOf(['IN_CIDR'], fc.record({ values: some(block) })),
  constraintOf(['NOBODY_KNOWS_IT'], fc.constant({ values: ['a'] })),
)

const percentage = fc.oneof(fc.integer({ min: 0, max: 100 }).map(String), fc.constantFrom('33.7', '', 'x', '120'))
const group = fc.constantFrom('g', 'group two', '')
const stickiness = fc.constantFrom('default', 'userId', 'tenant', 'team', 'sessionId')

const variantOf = (more: object) =>
  fc.record(
    {
      name: fc.constantFrom('on', 'off', 'red', 'blue', 'disabled'),
      weight: fc.integer({ min: 0, max: 500 }),
      payload: fc.record({ type: fc.constant('string'), value: fc.constantFrom('', 'x', 'y') }),
      stickiness: fc.constantFrom('default', 'userId', 'tenant'),
      ...more,
    },
    { requiredKeys: ['name', 'weight', 'stickiness'] },
  )
const overrides = fc.array(fc.record({ contextName: attributeName, values: some(word) }), { maxLength: 2 })

function strategyOf(name: string, parameters: fc.Arbitrary<object>) {
  return fc.record(
    {
      name: fc.constant(name),
      parameters,
      constraints: fc.array(constraint, { maxLength: 2 }),
      segments: fc.subarray([1, 2, 3], { maxLength: 2 }),
      variants: fc.array(variantOf({}), { maxLength: 3 }),
    },
    { requiredKeys: ['name', 'parameters'] },
  )
}

const strategy = fc.oneof(
  strategyOf('default', fc.constant({})),
  {
    weight: 4,
    arbitrary: strategyOf('flexibleRollout', fc.record({ groupId: group, rollout: percentage, stickiness })),
  },
  strategyOf('userWithId', fc.record({ userIds: fc.constantFrom('u1,u2', 'u1 , u3', '', 'u5') })),
  strategyOf('gradualRolloutUserId', fc.record({ groupId: group, percentage })),
  strategyOf('gradualRolloutSessionId', fc.record({ groupId: group, percentage })),
  strategyOf('remoteAddress', fc.record({ IPs: fc.constantFrom('10.0.0.1', '10.0.0.0/8, ::1', '192.168.1.7,x', '') })),
  strategyOf('their own', fc.constant({})),
)

const dependency = fc.record(
  {
    feature: fc.constantFrom('parent', 'child', 'nowhere'),
    enabled: fc.boolean(),
    variants: fc.array(fc.constantFrom('red', 'blue', 'disabled', 'nothing'), { maxLength: 2 }),
  },
  { requiredKeys: ['feature'] },
)

function feature(name: string, dependencies: fc.Arbitrary<object[]>) {
  return fc.record(
    {
      name: fc.constant(name),
      enabled: fc.constantFrom(true, true, true, false),
      strategies: fc.array(strategy, { maxLength: 3 }),
      variants: fc.array(variantOf({ overrides }), { maxLength: 3 }),
      dependencies,
    },
    { requiredKeys: ['name', 'enabled', 'strategies'] },
  )
}

const segment = (id: number) => fc.record({ id: fc.constant(id), constraints: fc.array(constraint, { maxLength: 2 }) })

export const states = fc.record({
  version: fc.constant(2),
  features: fc.tuple(
    feature('parent', fc.constant([])),
    feature('child', fc.array(dependency, { maxLength: 1 })),
    feature('grandchild', fc.array(dependency, { maxLength: 2 })),
  ),
  segments: fc.tuple(segment(1), segment(2)),
})

const property = fc.oneof(word, number, version, fc.integer({ min: -1, max: 9 }), fc.boolean(), fc.constant(null))

export const unleashContexts = fc.record(
  {
    userId: fc.oneof(fc.constantFrom('u1', 'u2', 'u3', '5', '1.2.3'), fc.stringMatching(/^[a-z0-9]{1,8}$/)),
    sessionId: fc.constantFrom('s1', 's2', ''),
    remoteAddress: fc.constantFrom('10.0.0.1', '10.9.9.9', '192.168.1.7', '::1', '2001:db8::7', '::ffff:10.0.0.1', 'x'),
    environment: word,
    currentTime: instant,
    properties: fc.record(
      { tenant: fc.constantFrom('t1', 't2', 't3'), team: property, age: property },
      { requiredKeys: ['tenant'] },
    ),
  },
  { requiredKeys: ['userId', 'properties'] },
)
