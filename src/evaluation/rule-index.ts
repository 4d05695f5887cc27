import { compileAttribute } from './attribute.ts'
import type { EvaluationContext, Json } from './model.ts'

/**
 * What a condition needs before anything else: without one of these values of the attribute it does not hold, and nothing in it but
 * that comparison is reached. So leaving it out where the attribute has another value changes no answer and hides no fault.
 */
export interface Gate {
  readonly attribute: string
  readonly values: readonly Json[]
}

interface Gated {
  readonly gate: Gate | undefined
}

/** Finds the rules that may hold for a context, in their order. */
export type FindRules<Rule> = (context: EvaluationContext) => readonly Rule[]

/** Fewer rules are asked one by one just as quickly. */
const gatedRulesMin = 4
/** Entries of one index: a flag of 64 KiB could name thousands of values beside hundreds of rules that hold for all of them. */
const entriesMax = 10_000

/**
 * Indexes rules that compare one attribute with texts by those texts (one plan, country or tenant a rule), so that a context meets its
 * own rules only. undefined where that is not worth it. The first rule must be one of them: then the attribute is read by every
 * evaluation with or without the index, and a context that fails to be read fails alike.
 */
export function indexRules<Rule extends Gated>(rules: readonly Rule[]): FindRules<Rule> | undefined {
  const attribute = rules[0]?.gate?.attribute
  if (attribute === undefined) return undefined
  const isGated = ({ gate }: Rule) => gate?.attribute === attribute
  const gated = rules.filter(isGated)
  const values = gated.reduce((sum, { gate }) => sum + (gate?.values.length ?? 0), 0)
  if (gated.length < gatedRulesMin || values * (1 + rules.length - gated.length) > entriesMax) return undefined

  const others: Rule[] = []
  const byValue = new Map<unknown, Rule[]>()
  for (const rule of rules) {
    if (!isGated(rule)) {
      others.push(rule)
      for (const mayHold of byValue.values()) mayHold.push(rule)
    } else {
      for (const value of new Set(rule.gate?.values)) {
        const mayHold = byValue.get(value)
        if (mayHold) mayHold.push(rule)
        else byValue.set(value, [...others, rule])
      }
    }
  }
  const read = compileAttribute(attribute)
  return (context) => byValue.get(read(context)) ?? others
}
