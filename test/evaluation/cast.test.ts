import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cast } from '../../src/evaluation/cast.ts'
import type { FlagType, Json } from '../../src/evaluation/model.ts'

const rows: [value: Json, as: FlagType, result: Json | undefined][] = [
  [true, 'boolean', true],
  ['TRUE', 'boolean', true],
  ['0', 'boolean', false],
  [1, 'boolean', true],
  [2, 'boolean', undefined],
  ['yes', 'boolean', undefined],
  [null, 'boolean', undefined],
  [[], 'boolean', undefined],
  [true, 'number', 1],
  ['12.5', 'number', 12.5],
  ['', 'number', undefined],
  ['12px', 'number', undefined],
  [null, 'number', undefined],
  [{}, 'number', undefined],
  [false, 'string', 'false'],
  [12, 'string', '12'],
  ['x', 'string', 'x'],
  [{ a: [1] }, 'string', '{"a":[1]}'],
  ['{"a":1}', 'json', { a: 1 }],
  ['plain', 'json', 'plain'],
  [7, 'json', 7],
]

test.each(rows)('%j as %s is %j', (value, as, result) => {
  expect(cast(value, as)).toEqual(result === undefined ? { ok: false } : { ok: true, value: result })
})

test('casting never throws, and what it gives has the type that was asked for', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom<FlagType>('boolean', 'number', 'string'), (value, as) => {
      const result = cast(value as Json, as)
      if (result.ok) expect(typeof result.value).toBe(as)
    }),
  )
})
