import { z } from 'zod'
import { FlagsError } from '../base/errors.ts'
import { cast } from '../evaluation/cast.ts'
import type { Evaluation, EvaluationContext, FlagType, Json } from '../evaluation/model.ts'
import type { CompiledFlag, Ruleset } from '../evaluation/ruleset.ts'
import type { Step } from '../evaluation/trace.ts'
import { checkContext } from './context.ts'
import { context, type Scope, subject } from './schemas.ts'

const flagKey = z.string().min(1)

/** One evaluation as `POST /evaluate` takes it; the names with underscores are those of other servers, and mean the same. */
export const evaluateBody = z
  .strictObject({
    flagKey: flagKey.optional(),
    flag_key: flagKey.optional(),
    context: context.optional(),
    user_context: context.optional(),
    user_id: subject.optional(),
    default: z.unknown().optional(),
    as: z.enum(['boolean', 'number', 'string', 'json']).optional(),
  })
  .refine((body) => body.flagKey !== undefined || body.flag_key !== undefined, {
    path: ['flagKey'],
    message: 'is missing',
  })
export type NativeRequest = z.infer<typeof evaluateBody>

/** An evaluation as our own API tells it. */
export interface NativeAnswer {
  readonly key: string
  readonly value: Json
  readonly variation?: string
  readonly reason: Evaluation['reason']
  readonly ruleId?: string
  readonly version?: string
  readonly errorCode?: Evaluation['errorCode']
  readonly errorDetails?: string
  /** How it came about, where that was asked for. */
  readonly steps?: readonly Step[]
}

export interface NativeOptions {
  readonly scope: Scope
  readonly nowMs: number
  readonly explain: boolean
}

/**
 * Evaluates for `POST /evaluate`. No flag, no value, or one that cannot be cast gives the caller's default, or else null.
 * Throws FLAG_NOT_FOUND for a flag that is not there when there is no default, LIMIT_EXCEEDED for the context.
 */
export function nativeAnswer(ruleset: Ruleset, request: NativeRequest, options: NativeOptions): NativeAnswer {
  const key = request.flagKey ?? request.flag_key ?? ''
  const context = contextOf(request)
  const fallback = request.default as Json | undefined
  const flag = ruleset.find(options.scope.namespace, options.scope.environment, key)
  if (flag) return withDefault(castAnswer(answerOf(flag, context, options), request.as), fallback)
  if (fallback === undefined) throw new FlagsError('FLAG_NOT_FOUND', `There is no flag "${key}".`)
  return { key, value: fallback, reason: 'DEFAULT', errorCode: 'FLAG_NOT_FOUND' }
}

/** An answer in which `value` undefined still means that there is none to give. */
type OpenAnswer = Omit<NativeAnswer, 'value'> & { readonly value: Json | undefined }

/** Asks a flag, and tells how it decided where that is wanted: the same evaluation, watched. */
export function answerOf(
  flag: CompiledFlag,
  context: EvaluationContext,
  { nowMs, explain }: Omit<NativeOptions, 'scope'>,
): OpenAnswer {
  const { evaluation, steps } = explain
    ? flag.explain(context, nowMs)
    : { evaluation: flag.evaluate(context, nowMs), steps: undefined }
  const { value, variation, reason, ruleId, errorCode, errorDetails } = evaluation
  return { key: flag.key, value, variation, reason, ruleId, version: flag.version, errorCode, errorDetails, steps }
}

function castAnswer(answer: OpenAnswer, as: FlagType | undefined): OpenAnswer {
  if (as === undefined || answer.value === undefined) return answer
  const result = cast(answer.value, as)
  if (result.ok) return { ...answer, value: result.value }
  const errorDetails = `The variation "${answer.variation}" has no reading as ${as}.`
  return { ...answer, value: undefined, reason: 'ERROR', errorCode: 'TYPE_MISMATCH', errorDetails }
}

export function withDefault(answer: OpenAnswer, fallback: Json | undefined): NativeAnswer {
  return { ...answer, value: answer.value ?? fallback ?? null }
}

function contextOf(request: NativeRequest): EvaluationContext {
  const context = checkContext({ ...request.user_context, ...request.context })
  return request.user_id === undefined ? context : { ...context, targetingKey: request.user_id }
}
