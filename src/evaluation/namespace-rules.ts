import type { AssembledFlag } from './assemble-flag.ts'
import { assembleSegment, type SegmentRegister } from './assemble-segment.ts'
import type { Flag, Segment } from './model.ts'
import type { Life, RegisterName } from './registers.ts'
import { segmentRegisterSchema } from './schema.ts'
import { SegmentTests } from './segment-tests.ts'
import { defaultEnvironment } from './settings.ts'
import { StoredFlag } from './stored-flag.ts'
import { StoredRegister } from './stored-register.ts'
import { View, type ViewSource } from './view.ts'

interface StoredSegment {
  readonly register: SegmentRegister
  readonly segment: Segment | undefined
}

/** What a namespace holds, and its flags compiled for each environment that somebody asks for. */
export class NamespaceRules {
  readonly #namespace: string
  readonly #flags = new Map<string, StoredFlag>()
  readonly #segments = new Map<string, StoredSegment>()
  /** Environments that flags name, and how many do. Only these have a view, so asking for others costs no memory. */
  readonly #environments = new Map<string, number>()
  readonly #views = new Map<string, View>()
  readonly #tests = new SegmentTests((key) => this.#segments.get(key))
  readonly #touchedFlags = new Set<string>()
  readonly #touchedSegments = new Set<string>()
  /** Derived; dropped by a change, rebuilt when asked for. */
  #flagKeys: readonly string[] | undefined
  #flagList: readonly Flag[] | undefined
  #segmentList: readonly Segment[] | undefined
  #faults: number | undefined

  constructor(namespace: string) {
    this.#namespace = namespace
  }

  /** Takes the winner of one register; assemble() makes it count. */
  take(name: RegisterName, stamp: string, value: Uint8Array | null): void {
    if (name.kind === 'segment') this.#takeSegment(name.key, stamp, value)
    else this.#takeFlag(name, stamp, value)
  }

  #takeSegment(key: string, stamp: string, value: Uint8Array | null): void {
    const register = new StoredRegister(stamp, value, segmentRegisterSchema, this.#segments.get(key)?.register)
    if (stamp === '') this.#segments.delete(key)
    else this.#segments.set(key, { register, segment: assembleSegment(this.#namespace, key, register) })
    this.#touchedSegments.add(key)
  }

  #takeFlag(
    { key, part, environment }: Extract<RegisterName, { kind: 'flag' }>,
    stamp: string,
    value: Uint8Array | null,
  ): void {
    const flag = this.#flags.get(key) ?? new StoredFlag(this.#namespace, key)
    this.#flags.set(key, flag)
    this.#touchedFlags.add(key)
    flag.take(part, environment, stamp, value)
  }

  /** Makes what was taken count. Answers with the flags and segments that are not what they were. */
  assemble(): {
    readonly flags: ReadonlyMap<string, string | null>
    readonly segments: ReadonlyMap<string, string | null>
  } {
    const flags = new Map<string, string | null>()
    for (const key of this.#touchedFlags) {
      const flag = this.#flags.get(key)
      const before = flag?.assembled
      const after = flag?.assemble()
      if (before || after) flags.set(key, after?.version ?? null)
      this.#count(before, -1)
      this.#count(after, 1)
      if (flag?.isEmpty()) this.#flags.delete(key)
      for (const view of this.#views.values()) view.flagChanged(key)
    }
    const segments = new Map<string, string | null>()
    for (const key of this.#touchedSegments) {
      const register = this.#segments.get(key)?.register
      segments.set(key, register?.live ? register.stamp : null)
      this.#tests.changed(key)
      for (const view of this.#views.values()) view.segmentChanged(key)
    }
    this.#settle()
    return { flags, segments }
  }

  view(environment: string): View {
    return this.#views.get(environment) ?? this.#viewOf(environment)
  }

  #viewOf(environment: string): View {
    const name = this.#environments.has(environment) ? environment : defaultEnvironment
    let view = this.#views.get(name)
    if (!view) {
      view = new View(name, this.#source)
      this.#views.set(name, view)
    }
    return view
  }

  flag(key: string): Flag | undefined {
    const flag = this.#flags.get(key)?.assembled
    return flag?.readable ? flag.definition : undefined
  }

  flags(): readonly Flag[] {
    this.#flagList ??= this.#keys().flatMap((key) => this.flag(key) ?? [])
    return this.#flagList
  }

  segment(key: string): Segment | undefined {
    return this.#segments.get(key)?.segment
  }

  segments(): readonly Segment[] {
    this.#segmentList ??= [...this.#segments.keys()].sort().flatMap((key) => this.segment(key) ?? [])
    return this.#segmentList
  }

  life(kind: 'flag' | 'segment', key: string): Life {
    if (kind === 'flag') return this.#flags.get(key)?.life() ?? { birth: '', ended: '' }
    const register = this.#segments.get(key)?.register
    return { birth: register?.live ? register.birth : '', ended: '' }
  }

  isEmpty(): boolean {
    return this.#keys().length === 0 && this.segments().length === 0
  }

  size(): { readonly flags: number; readonly segments: number; readonly faults: number } {
    this.#faults ??= this.#countFaults()
    return { flags: this.#keys().length, segments: this.segments().length, faults: this.#faults }
  }

  readonly #source: ViewSource = {
    flag: (key) => this.#flags.get(key)?.assembled,
    keys: () => this.#keys(),
    segmentTest: (key) => this.#tests.find(key),
    segmentsBehind: (keys) => this.#tests.behind(keys),
  }

  #keys(): readonly string[] {
    this.#flagKeys ??= [...this.#flags].flatMap(([key, flag]) => (flag.assembled ? [key] : [])).sort()
    return this.#flagKeys
  }

  #count(flag: AssembledFlag | undefined, by: 1 | -1): void {
    for (const environment of flag?.environments ?? []) {
      this.#environments.set(environment, (this.#environments.get(environment) ?? 0) + by)
    }
  }

  #settle(): void {
    for (const [environment, flags] of this.#environments) {
      if (flags > 0) continue
      this.#environments.delete(environment)
      this.#views.delete(environment)
    }
    this.#touchedFlags.clear()
    this.#touchedSegments.clear()
    this.#flagKeys = undefined
    this.#flagList = undefined
    this.#segmentList = undefined
    this.#faults = undefined
  }

  #countFaults(): number {
    const faulty = new Set<string>()
    for (const environment of [defaultEnvironment, ...this.#environments.keys()]) {
      for (const flag of this.view(environment).all()) if (flag.fault !== '') faulty.add(flag.key)
    }
    const segments = [...this.#segments].filter(
      ([key, { register }]) => register.live && this.#tests.faultOf(key) !== '',
    )
    return faulty.size + segments.length
  }
}
