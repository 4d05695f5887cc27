import { FlagsError, type InputFault } from '../base/errors.ts'
import { refuseFaults, type Translated, type TranslatedDocument } from '../evaluation/foreign/read-foreign.ts'
import { translateFlagd } from '../evaluation/foreign/translate-flagd.ts'
import { translateUnleash } from '../evaluation/foreign/translate-unleash.ts'
import { parseFlag, parseSegment } from '../evaluation/parse.ts'

const translators = { flagd: translateFlagd, unleash: translateUnleash } satisfies Record<
  string,
  (body: unknown) => TranslatedDocument
>

/** Formats of other servers that an import takes. */
export type ForeignFormat = keyof typeof translators

/**
 * Turns a document of another server into ours, so that everyone keeps the variation that they had there. Throws FlagsError MALFORMED or
 * INVALID; every fault has its path in the document as it was sent.
 */
export function foreignToDocument(
  format: ForeignFormat,
  body: unknown,
  namespace: string,
): { readonly flags: unknown[]; readonly segments: unknown[] } {
  const { flags, segments } = translators[format](body)
  const faults: InputFault[] = []
  const document = {
    flags: flags.map((flag) => checked(flag, namespace, parseFlag, faults)),
    segments: segments.map((segment) => checked(segment, namespace, parseSegment, faults)),
  }
  refuseFaults(faults)
  return document
}

/** Checked here already: later, a fault could only say where it stands in our form, which nobody has seen. */
function checked(
  { origin, definition }: Translated,
  namespace: string,
  parse: (namespace: string, body: unknown) => unknown,
  faults: InputFault[],
): unknown {
  try {
    parse(namespace, definition)
  } catch (error) {
    if (!(error instanceof FlagsError)) throw error
    for (const { path, message } of error.faults) faults.push({ path: origin, message: `(here ${path}) ${message}` })
  }
  return { ...definition, namespace }
}
