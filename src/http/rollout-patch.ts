import { FlagsError } from '../base/errors.ts'
import type { Flag, Rollout } from '../evaluation/model.ts'
import { percentageServe } from '../evaluation/percentage.ts'
import { inEnvironment } from './environment-view.ts'

export interface RolloutWish {
  /** 0-100 in steps of 0.01. */
  readonly percentage: number
  readonly variation?: string
  readonly environment: string
}

/**
 * The merge patch that serves `variation` to `percentage` of the subjects about whom no rule decides. It ends a schedule. A
 * split between the same two keeps its order, so that growing the percentage keeps everyone who was in. Throws INVALID.
 */
export function rolloutPatch(flag: Flag, { percentage, variation, environment }: RolloutWish): object {
  if (!(percentage >= 0 && percentage <= 100) || Math.abs(percentage * 100 - Math.round(percentage * 100)) > 1e-6) {
    throw invalid('percentage', 'must be 0 to 100, in steps of 0.01')
  }
  const inForce = inEnvironment(flag, environment)
  const serve = percentageServe(percentage, Object.keys(flag.variations), inForce, variation ?? mainVariation(flag))
  if (typeof serve === 'string') throw invalid('variation', serve)
  const rollout = 'rollout' in serve ? inOrderOf(inForce.fallthrough, serve.rollout) : undefined
  const fallthrough = { variation: null, rollout: { ...rollout, schedule: null, curve: null } }
  return environment === 'default' ? { fallthrough } : { environments: { [environment]: { fallthrough } } }
}

/** `on`, or else the first variation whose value is true. */
function mainVariation({ variations }: Flag): string {
  if (Object.hasOwn(variations, 'on')) return 'on'
  const first = Object.entries(variations).find(([, value]) => value === true)
  if (!first) throw invalid('variation', 'is needed: the flag has no variation "on"')
  return first[0]
}

function inOrderOf(held: Flag['fallthrough'], rollout: Rollout): Rollout {
  const order = held && 'rollout' in held ? held.rollout.weights.map((weight) => weight.variation) : []
  const turned =
    order.length === 2 && order[0] === rollout.weights[1]?.variation && order[1] === rollout.weights[0]?.variation
  return turned ? { ...rollout, weights: [...rollout.weights].reverse() } : rollout
}

function invalid(path: string, message: string): FlagsError {
  return new FlagsError('INVALID', `${path} ${message}; nothing changed.`, { faults: [{ path, message }] })
}
