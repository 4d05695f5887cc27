import { murmur32 } from '../../base/hash.ts'
import { compileAttribute } from '../attribute.ts'
import type { Buckets } from '../compiling.ts'
import type { Bucketing, EvaluationContext } from '../model.ts'
import { bucketsCount } from '../schedule.ts'
import { bucketOfPart } from './parts.ts'

/**
 * The algorithm `flagd`: what its operator `fractional` does with weights that are constants. The text `{salt or flag key}{subject}` is hashed
 * (murmur3_x86_32 of its UTF-8, seed 0), and the hash scaled to the sum of the weights: part = hash * buckets / 2^32.
 *
 * Without `bucketBy` the subject is the targeting key, and nobody without one: the fallthrough is served, as flagd serves the default
 * variant. With it the text is that of `{"cat": [{"var": "$flagd.flagKey"}, {"var": bucketBy}]}`, where a missing attribute adds nothing.
 */
export function flagdBuckets({ bucketBy, salt, buckets = bucketsCount }: Bucketing, flagKey: string): Buckets {
  const prefix = salt ?? flagKey
  return {
    subject: bucketBy === undefined ? targetingKey : attributeText(bucketBy),
    bucket: (subject) => bucketOfPart(scaleHash(murmur32(prefix + subject), buckets), buckets),
    nobody: 'fallthrough',
    ticking: false,
  }
}

/** floor(hash * total / 2^32), exact for totals below 2^37. */
export function scaleHash(hash: number, total: number): number {
  const low = Math.floor(((hash & 0xffff) * total) / 0x1_0000)
  return Math.floor(((hash >>> 16) * total + low) / 0x1_0000)
}

function targetingKey(context: EvaluationContext): string | undefined {
  return context.targetingKey ? String(context.targetingKey) : undefined
}

function attributeText(bucketBy: string): (context: EvaluationContext) => string {
  const read = compileAttribute(bucketBy)
  return (context) => String(read(context) ?? '')
}
