import { z } from 'zod'
import type { InputFault } from '../../base/errors.ts'
import { flagBytesMax } from '../../base/limits.ts'
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

  function resolve(part: Json, at: string, within: readonly string[]): Json {
    room--
    if (room < 0 || typeof part !== 'object' || part === null) return part
    if (Array.isArray(part)) return part.map((item, index) => resolve(item, `${at}[${index}]`, within))
    const { $ref, ...others } = part
    if (typeof $ref === 'string' && Object.keys(others).length === 0) return follow($ref, at, within)
    return Object.fromEntries(
      Object.entries(part).map(([name, inner]) => [name, resolve(inner, joinPath(at, name), within)]),
    )
  }

  function follow(name: string, at: string, within: readonly string[]): Json {
    const known = Object.hasOwn(evaluators, name) ? evaluators[name] : undefined
    if (known === undefined) faults.push({ path: at, message: `names the evaluator "${name}", which does not exist` })
    else if (!within.includes(name)) return resolve(known, at, [...within, name])
    else faults.push({ path: at, message: `names the evaluator "${name}", which names itself in a circle` })
    return null
  }

  const resolved = resolve(expression, path, [])
  if (room < 0) faults.push({ path, message: 'becomes too large when its evaluators are put in their places' })
  return resolved
}
