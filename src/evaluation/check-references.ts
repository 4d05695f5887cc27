import type { InputFault } from '../base/errors.ts'
import { referenceDepthMax } from '../base/limits.ts'
import type { FlagDefinition, SegmentDefinition } from './model.ts'
import { flagReferences, followReferences, segmentReferences } from './references.ts'
import { defaultEnvironment, settingsIn } from './settings.ts'

/** What is there already: a ruleset, or the part of it that a write leaves in place. */
export interface Existing {
  flag(namespace: string, key: string): FlagDefinition | undefined
  segment(namespace: string, key: string): SegmentDefinition | undefined
}

/**
 * Checks that what flags and segments name exists, among what is there already or among each other (an import brings both at once), and that
 * no chain of names is a circle or too long. Paths start with `flags[i]` or `segments[i]`.
 */
export function checkReferences(
  existing: Existing,
  flags: readonly FlagDefinition[],
  segments: readonly SegmentDefinition[],
): InputFault[] {
  const known = overlay(existing, flags, segments)
  return [
    ...flags.flatMap((flag, index) => prefixed(`flags[${index}]`, flagFaults(known, flag))),
    ...segments.flatMap((segment, index) => prefixed(`segments[${index}]`, segmentFaults(known, segment))),
  ]
}

/** The same for one flag; paths start at the flag. */
export function checkFlagReferences(existing: Existing, flag: FlagDefinition): InputFault[] {
  return flagFaults(overlay(existing, [flag], []), flag)
}

/** The same for one segment; paths start at the segment. */
export function checkSegmentReferences(existing: Existing, segment: SegmentDefinition): InputFault[] {
  return segmentFaults(overlay(existing, [], [segment]), segment)
}

function overlay(
  existing: Existing,
  flags: readonly FlagDefinition[],
  segments: readonly SegmentDefinition[],
): Existing {
  const name = ({ namespace, key }: { namespace: string; key: string }) => `${namespace}|${key}`
  const newFlags = new Map(flags.map((flag) => [name(flag), flag]))
  const newSegments = new Map(segments.map((segment) => [name(segment), segment]))
  return {
    flag: (namespace, key) => newFlags.get(name({ namespace, key })) ?? existing.flag(namespace, key),
    segment: (namespace, key) => newSegments.get(name({ namespace, key })) ?? existing.segment(namespace, key),
  }
}

function flagFaults(known: Existing, flag: FlagDefinition): InputFault[] {
  const faults = new Map<string, InputFault>()
  for (const environment of environmentsAround(known, flag)) {
    const { targeting, pathOf } = settingsIn(flag, environment)
    const references = flagReferences(targeting, pathOf)
    for (const [key, path] of references.flags) {
      const message = flagFault(known, flag, key, environment)
      if (message !== '') faults.set(path, { path, message })
    }
    for (const [key, path] of references.segments) {
      if (!known.segment(flag.namespace, key))
        faults.set(path, { path, message: `names the segment "${key}", which does not exist` })
    }
  }
  return [...faults.values(), ...prerequisiteVariationFaults(known, flag)]
}

/** Where flags inherit differently, a circle may close in an environment that only one of them names. */
function environmentsAround(known: Existing, flag: FlagDefinition): ReadonlySet<string> {
  const environments = new Set([defaultEnvironment])
  const visit = (definition: FlagDefinition | undefined): string[] => {
    const own = [defaultEnvironment, ...Object.keys(definition?.environments ?? {})]
    for (const environment of own) environments.add(environment)
    return definition
      ? own.flatMap((name) => [...flagReferences(settingsIn(definition, name).targeting).flags.keys()])
      : []
  }
  followReferences(visit(flag), (key) => visit(known.flag(flag.namespace, key)))
  return environments
}

function flagFault(known: Existing, flag: FlagDefinition, key: string, environment: string): string {
  if (!known.flag(flag.namespace, key)) return `names the flag "${key}", which does not exist`
  const { seen, endless } = followReferences([key], (named) => {
    const definition = known.flag(flag.namespace, named)
    return definition ? flagReferences(settingsIn(definition, environment).targeting).flags.keys() : []
  })
  return chainFault('flag', flag.key, key, seen, endless)
}

function segmentFaults(known: Existing, segment: SegmentDefinition): InputFault[] {
  const faults: InputFault[] = []
  for (const [key, path] of segmentReferences(segment).segments) {
    const { seen, endless } = followReferences([key], (named) => {
      const definition = known.segment(segment.namespace, named)
      return definition ? segmentReferences(definition).segments.keys() : []
    })
    const missing = known.segment(segment.namespace, key) ? '' : `names the segment "${key}", which does not exist`
    const message = missing || chainFault('segment', segment.key, key, seen, endless)
    if (message !== '') faults.push({ path, message })
  }
  return faults
}

function chainFault(noun: string, self: string, key: string, seen: ReadonlySet<string>, endless: boolean): string {
  if (seen.has(self)) return `names the ${noun} "${key}", which leads back to this one in a circle`
  return endless
    ? `names the ${noun} "${key}", from which ${noun}s lead on for more than ${referenceDepthMax} steps`
    : ''
}

function prerequisiteVariationFaults(known: Existing, flag: FlagDefinition): InputFault[] {
  const holders = [
    { at: '', targeting: flag },
    ...Object.entries(flag.environments ?? {}).map(([name, targeting]) => ({ at: `environments.${name}.`, targeting })),
  ]
  return holders.flatMap(({ at, targeting }) =>
    (targeting.prerequisites ?? []).flatMap(({ flag: key, variations }, index) => {
      const named = known.flag(flag.namespace, key)
      return variations.flatMap((variation, place) => {
        if (!named || Object.hasOwn(named.variations, variation)) return []
        return [
          {
            path: `${at}prerequisites[${index}].variations[${place}]`,
            message: `"${variation}" is no variation of the flag "${key}"`,
          },
        ]
      })
    }),
  )
}

function prefixed(prefix: string, faults: readonly InputFault[]): InputFault[] {
  return faults.map(({ path, message }) => ({ path: `${prefix}.${path}`, message }))
}
