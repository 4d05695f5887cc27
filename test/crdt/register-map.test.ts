import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RegisterRecord } from '../../src/crdt/register.ts'
import { RegisterMap } from '../../src/crdt/register-map.ts'
import { makeStamp, noStamp } from '../../src/crdt/stamp.ts'
import { records } from './arbitraries.ts'

const many = fc.array(records, { maxLength: 40 })

function mapOf(...deltas: readonly (readonly RegisterRecord[])[]): RegisterMap {
  const map = new RegisterMap()
  for (const record of deltas.flat()) map.merge(record)
  return map
}

function contents(map: RegisterMap): unknown[] {
  return [...map.records()].sort((a, b) => (a.key < b.key ? -1 : 1))
}

function joined(a: RegisterMap, b: RegisterMap): RegisterMap {
  return mapOf([...a.records()], [...b.records()])
}

test('merge is associative, commutative and idempotent', () => {
  fc.assert(
    fc.property(many, many, many, (a, b, c) => {
      const expected = contents(mapOf(a, b, c))
      expect(contents(mapOf(c, a, b))).toEqual(expected)
      expect(contents(joined(mapOf(a), joined(mapOf(b), mapOf(c))))).toEqual(expected)
      expect(contents(joined(joined(mapOf(a), mapOf(b)), mapOf(c)))).toEqual(expected)
      expect(contents(mapOf(a, b, c, b, a, a))).toEqual(expected)
    }),
  )
})

test('joining deltas in any order equals joining states', () => {
  const shuffled = many.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })))
  fc.assert(
    fc.property(shuffled, ([all, inOtherOrder]) => {
      expect(contents(mapOf(inOtherOrder))).toEqual(contents(mapOf(all)))
      expect(mapOf(inOtherOrder).root()).toBe(mapOf(all).root())
    }),
  )
})

test('the incremental digest equals the rebuilt one, and so do the counts', () => {
  const steps = fc.array(fc.oneof(records, fc.constantFrom('a', 'b', 'c')), { maxLength: 60 })
  fc.assert(
    fc.property(steps, (all) => {
      const map = new RegisterMap()
      for (const step of all) {
        if (typeof step === 'string') map.forget(step)
        else map.merge(step)
        const rebuilt = mapOf([...map.records()])
        expect(map.root()).toBe(rebuilt.root())
        expect(map.size()).toEqual(rebuilt.size())
      }
    }),
  )
})

test('equal roots mean equal maps', () => {
  fc.assert(
    fc.property(many, many, (a, b) => {
      const same = JSON.stringify(contents(mapOf(a))) === JSON.stringify(contents(mapOf(b)))
      expect(mapOf(a).root() === mapOf(b).root()).toBe(same)
    }),
  )
})

test('a range sums up the parts it splits into', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 300 }), (names) => {
      const map = mapOf(
        names.map((key) => ({ key, stamp: makeStamp(1, 0, 'a'.repeat(16)), seen: noStamp, value: null })),
      )
      const total = Array.from({ length: 256 }, (_, prefix) => map.summarize({ bits: 8, prefix }).count)
      const halves = Array.from({ length: 4096 }, (_, prefix) => map.summarize({ bits: 12, prefix }))
      expect(total.reduce((a, b) => a + b)).toBe(map.size().tombstones)
      for (const [prefix, count] of total.entries()) {
        const parts = halves.slice(16 * prefix, 16 * prefix + 16)
        expect(parts.reduce((sum, part) => sum + part.count, 0)).toBe(count)
        const xor = parts.reduce((sum, part) => (sum ^ part.fingerprint.high) >>> 0, 0)
        expect(xor).toBe(map.summarize({ bits: 8, prefix }).fingerprint.high)
      }
    }),
    { numRuns: 20 },
  )
})

test('a write whose author had not seen the other is a conflict, on whichever side it arrives', () => {
  const left: RegisterRecord = {
    key: 'k',
    stamp: makeStamp(1, 0, 'a'.repeat(16)),
    seen: noStamp,
    value: new Uint8Array([1]),
  }
  const right: RegisterRecord = {
    key: 'k',
    stamp: makeStamp(2, 0, 'b'.repeat(16)),
    seen: noStamp,
    value: new Uint8Array([2]),
  }
  const conflict = { winner: right, loser: left }
  const forth = new RegisterMap()
  forth.merge(left)
  expect(forth.merge(right)).toEqual({ changed: true, conflict })
  const back = new RegisterMap()
  back.merge(right)
  expect(back.merge(left)).toEqual({ changed: false, conflict })
})

test('a write whose author had seen the other is none', () => {
  const first: RegisterRecord = { key: 'k', stamp: makeStamp(1, 0, 'a'.repeat(16)), seen: noStamp, value: null }
  const second: RegisterRecord = { key: 'k', stamp: makeStamp(2, 0, 'b'.repeat(16)), seen: first.stamp, value: null }
  const map = new RegisterMap()
  map.merge(first)
  expect(map.merge(second)).toEqual({ changed: true, conflict: undefined })
  expect(map.merge(first)).toEqual({ changed: false, conflict: undefined })
})
