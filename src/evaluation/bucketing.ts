import { murmur32Joined } from '../base/hash.ts'
import { compileAttribute, subjectText } from './attribute.ts'
import { type Bucket, type Buckets, type CompileBuckets, Nonsense } from './compiling.ts'
import { flagdBuckets } from './foreign/flagd-buckets.ts'
import { unleashBuckets, unleashVariantBuckets } from './foreign/unleash-buckets.ts'
import type { Bucketing, RolloutAlgorithm } from './model.ts'
import { bucketsCount } from './schedule.ts'

/** How each algorithm finds and hashes subjects. What imported flags bring along is an entry here. */
export const bucketings: Readonly<Record<RolloutAlgorithm, CompileBuckets>> = {
  flags: ownBuckets,
  flagd: flagdBuckets,
  unleash: unleashBuckets,
  unleashVariants: unleashVariantBuckets,
}

function ownBuckets({ bucketBy = 'targetingKey', salt, buckets }: Bucketing, flagKey: string): Buckets {
  if (buckets !== undefined)
    throw new Nonsense(`is not for the algorithm "flags", which has ${bucketsCount}`, '.buckets')
  const read = compileAttribute(bucketBy)
  return {
    subject: (context) => subjectText(read(context)),
    bucket: bucketOf(salt ?? flagKey),
    nobody: 'lastWeight',
    ticking: false,
  }
}

/**
 * murmur3_x86_32(utf8(`{subject}:{salt}`), seed) mod 10,000 (Appleby's MurmurHash3, SMHasher). The seed is 0 where a variation is chosen, and
 * another where another question is asked of the same subject.
 */
export function bucketOf(salt: string, seed = 0): Bucket {
  const suffix = `:${salt}`
  return (subject) => murmur32Joined(subject, suffix, seed) % bucketsCount
}
