import { createRequire } from 'node:module'
import type { UnleashContext, VariantAnswer } from './unleash-answers.ts'

/** Unleash's own evaluator, without the network around it. */
export interface UnleashClient {
  isEnabled(feature: string, context: UnleashContext): boolean
  getVariant(feature: string, context: UnleashContext): VariantAnswer
}

interface Repository {
  getToggle(name: string): unknown
  getSegment(id: number): unknown
}

interface EvaluatorClass {
  new (
    repository: Repository,
    strategies: readonly unknown[],
  ): {
    isEnabled(feature: string, context: unknown, fallback: () => boolean): boolean
    getVariant(feature: string, context: unknown): VariantAnswer & { readonly featureEnabled: boolean }
  }
}

// These are no part of what the package exports by its name.
const require = createRequire(import.meta.url)
const { default: Evaluator } = require('unleash-client/lib/client.js') as { default: EvaluatorClass }
const { defaultStrategies } = require('unleash-client/lib/strategy/index.js') as { defaultStrategies: unknown[] }

export function createUnleashClient(state: {
  readonly features: readonly object[]
  readonly segments?: readonly object[]
}): UnleashClient {
  const features = new Map(state.features.map((feature) => [(feature as { name: string }).name, feature]))
  const segments = new Map((state.segments ?? []).map((segment) => [(segment as { id: number }).id, segment]))
  const client = new Evaluator(
    { getToggle: (name) => features.get(name), getSegment: (id) => segments.get(id) },
    defaultStrategies,
  )
  return {
    isEnabled: (feature, context) => client.isEnabled(feature, context, () => false),
    getVariant(feature, context) {
      // The client says the same thing twice.
      const { featureEnabled: _, ...answer } = client.getVariant(feature, context)
      return answer
    },
  }
}
