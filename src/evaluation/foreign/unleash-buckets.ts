import { murmur32 } from '../../base/hash.ts'
import { compileAttribute } from '../attribute.ts'
import type { Buckets } from '../compiling.ts'
import type { Bucketing, EvaluationContext } from '../model.ts'
import { bucketOfPart } from './parts.ts'

/**
 * How Unleash hashes, as in its client specification 6 and in unleash-client 6.12: murmur3_x86_32(utf8(`{groupId}:{subject}`), seed) mod
 * `buckets`, where the group is our `salt`. Its `userId` is our `targetingKey`. Its stickiness is our `bucketBy`: the name of an attribute,
 * `random` for lots that are drawn at each evaluation, and `default`, or none, for the first that is there of a list of attributes, or else lots.
 *
 * Lots are drawn from the clock and from the context, since evaluating must depend on nothing else: the same everywhere in one
 * millisecond, another in the next. Only `random` counts as changing with the clock. Who is nobody by `default` may keep a lot for as long
 * as the flags stay as they are, which spares all others from asking again.
 */

/** Seed of the hash by which a variant is chosen; whether a strategy holds at all is hashed with 0. */
const variantSeed = 86_028_157

/** The algorithm `unleash`: whether a strategy holds. `buckets` is 100. Without the attribute that is asked for nobody takes part. */
export function unleashBuckets(bucketing: Bucketing, flagKey: string): Buckets {
  const { bucketBy = 'default', buckets = 100 } = bucketing
  const read = compileAttribute(bucketBy)
  const find = (context: EvaluationContext, nowMs: number) => {
    if (bucketBy === 'random') return drawLot(context, nowMs)
    if (bucketBy !== 'default') return textOf(read(context))
    return textOf(context.targetingKey) ?? textOf(context.sessionId) ?? drawLot(context, nowMs)
  }
  return bucketsOf(bucketing, find, 0, buckets, flagKey)
}

/** The algorithm `unleashVariants`: which variant a strategy gives. `buckets` is 1,000, as Unleash's weights sum to. Everybody gets one. */
export function unleashVariantBuckets(bucketing: Bucketing, flagKey: string): Buckets {
  const { bucketBy = 'default', buckets = 1_000 } = bucketing
  const names = bucketBy === 'default' ? ['targetingKey', 'sessionId', 'remoteAddress'] : [bucketBy]
  const reads = bucketBy === 'random' ? [] : names.map(compileAttribute)
  const find = (context: EvaluationContext, nowMs: number) => {
    for (const read of reads) {
      const subject = textOf(read(context))
      if (subject !== undefined) return subject
    }
    return drawLot(context, nowMs)
  }
  return bucketsOf(bucketing, find, variantSeed, buckets, flagKey)
}

function bucketsOf(
  { bucketBy, salt }: Bucketing,
  subject: Buckets['subject'],
  seed: number,
  parts: number,
  flagKey: string,
): Buckets {
  const prefix = `${salt ?? flagKey}:`
  return {
    subject,
    bucket: (text) => bucketOfPart(murmur32(prefix + text, seed) % parts, parts),
    nobody: 'lastWeight',
    ticking: bucketBy === 'random',
  }
}

function textOf(value: unknown): string | undefined {
  return value === undefined || value === null || value === '' ? undefined : String(value)
}

function drawLot(context: EvaluationContext, nowMs: number): string {
  let lot = String(nowMs)
  for (const name in context) {
    const value = context[name]
    if (typeof value === 'string' || typeof value === 'number') lot += `,${value}`
  }
  return lot
}
