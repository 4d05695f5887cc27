import type { Stamp } from './stamp.ts'

/** One entry of the replicated map: the last write to a register. Values are opaque to everything in crdt/ and replica/. */
export interface RegisterRecord {
  /** At most registerKeyBytesMax bytes of UTF-8. */
  readonly key: string
  readonly stamp: Stamp
  /** The stamp of this register that the author overwrote, noStamp for none: tells a conflict from a sequence. */
  readonly seen: Stamp
  /** At most registerValueBytesMax bytes; null is a tombstone. */
  readonly value: Uint8Array | null
}

/** What a writer asks for: the register's new value, or null to delete it. */
export interface RegisterChange {
  readonly key: string
  readonly value: Uint8Array | null
}
