import type { InputFault } from '../base/errors.ts'
import type { Bucketing, Evaluation, EvaluationContext, EvaluationErrorCode, Json } from './model.ts'
import type { Gate } from './rule-index.ts'
import type { Trace } from './trace.ts'

/** A compiled condition. Throws Unanswerable when it reaches a part that makes no sense. */
export type Test = (context: EvaluationContext, nowMs: number, trace: Trace | undefined) => boolean
/** A compiled serve, or a whole flag. Throws as Test does. */
export type Answer = (context: EvaluationContext, nowMs: number, trace: Trace | undefined) => Evaluation

/** Thrown by a part that makes no sense when a context reaches it; made when compiled, so throwing it costs no stack trace. */
export class Unanswerable {
  readonly details: string
  readonly code: EvaluationErrorCode

  constructor(details: string, code: EvaluationErrorCode = 'PARSE_ERROR') {
    this.details = details
    this.code = code
  }
}

/** Thrown while compiling, by what cannot be compiled: `within` leads from the part at hand to the fault (`.values[1]`). */
export class Nonsense {
  readonly message: string
  readonly within: string

  constructor(message: string, within = '') {
    this.message = message
    this.within = within
  }
}

/** Whether what the context says satisfies the condition. `undefined` and null are a missing attribute. */
export type Compare = (actual: unknown, nowMs: number) => boolean
/** Compiles the values of a condition. Throws Nonsense when they make none. */
export type Compile = (values: readonly Json[], caseInsensitive: boolean) => Compare

/** Says in which of the 10,000 buckets a subject is. */
export type Bucket = (subject: string) => number

/** A compiled Bucketing. */
export interface Buckets {
  /** Who is hashed; undefined where the context names nobody. `nowMs` serves those who draw lots. */
  subject(context: EvaluationContext, nowMs: number): string | undefined
  readonly bucket: Bucket
  /** What a rollout serves to nobody. */
  readonly nobody: 'lastWeight' | 'fallthrough'
  /** Lots are drawn: the answer may change at any moment. */
  readonly ticking: boolean
}

/** Compiles a bucketing. Throws Nonsense. */
export type CompileBuckets = (bucketing: Bucketing, flagKey: string) => Buckets

/** Another flag as a condition or prerequisite sees it. */
export interface AskedFlag {
  /** Never throws. */
  evaluate(context: EvaluationContext, nowMs: number): Evaluation
  readonly timed: boolean
  readonly ticking: boolean
}

/** A segment as a condition sees it. */
export interface SegmentTest {
  readonly test: Test
  readonly ticking: boolean
}

/** What a flag or segment may name. A string says why the named thing cannot be asked. */
export interface Scope {
  segment(key: string): SegmentTest | string
  flag(key: string): AskedFlag | string
}

/** A scope in which everything exists: to check a definition by itself. */
export const anythingGoes: Scope = {
  segment: () => ({ test: () => false, ticking: false }),
  flag: () => ({
    evaluate: () => ({ value: undefined, variation: undefined, reason: 'DEFAULT' }),
    timed: false,
    ticking: false,
  }),
}

/** One compilation: what it may refer to, and what it found. */
export interface Compilation {
  readonly scope: Scope
  /** The flag that is compiled; '' for a segment. */
  readonly flagKey: string
  readonly faults: InputFault[]
  /** The gates of the conditions that have one. */
  readonly gates: Map<Test, Gate>
  /** The answer may change with the clock alone. */
  timed: boolean
  /** It may do so at any moment, and not just at the steps of a schedule. */
  ticking: boolean
  /** Conditions compiled so far, and how deep the present one stands. */
  conditions: number
  /** Steps that the JsonLogic expressions compiled so far may take. */
  jsonLogicSteps: number
}

export function newCompilation(scope: Scope, flagKey = ''): Compilation {
  return {
    scope,
    flagKey,
    faults: [],
    gates: new Map(),
    timed: false,
    ticking: false,
    conditions: 0,
    jsonLogicSteps: 0,
  }
}

/** Notes a fault, and gives the part that stands in for the faulty one: whoever reaches it gets PARSE_ERROR. */
export function poison(compilation: Compilation, path: string, message: string): () => never {
  compilation.faults.push({ path, message })
  const unanswerable = new Unanswerable(path === '' ? message : `${path} ${message}`)
  return () => {
    throw unanswerable
  }
}

/** Notes that the answer depends on the clock in the same way as something that it asks. */
export function noteClock(
  compilation: Compilation,
  asked: { readonly timed?: boolean; readonly ticking: boolean },
): void {
  if (asked.timed || asked.ticking) compilation.timed = true
  if (asked.ticking) compilation.ticking = true
}

/** Compiles one part; what makes no sense in it becomes poison, and everything around it goes on. */
export function compilePart<Part>(compilation: Compilation, path: string, compile: () => Part): Part | (() => never) {
  try {
    return compile()
  } catch (error) {
    if (error instanceof Nonsense) return poison(compilation, path + error.within, error.message)
    throw error
  }
}
