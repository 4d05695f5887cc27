import type { FastifyRequest } from 'fastify'
import { FlagsError } from '../../base/errors.ts'
import type { Confinement } from '../../catalog/ports.ts'
import { type Query, single } from '../context.ts'
import type { Access, Reach } from './table.ts'

/**
 * Keeps a caller within the namespaces and environments of its key, before anything but the URL has been looked at. What the
 * request leaves out is filled in where the key leaves only one choice. Throws FORBIDDEN; MALFORMED for a repeated parameter.
 */
export function confine(request: FastifyRequest, access: Access, { namespaces, environments }: Confinement): void {
  if (namespaces) limit(request, 'namespace', access.namespace, namespaces)
  if (environments) limit(request, 'environment', access.environment, environments)
}

function limit(
  request: FastifyRequest,
  name: 'namespace' | 'environment',
  reach: Reach,
  allowed: readonly string[],
): void {
  if (reach === 'none') return
  if (reach === 'whole') throw outside(`This tells of every ${name}`, name, allowed)
  const query = request.query as Record<string, Query[string]>
  // The usual evaluation, of which all that follows would be half of what its key costs: what is left out means `default`.
  if (reach === 'default' && allowed[0] === 'default' && query[name] === undefined) return
  const named = single(query, name) ?? (reach === 'header' ? headerOf(request, name) : undefined)
  if (named === undefined && reach === 'all' && allowed.length > 1) return
  const meant = named ?? (allowed.length === 1 ? (allowed[0] as string) : 'default')
  if (!allowed.includes(meant)) throw outside(`The request is about the ${name} ${meant}`, name, allowed)
  // So that the route takes what was checked, and not what it would find by rules of its own.
  if (query[name] !== meant) query[name] = meant
}

function outside(what: string, name: string, allowed: readonly string[]): FlagsError {
  return new FlagsError('FORBIDDEN', `${what}, and the key is confined to the ${name} ${allowed.join(', ')}.`)
}

/** The header by which OpenFeature providers name it. */
function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[`flags-${name}`]
  return typeof value === 'string' ? value : undefined
}
