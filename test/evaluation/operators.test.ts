import { expect, test } from 'vitest'
import { Nonsense } from '../../src/evaluation/compiling.ts'
import type { Json, Operator } from '../../src/evaluation/model.ts'
import { operators } from '../../src/evaluation/operators.ts'

type Row = [op: Operator, values: Json[], holds: unknown[], fails: unknown[], caseInsensitive?: boolean]

const missing = [undefined, null]
const strange = [{}, [], Number.NaN, Symbol('s'), () => 1, 10n]

const rows: Row[] = [
  ['eq', ['pro'], ['pro'], ['Pro', 'free', 1, true, ['pro'], ...missing, ...strange]],
  ['eq', ['pro', 'team'], ['pro', 'team'], ['free', ...missing]],
  ['eq', ['PRO'], ['pro', 'Pro'], ['prO1'], true],
  ['eq', [21], [21], ['21', 22, ...missing]],
  ['eq', [true], [true], ['true', 1, false]],
  ['eq', [21, 'a', false], [21, 'a', false], ['21', true, 'A']],
  ['in', ['DE', 'AT', 'CH'], ['DE', 'CH'], ['FR', 'de', ...missing, ...strange]],
  ['in', ['DE', 'AT'], ['de', 'At'], ['fr', ...missing], true],
  [
    'contains',
    ['@example.', '@test.'],
    ['a@example.org', 'b@test.de'],
    ['a@other.org', 1, ['@example.'], ...missing, ...strange],
  ],
  ['contains', ['ADMIN'], ['the-Admin'], ['user'], true],
  ['startsWith', ['a', 'b'], ['abc', 'b'], ['cab', 'A', ...missing, ...strange]],
  ['endsWith', ['.de'], ['www.de'], ['www.de.', '.DE', ...missing, ...strange]],
  ['endsWith', ['.DE'], ['www.de'], ['www.fr'], true],
  ['matches', ['^a+b$', 'zz'], ['aaab', 'fuzzy'], ['b', 'AB', 5, ...missing, ...strange]],
  ['matches', ['^A+B$'], ['aab'], ['aac'], true],
  ['matches', ['\\p{Greek}'], ['αβγ'], ['abc']],
  ['lt', [5], [4.9, '4', ' -1e3 '], [5, 6, 'four', '', '0x1', ...missing, ...strange]],
  ['lte', [5], [5, '5.0'], [5.01]],
  ['gt', [5, 100], [6, 101, '7'], [5, 'x', ...missing]],
  ['gte', ['5'], [5, '5', 6], [4, true]],
  ['between', [1, 10], [1, 10, '5.5'], [0.99, 10.01, 'x', ...missing, ...strange]],
  [
    'before',
    ['2026-03-01T00:00:00Z'],
    ['2026-02-28T23:59:59.999Z', '2026-03-01T00:30:00+01:00', 0],
    ['2026-03-01T00:00:00Z', '2026-02-30T00:00:00Z', 'soon', ...missing],
  ],
  [
    'after',
    [1_700_000_000_000],
    [1_700_000_000_001, '2026-01-01'],
    [1_700_000_000_000, '1700000000001', ...missing, ...strange],
  ],
  ['semverEq', ['1.2.3'], ['1.2.3', 'v1.2.3', '1.2.3+build'], ['1.2.3-rc.1', '1.2', 1.2, ...missing, ...strange]],
  ['semverLt', ['2.0.0'], ['1.10.0', '2.0.0-alpha'], ['2.0.0', '10.0.0', 'x']],
  ['semverLte', ['2.0.0'], ['2.0.0', '0.0.1'], ['2.0.1']],
  ['semverGt', ['1.9.0'], ['1.10.0'], ['1.9.0', '1.9.0-rc']],
  ['semverGte', ['1.9.0'], ['1.9.0'], ['1.8.99', ...missing]],
  ['semverRange', ['^1.2.3', '~3.1.0'], ['1.9.9', '3.1.7'], ['2.0.0', '3.2.0', '1.2.2', 'x', ...missing, ...strange]],
  ['semverRange', ['>=1.0.0 <2.0.0 || 5.x'], ['1.5.0', '5.9.1'], ['2.0.0', '4.9.9']],
  [
    'cidr',
    ['10.0.0.0/8', '192.168.1.7'],
    ['10.255.0.1', '192.168.1.7', '::ffff:10.1.2.3'],
    ['11.0.0.1', '192.168.1.8', '10.1', '0x0a.0.0.1', '::1', 'x', 1, ...missing, ...strange],
  ],
  ['cidr', ['2001:db8::/32'], ['2001:db8:1::1', '2001:0DB8::'], ['2001:db9::1', '10.0.0.1']],
  ['exists', [], ['', 0, false, [], {}], [...missing]],
  ['modulo', [10, 3], [3, 13, '23', -7], [4, 'x', 3.5, ...missing, ...strange]],
  ['arrayContainsAny', ['a', 'b'], [['x', 'b']], [['x'], [], 'a', ...missing, {}]],
  ['arrayContainsAny', ['A'], [['x', 'a']], [['x']], true],
  ['arrayContainsAll', ['a', 'b'], [['b', 'x', 'a']], [['a'], 'ab', ...missing]],
]

const negativeTwins: Partial<Record<Operator, Operator>> = {
  eq: 'neq',
  in: 'notIn',
  contains: 'notContains',
  semverEq: 'semverNeq',
  cidr: 'notCidr',
  exists: 'notExists',
}

test.each(rows)(
  '%s %j holds for what it means and fails for everything else, missing attributes included',
  (op, values, holds, fails, fold = false) => {
    const compare = operators[op](values, fold)
    for (const actual of holds) expect(compare(actual, 0), String(actual)).toBe(true)
    for (const actual of fails) expect(compare(actual, 0), typeof actual).toBe(false)
  },
)

test.each(rows.filter(([op]) => negativeTwins[op]))(
  'the negative twin of %s %j is its opposite for every attribute, so a missing one satisfies it',
  (op, values, holds, fails, fold = false) => {
    const compare = operators[negativeTwins[op] as Operator](values, fold)
    for (const actual of holds) expect(compare(actual, 0)).toBe(false)
    for (const actual of fails) expect(compare(actual, 0)).toBe(true)
  },
)

test('every operator of our own stands in the table above, itself or as a negative twin', () => {
  const tried = new Set(rows.flatMap(([op]) => [op, negativeTwins[op]]))
  const own = Object.keys(operators).filter((op) => !op.startsWith('unleash:'))
  expect(own.filter((op) => !tried.has(op as Operator))).toEqual([])
})

const nonsense: [op: Operator, values: Json[], within: string][] = [
  ['eq', [], '.values'],
  ['eq', ['a', null], '.values[1]'],
  ['in', [{ a: 1 }], '.values[0]'],
  ['contains', [1], '.values[0]'],
  ['matches', ['ok', '(?=a)'], '.values[1]'],
  ['matches', ['(a'], '.values[0]'],
  ['matches', ['(a)\\1'], '.values[0]'],
  ['lt', ['ten'], '.values[0]'],
  ['between', [1], '.values'],
  ['between', [2, 1], '.values'],
  ['before', ['2026-02-30T00:00:00Z'], '.values[0]'],
  ['after', ['2026-01-01T00:00:00'], '.values[0]'],
  ['semverEq', ['1.2'], '.values[0]'],
  ['semverRange', ['not-a-range'], '.values[0]'],
  ['cidr', ['10.0.0.0/33'], '.values[0]'],
  ['cidr', ['10.0.0/8'], '.values[0]'],
  ['notCidr', ['::1/129'], '.values[0]'],
  ['exists', ['x'], '.values'],
  ['modulo', [0, 0], '.values[0]'],
  ['modulo', [3, 3], '.values[1]'],
  ['arrayContainsAll', [['a']], '.values[0]'],
]

test.each(nonsense)('%s refuses the values %j and says which', (op, values, within) => {
  let thrown: unknown
  try {
    operators[op](values, false)
  } catch (error) {
    thrown = error
  }
  expect(thrown).toBeInstanceOf(Nonsense)
  expect((thrown as Nonsense).within).toBe(within)
})

test('a pattern that would stall a backtracking engine answers at once', () => {
  const compare = operators.matches(['^(a+)+$', '(a|aa)+$'], false)
  expect(compare(`${'a'.repeat(50_000)}!`, 0)).toBe(false)
})
