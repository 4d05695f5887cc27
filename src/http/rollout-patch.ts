import { FlagsError } from '../base/errors.ts'
import type { Flag, Rollout, Weight } from '../evaluation/model.ts'
import { inEnvironment } from './environment-view.ts'

export interface RolloutWish {
  readonly percentage: number
  readonly variation?: string
  readonly environment: string
}

/**
 * The merge patch that serves `variation` to `percentage` of the subjects whom no rule decides about, and the off variation
 * (or else the first other one) to the rest. A split between the same two keeps its order, `bucketBy` and salt, so that
 * everyone who was in stays in when the percentage grows. Throws INVALID.
 */
export function rolloutPatch(flag: Flag, { percentage, variation, environment }: RolloutWish): object {
  const weight = Math.round(percentage * 100)
  if (!(percentage >= 0 && percentage <= 100) || Math.abs(percentage * 100 - weight) > 1e-6) {
    throw invalid('percentage', 'must be 0 to 100, in steps of 0.01')
  }
  const { fallthrough, offVariation } = inEnvironment(flag, environment)
  const shown = variation ?? mainVariation(flag)
  if (!Object.hasOwn(flag.variations, shown))
    throw invalid('variation', `"${shown}" is not a variation of "${flag.key}"`)
  const rest = offVariation !== undefined && offVariation !== shown ? offVariation : otherVariation(flag, shown)
  const held = fallthrough && 'rollout' in fallthrough ? fallthrough.rollout : undefined
  const weights = [
    { variation: shown, weight },
    { variation: rest, weight: 10_000 - weight },
  ]
  if (held && isSplitOf(held.weights, rest, shown)) weights.reverse()
  const serve = { variation: null, rollout: withoutSchedule(held, weights) }
  return environment === 'default'
    ? { fallthrough: serve }
    : { environments: { [environment]: { fallthrough: serve } } }
}

function withoutSchedule(held: Rollout | undefined, weights: readonly Weight[]): object {
  return held ? { weights, schedule: null, curve: null } : { weights }
}

function isSplitOf(weights: readonly Weight[], first: string, second: string): boolean {
  return weights.length === 2 && weights[0]?.variation === first && weights[1]?.variation === second
}

/** `on`, or else the first variation whose value is true. */
function mainVariation(flag: Flag): string {
  if (Object.hasOwn(flag.variations, 'on')) return 'on'
  const first = Object.entries(flag.variations).find(([, value]) => value === true)
  if (!first) throw invalid('variation', 'is needed: the flag has no variation "on"')
  return first[0]
}

function otherVariation(flag: Flag, shown: string): string {
  const other = Object.keys(flag.variations).find((name) => name !== shown)
  if (other === undefined) throw invalid('variation', `"${shown}" is the only variation: there is nothing to split`)
  return other
}

function invalid(path: string, message: string): FlagsError {
  return new FlagsError('INVALID', `${path} ${message}; nothing changed.`, { faults: [{ path, message }] })
}
