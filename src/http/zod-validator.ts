import type { FastifySchemaCompiler } from 'fastify'
import type { z } from 'zod'
import { FlagsError, type InputFault } from '../base/errors.ts'

const wherePrefix: Readonly<Record<string, string>> = {
  body: '',
  querystring: 'query',
  params: 'path',
  headers: 'headers',
}

/** Lets a route's zod schemas check its requests; what they refuse is MALFORMED, each fault with its path. */
export const zodValidator: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  const prefix = wherePrefix[httpPart ?? 'body'] ?? ''
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
  const faults = error.issues.flatMap((issue) => faultsOf(issue, prefix))
  const [first] = faults
  const detail = first ? `${first.path || 'The body'}: ${first.message}` : 'The request has the wrong shape.'
  return new FlagsError('MALFORMED', detail, { faults })
}

function faultsOf(issue: z.core.$ZodIssue, prefix: string): InputFault[] {
  const at = pathText(issue.path, prefix)
  if (issue.code !== 'unrecognized_keys') return [{ path: at, message: issue.message }]
  return issue.keys.map((key) => ({ path: pathText([key], at), message: 'is not known here' }))
}

/** `rules[0].serve.variation` from a list of names and indexes. */
function pathText(path: readonly PropertyKey[], prefix: string): string {
  let text = prefix
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else text += text === '' ? String(part) : `.${String(part)}`
  }
  return text
}
