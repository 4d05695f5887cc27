import { compileAttribute, subjectText } from './attribute.ts'
import { type Answer, type Compilation, compilePart } from './compiling.ts'
import type { Evaluation, EvaluationContext, Overrides } from './model.ts'
import { type FlagParts, serveVariation } from './serve.ts'
import type { Trace } from './trace.ts'

/** The override for a context, undefined when none matches. Throws Unanswerable as Answer does. */
export type Override = (context: EvaluationContext, nowMs: number, trace: Trace | undefined) => Evaluation | undefined

interface Entry {
  readonly answer: Answer
  readonly variation: string
}

/** The order of the levels, the strongest last; attributes that are not here come before them, by name. */
const levelOrder = ['version', 'group', 'targetingKey']

/**
 * Compiles overrides: a list of levels, each a map from an attribute's value to a variation. If any level that matches serves
 * the off variation, that wins: whoever switched something off for a group meant it. Otherwise the last match does. An attribute
 * that is a list (a user's groups) matches by each of its items.
 */
export function compileOverrides(
  overrides: Overrides,
  offVariation: string | undefined,
  at: string,
  flag: FlagParts,
  compilation: Compilation,
): Override | undefined {
  const levels = Object.entries(overrides)
    .sort(([a], [b]) => levelOrder.indexOf(a) - levelOrder.indexOf(b) || (a < b ? -1 : 1))
    .map(([attribute, byValue]) => {
      const entries = Object.entries(byValue).map(([value, variation]): [string, Entry] => {
        const path = `.${attribute}[${JSON.stringify(value)}]`
        const answer = compilePart(compilation, at, () => {
          const evaluation = serveVariation(flag, variation, 'TARGETING_MATCH', undefined, path)
          return () => evaluation
        })
        return [value, { answer, variation }]
      })
      return { attribute, at: `${at}.${attribute}`, read: compileAttribute(attribute), entries: new Map(entries) }
    })
    .filter((level) => level.entries.size > 0)
  if (levels.length === 0) return undefined

  return (context, nowMs, trace) => {
    let chosen: Entry | undefined
    for (const level of levels) {
      const actual = level.read(context)
      const entry = Array.isArray(actual) ? strongest(level.entries, actual, offVariation) : look(level.entries, actual)
      const { attribute: subject } = level
      if (trace) trace.push({ kind: 'override', at: level.at, subject, actual, outcome: entry?.variation ?? null })
      if (!entry) continue
      chosen = entry
      if (entry.variation === offVariation) break
    }
    return chosen?.answer(context, nowMs, trace)
  }
}

function look(entries: ReadonlyMap<string, Entry>, actual: unknown): Entry | undefined {
  const text = subjectText(actual)
  return text === undefined ? undefined : entries.get(text)
}

function strongest(
  entries: ReadonlyMap<string, Entry>,
  items: readonly unknown[],
  offVariation: string | undefined,
): Entry | undefined {
  let chosen: Entry | undefined
  for (const item of items) {
    const entry = look(entries, item)
    if (entry) chosen = entry
    if (entry?.variation === offVariation && entry) break
  }
  return chosen
}
