import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FlagsError } from '../../src/base/errors.ts'
import { type ForeignFormat, foreignToDocument } from '../../src/catalog/foreign-import.ts'
import type { Flag } from '../../src/evaluation/model.ts'
import type { Ruleset } from '../../src/evaluation/ruleset.ts'
import { states, unleashContexts } from '../conformance/unleash/arbitraries.ts'
import { contextOf, importUnleash } from '../conformance/unleash/unleash-answers.ts'
import { expressions, flagdContext, variants } from '../evaluation/foreign/flagd-arbitraries.ts'
import { importFlagd } from '../evaluation/foreign/flagd-twin.ts'
import { rulesetOf } from '../evaluation/testbed.ts'

const numRuns = Number(process.env.FLAGS_FUZZ_RUNS ?? 300)

function refusal(format: ForeignFormat, body: unknown): unknown {
  try {
    foreignToDocument(format, body, 'default')
  } catch (error) {
    if (error instanceof FlagsError)
      return [error.code, ...error.faults.map(({ path, message }) => `${path} ${message}`)]
    throw error
  }
  return 'taken'
}

const flag = (more: object) => ({ flags: { 'new cart': { state: 'ENABLED', variants: { on: true }, ...more } } })
const feature = (more: object) => ({
  features: [{ name: 'f', enabled: true, strategies: [{ name: 'default' }], ...more }],
})
const heavy = [
  { name: 'a', weight: 9_000 },
  { name: 'b', weight: 9_000 },
]

test.each<[ForeignFormat, what: string, body: unknown, code: string, fault: string]>([
  ['flagd', 'a list', [], 'MALFORMED', ' expected object'],
  ['flagd', 'no flags', {}, 'MALFORMED', 'flags '],
  ['flagd', 'a state that there is not', flag({ state: 'MAYBE' }), 'MALFORMED', 'flags["new cart"].state '],
  ['flagd', 'a key that cannot be one', flag({}), 'INVALID', 'flags["new cart"] (here key) must be'],
  [
    'flagd',
    'a default variant that is none',
    { flags: { f: { state: 'ENABLED', variants: {}, defaultVariant: 'x' } } },
    'INVALID',
    'flags.f (here fallthrough.variation) names the variation "x"',
  ],
  [
    'flagd',
    'a branch that gives a variant that is none',
    { flags: { f: { state: 'ENABLED', variants: {}, targeting: { if: [true, 'x'] } } } },
    'INVALID',
    'flags.f (here rules[0].serve.variation) names the variation "x"',
  ],
  [
    'flagd',
    'an evaluator that is missing',
    { flags: { f: { state: 'ENABLED', variants: {}, targeting: { if: [{ $ref: 'e' }, 'on'] } } } },
    'INVALID',
    'flags.f.targeting.if[0] names the evaluator "e", which does not exist',
  ],
  [
    'flagd',
    'evaluators in a circle',
    {
      $evaluators: { e: { '!': { $ref: 'e' } } },
      flags: { f: { state: 'ENABLED', variants: {}, targeting: { $ref: 'e' } } },
    },
    'INVALID',
    '$evaluators.e["!"] names the evaluator "e", from which evaluators lead on in a circle',
  ],
  [
    'flagd',
    'an operator that nobody knows',
    { flags: { f: { state: 'ENABLED', variants: {}, targeting: { nope: [] } } } },
    'INVALID',
    'flags.f (here rules[0].serve.jsonLogic) "nope" is not an operator',
  ],
  ['unleash', 'a feature without a name', { features: [{ enabled: true }] }, 'MALFORMED', 'features[0].name '],
  [
    'unleash',
    'a name that cannot be a key',
    feature({ name: 'new cart' }),
    'INVALID',
    'features[0] (here key) must be',
  ],
  [
    'unleash',
    'weights beyond measure',
    feature({ variants: heavy }),
    'INVALID',
    'features[0].strategies[0].variants have weights',
  ],
  ['unleash', 'nesting without end', JSON.parse('['.repeat(200) + ']'.repeat(200)), 'MALFORMED', '[0]'],
])('%s: %s is refused, and the fault has its path in the document that was sent', (format, _, body, code, fault) => {
  expect(refusal(format, body)).toEqual([code, expect.stringContaining(fault)])
})

test('evaluators that double each other, or go on and on, cannot fill the memory or the stack', () => {
  const doubling = (i: number) => ({ and: [{ $ref: `e${i + 1}` }, { $ref: `e${i + 1}` }] })
  const going = (i: number) => ({ '!': { $ref: `e${i + 1}` } })
  const refused = (count: number, evaluator: (i: number) => object, last: object) => {
    const named = Array.from({ length: count }, (_, i) => [`e${i}`, evaluator(i)])
    const $evaluators = { ...Object.fromEntries(named), [`e${count}`]: last }
    return refusal('flagd', {
      $evaluators,
      flags: { f: { state: 'ENABLED', variants: {}, targeting: { $ref: 'e0' } } },
    })
  }
  expect(refused(15, doubling, { and: [1, 2, 3, 4] })).toEqual([
    'INVALID',
    expect.stringContaining('becomes too large'),
  ])
  expect(refused(50_000, going, {})).toEqual(['INVALID', expect.stringContaining('in a circle or too far')])
})

test('whatever is sent is taken or refused with a code', () => {
  const format = fc.constantFrom<ForeignFormat[]>('flagd', 'unleash')
  const thing = fc.oneof(fc.jsonValue(), fc.constant({}), fc.constant([]))
  const body = fc.oneof(
    thing,
    fc.record(
      { flags: fc.dictionary(fc.constantFrom('f', 'toString'), thing), $evaluators: thing },
      { requiredKeys: [] },
    ),
    fc.record({ features: fc.array(thing), segments: thing }, { requiredKeys: [] }),
    thing.map((targeting) => ({ flags: { f: { state: 'ENABLED', variants: { a: 1 }, targeting } } })),
  )
  fc.assert(
    fc.property(format, body, (which, sent) => {
      expect(['taken', 'MALFORMED', 'INVALID']).toContain([refusal(which, sent)].flat()[0])
    }),
    { numRuns },
  )
})

/** What export gives, imported again. */
function again(ruleset: Ruleset): Ruleset {
  const copy = JSON.parse(JSON.stringify({ flags: ruleset.flags('default'), segments: ruleset.segments('default') }))
  return rulesetOf(copy.flags, copy.segments)
}

function withoutInstants({ version: _, createdAt: __, updatedAt: ___, ...definition }: Flag) {
  return definition
}

test('what was imported from flagd is exported and imported again as it was', () => {
  fc.assert(
    fc.property(expressions, flagdContext, (targeting, context) => {
      const metadata = { team: 'shop' }
      const first = importFlagd({ flags: { f: { state: 'ENABLED', variants, targeting, metadata } } })
      const second = again(first)
      expect(second.flags('default').map(withoutInstants)).toEqual(first.flags('default').map(withoutInstants))
      const answers = [first, second].map((rules) => rules.find('default', 'default', 'f')?.evaluate(context, 0))
      expect(answers[1]).toEqual(answers[0])
    }),
    { numRuns },
  )
})

test('what was imported from Unleash is exported and imported again as it was', () => {
  fc.assert(
    fc.property(states, unleashContexts, (state, context) => {
      const first = importUnleash(state)
      const second = again(first)
      expect(second.flags('default').map(withoutInstants)).toEqual(first.flags('default').map(withoutInstants))
      for (const { name } of state.features) {
        const answers = [first, second].map((rules) =>
          rules.find('default', 'default', name)?.evaluate(contextOf(context), 0),
        )
        expect(answers[1]).toEqual(answers[0])
      }
    }),
    { numRuns },
  )
})
