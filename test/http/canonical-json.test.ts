import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson } from '../../src/http/canonical-json.ts'

/** The same value with the members of every object in the other order. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned)
  if (typeof value !== 'object' || value === null) return value
  const copy: Record<string, unknown> = Object.create(null)
  for (const [name, member] of Object.entries(value).reverse()) copy[name] = turned(member)
  return copy
}

test('the order of members makes no difference', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => canonicalJson(turned(value)) === canonicalJson(value)))
})

test('it is JSON of the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})
