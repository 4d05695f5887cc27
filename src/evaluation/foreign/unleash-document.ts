import { z } from 'zod'

const constraint = z.object({
  contextName: z.string(),
  operator: z.string(),
  values: z.array(z.string()).nullish(),
  value: z.string().nullish(),
  inverted: z.boolean().nullish(),
  caseInsensitive: z.boolean().nullish(),
})

const override = z.object({ contextName: z.string(), values: z.array(z.string()) })

const variant = z.object({
  name: z.string(),
  weight: z.int().min(0),
  payload: z.object({ type: z.string(), value: z.string() }).optional(),
  stickiness: z.string().nullish(),
  overrides: z.array(override).nullish(),
})

const strategy = z.object({
  name: z.string(),
  title: z.string().nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
  constraints: z.array(constraint.nullable()).nullish(),
  segments: z.array(z.int()).nullish(),
  variants: z.array(variant).nullish(),
})

const dependency = z.object({
  feature: z.string(),
  enabled: z.boolean().nullish(),
  variants: z.array(z.string()).nullish(),
})

const feature = z.object({
  name: z.string(),
  enabled: z.boolean(),
  description: z.string().nullish(),
  type: z.string().nullish(),
  project: z.string().nullish(),
  stale: z.boolean().nullish(),
  strategies: z.array(strategy).nullish(),
  variants: z.array(variant).nullish(),
  dependencies: z.array(dependency).nullish(),
})

const segment = z.object({
  id: z.int(),
  name: z.string().nullish(),
  constraints: z.array(constraint.nullable()).nullish(),
})

/** A change of Unleash's streaming API. */
const event = z.union([
  z.object({ type: z.literal('hydration'), features: z.array(feature), segments: z.array(segment).optional() }),
  z.object({ type: z.literal('feature-updated'), feature }),
  z.object({ type: z.literal('feature-removed'), featureName: z.string() }),
  z.object({ type: z.literal('segment-updated'), segment }),
  z.object({ type: z.literal('segment-removed'), segmentId: z.int() }),
])

/**
 * What Unleash's clients fetch (`GET /api/client/features`), as far as it decides anything; the same as a series of changes (`/api/client/delta`).
 */
export const unleashDocument = z.union([
  z.object({ features: z.array(feature), segments: z.array(segment).nullish() }),
  z.object({ events: z.array(event) }),
])

export type UnleashConstraint = z.infer<typeof constraint>
export type UnleashVariant = z.infer<typeof variant>
export type UnleashStrategy = z.infer<typeof strategy>
export type UnleashDependency = z.infer<typeof dependency>
export type UnleashFeature = z.infer<typeof feature>
export type UnleashSegment = z.infer<typeof segment>

/** Features and segments, each with the path at which it stands in the document. */
export interface UnleashState {
  readonly features: ReadonlyMap<string, Located<UnleashFeature>>
  readonly segments: ReadonlyMap<number, Located<UnleashSegment>>
}

export interface Located<Thing> {
  readonly thing: Thing
  readonly origin: string
}

/** The state that a document describes, or that its changes lead to. Of two things of one name the later one counts. */
export function stateOf(document: z.infer<typeof unleashDocument>): UnleashState {
  const features = new Map<string, Located<UnleashFeature>>()
  const segments = new Map<number, Located<UnleashSegment>>()
  const take = (thing: UnleashFeature, origin: string) => features.set(thing.name, { thing, origin })
  const takeSegment = (thing: UnleashSegment, origin: string) => segments.set(thing.id, { thing, origin })
  const takeAll = (at: string, all: readonly UnleashFeature[], allSegments: readonly UnleashSegment[] | null = []) => {
    for (const [index, one] of all.entries()) take(one, `${at}features[${index}]`)
    for (const [index, one] of (allSegments ?? []).entries()) takeSegment(one, `${at}segments[${index}]`)
  }
  if ('features' in document) {
    takeAll('', document.features, document.segments)
    return { features, segments }
  }
  for (const [index, change] of document.events.entries()) {
    const at = `events[${index}].`
    if (change.type === 'hydration') {
      features.clear()
      segments.clear()
      takeAll(at, change.features, change.segments)
    } else if (change.type === 'feature-updated') take(change.feature, `${at}feature`)
    else if (change.type === 'feature-removed') features.delete(change.featureName)
    else if (change.type === 'segment-updated') takeSegment(change.segment, `${at}segment`)
    else segments.delete(change.segmentId)
  }
  return { features, segments }
}
