import type { AssembledFlag } from './assemble-flag.ts'
import { type CompiledFlag, compileFlag } from './compiled-flag.ts'
import type { AskedFlag, Scope, SegmentTest } from './compiling.ts'
import type { FlagDefinition } from './model.ts'
import { flagReferences, followReferences, noReferences, type References } from './references.ts'
import { settingsIn } from './settings.ts'

/** What a view looks at: the flags and segments of one namespace. */
export interface ViewSource {
  flag(key: string): AssembledFlag | undefined
  /** Keys of flags, sorted. */
  keys(): readonly string[]
  /** The segment's test, or why it cannot be asked. */
  segmentTest(key: string): SegmentTest | string
  /** The segments that these name, and those that they name, and so on; these included. */
  segmentsBehind(keys: Iterable<string>): ReadonlySet<string>
}

/**
 * The flags of a namespace compiled for one environment: when first asked, then kept until they or something that they name
 * changes. What a flag names is noted before it is compiled, whether it exists or not, so a change finds its users directly.
 */
export class View {
  readonly #environment: string
  readonly #source: ViewSource
  readonly #compiled = new Map<string, CompiledFlag>()
  /** Flag or segment -> the flags whose compiled form depends on it, and so is dropped when it changes. */
  readonly #flagUsers = new Map<string, Set<string>>()
  readonly #segmentUsers = new Map<string, Set<string>>()
  #all: readonly CompiledFlag[] | undefined

  constructor(environment: string, source: ViewSource) {
    this.#environment = environment
    this.#source = source
  }

  find(key: string): CompiledFlag | undefined {
    return this.#compiled.get(key) ?? this.#compile(key)
  }

  all(): readonly CompiledFlag[] {
    this.#all ??= this.#source.keys().flatMap((key) => this.find(key) ?? [])
    return this.#all
  }

  draft(definition: FlagDefinition): CompiledFlag {
    return compileFlag({ definition, version: '', brokenIn: () => '', notice: '' }, this.#environment, this.#scope)
  }

  flagChanged(key: string): void {
    this.#compiled.delete(key)
    this.#dropUsers(this.#flagUsers, key)
  }

  segmentChanged(key: string): void {
    this.#dropUsers(this.#segmentUsers, key)
  }

  readonly #scope: Scope = {
    segment: (key) => this.#source.segmentTest(key),
    flag: (key) => this.#ask(key),
  }

  #compile(key: string): CompiledFlag | undefined {
    const source = this.#source.flag(key)
    if (!source) return undefined
    this.#noteUses(key)
    const flag = compileFlag(source, this.#environment, this.#scope)
    this.#compiled.set(key, flag)
    return flag
  }

  /** Flags that it asks depend on their segments, so it does as well. */
  #noteUses(key: string): void {
    const { flags, segments } = this.#references(key)
    const { seen } = followReferences(flags.keys(), (named) => this.#references(named).flags.keys())
    const behind = new Set(segments.keys())
    for (const named of seen) {
      noteUser(this.#flagUsers, named, key)
      for (const segment of this.#references(named).segments.keys()) behind.add(segment)
    }
    for (const named of this.#source.segmentsBehind(behind)) noteUser(this.#segmentUsers, named, key)
  }

  #ask(key: string): AskedFlag | string {
    const { endless } = followReferences([key], (named) => this.#references(named).flags.keys())
    if (endless) return `names the flag "${key}", from which flags lead on in a circle or too far`
    return this.find(key) ?? `names the flag "${key}", which does not exist`
  }

  #references(key: string): References {
    const source = this.#source.flag(key)
    return source ? flagReferences(settingsIn(source.definition, this.#environment).targeting) : noReferences
  }

  #dropUsers(users: Map<string, Set<string>>, key: string): void {
    this.#all = undefined
    for (const user of users.get(key) ?? []) this.#compiled.delete(user)
    users.delete(key)
  }
}

function noteUser(users: Map<string, Set<string>>, named: string, user: string): void {
  const known = users.get(named)
  if (known) known.add(user)
  else users.set(named, new Set([user]))
}
