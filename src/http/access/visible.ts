import type { FastifyRequest } from 'fastify'
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

/** Whether everything that `inner` allows is allowed by `outer` as well. */
export function isWithin(inner: Confinement, outer: Confinement): boolean {
  const covers = (wide: readonly string[] | undefined, narrow: readonly string[] | undefined) =>
    wide === undefined || (narrow?.every((name) => wide.includes(name)) ?? false)
  return covers(outer.namespaces, inner.namespaces) && covers(outer.environments, inner.environments)
}
