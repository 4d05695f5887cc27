import type { CompiledFlag } from './compiled-flag.ts'
import type { Flag, FlagDefinition, Segment } from './model.ts'
import { NamespaceRules } from './namespace-rules.ts'
import { type Life, parseRegisterKey } from './registers.ts'

export type { CompiledFlag }

/** One register as it changed; `value` null where it was deleted. */
export interface RegisterValue {
  readonly key: string
  /** The register's stamp, as text that sorts; '' when even its tombstone is gone. */
  readonly stamp: string
  readonly value: Uint8Array | null
}

/** Flags or segments that changed: key -> new version, null when gone. */
export type Versions = ReadonlyMap<string, string | null>

/** Which flags and segments a batch of registers touched, by namespace. */
export interface AppliedChange {
  readonly namespaces: ReadonlyMap<string, { readonly flags: Versions; readonly segments: Versions }>
}

/** All flags and segments, assembled from registers and compiled; answers evaluations from memory. */
export interface Ruleset {
  /** Takes changed registers and assembles what they touch; it, and what names it, is compiled when next asked. Total. */
  apply(changes: Iterable<RegisterValue>): AppliedChange
  find(namespace: string, environment: string, key: string): CompiledFlag | undefined
  /** Every flag of a namespace in one environment, sorted by key. The array is stable until the next change. */
  all(namespace: string, environment: string): readonly CompiledFlag[]
  flag(namespace: string, key: string): Flag | undefined
  /** Sorted by key. */
  flags(namespace: string): readonly Flag[]
  segment(namespace: string, key: string): Segment | undefined
  /** Sorted by key. */
  segments(namespace: string): readonly Segment[]
  /** Sorted; those that hold a flag or a segment. */
  namespaces(): readonly string[]
  /** The life that a write belongs to, be it a creation or an edit: what `splitFlag` and its like want to know. */
  life(kind: 'flag' | 'segment', namespace: string, key: string): Life
  /** Compiles a definition that is not stored beside those that are: "what if". */
  draft(definition: FlagDefinition, environment: string): CompiledFlag
  /** `faults` counts flags, with something wrong in any environment, and segments; the first call after a change compiles what changed. */
  size(): { readonly flags: number; readonly segments: number; readonly faults: number }
}

export function createRuleset(): Ruleset {
  const rules = new Map<string, NamespaceRules>()
  const nothing = new NamespaceRules('')

  function rulesOf(namespace: string): NamespaceRules {
    return rules.get(namespace) ?? nothing
  }

  function take(change: RegisterValue, touched: Map<string, NamespaceRules>): void {
    const name = parseRegisterKey(change.key)
    if (!name) return
    let home = rules.get(name.namespace)
    if (!home) {
      home = new NamespaceRules(name.namespace)
      rules.set(name.namespace, home)
    }
    touched.set(name.namespace, home)
    home.take(name, change.stamp, change.value)
  }

  return {
    apply(changes) {
      const touched = new Map<string, NamespaceRules>()
      for (const change of changes) take(change, touched)
      const applied = [...touched].map(([namespace, home]) => [namespace, home.assemble()] as const)
      return { namespaces: new Map(applied.filter(([, { flags, segments }]) => flags.size > 0 || segments.size > 0)) }
    },
    find: (namespace, environment, key) => rules.get(namespace)?.view(environment).find(key),
    all: (namespace, environment) => rulesOf(namespace).view(environment).all(),
    flag: (namespace, key) => rulesOf(namespace).flag(key),
    flags: (namespace) => rulesOf(namespace).flags(),
    segment: (namespace, key) => rulesOf(namespace).segment(key),
    segments: (namespace) => rulesOf(namespace).segments(),
    namespaces: () => [...rules].flatMap(([name, home]) => (home.isEmpty() ? [] : [name])).sort(),
    life: (kind, namespace, key) => rulesOf(namespace).life(kind, key),
    draft: (definition, environment) => rulesOf(definition.namespace).view(environment).draft(definition),
    size() {
      const sizes = [...rules.values()].map((home) => home.size())
      const sum = (of: 'flags' | 'segments' | 'faults') => sizes.reduce((total, size) => total + size[of], 0)
      return { flags: sum('flags'), segments: sum('segments'), faults: sum('faults') }
    },
  }
}
