import type { RegisterRecord } from '../../src/crdt/register.ts'
import { makeStamp, noStamp, type Stamp } from '../../src/crdt/stamp.ts'
import type { ReplicaNotes } from '../../src/replica/ports.ts'

/** The stamp of millisecond `wallMs`, all by one writer. */
export function stampAt(wallMs: number): Stamp {
  return makeStamp(wallMs, 0, '00000000000000aa')
}

export function recordOf(key: string, wallMs: number, text: string | null): RegisterRecord {
  return { key, stamp: stampAt(wallMs), seen: noStamp, value: text === null ? null : new TextEncoder().encode(text) }
}

export function notesAt(wallMs: number): ReplicaNotes {
  return { issued: stampAt(wallMs), lastContactWallMs: wallMs }
}

/** Records as plain data, by key: equal to what a test expects whatever buffer the values are views of. */
export function plain(records: Iterable<RegisterRecord>): Record<string, readonly [Stamp, Stamp, string | null]> {
  return Object.fromEntries(
    [...records].map(({ key, stamp, seen, value }) => [
      key,
      [stamp, seen, value && Buffer.from(value).toString('hex')],
    ]),
  )
}
