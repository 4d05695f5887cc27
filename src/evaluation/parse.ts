import type { z } from 'zod'
import { FlagsError, type InputFault } from '../base/errors.ts'
import { flagBytesMax, jsonDepthMax, segmentBytesMax } from '../base/limits.ts'
import { compileDecision } from './compile.ts'
import { anythingGoes, newCompilation } from './compiling.ts'
import type { EnvironmentSettings, FlagDefinition, Json, Rule, SegmentDefinition, Targeting } from './model.ts'
import { percentageServe } from './percentage.ts'
import { type FlagDocument, flagDocumentSchema, segmentDocumentSchema } from './schema.ts'
import { compileSegment, noFlagsInSegments } from './segments.ts'
import { defaultEnvironment, pickTargeting } from './settings.ts'
import { shapeFaults } from './shape-faults.ts'
import { findIllFormed, joinPath, withoutUndefined } from './well-formed.ts'

/**
 * A flag from what somebody sent: parsed JSON that nobody has checked yet. Throws FlagsError MALFORMED for a wrong shape and INVALID for
 * what makes no sense by itself; both name every fault by its path. Whether the things it names exist is checkReferences' to say.
 *
 * What may be left out: `type` is boolean. Without `variations` they are `on` (true) and `off` (false), with `off` as the off
 * variation and `on` as the fallthrough. `enabled` is false, because a new flag should change nothing until someone switches it on;
 * but true when `rolloutPercentage` says who shall have it.
 */
export function parseFlag(namespace: string, body: unknown): FlagDefinition {
  const document = checkShape(flagDocumentSchema, body, 'flag')
  const faults = commonFaults(namespace, document, flagBytesMax)
  const definition = toDefinition(namespace, document, faults)
  throwInvalid('flag', document.key, [...faults, ...flagFaults(definition)])
  return definition
}

/** A segment from what somebody sent; throws as parseFlag does. */
export function parseSegment(namespace: string, body: unknown): SegmentDefinition {
  const document = checkShape(segmentDocumentSchema, body, 'segment')
  const { key, description, included, excluded, if: condition } = document
  const definition: SegmentDefinition = { key, namespace, description, included, excluded, if: condition }
  const compilation = newCompilation({ ...anythingGoes, ...noFlagsInSegments })
  compileSegment(definition, compilation)
  throwInvalid('segment', key, [...commonFaults(namespace, document, segmentBytesMax), ...compilation.faults])
  return withoutUndefined(definition)
}

function checkShape<Schema extends z.ZodType>(schema: Schema, body: unknown, noun: string): z.infer<Schema> {
  const illFormed = findIllFormed(body, jsonDepthMax)
  const result = illFormed ? undefined : schema.safeParse(body)
  if (result?.success) return result.data
  const faults = illFormed ? [illFormed] : shapeFaults(result?.error)
  const [first] = faults
  throw new FlagsError(
    'MALFORMED',
    `The ${noun} has the wrong shape: ${first?.path ?? ''} ${first?.message ?? ''}. Nothing was stored.`,
    { faults },
  )
}

function throwInvalid(noun: string, key: string, faults: readonly InputFault[]): void {
  const [first] = faults
  if (!first) return
  const message = `The ${noun} "${key}" makes no sense: ${first.path} ${first.message}. Nothing was stored.`
  throw new FlagsError('INVALID', message, { faults })
}

function commonFaults(namespace: string, document: { namespace?: string }, bytesMax: number): InputFault[] {
  const faults: InputFault[] = []
  if (document.namespace !== undefined && document.namespace !== namespace) {
    faults.push({ path: 'namespace', message: `is "${document.namespace}", but the request is about "${namespace}"` })
  }
  const bytes = new TextEncoder().encode(JSON.stringify(document)).length
  if (bytes > bytesMax)
    faults.push({ path: '', message: `is ${bytes} bytes of JSON, more than the limit of ${bytesMax}` })
  return faults
}

function toDefinition(namespace: string, document: FlagDocument, faults: InputFault[]): FlagDefinition {
  const { key, type = 'boolean', description, tags, owner, metadata, enabled } = document
  const variations: Readonly<Record<string, Json>> = document.variations ?? { on: true, off: false }
  const defaults: Targeting = document.variations ? {} : { offVariation: 'off', fallthrough: { variation: 'on' } }
  const top = expand(document, defaults, '', variations, faults)
  const environments = Object.entries(document.environments ?? {}).map(
    ([name, settings]): [string, EnvironmentSettings] => {
      const at = joinPath('environments', name)
      if (name === defaultEnvironment)
        faults.push({ path: at, message: 'is not needed: the top level of the flag is this environment' })
      const { offVariation = top.offVariation, fallthrough = top.fallthrough } = settings
      const targeting = expand(settings, {}, at, variations, faults, { offVariation, fallthrough })
      return [name, withoutUndefined({ enabled: settings.enabled, ...targeting })]
    },
  )
  return withoutUndefined({
    key,
    namespace,
    type,
    description,
    tags,
    owner,
    metadata,
    variations,
    enabled: enabled ?? percentageOf(document) !== undefined,
    ...top,
    environments: document.environments && Object.fromEntries(environments),
  })
}

type ShortForms = Pick<FlagDocument, 'rolloutPercentage' | 'rollout_percentage'>

function percentageOf({ rolloutPercentage, rollout_percentage }: ShortForms): number | undefined {
  return rolloutPercentage ?? rollout_percentage
}

/** The targeting of a holder with its defaults, the short form written out. `inForce` is what holds where it says nothing. */
function expand(
  holder: Targeting & ShortForms,
  defaults: Targeting,
  at: string,
  variations: FlagDefinition['variations'],
  faults: InputFault[],
  inForce: Targeting = { ...defaults, ...pickTargeting(holder) },
): Targeting {
  const targeting = { ...defaults, ...pickTargeting(holder) }
  const percentage = percentageOf(holder)
  if (percentage === undefined) return targeting
  const fallthrough = percentageServe(percentage, Object.keys(variations), inForce)
  if (typeof fallthrough !== 'string') return { ...targeting, fallthrough }
  faults.push({ path: at === '' ? 'rolloutPercentage' : `${at}.rolloutPercentage`, message: fallthrough })
  return targeting
}

/** What makes no sense in any of the environments; what they inherit counts once. */
function flagFaults(definition: FlagDefinition): InputFault[] {
  const environments = [defaultEnvironment, ...Object.keys(definition.environments ?? {})]
  const faults = new Map<string, InputFault>()
  for (const environment of environments) {
    const compilation = newCompilation(anythingGoes, definition.key)
    compileDecision(definition, environment, compilation)
    for (const fault of compilation.faults) faults.set(`${fault.path} ${fault.message}`, fault)
  }
  const ids = ruleIdFaults(definition.rules, 'rules')
  for (const [name, { rules }] of Object.entries(definition.environments ?? {}))
    ids.push(...ruleIdFaults(rules, `${joinPath('environments', name)}.rules`))
  return [...faults.values(), ...ids]
}

function ruleIdFaults(rules: readonly Rule[] = [], at: string): InputFault[] {
  const seen = new Set<string>()
  return rules.flatMap(({ id }, index) => {
    if (id === undefined || !seen.has(id)) {
      if (id !== undefined) seen.add(id)
      return []
    }
    return [{ path: `${at}[${index}].id`, message: `"${id}" is the id of an earlier rule` }]
  })
}
