import { z } from 'zod'
import { FlagsError } from '../base/errors.ts'
import type { Evaluation, EvaluationContext, Json } from '../evaluation/model.ts'
import type { Ruleset } from '../evaluation/ruleset.ts'
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

export interface NativeAnswer {
  readonly key: string
  readonly value: Json
  readonly variation?: string
  readonly reason: Evaluation['reason']
  readonly ruleId?: string
  readonly version?: string
  readonly errorCode?: Evaluation['errorCode']
  readonly errorDetails?: string
}

/**
 * Evaluates for `POST /evaluate`. A flag that is not there gives the caller's default, or else throws FLAG_NOT_FOUND; so
 * does a context over a limit throw, LIMIT_EXCEEDED. No value to give, or one that cannot be cast, gives the default, or null.
 */
export function nativeAnswer(ruleset: Ruleset, request: NativeRequest, scope: Scope, nowMs: number): NativeAnswer {
  const key = request.flagKey ?? request.flag_key ?? ''
  const context = contextOf(request)
  const fallback = request.default as Json | undefined
  const flag = ruleset.find(scope.namespace, scope.environment, key)
  if (!flag) {
    if (fallback === undefined) throw new FlagsError('FLAG_NOT_FOUND', `There is no flag "${key}".`)
    return { key, value: fallback, reason: 'DEFAULT', errorCode: 'FLAG_NOT_FOUND' }
  }
  const { value, ...rest } = flag.evaluate(context, nowMs)
  return { key, value: value ?? fallback ?? null, ...rest, version: flag.version }
}

function contextOf(request: NativeRequest): EvaluationContext {
  const context = checkContext({ ...request.user_context, ...request.context })
  return request.user_id === undefined ? context : { ...context, targetingKey: request.user_id }
}
