import { Nonsense } from './compiling.ts'
import { parseInstant } from './instant.ts'
import type { Rollout, Weight } from './model.ts'

/** Basis points that the weights of a rollout sum to: 0.01 % is one. */
export const bucketsCount = 10_000

/** Weights as ranges of buckets, from one instant on. */
export interface Division<Share> {
  readonly fromMs: number
  /** What each range is given, in their order. */
  readonly shares: readonly Share[]
  /** The bucket at which each range ends; the last one is 10,000. */
  readonly ends: readonly number[]
}

/** The divisions of a rollout, ascending in time; the first is in force from the beginning of time. */
export function compileDivisions<Share>(
  rollout: Rollout,
  compileShare: (weight: Weight, path: string) => Share,
): Division<Share>[] {
  const divisions = [compileDivision(rollout.weights, Number.NEGATIVE_INFINITY, '.weights', compileShare)]
  for (const [index, { at, weights }] of (rollout.schedule ?? []).entries()) {
    const path = `.schedule[${index}]`
    const fromMs = parseInstant(at)
    if (fromMs === undefined) throw new Nonsense('must be an RFC 3339 date-time that exists', `${path}.at`)
    if (fromMs <= (divisions.at(-1) as Division<Share>).fromMs)
      throw new Nonsense('must be later than the step before', `${path}.at`)
    divisions.push(compileDivision(weights, fromMs, `${path}.weights`, compileShare))
  }
  if (rollout.curve === 'linear') checkRamp(rollout)
  return divisions
}

function compileDivision<Share>(
  weights: readonly Weight[],
  fromMs: number,
  path: string,
  compileShare: (weight: Weight, path: string) => Share,
): Division<Share> {
  const ends: number[] = []
  let sum = 0
  for (const { weight } of weights) {
    sum += weight
    ends.push(sum)
  }
  if (sum !== bucketsCount) throw new Nonsense(`must sum to ${bucketsCount}, not ${sum}`, path)
  return { fromMs, ends, shares: weights.map((weight, index) => compileShare(weight, `${path}[${index}]`)) }
}

/** A ramp moves each range's end from one step's to the next one's: so they must be the same ranges. */
function checkRamp({ schedule = [] }: Rollout): void {
  const names = (weights: readonly Weight[]) => JSON.stringify(weights.map((weight) => weight.variation))
  const [first] = schedule
  for (const [index, { weights }] of schedule.entries()) {
    if (first && names(weights) !== names(first.weights)) {
      throw new Nonsense(
        'must name the same variations in the same order as the first step, for a linear curve',
        `.schedule[${index}].weights`,
      )
    }
  }
}

/** Index of the division in force at `nowMs`. */
export function divisionAt(divisions: readonly Division<unknown>[], nowMs: number): number {
  let index = divisions.length - 1
  while (index > 0 && (divisions[index] as Division<unknown>).fromMs > nowMs) index--
  return index
}

/**
 * Index of the share whose range holds `bucket` at `nowMs`. Between two steps of a linear ramp the ends lie in between as the
 * time does; before the first step nothing moves.
 */
export function shareAt(
  division: Division<unknown>,
  next: Division<unknown> | undefined,
  bucket: number,
  nowMs: number,
): number {
  const { ends, fromMs } = division
  const progress = next && fromMs !== Number.NEGATIVE_INFINITY ? (nowMs - fromMs) / (next.fromMs - fromMs) : 0
  const last = ends.length - 1
  for (let i = 0; i < last; i++) {
    const end = ends[i] as number
    const moved = progress === 0 ? end : end + (((next as Division<unknown>).ends[i] as number) - end) * progress
    if (bucket < moved) return i
  }
  return last
}
