import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ReplayWindow } from '../../src/mesh/replay-window.ts'

test('each counter is new once, in whatever order they come, while they are near each other', () => {
  const counters = fc.array(fc.nat(2_047), { maxLength: 300 })
  fc.assert(
    fc.property(counters, fc.nat(2 ** 40), (offsets, base) => {
      const window = new ReplayWindow(10)
      const seen = new Set<number>()
      for (const offset of offsets) {
        expect(window.see('a', base + offset)).toBe(seen.has(offset) ? 'repeated' : 'new')
        seen.add(offset)
      }
    }),
  )
})

test('nothing is ever new twice, however far the counters jump', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(10_000), { maxLength: 300 }), (counters) => {
      const window = new ReplayWindow(10)
      const accepted = counters.filter((counter) => window.see('a', counter) === 'new')
      expect(new Set(accepted).size).toBe(accepted.length)
    }),
  )
})

test('what is older than the window is called old, because nobody knows whether it was seen', () => {
  const window = new ReplayWindow(10)
  window.see('a', 5_000)
  expect(window.see('a', 5_000 - 2_048)).toBe('old')
  expect(window.see('a', 5_000 - 2_047)).toBe('new')
})

test('senders do not share a window, and the least recently heard is forgotten first', () => {
  const window = new ReplayWindow(2)
  for (const sender of ['a', 'b', 'a']) window.see(sender, sender === 'a' ? 1 : 2)
  window.see('c', 1)
  expect(window.see('a', 1)).toBe('repeated')
  expect(window.see('b', 2)).toBe('new')
})
