import { compileAttribute, subjectText } from './attribute.ts'
import type { Compilation, Test } from './compiling.ts'
import { compileCondition } from './conditions.ts'
import type { SegmentDefinition } from './model.ts'

const readTargetingKey = compileAttribute('targetingKey')

/**
 * Compiles who belongs to a segment: excluded beats included beats `if`; without any of them nobody does. Total. `at` says where the segment
 * stands, for faults and traces: '' where it is looked at by itself.
 */
export function compileSegment(segment: SegmentDefinition, compilation: Compilation, at = ''): Test {
  const included = new Set(segment.included)
  const excluded = new Set(segment.excluded)
  const test = segment.if ? compileCondition(segment.if, `${at}if`, compilation) : undefined
  return (context, nowMs, trace) => {
    const subject = subjectText(readTargetingKey(context))
    if (subject !== undefined) {
      const listed = excluded.has(subject) ? 'excluded' : included.has(subject) ? 'included' : undefined
      if (listed) {
        const outcome = listed === 'included'
        if (trace) trace.push({ kind: 'listed', at: at + listed, subject: 'targetingKey', actual: subject, outcome })
        return outcome
      }
    }
    return test ? test(context, nowMs, trace) : false
  }
}

/** Why a flag condition in a segment is refused: segments hold in every environment, and a flag's answer does not. */
export const noFlagsInSegments = {
  flag: () =>
    'cannot be asked by a segment: a segment holds in every environment, and a flag answers differently in each',
} as const
