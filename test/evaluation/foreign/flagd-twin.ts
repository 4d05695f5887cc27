import { FlagdCore } from '@openfeature/flagd-core'
import { foreignToDocument } from '../../../src/catalog/foreign-import.ts'
import type { EvaluationContext } from '../../../src/evaluation/model.ts'
import type { Ruleset } from '../../../src/evaluation/ruleset.ts'
import { rulesetOf } from '../testbed.ts'

/** What a flag gives a context: a variation and its value, nothing (then the caller's default holds), or an error. */
export type Outcome = { readonly variation: string; readonly value: unknown } | 'nothing' | 'error'

/** One that can be asked for the outcome of any flag of a document. */
export type Asked = (flagKey: string, context: EvaluationContext, nowMs?: number) => Outcome

/** Flags that an import made of a document of flagd. */
export function importFlagd(document: unknown): Ruleset {
  return rulesetOf(foreignToDocument('flagd', document, 'default').flags as object[])
}

export function ours(document: unknown): Asked {
  const ruleset = importFlagd(document)
  return (flagKey, context, nowMs = 0) => {
    const flag = ruleset.find('default', 'default', flagKey)
    if (!flag) throw new Error(`there is no flag "${flagKey}"`)
    const { variation, value, errorCode } = flag.evaluate(context, nowMs)
    if (errorCode !== undefined) return 'error'
    return variation === undefined ? 'nothing' : { variation, value }
  }
}

const silence = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} }

/**
 * flagd's own evaluator for JavaScript, in the one of its two ways that does not generate code. The other writes a null operand of `cat` as
 * "null", where this one, the flagd server and we leave it out.
 */
export function flagds(document: unknown): Asked {
  const core = new FlagdCore(undefined, silence, { disableDynamicCodeGeneration: true })
  core.setConfigurations(JSON.stringify(document))
  return (flagKey, context) => {
    const flag = core.getFlag(flagKey)
    if (!flag) throw new Error(`there is no flag "${flagKey}"`)
    if (flag.state === 'DISABLED') return 'nothing'
    const { variant, value, errorCode } = flag.evaluate({ ...context } as Parameters<typeof flag.evaluate>[0])
    if (errorCode !== undefined) return 'error'
    return variant === undefined ? 'nothing' : { variation: variant, value }
  }
}
