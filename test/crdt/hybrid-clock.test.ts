import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HybridClock, observedAheadMsMax } from '../../src/crdt/hybrid-clock.ts'
import {
  counterMax,
  counterOf,
  isStamp,
  makeStamp,
  noStamp,
  type Stamp,
  wallMsMax,
  wallMsOf,
} from '../../src/crdt/stamp.ts'

const writer = '0123456789abcdef'
const hourMs = 3_600_000
const noonMs = Date.UTC(2026, 0, 1, 12)
/** Clocks that are up to an hour off, and jump between any two calls. */
const wallMs = fc.integer({ min: noonMs - hourMs, max: noonMs + hourMs })
const foreign = fc
  .tuple(fc.integer({ min: noonMs - hourMs, max: noonMs + hourMs }), fc.nat(counterMax))
  .map(([ms, counter]) => makeStamp(ms, counter, 'f'.repeat(16)))

type Step =
  | { readonly kind: 'write'; readonly wallMs: number; readonly over: Stamp }
  | { readonly kind: 'observe'; readonly wallMs: number; readonly stamp: Stamp }
  | { readonly kind: 'restart' }

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), wallMs, over: fc.oneof(fc.constant(noStamp), foreign) }),
  fc.record({ kind: fc.constant('observe' as const), wallMs, stamp: foreign }),
  fc.record({ kind: fc.constant('restart' as const) }),
)

test('stamps strictly grow and exceed what they overwrite, across clock jumps and restarts', () => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 100 }), (all) => {
      let clock = new HybridClock(writer)
      let issued = noStamp
      for (const step of all) {
        if (step.kind === 'restart') {
          clock = new HybridClock(writer)
          clock.restore(issued)
        } else if (step.kind === 'observe') clock.observe(step.stamp, step.wallMs)
        else {
          const stamp = clock.tick(step.wallMs, step.over)
          expect(isStamp(stamp)).toBe(true)
          expect(stamp > issued).toBe(true)
          expect(stamp > step.over).toBe(true)
          issued = stamp
        }
      }
    }),
  )
})

test('what a peer sends from the future moves the clock by half a second at most', () => {
  fc.assert(
    fc.property(wallMs, foreign, (now, stamp) => {
      const clock = new HybridClock(writer)
      const followed = clock.observe(stamp, now)
      expect(followed).toBe(wallMsOf(stamp) <= now + observedAheadMsMax)
      expect(wallMsOf(clock.tick(now))).toBeLessThanOrEqual(now + observedAheadMsMax)
      if (followed) expect(clock.tick(now) > stamp).toBe(true)
    }),
  )
})

test('a counter that overflows carries into the milliseconds', () => {
  const clock = new HybridClock(writer)
  const stamp = clock.tick(0, makeStamp(noonMs, counterMax, 'f'.repeat(16)))
  expect(wallMsOf(stamp)).toBe(noonMs + 1)
  expect(counterOf(stamp)).toBe(0)
})

test('a register that carries the last stamp there is cannot be overwritten, and the writer is told', () => {
  const clock = new HybridClock(writer)
  expect(() => clock.tick(noonMs, makeStamp(wallMsMax, counterMax, 'f'.repeat(16)))).toThrow(/last stamp/)
})
