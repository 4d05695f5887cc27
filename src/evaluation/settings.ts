import type { FlagDefinition, Targeting } from './model.ts'
import { joinPath } from './well-formed.ts'

/** The environment that the top level of a flag is, and that the others inherit from. */
export const defaultEnvironment = 'default'

/** What holds for a flag in one environment. */
export interface Settings {
  readonly enabled: boolean
  readonly targeting: Targeting
  /** The path of a property in the definition: inherited ones stand at the top level. */
  pathOf(property: keyof Targeting): string
}

const targetingProperties = ['offVariation', 'overrides', 'rules', 'fallthrough', 'prerequisites'] as const

/** The properties of `holder` that target, and no others. In a fixed order, so that equal targeting is equal text. */
export function pickTargeting(holder: Targeting): Targeting {
  const picked: Record<string, unknown> = {}
  for (const property of targetingProperties) if (holder[property] !== undefined) picked[property] = holder[property]
  return picked
}

/** An environment changes the properties that it names and inherits the rest; one that nobody named is the default. */
export function settingsIn(definition: FlagDefinition, environment: string): Settings {
  const own = environmentOf(definition, environment)
  if (!own) return { enabled: definition.enabled, targeting: definition, pathOf: (property) => property }
  const prefix = joinPath('environments', environment)
  return {
    enabled: own.enabled ?? definition.enabled,
    targeting: { ...pickTargeting(definition), ...pickTargeting(own) },
    pathOf: (property) => (own[property] === undefined ? property : `${prefix}.${property}`),
  }
}

function environmentOf({ environments }: FlagDefinition, environment: string) {
  return environments && Object.hasOwn(environments, environment) ? environments[environment] : undefined
}
