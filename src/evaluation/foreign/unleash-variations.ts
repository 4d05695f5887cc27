import type { FlagType, Json } from '../model.ts'
import type { UnleashFeature, UnleashVariant } from './unleash-document.ts'

/** Names of the two variations that every imported feature has. */
export const on = 'on'
export const off = 'off'

/**
 * The variations of a feature. What Unleash answers is whether the feature is enabled and, if so, a variant; each such answer is one
 * variation, and its value is the answer:
 *
 * | Unleash answers | variation | value without variants | value with variants |
 * |---|---|---|---|
 * | disabled | `off` | `false` | `false` |
 * | enabled, no variant | `on` | `true` | `{name: "disabled", enabled: false, feature_enabled: true}` |
 * | enabled, variant v | `v` | | `{name: "v", payload, enabled: true, feature_enabled: true}` |
 *
 * So the truth of the value is `isEnabled`, and the value, unless false, is `getVariant`. A variant whose name is taken, by `on`, by `off` or
 * by one of the same name and another payload, is called `v#2`, `v#3` ...; its value has the name that it had.
 */
export class UnleashVariations {
  readonly #values: Map<string, Json>
  readonly #names = new Map<string, string>()
  readonly type: FlagType

  constructor({ variants, strategies }: UnleashFeature) {
    const all = [...(strategies ?? []).flatMap((strategy) => strategy.variants ?? []), ...(variants ?? [])]
    this.type = all.length === 0 ? 'boolean' : 'json'
    const plain = all.length === 0 ? true : { name: 'disabled', enabled: false, feature_enabled: true }
    this.#values = new Map<string, Json>([
      [on, plain],
      [off, false],
    ])
    for (const variant of all) this.#add(variant)
  }

  /** The variation that stands for a variant. */
  nameOf(variant: UnleashVariant): string {
    return this.#names.get(JSON.stringify(answerOf(variant))) ?? on
  }

  /** The variations that are answered as a variant of one of these names. */
  named(names: readonly string[]): string[] {
    return [...this.#values].flatMap(([variation, value]) => {
      const name = typeof value === 'object' && value !== null && !Array.isArray(value) ? value.name : 'disabled'
      return variation !== off && names.includes(String(name)) ? [variation] : []
    })
  }

  /** All that are answered while the feature is enabled. */
  enabled(): string[] {
    return [...this.#values.keys()].filter((variation) => variation !== off)
  }

  toJson(): { readonly [variation: string]: Json } {
    return Object.fromEntries(this.#values)
  }

  #add(variant: UnleashVariant): void {
    const answer = answerOf(variant)
    const text = JSON.stringify(answer)
    if (this.#names.has(text)) return
    let name = variant.name
    for (let next = 2; this.#values.has(name); next++) name = `${variant.name}#${next}`
    this.#names.set(text, name)
    this.#values.set(name, answer)
  }
}

function answerOf({ name, payload }: UnleashVariant): { [property: string]: Json } {
  return { name, ...(payload ? { payload } : {}), enabled: true, feature_enabled: true }
}
