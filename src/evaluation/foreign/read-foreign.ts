import type { z } from 'zod'
import { FlagsError, type InputFault } from '../../base/errors.ts'
import { jsonDepthMax } from '../../base/limits.ts'
import { shapeFaults } from '../shape-faults.ts'
import { findIllFormed } from '../well-formed.ts'

/** A flag or segment made of a foreign one, as people would send it to us: nobody has checked it yet. */
export interface Translated {
  /** Where what it was made of stands in the foreign document. */
  readonly origin: string
  readonly definition: Readonly<Record<string, unknown>>
}

/** What a foreign document says, in our words. */
export interface TranslatedDocument {
  readonly flags: readonly Translated[]
  readonly segments: readonly Translated[]
}

/** Checks the shape of a foreign document. Throws FlagsError MALFORMED with the path of each fault. `noun` says what it should be. */
export function readForeign<Schema extends z.ZodType>(schema: Schema, body: unknown, noun: string): z.infer<Schema> {
  const illFormed = findIllFormed(body, jsonDepthMax)
  const result = illFormed ? undefined : schema.safeParse(body)
  if (result?.success) return result.data
  const faults = illFormed ? [illFormed] : shapeFaults(result?.error)
  throw new FlagsError('MALFORMED', `This is not ${noun}; nothing was imported. Mend it and import it again.`, {
    faults,
  })
}

/** Throws FlagsError INVALID if there are faults: what has the right shape, and yet we cannot import so that it means the same. */
export function refuseFaults(faults: readonly InputFault[]): void {
  if (faults.length === 0) return
  throw new FlagsError('INVALID', 'The document has faults; nothing was imported. Mend them and import it again.', {
    faults,
  })
}
