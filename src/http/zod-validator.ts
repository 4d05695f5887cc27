import type { FastifySchemaCompiler } from 'fastify'
import type { z } from 'zod'
import { FlagsError } from '../base/errors.ts'
import { shapeFaults } from '../evaluation/shape-faults.ts'

/** What paths of faults start with, by the part of the request that they are in. */
const prefixes: Readonly<Record<string, string>> = {
  body: '',
  querystring: 'query',
  params: 'path',
  headers: 'headers',
}

/** Lets a route's zod schemas check its requests; what they refuse is MALFORMED, each fault with its path. */
export const zodValidator: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  const prefix = prefixes[httpPart ?? 'body'] ?? ''
  return (data) => {
    const result = schema.safeParse(data)
    return result.success ? { value: result.data } : { error: malformed(result.error, prefix) }
  }
}

/** `data` as the schema has it. Throws MALFORMED. */
export function parsed<S extends z.ZodType>(schema: S, data: unknown): z.infer<S> {
  const result = schema.safeParse(data)
  if (!result.success) throw malformed(result.error, '')
  return result.data
}

function malformed(error: z.ZodError, prefix: string): FlagsError {
  const faults = shapeFaults(error).map(({ path, message }) => ({ path: below(prefix, path), message }))
  const [first] = faults
  return new FlagsError('MALFORMED', `${first?.path || 'The body'}: ${first?.message ?? 'has the wrong shape'}.`, {
    faults,
  })
}

function below(prefix: string, path: string): string {
  return prefix === '' || path === '' || path.startsWith('[') ? prefix + path : `${prefix}.${path}`
}
