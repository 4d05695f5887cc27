import fc from 'fast-check'
import type { RegisterRecord } from '../../src/crdt/register.ts'
import { makeStamp, noStamp, type Stamp } from '../../src/crdt/stamp.ts'

/** Few enough that stamps meet, with ties in every part. */
export const stamps: fc.Arbitrary<Stamp> = fc
  .tuple(fc.nat(5), fc.nat(2), fc.constantFrom('aaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbb', 'cccccccccccccccc'))
  .map(([wallMs, counter, writer]) => makeStamp(1_700_000_000_000 + wallMs, counter, writer))

/** Records of a few keys, so that most merges meet another record; some share a stamp, as only forgeries do. */
export const records: fc.Arbitrary<RegisterRecord> = fc.record({
  key: fc.constantFrom('a', 'b', 'c', 'default|ünïcödé|switch', 'ключ'),
  stamp: stamps,
  seen: fc.oneof(fc.constant(noStamp), stamps),
  value: fc.option(fc.uint8Array({ maxLength: 4 }), { nil: null }),
})

/** Well-formed keys of every length and script. */
export const keys = fc.string({ minLength: 1, maxLength: 60, unit: 'binary' })

/** What one author could have written: `seen` lies before `stamp`. */
export const soundRecords: fc.Arbitrary<RegisterRecord> = fc
  .record({
    key: keys,
    stamp: stamps,
    seen: fc.oneof(fc.constant(noStamp), stamps),
    value: fc.option(fc.uint8Array(), { nil: null }),
  })
  .filter(({ stamp, seen }) => seen < stamp)
