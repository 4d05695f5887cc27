import { newCompilation, type Scope, type SegmentTest } from './compiling.ts'
import type { Segment } from './model.ts'
import { followReferences, segmentReferences } from './references.ts'
import { compileSegment, noFlagsInSegments } from './segments.ts'

/** A segment to compile; `segment` is undefined where it was deleted or cannot be read. */
export interface SegmentSource {
  readonly register: { readonly live: boolean; readonly broken: string }
  readonly segment: Segment | undefined
}

interface Compiled extends SegmentTest {
  readonly fault: string
}

/** The segments of a namespace compiled, each once for all flags: when first asked, then kept until it or one behind it changes. */
export class SegmentTests {
  readonly #source: (key: string) => SegmentSource | undefined
  readonly #compiled = new Map<string, Compiled>()
  readonly #users = new Map<string, Set<string>>()

  constructor(source: (key: string) => SegmentSource | undefined) {
    this.#source = source
  }

  /** The segment's test, or why it cannot be asked. */
  find(key: string): SegmentTest | string {
    return this.#find(key)
  }

  /** What is wrong with the segment, '' when nothing is. */
  faultOf(key: string): string {
    const compiled = this.#find(key)
    return typeof compiled === 'string' ? compiled : compiled.fault
  }

  /** These segments, those that they name, and so on. */
  behind(keys: Iterable<string>): ReadonlySet<string> {
    return followReferences(keys, this.#named).seen
  }

  changed(key: string): void {
    this.#compiled.delete(key)
    for (const user of this.#users.get(key) ?? []) this.#compiled.delete(user)
    this.#users.delete(key)
  }

  readonly #named = (key: string): Iterable<string> => {
    const segment = this.#source(key)?.segment
    return segment ? segmentReferences(segment).segments.keys() : []
  }

  readonly #scope: Scope = { ...noFlagsInSegments, segment: (key) => this.find(key) }

  #find(key: string): Compiled | string {
    const known = this.#compiled.get(key)
    if (known) return known
    const source = this.#source(key)
    if (!source?.register.live) return `names the segment "${key}", which does not exist`
    if (!source.segment) return `names the segment "${key}", whose register ${source.register.broken}`
    if (followReferences([key], this.#named).endless)
      return `names the segment "${key}", from which segments lead on in a circle or too far`
    return this.#compile(key, source.segment)
  }

  #compile(key: string, segment: Segment): Compiled {
    for (const named of this.behind(this.#named(key))) {
      const users = this.#users.get(named)
      if (users) users.add(key)
      else this.#users.set(named, new Set([key]))
    }
    const compilation = newCompilation(this.#scope)
    const test = compileSegment(segment, compilation, `segment:${key}.`)
    const { ticking } = compilation
    const compiled = {
      test,
      ticking,
      fault: compilation.faults.map(({ path, message }) => `${path} ${message}`).join('; '),
    }
    this.#compiled.set(key, compiled)
    return compiled
  }
}
