import type { Serve, Targeting } from './model.ts'
import { bucketsCount } from './schedule.ts'

/**
 * The fallthrough that gives `variation` to a percentage (0-100 in steps of 0.01) of the subjects and the rest another variation: the off
 * variation, or the only other one. A rollout that is in force keeps how it puts subjects into buckets, so that growing the
 * percentage keeps everyone who was in. A string says why there is none.
 */
export function percentageServe(
  percentage: number,
  variations: readonly string[],
  inForce: Targeting,
  variation = 'on',
): Serve | string {
  if (!variations.includes(variation)) return `needs a variation "${variation}"; name a rollout in full instead`
  const others = variations.filter((name) => name !== variation)
  const { offVariation, fallthrough } = inForce
  const rest =
    others.find((name) => name === offVariation) ??
    others.find((name) => name === 'off') ??
    (others.length === 1 ? others[0] : undefined)
  if (rest === undefined) return 'needs an off variation for everybody else; name a rollout in full instead'
  const before = fallthrough && 'rollout' in fallthrough ? fallthrough.rollout : undefined
  const weight = Math.round(percentage * (bucketsCount / 100))
  const { algorithm, bucketBy, salt, buckets } = before ?? {}
  const kept = Object.fromEntries(
    Object.entries({ algorithm, bucketBy, salt, buckets }).filter(([, value]) => value !== undefined),
  )
  return {
    rollout: {
      ...kept,
      weights: [
        { variation, weight },
        { variation: rest, weight: bucketsCount - weight },
      ],
    },
  }
}
