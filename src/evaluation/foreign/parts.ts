import type { Weight } from '../model.ts'
import { bucketsCount } from '../schedule.ts'

/**
 * Other servers hash subjects into as many parts as their weights sum to (100, 1,000, 3 ...), and compare the part with the weights. Spread
 * over our 10,000 buckets with the same rounding down on both sides, no subject changes its range: part p starts at bucket
 * floor(p * 10,000 / parts), and so does the range of whoever begins with part p. Two parts never share a bucket, as parts <= 10,000.
 */
export function bucketOfPart(part: number, parts: number): number {
  return Math.floor((part * bucketsCount) / parts)
}

/** How many parts of all `parts` a variation has. */
export interface PartShare {
  readonly variation: string
  readonly parts: number
}

/** Weights whose ranges hold exactly the buckets of these parts; undefined where there is none, or are too many to be told apart. */
export function weightsOfParts(
  shares: readonly PartShare[],
): { readonly weights: Weight[]; readonly parts: number } | undefined {
  const parts = shares.reduce((sum, share) => sum + share.parts, 0)
  if (parts <= 0 || parts > bucketsCount) return undefined
  let before = 0
  const weights = shares.map(({ variation, parts: own }) => {
    const start = bucketOfPart(before, parts)
    before += own
    return { variation, weight: bucketOfPart(before, parts) - start }
  })
  return { weights, parts }
}
