import type { FastifyRequest } from 'fastify'
import { environmentOf } from '../catalog/confinement.ts'
import type { LogEntry } from '../catalog/log-entry.ts'
import type { Catalog } from '../catalog/ports.ts'
import { visibleTo } from './access/visible.ts'

/** A change in one line of a history. */
export function summaryOf({ version, at, actor, node, change, reason, requestId, conflict }: LogEntry): object {
  return { version, at, actor, node, change, reason, requestId, conflict: conflict || undefined }
}

/** A change whole: what was there before and after it, as far as the caller may see it. */
export function wholeOf(request: FastifyRequest, log: Catalog['log'], entry: LogEntry): object {
  const { namespace, noun, key, registers, before, after } = entry
  return {
    ...summaryOf(entry),
    ...(namespace !== '' && { namespace }),
    kind: noun,
    key,
    registers: registers.filter((name) => isVisible(name)),
    beforeVersion: before,
    before: shown(log.definitionBefore(entry)),
    after: shown(after),
  }

  function isVisible(register: string): boolean {
    const environment = environmentOf(register)
    return environment === undefined || (request.caller?.environments?.includes(environment) ?? true)
  }

  function shown(definition: unknown): unknown {
    return typeof definition === 'object' && definition !== null ? visibleTo(request, definition) : null
  }
}
