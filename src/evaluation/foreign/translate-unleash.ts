import type { InputFault } from '../../base/errors.ts'
import type { Condition, Prerequisite, Rule, Serve } from '../model.ts'
import { withoutUndefined } from '../well-formed.ts'
import { weightsOfParts } from './parts.ts'
import { readForeign, refuseFaults, type Translated, type TranslatedDocument } from './read-foreign.ts'
import { allOf, always, attributeOf, constraintCondition, equals } from './unleash-conditions.ts'
import {
  type Located,
  stateOf,
  type UnleashDependency,
  type UnleashFeature,
  type UnleashSegment,
  type UnleashState,
  type UnleashStrategy,
  type UnleashVariant,
  unleashDocument,
} from './unleash-document.ts'
import { bucketByOf, parametersOf, segmentKey, shareRollout, strategyCondition } from './unleash-strategies.ts'
import { off, on, UnleashVariations } from './unleash-variations.ts'

/**
 * Our flags and segments for what Unleash tells its clients, every context getting what Unleash gives it.
 *
 * | Unleash | here |
 * |---|---|
 * | context: `userId`; other fields and `properties` | `targetingKey`; attributes of the same names |
 * | feature `enabled` | `enabled` |
 * | strategy | a rule, or several where variants have overrides; the last one, if it asks nothing or a mere share, is the fallthrough |
 * | constraint | a condition; with an operator `unleash:…` where none of ours means the same |
 * | percentage of a strategy | the condition `bucket`, or a rollout, of the algorithm `unleash` |
 * | segment | the segment `unleash:ID` |
 * | variants | variations, see UnleashVariations; a rollout of the algorithm `unleashVariants` |
 * | dependency | prerequisite; one that Unleash never takes for satisfied is a first rule that serves `off` to all |
 * | `project`, `type`, `stale` | tags |
 *
 * Texts that are not ASCII are hashed as UTF-8, as most of Unleash's clients do (the one for Node does not).
 *
 * Throws FlagsError MALFORMED or INVALID with the path of each fault.
 */
export function translateUnleash(body: unknown): TranslatedDocument {
  const state = stateOf(
    readForeign(unleashDocument, body, 'a document of Unleash: {"features": [{"name", "enabled", …}]}'),
  )
  const faults: InputFault[] = []
  const variations = new Map([...state.features].map(([name, { thing }]) => [name, new UnleashVariations(thing)]))
  const translation: Translation = { state, variations, faults }
  const flags = [...state.features.values()].map((feature) => translateFeature(feature, translation))
  refuseFaults(faults)
  return { flags, segments: [...state.segments.values()].map(translateSegment) }
}

interface Translation {
  readonly state: UnleashState
  readonly variations: ReadonlyMap<string, UnleashVariations>
  readonly faults: InputFault[]
}

function translateSegment({ thing, origin }: Located<UnleashSegment>): Translated {
  const { id, name, constraints } = thing
  const condition = allOf((constraints ?? []).map(constraintCondition))
  return {
    origin,
    definition: withoutUndefined({ key: segmentKey(id), description: name ?? undefined, if: condition }),
  }
}

function translateFeature({ thing, origin }: Located<UnleashFeature>, translation: Translation): Translated {
  const { name, description, enabled, dependencies } = thing
  const variations = translation.variations.get(name) as UnleashVariations
  const { prerequisites, unsatisfied } = translateDependencies(dependencies ?? [], translation)
  const { rules, fallthrough } = endWithFallthrough([
    ...unsatisfied,
    ...strategiesOf(thing).flatMap((strategy, index) =>
      strategyRules(strategy, thing, variations, `${origin}.strategies[${index}]`, translation),
    ),
  ])
  const definition = withoutUndefined({
    key: name,
    type: variations.type,
    description: description ?? undefined,
    tags: tagsOf(thing),
    variations: variations.toJson(),
    enabled,
    offVariation: off,
    prerequisites: prerequisites.length > 0 ? prerequisites : undefined,
    rules: rules.length > 0 ? rules : undefined,
    fallthrough,
  })
  return { origin, definition }
}

/** A feature with an empty list of strategies is enabled for everybody, one with no list for nobody. */
function strategiesOf({ strategies }: UnleashFeature): readonly UnleashStrategy[] {
  if (!strategies) return []
  return strategies.length === 0 ? [{ name: 'default' }] : strategies
}

function tagsOf({ project, type, stale }: UnleashFeature): string[] {
  return [...(project ? [`project:${project}`] : []), ...(type ? [`type:${type}`] : []), ...(stale ? ['stale'] : [])]
}

/** Unleash asks a parent that has parents itself in vain, and one that does not exist as well. */
function translateDependencies(dependencies: readonly UnleashDependency[], { state, variations }: Translation) {
  const prerequisites: Prerequisite[] = []
  const unsatisfied: Rule[] = []
  for (const { feature: flag, enabled, variants } of dependencies) {
    const parent = variations.get(flag)
    const askable = parent && !state.features.get(flag)?.thing.dependencies?.length
    const wanted = askable ? wantedOf(parent, enabled ?? true, variants ?? []) : []
    if (wanted.length > 0) prerequisites.push({ flag, variations: wanted })
    else {
      const description = `Depends on "${flag}", which cannot be as it should`
      unsatisfied.push({ description, if: always, serve: { variation: off } })
    }
  }
  return { prerequisites, unsatisfied }
}

function wantedOf(parent: UnleashVariations, enabled: boolean, variants: readonly string[]): string[] {
  if (!enabled) return [off]
  return variants.length > 0 ? parent.named(variants) : parent.enabled()
}

/** The rules that give what a strategy gives: the variants of its own, or else of its feature, or else just `on`. */
function strategyRules(
  strategy: UnleashStrategy,
  feature: UnleashFeature,
  variations: UnleashVariations,
  origin: string,
  { state, faults }: Translation,
): Rule[] {
  const condition = strategyCondition(strategy, state.segments)
  const described = strategy.title ? { description: strategy.title } : {}
  const choice = choiceOf(strategy, feature)
  const serve = serveOf(choice, variations)
  if (!serve) {
    faults.push({
      path: `${origin}.variants`,
      message: 'have weights that sum to more than 10,000, and Unleash makes 1,000',
    })
    return []
  }
  return [...overrideRules(condition, choice.variants, variations), { ...described, if: condition, serve }]
}

/** Among which variants is chosen, and how. */
interface Choice {
  readonly variants: readonly UnleashVariant[]
  readonly salt: string
  readonly stickiness: string
}

/** A strategy chooses among its own variants if they have any weight. A group that is missing Unleash writes as the word `undefined`. */
function choiceOf(strategy: UnleashStrategy, feature: UnleashFeature): Choice {
  const { variants, parameters } = strategy
  if (!variants?.some(({ weight }) => weight > 0)) {
    const shared = feature.variants ?? []
    return { variants: shared, salt: feature.name, stickiness: shared[0]?.stickiness ?? 'default' }
  }
  const inherited = parameters?.stickiness === undefined ? 'default' : parametersOf(strategy)('stickiness')
  return { variants, salt: String(parameters?.groupId), stickiness: variants[0]?.stickiness || inherited }
}

/** Overrides count only where there are weights. */
function overrideRules(
  condition: Condition,
  variants: readonly UnleashVariant[],
  variations: UnleashVariations,
): Rule[] {
  if (variants.every(({ weight }) => weight === 0)) return []
  return variants.flatMap((variant) => {
    const overrides = (variant.overrides ?? []).filter(({ values }) => values.length > 0)
    if (overrides.length === 0) return []
    const any = overrides.map(({ contextName, values }) => equals(attributeOf(contextName), values))
    return [{ if: { all: [condition, { any }] }, serve: { variation: variations.nameOf(variant) } }]
  })
}

/** undefined where the weights are too many to be told apart. */
function serveOf({ variants, salt, stickiness }: Choice, variations: UnleashVariations): Serve | undefined {
  const weighed = variants.filter(({ weight }) => weight > 0)
  const [first, ...others] = weighed
  if (!first) return { variation: on }
  if (others.length === 0) return { variation: variations.nameOf(first) }
  const found = weightsOfParts(
    weighed.map((variant) => ({ variation: variations.nameOf(variant), parts: variant.weight })),
  )
  if (!found) return undefined
  const { weights, parts: buckets } = found
  // An empty name of an attribute is no attribute's: Unleash draws lots then.
  const bucketBy = bucketByOf(stickiness || 'random')
  const bucketing = bucketBy === undefined ? { salt, buckets } : { bucketBy, salt, buckets }
  return { rollout: { algorithm: 'unleashVariants', ...bucketing, weights } }
}

/** Whom no strategy enables gets `off`. A last rule that leaves nobody to it is better said as the fallthrough. */
function endWithFallthrough(rules: readonly Rule[]): { readonly rules: readonly Rule[]; readonly fallthrough: Serve } {
  const last = rules.at(-1)
  const others = rules.slice(0, -1)
  if (last && 'all' in last.if && last.if.all.length === 0) return { rules: others, fallthrough: last.serve }
  const rollout = last && 'variation' in last.serve ? shareRollout(last.if, last.serve.variation, off) : undefined
  return rollout ? { rules: others, fallthrough: { rollout } } : { rules, fallthrough: { variation: off } }
}
