import type { Evaluation } from './model.ts'

/** What kind of decision a step was. */
export type StepKind =
  | 'switch'
  | 'prerequisite'
  | 'override'
  | 'rule'
  | 'condition'
  | 'all'
  | 'any'
  | 'not'
  | 'segment'
  | 'listed'
  | 'flag'
  | 'coverage'
  | 'rollout'
  | 'serve'
  | 'error'

/** One decision of an evaluation, in the order in which they were made. */
export interface Step {
  readonly kind: StepKind
  /** Where it stands in the flag, `rules[0].if.all[1]`, or in a segment, `segment:beta.if`. */
  readonly at: string
  /** What came of it: whether it held, or the variation that it chose (null for none). */
  readonly outcome: boolean | string | null
  /** The attribute, flag or segment that was asked. */
  readonly subject?: string
  readonly op?: string
  /** What the context said; undefined when it said nothing. */
  readonly actual?: unknown
  /** What that was compared with. */
  readonly expected?: unknown
  readonly details?: string
}

/**
 * Takes the steps of one evaluation. The compiled closures take it as their last, optional argument, so explaining is the
 * evaluation itself, watched; without a trace it costs them one comparison with undefined.
 */
export type Trace = Step[]

/** The answer, and how it came about. */
export interface Explanation {
  readonly evaluation: Evaluation
  readonly steps: readonly Step[]
}
