/** The same rules as each engine wants them: ours, flagd's and Unleash's. */
export interface Case {
  readonly name: string
  readonly flag: { readonly key: string; readonly enabled: boolean; readonly [property: string]: unknown }
  readonly segments: readonly object[]
  readonly flagd: object
  readonly unleash: { readonly feature: object; readonly segments: readonly { id: number; constraints: object[] }[] }
  readonly context: { readonly targetingKey: string } & Readonly<Record<string, string | number>>
  /** Whether the flag is on for that context: all three must say so. */
  readonly on: boolean
}

const variants = { on: true, off: false }
const unleashFeature = (name: string, strategies: object[]) => ({
  name,
  enabled: true,
  type: 'release',
  strategies,
  variants: [],
  dependencies: [],
})
const constraint = (contextName: string, operator: string, more: object) => ({
  contextName,
  operator,
  inverted: false,
  values: [],
  ...more,
})
const ids = Array.from({ length: 10_000 }, (_, i) => `user-${i * 7}`)

const staticFlag: Case = {
  name: 'static flag',
  flag: { key: 'static', enabled: true },
  segments: [],
  flagd: { state: 'ENABLED', variants, defaultVariant: 'on' },
  unleash: { feature: unleashFeature('static', [{ name: 'default', parameters: {}, constraints: [] }]), segments: [] },
  context: { targetingKey: 'user-1' },
  on: true,
}

const tiers = Array.from({ length: 10 }, (_, i) => ({ tier: `tier-${i}`, age: 18 + i }))
const tenRules: Case = {
  name: 'ten rules, the last matches',
  flag: {
    key: 'ten-rules',
    enabled: true,
    rules: tiers.map(({ tier, age }) => ({
      if: {
        all: [
          { attribute: 'plan', op: 'in', values: [tier, `${tier}-plus`] },
          { attribute: 'age', op: 'gte', values: [age] },
        ],
      },
      serve: { variation: 'on' },
    })),
    fallthrough: { variation: 'off' },
  },
  segments: [],
  flagd: {
    state: 'ENABLED',
    variants,
    defaultVariant: 'off',
    targeting: tiers.reduceRight<unknown>(
      (otherwise, { tier, age }) => ({
        if: [
          { and: [{ in: [{ var: 'plan' }, [tier, `${tier}-plus`]] }, { '>=': [{ var: 'age' }, age] }] },
          'on',
          otherwise,
        ],
      }),
      'off',
    ) as object,
  },
  unleash: {
    feature: unleashFeature(
      'ten-rules',
      tiers.map(({ tier, age }) => ({
        name: 'default',
        parameters: {},
        constraints: [
          constraint('plan', 'IN', { values: [tier, `${tier}-plus`] }),
          constraint('age', 'NUM_GTE', { value: String(age) }),
        ],
      })),
    ),
    segments: [],
  },
  context: { targetingKey: 'user-1', plan: 'tier-9', age: 40 },
  on: true,
}

const rollout: Case = {
  name: 'rollout of 100 %',
  flag: { key: 'rollout', enabled: true, rolloutPercentage: 100 },
  segments: [],
  flagd: {
    state: 'ENABLED',
    variants,
    defaultVariant: 'off',
    targeting: {
      fractional: [
        ['on', 100],
        ['off', 0],
      ],
    },
  },
  unleash: {
    feature: unleashFeature('rollout', [
      {
        name: 'flexibleRollout',
        parameters: { rollout: '100', stickiness: 'userId', groupId: 'rollout' },
        constraints: [],
      },
    ]),
    segments: [],
  },
  context: { targetingKey: 'user-1' },
  on: true,
}

const segment: Case = {
  name: 'segment of 10,000 ids',
  flag: {
    key: 'segment',
    enabled: true,
    rules: [{ if: { segment: 'ids' }, serve: { variation: 'on' } }],
    fallthrough: { variation: 'off' },
  },
  segments: [{ key: 'ids', included: ids }],
  flagd: {
    state: 'ENABLED',
    variants,
    defaultVariant: 'off',
    targeting: { if: [{ in: [{ var: 'targetingKey' }, ids] }, 'on', 'off'] },
  },
  unleash: {
    feature: unleashFeature('segment', [{ name: 'default', parameters: {}, constraints: [], segments: [1] }]),
    segments: [{ id: 1, constraints: [constraint('userId', 'IN', { values: ids })] }],
  },
  context: { targetingKey: 'user-35000' },
  on: true,
}

export const cases: readonly Case[] = [staticFlag, tenRules, rollout, segment]

/** A thousand flags as a service has them: half fixed, three in ten with a rule, two in ten rolled out. */
export const bulk = Array.from({ length: 1_000 }, (_, i): Pick<Case, 'flag' | 'flagd'> => {
  const key = `flag-${i}`
  const kind = i % 10
  if (kind < 5) return { flag: { key, enabled: true }, flagd: { state: 'ENABLED', variants, defaultVariant: 'on' } }
  if (kind < 8) {
    const values = ['DE', 'AT', 'CH']
    return {
      flag: {
        key,
        enabled: true,
        rules: [{ if: { attribute: 'country', op: 'in', values }, serve: { variation: 'on' } }],
        fallthrough: { variation: 'off' },
      },
      flagd: {
        state: 'ENABLED',
        variants,
        defaultVariant: 'off',
        targeting: { if: [{ in: [{ var: 'country' }, values] }, 'on', 'off'] },
      },
    }
  }
  return {
    flag: { key, enabled: true, rolloutPercentage: 25 },
    flagd: {
      state: 'ENABLED',
      variants,
      defaultVariant: 'off',
      targeting: {
        fractional: [
          ['on', 25],
          ['off', 75],
        ],
      },
    },
  }
})

/** A flag whose JSON is about 1 KB: three rules, two environments, a description. */
export function oneKilobyteFlag(i: number): object {
  const rule = (n: number) => ({
    id: `rule-${n}`,
    if: {
      all: [
        { attribute: 'country', op: 'in', values: ['DE', 'AT', 'CH'] },
        { attribute: 'plan', op: 'eq', values: [`plan-${n}`] },
      ],
    },
    serve: { variation: 'on' },
  })
  return {
    key: `team-${i % 20}/flag-${i}`,
    description: `Flag number ${i} of a large installation, whose description says in a sentence what it is for and who asked for it.`,
    tags: ['checkout', `team-${i % 20}`],
    owner: `team-${i % 20}`,
    enabled: true,
    overrides: { targetingKey: { 'user-1': 'on', 'user-2': 'off' } },
    rules: [rule(1), rule(2), rule(3)],
    rolloutPercentage: 25,
    environments: { qa: { enabled: true, fallthrough: { variation: 'on' } }, production: { enabled: false } },
  }
}
