import { murmur32 } from '../base/hash.ts'
import type { Rollout, RolloutAlgorithm } from './model.ts'
import { bucketsCount } from './schedule.ts'

/** Says in which of the 10,000 buckets a subject is. */
export type Bucket = (subject: string) => number

/** How each algorithm hashes. What imported flags bring along is an entry here. */
export const bucketings: Readonly<Record<RolloutAlgorithm, (rollout: Rollout, flagKey: string) => Bucket>> = {
  flags: ({ salt }, flagKey) => bucketOf(salt ?? flagKey),
}

/**
 * murmur3_x86_32(utf8(`{subject}:{salt}`), seed) mod 10,000 (Appleby's MurmurHash3, SMHasher). The seed is 0 where a variation is chosen, and
 * another where another question is asked of the same subject.
 */
export function bucketOf(salt: string, seed = 0): Bucket {
  const suffix = `:${salt}`
  return (subject) => murmur32(subject + suffix, seed) % bucketsCount
}
