import { FlagsError } from '../base/errors.ts'
import type { Confinement } from './write-options.ts'

/**
 * Throws FORBIDDEN when a write leaves what its author may touch. `registers` are named as in the log: `switch|qa` and
 * `targeting|qa` belong to an environment; everything else (a definition, a segment) is common to all environments, so whoever is
 * confined to some cannot write it.
 */
export function checkConfinement(
  { namespaces, environments }: Confinement = {},
  namespace: string,
  registers: readonly string[],
): void {
  if (namespaces && !namespaces.includes(namespace)) {
    const message = `The key is confined to the namespace ${namespaces.join(', ')}, and this is about ${namespace}. Nothing was changed.`
    throw new FlagsError('FORBIDDEN', message)
  }
  if (!environments) return
  const outside = registers.find((register) => !environments.includes(environmentOf(register) ?? ''))
  if (outside === undefined) return
  const what = environmentOf(outside) ?? 'what all environments share'
  const message = `The key is confined to the environment ${environments.join(', ')}, and this would change ${what}. Nothing was changed; PATCH just the properties of your environment.`
  throw new FlagsError('FORBIDDEN', message)
}

/** The environment that a register of a flag belongs to, by its name in the log; undefined for what all environments share. */
export function environmentOf(register: string): string | undefined {
  return /^(?:switch|targeting)\|(.+)$/.exec(register)?.[1]
}
