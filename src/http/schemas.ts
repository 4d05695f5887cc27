import { z } from 'zod'
import { keyCharactersMax, pageFlagsMax, reasonCharactersMax } from '../base/limits.ts'

/** Characters of a flag, segment, namespace or environment key. */
export const key = z
  .string()
  .regex(/^[A-Za-z0-9._\-/:]+$/, 'must be letters, digits, and . _ - / :')
  .max(keyCharactersMax, `must have at most ${keyCharactersMax} characters`)

export const namespace = key.default('default').describe('Which set of flags')
export const environment = key.default('default').describe('Which environment of the flags')

/** A moment as RFC 3339, taken as milliseconds since 1970. */
export const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))

/** Why somebody changes something, for the history. */
export const reason = z.string().max(reasonCharactersMax).optional()

/** Names the subject. A number is taken as its digits, as `String` writes them. */
export const subject = z.union([z.string(), z.number().transform(String)], 'must be a string or a number')

/** An evaluation context as JSON. Its size is checked by `checkContext`. */
export const context = z.looseObject({ targetingKey: subject.optional() })

/** The path of a thing. Any text may be asked for; what cannot be a key is not found. */
export const keyParams = z.object({ key: z.string() })

/** What the query of a list has to do with pages. */
export const pageFields = {
  prefix: z.string().optional().describe('Only keys that start so'),
  limit: z.coerce.number().int().min(1).max(pageFlagsMax).optional(),
  cursor: z.string().optional().describe('The nextCursor of the page before'),
}

export const ackFields = {
  ack: z.enum(['one', 'majority', 'all']).optional().describe('Wait for peers that have it on disk too'),
  timeoutMs: z.coerce
    .number()
    .int()
    .min(0)
    .max(60_000)
    .default(500)
    .describe('How long to wait for them, in milliseconds'),
}

/** Query of a write. */
export const writeQuery = z.strictObject({ namespace, ...ackFields })
export type WriteQuery = z.infer<typeof writeQuery>

export const scopeFields = { namespace, environment }
/** Query of a read that depends on the environment. */
export const scopeQuery = z.strictObject(scopeFields)
export type Scope = z.infer<typeof scopeQuery>

/** `?explain=true` */
export const explainFlag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true')
  .describe('Tell how the answer came about')
