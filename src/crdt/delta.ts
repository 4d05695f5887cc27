import { registerKeyBytesMax, registerValueBytesMax } from '../base/limits.ts'
import { utf8Length } from './bytes.ts'
import type { RegisterRecord } from './register.ts'
import { noStamp, type Stamp } from './stamp.ts'

/** A record as it travels and as a disk may keep it: stamps as 16 bytes, none as 0 bytes. */
export type PackedRecord = readonly [key: string, stamp: Uint8Array, seen: Uint8Array, value: Uint8Array | null]

const stampBytes = 16
const nothing = new Uint8Array(0)

export function packStamp(stamp: Stamp): Uint8Array {
  return stamp === noStamp ? nothing : Uint8Array.fromHex(stamp)
}

/** undefined when the bytes are no stamp. */
export function unpackStamp(bytes: unknown): Stamp | undefined {
  if (!(bytes instanceof Uint8Array) || bytes.length !== stampBytes) return undefined
  return bytes.toHex() as Stamp
}

export function packRecord(record: RegisterRecord): PackedRecord {
  return [record.key, packStamp(record.stamp), packStamp(record.seen), record.value]
}

/**
 * The record, or undefined when anything about it is not as it should be. The value is copied, so that a record does not
 * keep alive, or change with, the frame that it arrived in.
 */
export function unpackRecord(packed: unknown): RegisterRecord | undefined {
  if (!Array.isArray(packed) || packed.length !== 4) return undefined
  const [key, stampPacked, seenPacked, value]: unknown[] = packed
  if (!isRegisterKey(key) || !isRegisterValue(value)) return undefined
  const stamp = unpackStamp(stampPacked)
  const seen = seenPacked instanceof Uint8Array && seenPacked.length === 0 ? noStamp : unpackStamp(seenPacked)
  if (stamp === undefined || seen === undefined || seen >= stamp) return undefined
  return { key, stamp, seen, value: value === null ? null : new Uint8Array(value) }
}

/** Well-formed Unicode: what encodes to the same UTF-8 on every node, and nothing longer than a key may be. */
export function isRegisterKey(key: unknown): key is string {
  if (typeof key !== 'string' || key.length === 0 || key.length > registerKeyBytesMax) return false
  return key.isWellFormed() && utf8Length(key) <= registerKeyBytesMax
}

export function isRegisterValue(value: unknown): value is Uint8Array | null {
  return value === null || (value instanceof Uint8Array && value.length <= registerValueBytesMax)
}

/** Bytes that a packed record takes in MessagePack, at most: headers of array (1), key (3), stamps (2 each), value (5). */
export function packedBytesMax(record: RegisterRecord): number {
  const value = record.value === null ? 1 : 5 + record.value.length
  return 1 + 3 + utf8Length(record.key) + 2 + stampBytes + 2 + record.seen.length / 2 + value
}
