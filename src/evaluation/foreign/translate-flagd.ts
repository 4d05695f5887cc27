import type { InputFault } from '../../base/errors.ts'
import type { FlagType, Json } from '../model.ts'
import { joinPath, withoutUndefined } from '../well-formed.ts'
import { type FlagdDocument, type FlagdFlag, flagdDocument, resolveReferences } from './flagd-document.ts'
import { rulesOf } from './flagd-targeting.ts'
import { readForeign, refuseFaults, type Translated, type TranslatedDocument } from './read-foreign.ts'

/**
 * Our flags for a document of flagd (https://flagd.dev/schema/v0/flags.json), every context getting the variant that flagd gives it.
 *
 * | flagd | here |
 * |---|---|
 * | `state` | `enabled`; there is no off variation, so a disabled flag gives the caller's default |
 * | `variants` | `variations` |
 * | `targeting` | `rules`; in our own conditions, weights and algorithm `flagd` where they mean exactly the same, else in JsonLogic |
 * | `defaultVariant` | `fallthrough`; without one the caller's default |
 * | `metadata`, the document's and the flag's | `metadata` |
 * | `$evaluators` | are put where they are named |
 *
 * Texts that are not ASCII are hashed as UTF-8, as the flagd server does and the specification says (flagd-core for JavaScript does not).
 *
 * Throws FlagsError MALFORMED or INVALID with the path of each fault.
 */
export function translateFlagd(body: unknown): TranslatedDocument {
  const document = readForeign(flagdDocument, body, 'a document of flagd: {"flags": {KEY: {"state", "variants", …}}}')
  const faults: InputFault[] = []
  const flags = Object.entries(document.flags).map(([key, flag]) => translateFlag(key, flag, document, faults))
  refuseFaults(faults)
  return { flags, segments: [] }
}

function translateFlag(key: string, flag: FlagdFlag, document: FlagdDocument, faults: InputFault[]): Translated {
  const { state, description, variants, defaultVariant, targeting } = flag
  const origin = joinPath('flags', key)
  const { $evaluators = {} } = document
  const metadata = { ...document.metadata, ...flag.metadata }
  const expression = isNothing(targeting)
    ? null
    : resolveReferences(targeting, $evaluators, `${origin}.targeting`, faults)
  const definition = withoutUndefined({
    key,
    type: typeOf(Object.values(variants)),
    description,
    metadata: Object.keys(metadata).length > 0 ? metadata : undefined,
    variations: variants,
    enabled: state === 'ENABLED',
    rules: expression === null ? undefined : rulesOf(expression),
    fallthrough: defaultVariant ? { variation: defaultVariant } : undefined,
  })
  return { origin, definition }
}

/** flagd takes `{}`, and whatever else has no properties, for no targeting. */
function isNothing(targeting: Json | undefined): targeting is null | undefined {
  return !targeting || Object.keys(targeting).length === 0
}

function typeOf(values: readonly Json[]): FlagType {
  const [type, ...others] = new Set(values.map((value) => typeof value))
  if (others.length > 0) return 'json'
  return type === 'boolean' || type === 'string' || type === 'number' ? type : 'json'
}
