import { compileAttribute, subjectText } from './attribute.ts'
import { bucketings, bucketOf } from './bucketing.ts'
import {
  type Answer,
  type Compilation,
  compilePart,
  Nonsense,
  noteClock,
  type Test,
  Unanswerable,
} from './compiling.ts'
import { compileJsonLogic } from './foreign/json-logic.ts'
import type { Evaluation, EvaluationContext, Json, Reason, Rollout, Serve } from './model.ts'
import { compileDivisions, type Division, divisionAt, shareAt } from './schedule.ts'
import type { Trace } from './trace.ts'

/** A compiled serve; undefined leaves it to the fallthrough. Throws as Test does. */
export type Serving = (context: EvaluationContext, nowMs: number, trace: Trace | undefined) => Evaluation | undefined

/** What the parts of one flag share. */
export interface FlagParts {
  readonly key: string
  readonly variations: ReadonlyMap<string, Json>
}

/** Where a serve stands, and what its answer says besides the variation. */
export interface ServeFrame {
  readonly at: string
  /** Reason of a fixed variation; a rollout says SPLIT. */
  readonly reason: Reason
  readonly ruleId?: string
}

/** The answer that serves one variation, made once. Throws Nonsense if the flag has no such variation. */
export function serveVariation(
  flag: FlagParts,
  variation: string,
  reason: Reason,
  ruleId: string | undefined,
  within: string,
): Evaluation {
  const value = flag.variations.get(variation)
  if (value === undefined)
    throw new Nonsense(`names the variation "${variation}", which the flag does not have`, within)
  return ruleId === undefined ? { value, variation, reason } : { value, variation, reason, ruleId }
}

/** Compiles what a rule or the fallthrough serves. Total. */
export function compileServe(serve: Serve, frame: ServeFrame, flag: FlagParts, compilation: Compilation): Serving {
  return compilePart(compilation, frame.at, () => {
    if ('rollout' in serve) return compileRollout(serve.rollout, frame, flag, compilation)
    if ('jsonLogic' in serve) return compileExpression(serve.jsonLogic, frame, flag, compilation)
    const evaluation = serveVariation(flag, serve.variation, frame.reason, frame.ruleId, '.variation')
    return (_context, _nowMs, trace) => {
      if (trace) trace.push({ kind: 'serve', at: frame.at, outcome: evaluation.variation ?? null })
      return evaluation
    }
  })
}

/**
 * Serves the variation that an expression names. An expression that names none of the flag's fails for that context alone, as in flagd:
 * which names it may give is not to be seen before.
 */
function compileExpression(
  expression: Json,
  { at, ruleId }: ServeFrame,
  flag: FlagParts,
  compilation: Compilation,
): Serving {
  const { run } = compileJsonLogic(expression, `${at}.jsonLogic`, compilation)
  const evaluations = new Map(
    [...flag.variations.keys()].map((name) => [name, serveVariation(flag, name, 'TARGETING_MATCH', ruleId, '')]),
  )
  const failed = new Unanswerable(`${at}.jsonLogic gives a variation that the flag does not have`, 'GENERAL')
  return (context, nowMs, trace) => {
    const result = run(context, nowMs)
    const variation = result === null || result === undefined ? null : String(result)
    if (trace) trace.push({ kind: 'serve', at, op: 'jsonLogic', expected: expression, outcome: variation })
    if (variation === null) return undefined
    const evaluation = evaluations.get(variation)
    if (!evaluation) throw failed
    return evaluation
  }
}

/** What one range of a rollout is given: to whom is in it, and to whom is nobody where it is the last. */
interface Share {
  readonly inRange: Answer
  readonly subjectMissing: Answer
}

function compileShare(
  variation: string,
  at: string,
  ruleId: string | undefined,
  flag: FlagParts,
  compilation: Compilation,
): Share {
  const share = compilePart(compilation, at, (): Share => {
    const evaluation = serveVariation(flag, variation, 'SPLIT', ruleId, '.variation')
    const missing: Evaluation = { ...evaluation, reason: 'DEFAULT', subjectMissing: true }
    return { inRange: () => evaluation, subjectMissing: () => missing }
  })
  return typeof share === 'function' ? { inRange: share, subjectMissing: share } : share
}

const coverageSeed = 1

/** Whether a subject takes part in the rollout that is served; undefined when all do. A missing one does: it is the rollout's to say. */
export function compileCoverage(serve: Serve, at: string, flag: FlagParts): Test | undefined {
  if (!('rollout' in serve) || serve.rollout.coverage === undefined) return undefined
  const { coverage, bucketBy = 'targetingKey', salt = flag.key } = serve.rollout
  const read = compileAttribute(bucketBy)
  const bucket = bucketOf(salt, coverageSeed)
  return (context, _nowMs, trace) => {
    const subject = subjectText(read(context))
    const outcome = subject === undefined || bucket(subject) < coverage
    if (trace) {
      trace.push({
        kind: 'coverage',
        at: `${at}.rollout.coverage`,
        subject: bucketBy,
        actual: subject,
        expected: coverage,
        outcome,
      })
    }
    return outcome
  }
}

function compileRollout(rollout: Rollout, frame: ServeFrame, flag: FlagParts, compilation: Compilation): Serving {
  const { bucketBy = 'targetingKey', algorithm = 'flags' } = rollout
  const at = `${frame.at}.rollout`
  const parts = compilePart(compilation, at, () => {
    if (rollout.coverage !== undefined && algorithm !== 'flags')
      throw new Nonsense(`is not for the algorithm "${algorithm}"`, '.coverage')
    const buckets = bucketings[algorithm](rollout, flag.key)
    const divisions = compileDivisions(rollout, ({ variation }, path) =>
      compileShare(variation, at + path, frame.ruleId, flag, compilation),
    )
    return { buckets, divisions }
  })
  if (typeof parts === 'function') return parts
  const { buckets, divisions } = parts
  noteClock(compilation, buckets)
  if (divisions.length > 1) compilation.timed = true
  const linear = rollout.curve === 'linear'

  return (context, nowMs, trace) => {
    const index = divisions.length === 1 ? 0 : divisionAt(divisions, nowMs)
    const division = divisions[index] as Division<Share>
    const subject = buckets.subject(context, nowMs)
    if (subject === undefined) {
      if (trace) {
        const details = `the subject is missing: ${buckets.nobody === 'lastWeight' ? 'the last weight' : 'the fallthrough'} holds`
        trace.push({ kind: 'rollout', at, subject: bucketBy, outcome: null, details })
      }
      if (buckets.nobody === 'fallthrough') return undefined
      return (division.shares.at(-1) as Share).subjectMissing(context, nowMs, trace)
    }
    const bucket = buckets.bucket(subject)
    const share = shareAt(division, linear ? divisions[index + 1] : undefined, bucket, nowMs)
    const evaluation = (division.shares[share] as Share).inRange(context, nowMs, trace)
    if (trace) {
      const details = `bucket ${bucket} of 10,000`
      trace.push({
        kind: 'rollout',
        at,
        subject: bucketBy,
        actual: subject,
        expected: division.ends,
        outcome: evaluation.variation ?? null,
        details,
      })
    }
    return evaluation
  }
}
