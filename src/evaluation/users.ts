import type { InputFault } from '../base/errors.ts'
import type { FlagDefinition, SegmentDefinition } from './model.ts'
import { flagReferences, type References, segmentReferences } from './references.ts'
import { defaultEnvironment, settingsIn } from './settings.ts'
import { joinPath } from './well-formed.ts'

/** Where flags and segments may be named. */
export interface Users {
  flags(namespace: string): readonly FlagDefinition[]
  segments(namespace: string): readonly SegmentDefinition[]
}

/** References of definitions, which never change: so asking who names something looks through 10,000 flags only once. */
const known = new WeakMap<FlagDefinition | SegmentDefinition, readonly References[]>()

/** Where others name a flag, in any environment: a fault for each of them, with the path from its key. */
export function flagUsers(users: Users, namespace: string, key: string): InputFault[] {
  return users
    .flags(namespace)
    .flatMap((flag) => (flag.key === key ? [] : faultOf('flags', flag, referencesOfFlag(flag), 'flags', key)))
}

/** Where flags and other segments name a segment, in the same way. */
export function segmentUsers(users: Users, namespace: string, key: string): InputFault[] {
  return [
    ...users.flags(namespace).flatMap((flag) => faultOf('flags', flag, referencesOfFlag(flag), 'segments', key)),
    ...users
      .segments(namespace)
      .flatMap((one) => (one.key === key ? [] : faultOf('segments', one, referencesOfSegment(one), 'segments', key))),
  ]
}

function faultOf(
  section: 'flags' | 'segments',
  user: { readonly key: string },
  references: readonly References[],
  kind: keyof References,
  key: string,
): InputFault[] {
  const path = references.map((reference) => reference[kind].get(key)).find((found) => found !== undefined)
  if (path === undefined) return []
  const noun = kind === 'flags' ? 'flag' : 'segment'
  return [{ path: `${joinPath(section, user.key)}.${path}`, message: `names the ${noun} "${key}"` }]
}

function referencesOfFlag(flag: FlagDefinition): readonly References[] {
  return remembered(flag, () => {
    const environments = [defaultEnvironment, ...Object.keys(flag.environments ?? {})]
    return environments.map((environment) => {
      const { targeting, pathOf } = settingsIn(flag, environment)
      return flagReferences(targeting, pathOf)
    })
  })
}

function referencesOfSegment(segment: SegmentDefinition): readonly References[] {
  return remembered(segment, () => [segmentReferences(segment)])
}

function remembered(definition: FlagDefinition | SegmentDefinition, find: () => readonly References[]) {
  const found = known.get(definition) ?? find()
  known.set(definition, found)
  return found
}
