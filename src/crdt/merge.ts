import { compareBytes } from './bytes.ts'
import type { RegisterRecord } from './register.ts'

/**
 * The order in which writes to one register win: by stamp. Stamps are unique, so the rest decides only between forgeries
 * and broken disks, where all nodes must still choose alike. Negative when `a` loses to `b`, 0 when they are the same.
 */
export function compareRecords(a: RegisterRecord, b: RegisterRecord): number {
  if (a.stamp !== b.stamp) return a.stamp < b.stamp ? -1 : 1
  if (a.seen !== b.seen) return a.seen < b.seen ? -1 : 1
  return compareBytes(a.value, b.value)
}

/** True when the winner's author had not seen the loser: the loser was not replaced but outvoted. */
export function isConflict(winner: RegisterRecord, loser: RegisterRecord): boolean {
  return winner.seen < loser.stamp
}
