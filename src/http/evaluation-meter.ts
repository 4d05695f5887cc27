import { meteredFlagsMax } from '../base/limits.ts'
import type { Evaluation } from '../evaluation/model.ts'

type Reason = Evaluation['reason']
type Counts = Record<Reason, number>

export interface FlagEvaluations {
  /** '' for all flags together that came when there were too many to count each. */
  readonly namespace: string
  readonly key: string
  readonly reason: Reason
  readonly count: number
}

/** Counts evaluations by flag and reason: plain numbers, because the hot path has no time for labels. */
export interface EvaluationMeter {
  count(flag: { readonly namespace: string; readonly key: string }, reason: Reason): void
  totals(): Readonly<Counts>
  /** Those that are not 0. */
  byFlag(): readonly FlagEvaluations[]
}

export function createEvaluationMeter(): EvaluationMeter {
  const flags = new Map<string, Map<string, Counts>>()
  const others = none()
  let size = 0

  function begin(namespace: string, key: string): Counts {
    if (size === meteredFlagsMax) return others
    size++
    const counts = none()
    const ofNamespace = flags.get(namespace) ?? new Map<string, Counts>()
    flags.set(namespace, ofNamespace.set(key, counts))
    return counts
  }

  function* all(): Iterable<[namespace: string, key: string, counts: Counts]> {
    yield ['', '', others]
    for (const [namespace, keys] of flags) for (const [key, counts] of keys) yield [namespace, key, counts]
  }

  return {
    count({ namespace, key }, reason) {
      const counts = flags.get(namespace)?.get(key) ?? begin(namespace, key)
      counts[reason]++
    },

    totals() {
      const totals = none()
      for (const [, , counts] of all()) for (const reason of reasons) totals[reason] += counts[reason]
      return totals
    },

    byFlag: () =>
      [...all()].flatMap(([namespace, key, counts]) =>
        reasons
          .filter((reason) => counts[reason] > 0)
          .map((reason) => ({ namespace, key, reason, count: counts[reason] })),
      ),
  }
}

function none(): Counts {
  return { STATIC: 0, TARGETING_MATCH: 0, SPLIT: 0, DEFAULT: 0, DISABLED: 0, ERROR: 0 }
}

const reasons = Object.keys(none()) as Reason[]
