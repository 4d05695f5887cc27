import { FlagsError } from '../base/errors.ts'
import { contextAttributesMax, contextBytesMax, contextDepthMax } from '../base/limits.ts'
import type { EvaluationContext } from '../evaluation/model.ts'

/**
 * Returns the context unless it goes over a limit: then throws LIMIT_EXCEEDED. One walk that stops at the first limit;
 * bytes are counted as UTF-16 units of names and texts, 8 for anything else, which is close enough for a limit.
 */
export function checkContext(context: Record<string, unknown>): EvaluationContext {
  let attributes = 0
  let bytes = 0

  function visit(value: unknown, levelsLeft: number): void {
    if (typeof value === 'string') bytes += value.length
    else if (typeof value !== 'object' || value === null) bytes += 8
    else {
      if (levelsLeft === 0) throw tooMuch(`nests deeper than ${contextDepthMax} levels`)
      const members = value as Record<string, unknown>
      for (const name in members) {
        if (++attributes > contextAttributesMax) throw tooMuch(`has more than ${contextAttributesMax} attributes`)
        bytes += name.length
        visit(members[name], levelsLeft - 1)
      }
    }
    if (bytes > contextBytesMax) throw tooMuch(`is larger than ${contextBytesMax} bytes`)
  }

  visit(context, contextDepthMax)
  return context
}

function tooMuch(what: string): FlagsError {
  return new FlagsError('LIMIT_EXCEEDED', `The context ${what}. Send what the rules need.`, {
    faults: [{ path: 'context', message: what }],
  })
}

/** Query parameters as the parser gives them: a repeated name is a list. */
export type Query = Readonly<Record<string, string | readonly string[]>>

/** Parameters that are not attributes of the context. */
const notAttributes: ReadonlySet<string> = new Set(['user_id', 'namespace', 'environment', 'default'])

/**
 * The context of an evaluation by GET: `user_id` is the targeting key, everything else but the reserved names an attribute.
 * It has no prototype, so that `__proto__` and `constructor` are attributes like any other.
 */
export function contextFromQuery(query: Query): EvaluationContext {
  const context: Record<string, unknown> = Object.create(null)
  let attributes = 0
  for (const name in query) {
    if (++attributes > contextAttributesMax) throw tooMuch(`has more than ${contextAttributesMax} attributes`)
    if (!notAttributes.has(name)) context[name] = query[name]
  }
  const userId = single(query, 'user_id') ?? single(query, 'targetingKey')
  if (userId !== undefined) context.targetingKey = userId
  return context
}

/** A parameter that may be given once. Throws MALFORMED when it is repeated. */
export function single(query: Query, name: string): string | undefined {
  const value = query[name]
  if (value === undefined || typeof value === 'string') return value
  throw new FlagsError('MALFORMED', `The parameter ${name} is given more than once.`, {
    faults: [{ path: `query.${name}`, message: 'is given more than once' }],
  })
}
