import { compileDecision, type Decision } from './compile.ts'
import { type Compilation, newCompilation, type Scope, Unanswerable } from './compiling.ts'
import type { Evaluation, EvaluationContext, FlagDefinition } from './model.ts'
import type { Explanation, Step } from './trace.ts'

/** A flag ready to be asked, in one environment. Immutable: a change to it, or to what it names, replaces it. */
export interface CompiledFlag {
  readonly key: string
  readonly namespace: string
  /** The environment in force: `default` where the one that was asked for is named by no flag of the namespace. */
  readonly environment: string
  readonly version: string
  readonly type: string
  /** `nowMs` is the wall clock, read once a request. Never throws. */
  evaluate(context: EvaluationContext, nowMs: number): Evaluation
  /** The same evaluation, with every decision on the way to it. */
  explain(context: EvaluationContext, nowMs: number): Explanation
  /** True when neither context nor clock can change the answer: it may be serialized once. */
  readonly constant: boolean
  /** True when the answer may change with the clock alone: a schedule, its own or of a flag that it asks. */
  readonly timed: boolean
  /** True when it may do so at any moment: it compares instants with the clock, or draws lots. */
  readonly ticking: boolean
  readonly metadata: FlagDefinition['metadata']
  /** What is wrong with the flag as merged, '' when nothing is. */
  readonly fault: string
}

/** A flag to compile: its definition, and what is known of it beside. */
export interface FlagSource {
  readonly definition: FlagDefinition
  readonly version: string
  /** Why no context can be answered in an environment: a register of it could not be read. '' for not so. */
  brokenIn(environment: string): string
  /** Not '' where something is amiss that costs no answer. */
  readonly notice: string
}

/** Makes a flag ready to be asked in one environment. Total: see compileDecision. */
export function compileFlag(source: FlagSource, environment: string, scope: Scope): CompiledFlag {
  const { definition, notice } = source
  const broken = source.brokenIn(environment)
  const compilation = newCompilation(scope, definition.key)
  const decision = broken === '' ? compileDecision(definition, environment, compilation) : undecidable(broken)
  const faults = [broken, notice, ...compilation.faults.map(({ path, message }) => `${path} ${message}`)]
  return new DecidedFlag(source, environment, decision, compilation, faults.filter((fault) => fault !== '').join('; '))
}

function undecidable(broken: string): Decision {
  const unanswerable = new Unanswerable(broken)
  const answer = () => {
    throw unanswerable
  }
  return { enabled: true, answer, constant: true }
}

class DecidedFlag implements CompiledFlag {
  readonly key: string
  readonly namespace: string
  readonly environment: string
  readonly version: string
  readonly type: string
  readonly constant: boolean
  readonly timed: boolean
  readonly ticking: boolean
  readonly metadata: FlagDefinition['metadata']
  readonly fault: string
  readonly #decision: Decision

  constructor(
    { definition, version }: FlagSource,
    environment: string,
    decision: Decision,
    { timed, ticking }: Compilation,
    fault: string,
  ) {
    this.key = definition.key
    this.namespace = definition.namespace
    this.environment = environment
    this.version = version
    this.type = definition.type
    this.constant = decision.constant
    this.timed = timed
    this.ticking = ticking
    this.metadata = definition.metadata
    this.fault = fault
    this.#decision = decision
  }

  evaluate(context: EvaluationContext, nowMs: number): Evaluation {
    try {
      return this.#decision.answer(context, nowMs, undefined)
    } catch (error) {
      return failed(error)
    }
  }

  explain(context: EvaluationContext, nowMs: number): Explanation {
    const { enabled, answer } = this.#decision
    const steps: Step[] = [{ kind: 'switch', at: 'enabled', outcome: enabled }]
    try {
      return { evaluation: answer(context, nowMs, steps), steps }
    } catch (error) {
      const evaluation = failed(error)
      steps.push({ kind: 'error', at: '', outcome: null, details: evaluation.errorDetails })
      return { evaluation, steps }
    }
  }
}

/**
 * Evaluation always answers: what a context reached made no sense (PARSE_ERROR) or failed for it (GENERAL), or the context itself threw while it was read
 * (GENERAL), as an object with getters can where the engine is embedded.
 */
function failed(error: unknown): Evaluation {
  const known = error instanceof Unanswerable
  return {
    value: undefined,
    variation: undefined,
    reason: 'ERROR',
    errorCode: known ? error.code : 'GENERAL',
    errorDetails: known ? error.details : 'the evaluation context could not be read',
  }
}
