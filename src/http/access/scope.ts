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
  const confinement = `the key is confined to the ${name} ${allowed.join(', ')}`
  if (reach === 'whole') throw new FlagsError('FORBIDDEN', `This tells of every ${name}, and ${confinement}.`)
  const query = request.query as Record<string, Query[string]>
  const named = single(query, name) ?? (reach === 'header' ? headerOf(request, name) : undefined)
  const [only, ...others] = allowed
  if (named === undefined && reach === 'all' && others.length > 0) return
  const meant = named ?? (others.length === 0 ? only : undefined) ?? 'default'
  if (!allowed.includes(meant))
    throw new FlagsError('FORBIDDEN', `The request is about the ${name} ${meant}, and ${confinement}.`)
  // So that the route takes what was checked, and not what it would find by rules of its own.
  query[name] = meant
}

/** The header by which OpenFeature providers name it. */
function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[`flags-${name}`]
  return typeof value === 'string' ? value : undefined
}
