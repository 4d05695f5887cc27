import { referenceDepthMax } from '../base/limits.ts'
import type { Condition, SegmentDefinition, Targeting } from './model.ts'

/** The flags and segments that a flag or segment names, each with the first path at which it does. */
export interface References {
  readonly flags: ReadonlyMap<string, string>
  readonly segments: ReadonlyMap<string, string>
}

export const noReferences: References = { flags: new Map(), segments: new Map() }

interface Found {
  readonly flags: Map<string, string>
  readonly segments: Map<string, string>
}

/** What a flag names in one environment; `pathOf` says where its properties stand. */
export function flagReferences(
  targeting: Targeting,
  pathOf: (property: keyof Targeting) => string = (property) => property,
): References {
  const found: Found = { flags: new Map(), segments: new Map() }
  for (const [index, { flag }] of (targeting.prerequisites ?? []).entries()) {
    note(found.flags, flag, `${pathOf('prerequisites')}[${index}].flag`)
  }
  for (const [index, rule] of (targeting.rules ?? []).entries())
    search(rule.if, `${pathOf('rules')}[${index}].if`, found)
  return found
}

export function segmentReferences(segment: SegmentDefinition): References {
  const found: Found = { flags: new Map(), segments: new Map() }
  if (segment.if) search(segment.if, 'if', found)
  return found
}

function search(condition: Condition, at: string, found: Found): void {
  if ('all' in condition)
    for (const [index, inner] of condition.all.entries()) search(inner, `${at}.all[${index}]`, found)
  else if ('any' in condition)
    for (const [index, inner] of condition.any.entries()) search(inner, `${at}.any[${index}]`, found)
  else if ('not' in condition) search(condition.not, `${at}.not`, found)
  else if ('segment' in condition) note(found.segments, condition.segment, `${at}.segment`)
  else if ('flag' in condition) note(found.flags, condition.flag, `${at}.flag`)
}

function note(paths: Map<string, string>, key: string, path: string): void {
  if (!paths.has(key)) paths.set(key, path)
}

/** What can be reached from some keys by following references. */
export interface Trail {
  /** Everything reached, the start included; when endless, what was reached before giving up. */
  readonly seen: ReadonlySet<string>
  /** A chain of references goes on for more than referenceDepthMax, as every circle does. */
  readonly endless: boolean
}

/**
 * Follows references level by level. Nothing here depends on where a circle is entered or what was compiled before, so every node
 * finds the same chains endless; and the work is bounded by referenceDepthMax times the references there are.
 */
export function followReferences(start: Iterable<string>, next: (key: string) => Iterable<string>): Trail {
  const seen = new Set<string>()
  let level = new Set(start)
  for (let depth = 1; level.size > 0; depth++) {
    if (depth > referenceDepthMax) return { seen, endless: true }
    const below = new Set<string>()
    for (const key of level) {
      seen.add(key)
      for (const named of next(key)) below.add(named)
    }
    level = below
  }
  return { seen, endless: false }
}
