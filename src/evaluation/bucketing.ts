import { murmur32 } from '../base/hash.ts'
import type { Rollout, RolloutAlgorithm } from './model.ts'
import { bucketsCount } from './schedule.ts'

/** Says in which of the 10,000 buckets a subject is. */
export type Bucket = (subject: string) => number

/** How each algorithm hashes. What imported flags bring along is an entry here. */
export const bucketings: Readonly<Record<RolloutAlgorithm, (rollout: Rollout, flagKey: string) => Bucket>> = {
  flags: ({ salt }, flagKey) => bucketOf(salt ?? flagKey),
}

/** murmur3_x86_32(utf8(`{subject}:{salt}`), seed 0) mod 10,000 (Appleby's MurmurHash3, SMHasher). */
export function bucketOf(salt: string): Bucket {
  const suffix = `:${salt}`
  return (subject) => murmur32(subject + suffix) % bucketsCount
}
