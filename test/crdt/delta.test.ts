import fc from 'fast-check'
import { Packr } from 'msgpackr'
import { expect, test } from 'vitest'
import { registerKeyBytesMax, registerValueBytesMax } from '../../src/base/limits.ts'
import { utf8Length } from '../../src/crdt/bytes.ts'
import { isRegisterKey, isRegisterValue, packedBytesMax, packRecord, unpackRecord } from '../../src/crdt/delta.ts'
import { soundRecords } from './arbitraries.ts'

const packr = new Packr({ useRecords: false })

test('a packed record is the same after a journey, and no longer than promised', () => {
  fc.assert(
    fc.property(soundRecords, (record) => {
      const bytes = packr.pack(packRecord(record))
      expect(unpackRecord(packr.unpack(bytes))).toEqual(record)
      expect(bytes.length).toBeLessThanOrEqual(packedBytesMax(record))
    }),
  )
})

test('a value does not change with the frame it came in', () => {
  const frame = new Uint8Array([1, 2, 3, 4])
  const record = unpackRecord(['k', new Uint8Array(16), new Uint8Array(0), frame.subarray(1, 3)])
  frame.fill(9)
  expect(record?.value).toEqual(new Uint8Array([2, 3]))
})

test('anything that is no packed record is refused, whatever it is', () => {
  fc.assert(
    fc.property(fc.anything(), (thing) => {
      expect(unpackRecord(thing)).toBeUndefined()
    }),
  )
  const stamp = new Uint8Array(16).fill(1)
  const none = new Uint8Array(0)
  for (const wrong of [
    ['', stamp, none, null],
    ['\ud800', stamp, none, null],
    ['x'.repeat(registerKeyBytesMax + 1), stamp, none, null],
    ['k', stamp.subarray(1), none, null],
    ['k', none, none, null],
    ['k', stamp, stamp, null],
    ['k', stamp, new Uint8Array(3), null],
    ['k', stamp, none, new Uint8Array(registerValueBytesMax + 1)],
    ['k', stamp, none, 'text'],
    ['k', stamp, none],
  ]) {
    expect(unpackRecord(wrong)).toBeUndefined()
  }
})

test('keys and values are limited in bytes, not characters', () => {
  expect(isRegisterKey('ü'.repeat(registerKeyBytesMax / 2))).toBe(true)
  expect(isRegisterKey('ü'.repeat(registerKeyBytesMax / 2 + 1))).toBe(false)
  expect(isRegisterValue(new Uint8Array(registerValueBytesMax))).toBe(true)
  expect(isRegisterValue(new Uint8Array(registerValueBytesMax + 1))).toBe(false)
})

test('UTF-8 is measured as it is encoded, lone surrogates included', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
      (text) => {
        expect(utf8Length(text)).toBe(new TextEncoder().encode(text).length)
      },
    ),
  )
})
