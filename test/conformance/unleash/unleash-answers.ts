import { foreignToDocument } from '../../../src/catalog/foreign-import.ts'
import type { EvaluationContext } from '../../../src/evaluation/model.ts'
import type { Ruleset } from '../../../src/evaluation/ruleset.ts'
import { rulesetOf } from '../../evaluation/testbed.ts'

/** A context as Unleash's clients take it. */
export interface UnleashContext {
  readonly userId?: string
  readonly properties?: Readonly<Record<string, unknown>>
  readonly [field: string]: unknown
}

/** What Unleash's `getVariant` answers. */
export interface VariantAnswer {
  readonly name: string
  readonly payload?: { readonly type: string; readonly value: string }
  readonly enabled: boolean
  readonly feature_enabled: boolean
}

/** Flags that an import made of a state of Unleash. */
export function importUnleash(state: unknown): Ruleset {
  const { flags, segments } = foreignToDocument('unleash', state, 'default')
  return rulesetOf(flags as object[], segments as object[])
}

/** The same context in our words, as the table at translateUnleash has it. */
export function contextOf({ userId, properties, ...fields }: UnleashContext): EvaluationContext {
  const known = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null))
  return { ...properties, ...known, ...(userId === undefined ? {} : { targetingKey: userId }) }
}

export function isEnabled(rules: Ruleset, feature: string, context: UnleashContext, nowMs: number): boolean {
  return Boolean(answerOf(rules, feature, context, nowMs))
}

export function getVariant(rules: Ruleset, feature: string, context: UnleashContext, nowMs: number): VariantAnswer {
  const answer = answerOf(rules, feature, context, nowMs)
  if (typeof answer === 'object') return answer as unknown as VariantAnswer
  return { name: 'disabled', enabled: false, feature_enabled: answer }
}

function answerOf(rules: Ruleset, feature: string, context: UnleashContext, nowMs: number): boolean | object {
  const flag = rules.find('default', 'default', feature)
  if (!flag) return false
  const { value, errorCode } = flag.evaluate(contextOf(context), nowMs)
  if (errorCode !== undefined || value === undefined || (typeof value !== 'boolean' && typeof value !== 'object'))
    throw new Error(`${feature} answers ${errorCode} ${JSON.stringify(value)}`)
  return value ?? false
}
