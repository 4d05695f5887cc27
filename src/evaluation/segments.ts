import { compileAttribute, subjectText } from './attribute.ts'
import type { Compilation, Test } from './compiling.ts'
import { compileCondition } from './conditions.ts'
import type { SegmentDefinition } from './model.ts'

const readTargetingKey = compileAttribute('targetingKey')

/** Compiles who belongs to a segment: excluded beats included beats `if`; without any of them nobody does. Total. */
export function compileSegment(segment: SegmentDefinition, compilation: Compilation): Test {
  const included = new Set(segment.included)
  const excluded = new Set(segment.excluded)
  const test = segment.if ? compileCondition(segment.if, 'if', compilation) : undefined
  return (context, nowMs, trace) => {
    const subject = subjectText(readTargetingKey(context))
    if (subject !== undefined) {
      if (excluded.has(subject)) return false
      if (included.has(subject)) return true
    }
    return test ? test(context, nowMs, trace) : false
  }
}

/** Why a flag condition in a segment is refused: segments hold in every environment, and a flag's answer does not. */
export const noFlagsInSegments = {
  flag: () =>
    'cannot be asked by a segment: a segment holds in every environment, and a flag answers differently in each',
} as const
