import type { FastifyRequest } from 'fastify'
import { FlagsError } from '../../base/errors.ts'
import type { Confinement } from '../../catalog/ports.ts'

interface PerEnvironment {
  readonly environments?: Readonly<Record<string, unknown>>
}

/**
 * A flag as the caller may see it: without what it decides for environments that the key is not for. The top level stays, because
 * every environment inherits from it.
 */
export function visibleTo<T extends object>({ caller }: FastifyRequest, thing: T): T {
  const { environments } = thing as PerEnvironment
  const allowed = caller?.environments
  if (!allowed || !environments) return thing
  const own = Object.entries(environments).filter(([name]) => allowed.includes(name))
  return { ...thing, environments: Object.fromEntries(own) }
}

/** The namespaces that a request is about which may name one: that one, else all that the key sees; undefined for all there are. */
export function namespacesAsked({ caller }: FastifyRequest, named: string | undefined): readonly string[] | undefined {
  return named === undefined ? caller?.namespaces : [named]
}

/** Throws FORBIDDEN when one of these environments is none of the caller's. */
export function checkEnvironments({ caller }: FastifyRequest, environments: readonly string[]): void {
  const outside = caller?.environments && environments.find((name) => !caller.environments?.includes(name))
  if (outside === undefined) return
  const message = `The request is about the environment ${outside}, and the key is confined to ${caller?.environments?.join(', ')}.`
  throw new FlagsError('FORBIDDEN', message)
}

/** Whether everything that `inner` allows is allowed by `outer` as well. */
export function isWithin(inner: Confinement, outer: Confinement): boolean {
  const covers = (wide: readonly string[] | undefined, narrow: readonly string[] | undefined) =>
    wide === undefined || (narrow?.every((name) => wide.includes(name)) ?? false)
  return covers(outer.namespaces, inner.namespaces) && covers(outer.environments, inner.environments)
}
