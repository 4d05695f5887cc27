import fc from 'fast-check'
import { expect, test } from 'vitest'
import { murmur32 } from '../../src/base/hash.ts'
import { seededRandom } from '../../src/base/random.ts'
import type { CompiledFlag } from '../../src/evaluation/compiled-flag.ts'
import { evaluate, rulesetOf } from './testbed.ts'

const abc = { a: 1, b: 2, c: 3 }

function compiled(flag: object): CompiledFlag {
  const found = rulesetOf([{ key: 'f', enabled: true, ...flag }]).find('default', 'default', 'f')
  if (!found) throw new Error('the flag is not there')
  return found
}

function rollout(weights: Record<string, number>, more: object = {}): object {
  return {
    rollout: { weights: Object.entries(weights).map(([variation, weight]) => ({ variation, weight })), ...more },
  }
}

test('a bucket is murmur3 of subject and flag key modulo 10,000, and weights claim ranges from 0 in their order', () => {
  const flag = compiled({ variations: abc, fallthrough: rollout({ a: 2_500, b: 1, c: 7_499 }) })
  for (let i = 0; i < 20_000; i++) {
    const bucket = murmur32(`user-${i}:f`) % 10_000
    const wanted = bucket < 2_500 ? 'a' : bucket < 2_501 ? 'b' : 'c'
    expect(flag.evaluate({ targetingKey: `user-${i}` }, 0)).toEqual({
      value: abc[wanted],
      variation: wanted,
      reason: 'SPLIT',
    })
  }
})

test('rolloutPercentage 25 means a bucket below 2,500', () => {
  const flag = compiled({ rolloutPercentage: 25 })
  for (let i = 0; i < 1_000; i++) {
    expect(flag.evaluate({ targetingKey: `u${i}` }, 0).value).toBe(murmur32(`u${i}:f`) % 10_000 < 2_500)
  }
})

test('a salt stands for the flag key, and another attribute for the targeting key', () => {
  const flag = compiled({ fallthrough: rollout({ on: 5_000, off: 5_000 }, { salt: 's1', bucketBy: 'company.id' }) })
  for (let i = 0; i < 1_000; i++) {
    expect(flag.evaluate({ targetingKey: 'same', company: { id: i } }, 0).value).toBe(
      murmur32(`${i}:s1`) % 10_000 < 5_000,
    )
  }
})

test('a missing subject gets the last weight, reason DEFAULT, and says so', () => {
  const flag = compiled({ variations: abc, fallthrough: rollout({ a: 9_999, b: 1 }, { bucketBy: 'id' }) })
  for (const targetingKey of [undefined, null, '', {}, []]) {
    expect(flag.evaluate({ id: targetingKey }, 0)).toEqual({
      value: 2,
      variation: 'b',
      reason: 'DEFAULT',
      subjectMissing: true,
    })
  }
})

test('growing the first weight keeps everyone who was in', () => {
  const weight = fc.integer({ min: 0, max: 10_000 })
  const subjects = fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 50 })
  fc.assert(
    fc.property(weight, weight, subjects, fc.string(), (one, other, keys, salt) => {
      const flagOf = (on: number) => compiled({ fallthrough: rollout({ on, off: 10_000 - on }, { salt }) })
      const small = flagOf(Math.min(one, other))
      const large = flagOf(Math.max(one, other))
      for (const targetingKey of keys) {
        if (small.evaluate({ targetingKey }, 0).value) expect(large.evaluate({ targetingKey }, 0).value).toBe(true)
      }
    }),
    { numRuns: 50 },
  )
})

/** Pearson's statistic of what was counted against what was expected. */
function chiSquare(counts: readonly number[], expected: readonly number[]): number {
  return counts.reduce((sum, count, i) => sum + (count - (expected[i] as number)) ** 2 / (expected[i] as number), 0)
}

test('a million subjects spread evenly over a hundred equal shares', () => {
  const names = Array.from({ length: 100 }, (_, i) => `v${i}`)
  const flag = compiled({
    variations: Object.fromEntries(names.map((name, i) => [name, i])),
    fallthrough: rollout(Object.fromEntries(names.map((name) => [name, 100]))),
  })
  const counts = new Array<number>(100).fill(0)
  for (let i = 0; i < 1_000_000; i++) {
    const share = flag.evaluate({ targetingKey: `user-${i}` }, 0).value as number
    counts[share] = (counts[share] ?? 0) + 1
  }
  // 99 degrees of freedom: an even spread exceeds 148.2 once in a thousand; the subjects are fixed, so this one never does.
  expect(chiSquare(counts, new Array<number>(100).fill(10_000))).toBeLessThan(148.2)
})

test('two flags, and who takes part and who gets which variation, are independent of each other', () => {
  const one = compiled({ fallthrough: rollout({ on: 3_000, off: 7_000 }, { salt: 'one' }) })
  const two = compiled({ fallthrough: rollout({ on: 3_000, off: 7_000 }, { salt: 'two' }) })
  const covered = compiled({
    variations: { a: 'a', b: 'b', none: 'none' },
    offVariation: 'none',
    fallthrough: rollout({ a: 5_000, b: 5_000 }, { coverage: 2_000 }),
  })
  const pairs = [0, 0, 0, 0]
  const parts = { a: 0, b: 0, none: 0 }
  const subjects = 200_000
  for (let i = 0; i < subjects; i++) {
    const context = { targetingKey: `user-${i}` }
    const pair = (one.evaluate(context, 0).value ? 2 : 0) + (two.evaluate(context, 0).value ? 1 : 0)
    pairs[pair] = (pairs[pair] as number) + 1
    parts[covered.evaluate(context, 0).value as keyof typeof parts]++
  }
  const shares = (...parts: number[]) => parts.map((part) => part * subjects)
  // 3 and 2 degrees of freedom: once in a thousand 16.27 and 13.82.
  expect(chiSquare(pairs, shares(0.49, 0.21, 0.21, 0.09))).toBeLessThan(16.27)
  expect(chiSquare([parts.a, parts.b, parts.none], shares(0.1, 0.1, 0.8))).toBeLessThan(13.82)
})

test('letting more subjects take part moves nobody from one variation to another', () => {
  const flagOf = (coverage: number) =>
    compiled({ variations: abc, offVariation: 'c', fallthrough: rollout({ a: 5_000, b: 5_000 }, { coverage }) })
  const [few, many] = [flagOf(1_000), flagOf(6_000)]
  let taking = 0
  for (let i = 0; i < 5_000; i++) {
    const context = { targetingKey: `user-${i}` }
    const before = few.evaluate(context, 0).variation
    if (before === 'c') continue
    taking++
    expect(many.evaluate(context, 0).variation).toBe(before)
  }
  expect(taking).toBeGreaterThan(300)
})

test('who does not take part in the rollout of a rule goes on to the next rule', () => {
  const everybody = { all: [] }
  const flag = compiled({
    variations: abc,
    rules: [
      { id: 'some', if: everybody, serve: rollout({ a: 10_000 }, { coverage: 4_000 }) },
      { id: 'rest', if: everybody, serve: { variation: 'b' } },
    ],
  })
  const seen = new Set<string | undefined>()
  for (let i = 0; i < 100; i++) {
    const { ruleId, variation, reason } = flag.evaluate({ targetingKey: `user-${i}` }, 0)
    expect([variation, reason]).toEqual(ruleId === 'some' ? ['a', 'SPLIT'] : ['b', 'TARGETING_MATCH'])
    seen.add(ruleId)
  }
  expect(seen).toEqual(new Set(['some', 'rest']))
})

const day = 86_400_000
const first = Date.UTC(2026, 5, 1)
const schedule = [
  {
    at: '2026-06-01T00:00:00Z',
    weights: [
      { variation: 'on', weight: 1_000 },
      { variation: 'off', weight: 9_000 },
    ],
  },
  {
    at: '2026-06-11T00:00:00Z',
    weights: [
      { variation: 'on', weight: 6_000 },
      { variation: 'off', weight: 4_000 },
    ],
  },
]

test('a schedule holds from each step to the next, and before the first the weights do', () => {
  const flag = compiled({ fallthrough: rollout({ on: 0, off: 10_000 }, { schedule }) })
  expect(flag.timed).toBe(true)
  for (let i = 0; i < 500; i++) {
    const context = { targetingKey: `user-${i}` }
    const bucket = murmur32(`user-${i}:f`) % 10_000
    expect(flag.evaluate(context, first - 1).value).toBe(false)
    expect(flag.evaluate(context, first).value).toBe(bucket < 1_000)
    expect(flag.evaluate(context, first + 10 * day - 1).value).toBe(bucket < 1_000)
    expect(flag.evaluate(context, first + 10 * day).value).toBe(bucket < 6_000)
    expect(flag.evaluate(context, first + 1_000 * day).value).toBe(bucket < 6_000)
  }
})

test('a linear ramp moves evenly from step to step', () => {
  const flag = compiled({ fallthrough: rollout({ on: 0, off: 10_000 }, { schedule, curve: 'linear' }) })
  for (let i = 0; i < 500; i++) {
    const context = { targetingKey: `user-${i}` }
    const bucket = murmur32(`user-${i}:f`) % 10_000
    expect(flag.evaluate(context, first - 1).value).toBe(false)
    for (const days of [0, 1, 5, 9.5, 10, 400]) {
      expect(flag.evaluate(context, first + days * day).value).toBe(bucket < Math.min(6_000, 1_000 + 500 * days))
    }
  }
})

test('a flag that asks one with a schedule is timed as well', () => {
  const ruleset = rulesetOf([
    { key: 'ramp', enabled: true, fallthrough: rollout({ on: 0, off: 10_000 }, { schedule }) },
    { key: 'needs', enabled: true, prerequisites: [{ flag: 'ramp', variations: ['on'] }] },
    { key: 'still', enabled: true, rolloutPercentage: 5 },
  ])
  const timed = (key: string) => ruleset.find('default', 'default', key)?.timed
  expect([timed('needs'), timed('still')]).toEqual([true, false])
})

test('a rollout of a rule names the rule', () => {
  const rules = [{ id: 'r', if: { all: [] }, serve: rollout({ on: 10_000 }) }]
  expect(evaluate({ key: 'f', enabled: true, rules }, { targetingKey: 'u' })).toEqual({
    value: true,
    variation: 'on',
    reason: 'SPLIT',
    ruleId: 'r',
  })
})

test('subjects that are drawn at random are spread by the same hash', () => {
  const random = seededRandom(7)
  const flag = compiled({ rolloutPercentage: 0.01 })
  let on = 0
  for (let i = 0; i < 200_000; i++) if (flag.evaluate({ targetingKey: random.uint32().toString(36) }, 0).value) on++
  expect(on).toBeGreaterThan(5)
  expect(on).toBeLessThan(40)
})
