import { z } from 'zod'
import type { InputFault } from '../../base/errors.ts'
import { flagBytesMax, referenceDepthMax } from '../../base/limits.ts'
import type { Json } from '../model.ts'
import { joinPath } from '../well-formed.ts'

const json = z.unknown() as z.ZodType<unknown> as z.ZodType<Json>
const metadata = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))

/** What flagd reads of a flag (https://flagd.dev/schema/v0/flags.json); what it ignores, we ignore. */
const flagdFlag = z.object({
  state: z.enum(['ENABLED', 'DISABLED']),
  description: z.string().optional(),
  variants: z.record(z.string(), json),
  defaultVariant: z.string().nullish(),
  targeting: json.optional(),
  metadata: metadata.optional(),
})

export const flagdDocument = z.object({
  flags: z.record(z.string(), flagdFlag),
  $evaluators: z.record(z.string(), json).optional(),
  metadata: metadata.optional(),
})

export type FlagdFlag = z.infer<typeof flagdFlag>
export type FlagdDocument = z.infer<typeof flagdDocument>

/**
 * Puts in the place of each `{"$ref": "name"}` the evaluator of that name. Evaluators may name others, but not in a circle; and what
 * comes of it may be no larger than a flag.
 */
export function resolveReferences(
  expression: Json,
  evaluators: Readonly<Record<string, Json>>,
  path: string,
  faults: InputFault[],
): Json {
  let room = flagBytesMax
  const wrong = new Map<string, InputFault>()

  function resolve(part: Json, at: string, depth: number): Json {
    room--
    if (room < 0 || typeof part !== 'object' || part === null) return part
    if (Array.isArray(part)) return part.map((item, index) => resolve(item, `${at}[${index}]`, depth))
    const { $ref, ...others } = part
    if (typeof $ref === 'string' && Object.keys(others).length === 0) return follow($ref, at, depth + 1)
    return Object.fromEntries(
      Object.entries(part).map(([name, inner]) => [name, resolve(inner, joinPath(at, name), depth)]),
    )
  }

  function follow(name: string, at: string, depth: number): Json {
    const known = Object.hasOwn(evaluators, name) ? evaluators[name] : undefined
    if (known !== undefined && depth <= referenceDepthMax) return resolve(known, joinPath('$evaluators', name), depth)
    const why = known === undefined ? 'which does not exist' : 'from which evaluators lead on in a circle or too far'
    // Once for each name: a fault in an evaluator that is named everywhere would be told without end.
    if (!wrong.has(name)) wrong.set(name, { path: at, message: `names the evaluator "${name}", ${why}` })
    return null
  }

  const resolved = resolve(expression, path, 0)
  if (room < 0) wrong.set('', { path, message: 'becomes too large when its evaluators are put in their places' })
  faults.push(...wrong.values())
  return resolved
}
