import type { Evaluation, EvaluationContext, Flag, Segment } from './model.ts'

/** One register as it changed; `value` null where it was deleted. */
export interface RegisterValue {
  readonly key: string
  /** The register's stamp, as text that sorts. */
  readonly stamp: string
  readonly value: Uint8Array | null
}

/** A flag ready to be asked, in one environment. Immutable: a change replaces it. */
export interface CompiledFlag {
  readonly key: string
  readonly namespace: string
  readonly environment: string
  readonly version: string
  readonly type: string
  /** `nowMs` is the wall clock, read once a request. Never throws. */
  evaluate(context: EvaluationContext, nowMs: number): Evaluation
  /** True when no context can change the answer at this moment: it may be serialized once. */
  readonly constant: boolean
  /** What is wrong with the flag as merged, '' when nothing is. */
  readonly fault: string
}

/** Which flags and segments a batch of registers touched: key -> new version, null when gone. */
export interface AppliedChange {
  readonly namespaces: ReadonlyMap<
    string,
    { readonly flags: ReadonlyMap<string, string | null>; readonly segments: ReadonlyMap<string, string | null> }
  >
}

/** All flags and segments, assembled from registers and compiled; answers evaluations from memory. */
export interface Ruleset {
  /** Takes changed registers, assembles and recompiles what they touch (segment users and prerequisites included). Total. */
  apply(changes: Iterable<RegisterValue>): AppliedChange
  find(namespace: string, environment: string, key: string): CompiledFlag | undefined
  /** Every flag of a namespace in one environment, sorted by key. The array is stable until the next change. */
  all(namespace: string, environment: string): readonly CompiledFlag[]
  flag(namespace: string, key: string): Flag | undefined
  flags(namespace: string): readonly Flag[]
  segment(namespace: string, key: string): Segment | undefined
  segments(namespace: string): readonly Segment[]
  namespaces(): readonly string[]
  size(): { readonly flags: number; readonly segments: number; readonly faults: number }
}
