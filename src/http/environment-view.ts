import type { EnvironmentSettings, Flag } from '../evaluation/model.ts'

/** A flag as one environment has it: that environment's settings at the top, and no others. */
export type FlagInEnvironment = Omit<Flag, 'environments'> & { readonly environment: string }

export function inEnvironment(flag: Flag, environment: string): FlagInEnvironment {
  const { environments, ...base } = flag
  return { ...base, ...ownSettings(environments, environment), environment }
}

/** What an environment decides by itself; nothing for `default`, whose settings are the flag's own. */
export function ownSettings(environments: Flag['environments'], environment: string): EnvironmentSettings {
  return environments && Object.hasOwn(environments, environment) ? (environments[environment] ?? {}) : {}
}
