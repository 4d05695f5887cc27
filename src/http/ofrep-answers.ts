import { FlagsError } from '../base/errors.ts'
import type { Evaluation, EvaluationContext, EvaluationErrorCode } from '../evaluation/model.ts'
import type { CompiledFlag } from '../evaluation/ruleset.ts'
import { checkContext } from './context.ts'
import { Snippets } from './snippets.ts'

/** An evaluation that failed, as OFREP 0.3 has it (evaluationFailure, flagNotFound). */
export interface OfrepFailure {
  readonly key: string
  readonly errorCode: EvaluationErrorCode
  readonly errorDetails?: string
}

/** What failed, if anything did: native callers get an answer without a subject, OpenFeature's must not. */
export function ofrepFailure(flag: CompiledFlag, evaluation: Evaluation): OfrepFailure | undefined {
  const { errorCode, errorDetails, subjectMissing } = evaluation
  if (errorCode !== undefined) return { key: flag.key, errorCode, errorDetails }
  if (!subjectMissing) return undefined
  const details = 'The rollout needs a subject, and the context does not name one.'
  return { key: flag.key, errorCode: 'TARGETING_KEY_MISSING', errorDetails: details }
}

const snippets = new Snippets(successHead)

/** What OpenFeature calls a value that may be out of date; `metadata.reason` of every answer of a node that is cut off. */
export const staleReason = 'STALE'

/** A success as JSON (evaluationSuccess). No value to give means leaving it out: the caller's default holds. */
export function ofrepSuccess(flag: CompiledFlag, evaluation: Evaluation, stale: boolean): string {
  const metadata = stale ? staleMetadataOf(flag, evaluation) : metadataOf(flag, evaluation)
  return `${snippets.of(flag, evaluation)},"reason":"${evaluation.reason}","metadata":${metadata}}`
}

/** `reason` beside the metadata of the value: the one above them still says why it is this value. */
function staleMetadataOf({ version, metadata }: CompiledFlag, { ruleId }: Evaluation): string {
  return JSON.stringify({ version, ruleId, ...metadata, reason: staleReason })
}

/** What the flag's author wrote wins over what we say by the same name. */
function metadataOf({ version, metadata }: CompiledFlag, { ruleId }: Evaluation): string {
  if (metadata) return JSON.stringify({ version, ruleId, ...metadata })
  return ruleId === undefined
    ? `{"version":"${version}"}`
    : `{"version":"${version}","ruleId":${JSON.stringify(ruleId)}}`
}

function successHead({ key }: CompiledFlag, { value, variation }: Evaluation): string {
  return JSON.stringify({ key, value: value ?? undefined, variant: variation }).slice(0, -1)
}

/** The context of an OFREP body; an empty body is an empty context. Throws FlagsError INVALID (not a context) or LIMIT_EXCEEDED. */
export function ofrepContext(body: unknown): EvaluationContext {
  if (body === undefined || body === null) return {}
  const context = isObject(body) ? (body.context ?? {}) : undefined
  if (!isObject(context)) throw new FlagsError('INVALID', 'The body must be {"context": {…}}.')
  const { targetingKey } = context
  if (targetingKey === undefined || typeof targetingKey === 'string') return checkContext(context)
  if (typeof targetingKey !== 'number') throw new FlagsError('INVALID', 'context.targetingKey must be a string.')
  return checkContext({ ...context, targetingKey: String(targetingKey) })
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
