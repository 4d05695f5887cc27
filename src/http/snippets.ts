import type { Evaluation, Json } from '../evaluation/model.ts'
import type { CompiledFlag } from '../evaluation/ruleset.ts'

interface Snippet {
  readonly value: Json | undefined
  readonly text: string
}

/**
 * The part of an answer that flag and variation determine, as JSON: made the first time, kept as long as the compiled flag
 * lives. A change of the flag replaces the compiled flag, so nothing here is ever out of date.
 */
export class Snippets {
  readonly #byFlag = new WeakMap<CompiledFlag, Map<string, Snippet>>()
  readonly #make: (flag: CompiledFlag, evaluation: Evaluation) => string

  constructor(make: (flag: CompiledFlag, evaluation: Evaluation) => string) {
    this.#make = make
  }

  of(flag: CompiledFlag, evaluation: Evaluation): string {
    const variation = evaluation.variation
    if (variation === undefined) return this.#make(flag, evaluation)
    let byVariation = this.#byFlag.get(flag)
    if (!byVariation) {
      byVariation = new Map()
      this.#byFlag.set(flag, byVariation)
    }
    const held = byVariation.get(variation)
    if (held && held.value === evaluation.value) return held.text
    const text = this.#make(flag, evaluation)
    byVariation.set(variation, { value: evaluation.value, text })
    return text
  }
}
