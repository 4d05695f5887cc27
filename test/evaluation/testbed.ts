import type { Evaluation, EvaluationContext, FlagDefinition, SegmentDefinition } from '../../src/evaluation/model.ts'
import { parseFlag, parseSegment } from '../../src/evaluation/parse.ts'
import { type RegisterWrite, splitFlag, splitSegment } from '../../src/evaluation/registers.ts'
import { createRuleset, type RegisterValue, type Ruleset } from '../../src/evaluation/ruleset.ts'

const startMs = Date.UTC(2026, 0, 1)

/** A stamp that sorts by its number; the writer tells two nodes apart. */
export function stamp(number: number, writer = 'a'): string {
  return (startMs + number).toString(16).padStart(12, '0') + '0000' + writer.repeat(16)
}

/** The same change of every register, as a replica hands it on. */
export function stamped(writes: readonly RegisterWrite[], at: string): RegisterValue[] {
  return writes.map(({ key, value }) => ({ key, value, stamp: at }))
}

/** The registers of a creation. */
export function created(definition: FlagDefinition, at = stamp(1)): RegisterValue[] {
  return stamped(splitFlag(definition, { birth: '', ended: '' }), at)
}

export function createdSegment(definition: SegmentDefinition, at = stamp(1)): RegisterValue[] {
  return stamped(splitSegment(definition, { birth: '', ended: '' }), at)
}

/** A ruleset that holds these flags and segments, as people write them, in the namespace `default`. */
export function rulesetOf(flags: readonly object[], segments: readonly object[] = []): Ruleset {
  const ruleset = createRuleset()
  ruleset.apply([
    ...flags.flatMap((flag) => created(parseFlag('default', flag))),
    ...segments.flatMap((segment) => createdSegment(parseSegment('default', segment))),
  ])
  return ruleset
}

/** What one flag answers in the environment `default`. */
export function evaluate(flag: object, context: EvaluationContext, nowMs = startMs): Evaluation {
  const { key } = flag as { key: string }
  const found = rulesetOf([flag]).find('default', 'default', key)
  if (!found) throw new Error(`the flag "${key}" is not there`)
  return found.evaluate(context, nowMs)
}
