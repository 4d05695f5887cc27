import { expect, test } from 'vitest'
import { referenceDepthMax } from '../../src/base/limits.ts'
import { checkFlagReferences, checkReferences, checkSegmentReferences } from '../../src/evaluation/check-references.ts'
import { parseFlag, parseSegment } from '../../src/evaluation/parse.ts'
import type { CompiledFlag } from '../../src/evaluation/ruleset.ts'
import { created, createdSegment, rulesetOf, stamp } from './testbed.ts'

const needs = (key: string, ...flags: string[]) => ({
  key,
  enabled: true,
  prerequisites: flags.map((flag) => ({ flag, variations: ['on'] })),
})
const asks = (key: string, flag: string) => ({
  key,
  enabled: true,
  rules: [{ if: { flag, variations: ['on'] }, serve: { variation: 'on' } }],
  fallthrough: { variation: 'off' },
})
const inSegment = (key: string, segment: string) => ({
  key,
  enabled: true,
  rules: [{ if: { segment }, serve: { variation: 'on' } }],
  fallthrough: { variation: 'off' },
})

test('faults of references stand at the paths that name them', () => {
  const ruleset = rulesetOf([{ key: 'here' }], [{ key: 'seen' }])
  const { rules } = inSegment('', 'lost')
  const flag = parseFlag('default', { ...needs('a', 'here', 'gone'), environments: { qa: { rules } } })
  expect(checkFlagReferences(ruleset, flag)).toEqual([
    { path: 'prerequisites[1].flag', message: 'names the flag "gone", which does not exist' },
    { path: 'environments.qa.rules[0].if.segment', message: 'names the segment "lost", which does not exist' },
  ])
  const segment = parseSegment('default', {
    key: 's',
    if: { any: [{ segment: 'seen' }, { not: { segment: 'lost' } }] },
  })
  expect(checkSegmentReferences(ruleset, segment)).toEqual([
    { path: 'if.any[1].not.segment', message: 'names the segment "lost", which does not exist' },
  ])
  const bringing = [flag, parseFlag('default', { key: 'gone' })]
  expect(checkReferences(ruleset, bringing, [parseSegment('default', { key: 'lost' })])).toEqual([])
  expect(
    checkReferences(
      ruleset,
      [bringing[1], flag].flatMap((one) => one ?? []),
      [],
    ).map(({ path }) => path),
  ).toEqual(['flags[1].environments.qa.rules[0].if.segment'])
})

test('a variation that a prerequisite does not have is refused', () => {
  const ruleset = rulesetOf([{ key: 'here' }])
  const flag = parseFlag('default', { key: 'a', prerequisites: [{ flag: 'here', variations: ['on', 'blue'] }] })
  expect(checkFlagReferences(ruleset, flag).map(({ path }) => path)).toEqual(['prerequisites[0].variations[1]'])
})

test('a circle of flags or segments is refused when it is written, one that closes in a single environment too', () => {
  const ruleset = rulesetOf(
    [needs('b', 'c'), asks('c', 'a'), { key: 'a', enabled: true }],
    [{ key: 't', if: { not: { segment: 's' } } }, { key: 's' }],
  )
  const circle = (flag: object) =>
    checkFlagReferences(ruleset, parseFlag('default', flag)).map(({ path, message }) => [
      path,
      message.includes('circle'),
    ])
  expect(circle(needs('a', 'b'))).toEqual([['prerequisites[0].flag', true]])
  expect(circle(needs('a', 'a'))).toEqual([['prerequisites[0].flag', true]])
  expect(circle({ key: 'a', environments: { qa: { prerequisites: needs('a', 'b').prerequisites } } })).toEqual([
    ['environments.qa.prerequisites[0].flag', true],
  ])
  expect(circle(needs('d', 'b'))).toEqual([])
  const segment = parseSegment('default', { key: 's', if: { segment: 't' } })
  expect(checkSegmentReferences(ruleset, segment)).toMatchObject([{ path: 'if.segment' }])
  const elsewhere = rulesetOf([
    { key: 'x', enabled: true, environments: { qa: { prerequisites: needs('', 'y').prerequisites } } },
  ])
  expect(checkFlagReferences(elsewhere, parseFlag('default', needs('y', 'x'))).map(({ path }) => path)).toEqual([
    'prerequisites[0].flag',
  ])
})

test('a chain that is too long is refused when it is written', () => {
  const chain = (length: number) =>
    Array.from({ length }, (_, i) => (i === 0 ? { key: 'f0', enabled: true } : needs(`f${i}`, `f${i - 1}`)))
  const check = (length: number) =>
    checkFlagReferences(rulesetOf(chain(length)), parseFlag('default', needs('last', `f${length - 1}`)))
  expect(check(referenceDepthMax)).toEqual([])
  expect(check(referenceDepthMax + 1)).toHaveLength(1)
})

/** What the merge of two valid writes can bring about: registers that nobody checked against each other. */
function unchecked(flags: object[], segments: object[] = []) {
  const registers = [
    ...flags.flatMap((flag) => created(parseFlag('default', flag))),
    ...segments.flatMap((segment) => createdSegment(parseSegment('default', segment))),
  ]
  return registers
}

const answer = (flag: CompiledFlag | undefined) => flag?.evaluate({}, 0)

test('a circle that arises by merge gives the off variation with PARSE_ERROR, whichever flag is asked first', () => {
  const flags = [needs('a', 'b'), needs('b', 'a'), needs('c', 'a'), { key: 'd', enabled: true }]
  for (const order of [
    ['a', 'b', 'c'],
    ['c', 'b', 'a'],
    ['b', 'c', 'a'],
  ]) {
    const ruleset = rulesetOf([])
    ruleset.apply(unchecked(flags))
    for (const key of order) {
      expect(answer(ruleset.find('default', 'default', key))).toMatchObject({
        value: false,
        variation: 'off',
        reason: 'ERROR',
        errorCode: 'PARSE_ERROR',
      })
    }
    expect(answer(ruleset.find('default', 'default', 'd'))?.value).toBe(true)
    expect(ruleset.size().faults).toBe(3)
    ruleset.apply(created(parseFlag('default', { key: 'b', enabled: true }), stamp(2)))
    for (const key of order) expect(answer(ruleset.find('default', 'default', key))?.value).toBe(true)
    expect(ruleset.size().faults).toBe(0)
  }
})

test('a circle through rules is an error for the contexts that reach it', () => {
  const ruleset = rulesetOf([])
  const rules = [{ if: { attribute: 'vip', op: 'exists' }, serve: { variation: 'on' } }, ...asks('', 'b').rules]
  ruleset.apply(unchecked([{ ...asks('a', 'b'), rules }, asks('b', 'a')]))
  const flag = ruleset.find('default', 'default', 'a')
  expect(flag?.evaluate({ vip: 1 }, 0).value).toBe(true)
  expect(flag?.evaluate({}, 0)).toMatchObject({ value: undefined, errorCode: 'PARSE_ERROR' })
})

test('a segment that is not there, or goes in a circle, is an error for the contexts that reach it', () => {
  const ruleset = rulesetOf([])
  const circle = [
    { key: 's', included: ['u1'], if: { segment: 't' } },
    { key: 't', if: { segment: 's' } },
  ]
  ruleset.apply(unchecked([inSegment('a', 'lost'), inSegment('b', 's'), { key: 'd', enabled: true }], circle))
  const outcome = (key: string, context: object = {}) =>
    ruleset.find('default', 'default', key)?.evaluate({ ...context }, 0)
  expect(outcome('a')).toMatchObject({ errorCode: 'PARSE_ERROR' })
  expect(outcome('b')).toMatchObject({ errorCode: 'PARSE_ERROR' })
  expect(outcome('d')?.value).toBe(true)
  ruleset.apply([
    ...createdSegment(parseSegment('default', { key: 'lost' }), stamp(2)),
    ...createdSegment(parseSegment('default', { key: 't' }), stamp(2)),
  ])
  expect(outcome('a')?.value).toBe(false)
  expect(outcome('b', { targetingKey: 'u1' })?.value).toBe(true)
  expect(outcome('b', { targetingKey: 'u2' })?.value).toBe(false)
  expect(ruleset.size().faults).toBe(0)
})

test('a change of a segment or flag replaces the compiled flags that use it, directly or not, and no other', () => {
  const ruleset = rulesetOf(
    [inSegment('direct', 's'), inSegment('through', 't'), inSegment('other', 'u'), needs('user', 'direct')],
    [{ key: 's', included: ['u1'] }, { key: 't', if: { segment: 's' } }, { key: 'u' }],
  )
  const find = (key: string) => ruleset.find('default', 'default', key)
  const before = { direct: find('direct'), through: find('through'), other: find('other'), user: find('user') }
  expect(ruleset.all('default', 'default')).toBe(ruleset.all('default', 'default'))
  const list = ruleset.all('default', 'default')
  ruleset.apply(createdSegment(parseSegment('default', { key: 's', included: ['u2'] }), stamp(2)))
  expect(find('other')).toBe(before.other)
  expect(find('direct')).not.toBe(before.direct)
  expect(ruleset.all('default', 'default')).not.toBe(list)
  for (const key of ['direct', 'through', 'user']) {
    expect([
      find(key)?.evaluate({ targetingKey: 'u1' }, 0).value,
      find(key)?.evaluate({ targetingKey: 'u2' }, 0).value,
    ]).toEqual([false, true])
  }
  expect(before.direct?.evaluate({ targetingKey: 'u1' }, 0).value).toBe(true)
  ruleset.apply(created(parseFlag('default', { key: 'direct' }), stamp(3)))
  expect(find('user')?.evaluate({ targetingKey: 'u2' }, 0)).toMatchObject({ variation: 'off', reason: 'DISABLED' })
})

test('a flag that comes to exist is seen by those that named it before', () => {
  const ruleset = rulesetOf([])
  ruleset.apply(unchecked([needs('a', 'late')]))
  expect(answer(ruleset.find('default', 'default', 'a'))?.errorCode).toBe('PARSE_ERROR')
  ruleset.apply(created(parseFlag('default', { key: 'late', enabled: true }), stamp(2)))
  expect(answer(ruleset.find('default', 'default', 'a'))?.value).toBe(true)
})

test('a draft is evaluated beside what is stored, and stores nothing', () => {
  const ruleset = rulesetOf([
    { key: 'a', enabled: true },
    { key: 'b', enabled: true },
  ])
  const draft = ruleset.draft(
    parseFlag('default', { ...needs('a', 'b'), fallthrough: { variation: 'off' } }),
    'default',
  )
  expect(draft.evaluate({}, 0).value).toBe(false)
  expect(answer(ruleset.find('default', 'default', 'a'))?.value).toBe(true)
})
