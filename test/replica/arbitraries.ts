import fc from 'fast-check'
import type { Frame, Packet } from '../../src/replica/wire-fields.ts'
import { keys, soundRecords, stamps } from '../crdt/arbitraries.ts'

const hexDigit = fc.constantFrom(...'0123456789abcdef')
const hex16 = fc.string({ unit: hexDigit, minLength: 16, maxLength: 16 })
const count = fc.nat()
const ask = fc.option(fc.record({ origin: fc.constantFrom('10.0.0.1:7946', '[::1]:1'), index: count }), { nil: null })
const range = fc
  .constantFrom(8, 12, 16, 32)
  .chain((bits) => fc.record({ bits: fc.constant(bits), prefix: fc.integer({ min: 0, max: 2 ** bits - 1 }) }))
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff })
const summary = fc
  .tuple(range, uint32, fc.record({ high: uint32, low: uint32 }))
  .map(([where, total, fingerprint]) => ({ ...where, count: total, fingerprint }))
const list = fc
  .tuple(range, fc.array(hex16, { maxLength: 5 }))
  .map(([where, fingerprints]) => ({ ...where, fingerprints }))

export const packets: fc.Arbitrary<Packet> = fc.record({
  root: hex16,
  wallMs: fc.maxSafeNat(),
  aheadMs: fc.maxSafeNat(),
  durable: fc.boolean(),
  answer: fc.boolean(),
  nudge: fc.boolean(),
  rumors: fc.array(fc.record({ record: soundRecords, ask }), { maxLength: 3 }),
  announcements: fc.array(fc.record({ key: keys, stamp: stamps, ask }), { maxLength: 3 }),
  acks: fc.array(fc.record({ stamp: stamps, index: count }), { maxLength: 3 }),
})

export const frames: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ kind: fc.constant('pull' as const), keys: fc.array(keys) }),
  fc.record({ kind: fc.constant('records' as const), records: fc.array(soundRecords) }),
  fc.record({ kind: fc.constant('busy' as const), session: count }),
  fc.record({
    kind: fc.constant('sync' as const),
    session: count,
    turn: count,
    root: hex16,
    wallMs: fc.maxSafeNat(),
    more: fc.boolean(),
    goesOn: fc.boolean(),
    done: fc.boolean(),
    absentSinceWallMs: fc.oneof(fc.constant(-1), fc.maxSafeNat()),
    summaries: fc.array(summary, { maxLength: 5 }),
    lists: fc.array(list, { maxLength: 3 }),
    wants: fc.array(list, { maxLength: 3 }),
    records: fc.array(soundRecords, { maxLength: 3 }),
  }),
)
