import { packedBytesMax } from '../crdt/delta.ts'
import type { RegisterRecord } from '../crdt/register.ts'

/** Bytes that a frame is filled up to: large enough to be worth a round trip, small enough not to hold up an evaluation. */
export const frameBytesWanted = 128 * 1024

export interface RecordFrame {
  readonly records: readonly RegisterRecord[]
  readonly bytes: number
}

/** Cuts records into frames of about frameBytesWanted; a larger record travels alone. */
export function* framesOf(records: Iterable<RegisterRecord>): Iterable<RecordFrame> {
  let frame: RegisterRecord[] = []
  let bytes = 0
  for (const record of records) {
    const more = packedBytesMax(record)
    if (frame.length > 0 && bytes + more > frameBytesWanted) {
      yield { records: frame, bytes }
      frame = []
      bytes = 0
    }
    frame.push(record)
    bytes += more
  }
  if (frame.length > 0) yield { records: frame, bytes }
}
