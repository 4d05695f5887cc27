import type { RegisterRecord } from '../crdt/register.ts'
import { wallMsOf } from '../crdt/stamp.ts'

/** Registers expire on the full hour, so that nodes agree on what is gone though their clocks differ a little. */
export const expiryGridMs = 3_600_000
/** So long after the full hour what has expired is not taken back: by then nodes whose clocks are nearly right have dropped it. */
const sweepMs = 600_000
/** Keys of entries that are written once and kept for a time of their own. */
export const logKeyPrefix = 'log|'

export function isLogKey(key: string): boolean {
  return key.startsWith(logKeyPrefix)
}

export interface Retention {
  /** How long a tombstone is kept after its stamp. */
  readonly tombstoneMs: number
  /** How long an entry under `log|` is kept after its stamp. */
  readonly logMs: number
  /** How many entries under `log|` are kept, the newest; see log-window.ts. */
  readonly logEntriesMax: number
}

/** True when the register has outlived its retention at the last full hour before `wallMs`. */
export function isExpired(record: RegisterRecord, wallMs: number, retention: Retention): boolean {
  const isLog = isLogKey(record.key)
  if (record.value !== null && !isLog) return false
  const keptMs = isLog ? retention.logMs : retention.tombstoneMs
  return wallMsOf(record.stamp) < Math.floor(wallMs / expiryGridMs) * expiryGridMs - keptMs
}

/** True while other nodes may still hold what was dropped here at the full hour. */
export function isSweepTime(wallMs: number): boolean {
  return wallMs % expiryGridMs < sweepMs
}

/** Milliseconds until the next full hour. */
export function untilNextExpiryMs(wallMs: number): number {
  return expiryGridMs - (wallMs % expiryGridMs)
}
