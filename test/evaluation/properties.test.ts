import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { EvaluationContext } from '../../src/evaluation/model.ts'
import { parseFlag, parseSegment } from '../../src/evaluation/parse.ts'
import { createRuleset, type RegisterValue, type Ruleset } from '../../src/evaluation/ruleset.ts'
import { context, documents, environmentNames } from './arbitraries.ts'
import { created, createdSegment, stamp } from './testbed.ts'

/** `npm run test:fuzz` asks for more; a failure prints the seed and path that replay it. */
const numRuns = Number(process.env.FLAGS_FUZZ_RUNS ?? 150)
const nowMs = Date.UTC(2026, 3, 1)

function registersOf({
  flags,
  segments,
}: {
  flags: readonly unknown[]
  segments: readonly unknown[]
}): RegisterValue[] {
  return [
    ...flags.flatMap((flag) => created(parseFlag('default', flag))),
    ...segments.flatMap((segment) => createdSegment(parseSegment('default', segment))),
  ]
}

function rulesetFrom(registers: readonly RegisterValue[]): Ruleset {
  const ruleset = createRuleset()
  ruleset.apply(registers)
  return ruleset
}

function answers(ruleset: Ruleset, asked: EvaluationContext) {
  return environmentNames.map((environment) =>
    ruleset
      .all('default', environment)
      .map((flag) => [flag.key, flag.fault, flag.constant, flag.timed, flag.evaluate(asked, nowMs)]),
  )
}

test('evaluation never throws, answers the same twice, and explains the answer that it gives', () => {
  fc.assert(
    fc.property(documents, context, (parts, asked) => {
      const ruleset = rulesetFrom(registersOf(parts))
      const flags = environmentNames.flatMap((environment) => ruleset.all('default', environment))
      const first = flags.map((flag) => flag.evaluate(asked, nowMs))
      expect(flags.map((flag) => flag.evaluate(asked, nowMs))).toEqual(first)
      expect(flags.map((flag) => flag.explain(asked, nowMs).evaluation)).toEqual(first)
      expect(flags.map((flag, i) => (flag.constant ? flag.evaluate({}, nowMs) : first[i]))).toEqual(first)
    }),
    { numRuns },
  )
})

test('what is exported and imported again answers the same', () => {
  fc.assert(
    fc.property(documents, context, (parts, asked) => {
      const ruleset = rulesetFrom(registersOf(parts))
      const exported = JSON.parse(
        JSON.stringify({ flags: ruleset.flags('default'), segments: ruleset.segments('default') }),
      )
      const imported = rulesetFrom(registersOf(exported))
      expect(answers(imported, asked)).toEqual(answers(ruleset, asked))
      expect(imported.flags('default')).toEqual(ruleset.flags('default'))
    }),
    { numRuns },
  )
})

test('registers give the same answers in whatever order and batches they come, asked in between or not', () => {
  const order = fc.array(fc.nat(), { minLength: 40, maxLength: 40 })
  fc.assert(
    fc.property(
      documents,
      documents,
      context,
      order,
      fc.integer({ min: 1, max: 7 }),
      (before, after, asked, places, batch) => {
        const newer = registersOf(after).map((register) => ({ ...register, stamp: stamp(2) }))
        const winners = new Map([...registersOf(before), ...newer].map((register) => [register.key, register]))
        const shuffled = [...winners.values()].map((register, i) => ({ register, place: places[i % 40] as number }))
        shuffled.sort((a, b) => a.place - b.place)
        const ruleset = rulesetFrom(registersOf(before))
        for (let i = 0; i < shuffled.length; i += batch) {
          ruleset.apply(shuffled.slice(i, i + batch).map(({ register }) => register))
          answers(ruleset, asked)
        }
        expect(answers(ruleset, asked)).toEqual(answers(rulesetFrom([...winners.values()]), asked))
      },
    ),
    { numRuns: Math.ceil(numRuns / 2) },
  )
})

test('whatever a peer wrote into registers, every flag answers, and those that it left alone as before', () => {
  const junk = fc.oneof(
    fc.jsonValue(),
    fc.dictionary(
      fc.constantFrom('rules', 'overrides', 'fallthrough', 'enabled', 'variations', 'type', 'if'),
      fc.jsonValue(),
    ),
  )
  const header = fc.record({
    schema: fc.integer({ min: 0, max: 2 }),
    birth: fc.constantFrom('', stamp(1), 'x'),
    ended: fc.constantFrom('', stamp(1)),
    data: junk,
  })
  const value = fc.oneof(
    header.map((content) => new TextEncoder().encode(JSON.stringify(content))),
    fc.uint8Array(),
  )
  const part = fc.constantFrom('definition', 'switch|default', 'targeting|default', 'switch|qa', 'targeting|production')
  fc.assert(
    fc.property(
      documents,
      context,
      fc.array(fc.tuple(part, value), { minLength: 1, maxLength: 4 }),
      (parts, asked, bad) => {
        const apart = created(parseFlag('default', { key: 'apart', enabled: true }))
        const ruleset = rulesetFrom([...registersOf(parts), ...apart])
        ruleset.apply(bad.map(([name, bytes]) => ({ key: `flag|default|f0|${name}`, stamp: stamp(9), value: bytes })))
        expect(answers(ruleset, asked)).toEqual(answers(ruleset, asked))
        expect(ruleset.find('default', 'default', 'apart')?.evaluate(asked, nowMs).value).toBe(true)
        expect(() => JSON.stringify(ruleset.flags('default'))).not.toThrow()
      },
    ),
    { numRuns },
  )
})

test('a body that is anything at all is a flag or a fault with a status', () => {
  const almost = fc.tuple(
    documents,
    fc.constantFrom('rules', 'enabled', 'variations', 'overrides', 'environments', 'key', 'zap'),
    fc.anything(),
  )
  const body = fc.oneof(
    fc.anything(),
    almost.map(([{ flags }, property, value]) => ({ ...flags[0], [property]: value })),
  )
  fc.assert(
    fc.property(body, (anything) => {
      try {
        expect(parseFlag('default', anything).namespace).toBe('default')
      } catch (error) {
        expect(error).toMatchObject({ name: 'FlagsError', code: expect.stringMatching(/^(MALFORMED|INVALID)$/) })
      }
    }),
    { numRuns: numRuns * 2 },
  )
})
