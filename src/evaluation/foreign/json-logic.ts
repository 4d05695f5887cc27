import { LogicEngine } from 'json-logic-engine'
import { jsonLogicStepsMax } from '../../base/limits.ts'
import { type Compilation, Nonsense, noteClock, Unanswerable } from '../compiling.ts'
import type { EvaluationContext, Json } from '../model.ts'
import { flagdOperators } from './flagd-operators.ts'
import { checkJsonLogic } from './json-logic-check.ts'

/** A JsonLogic expression as flagd understands it, ready to be asked. */
export interface Expression {
  /** Its result. Throws Unanswerable, code GENERAL, where the context makes it fail (a comparison of text with a number, say). */
  run(context: EvaluationContext, nowMs: number): unknown
  /** Whether its result is truthy in JsonLogic's sense, in which empty lists are not. Throws as run does. */
  holds(context: EvaluationContext, nowMs: number): boolean
}

/** The operators, the same for all engines. */
const methods = methodsOfFlagd()

function methodsOfFlagd(): LogicEngine['methods'] {
  const engine = new LogicEngine()
  for (const [name, operator] of Object.entries(flagdOperators)) engine.addMethod(name, operator)
  return engine.methods
}

/**
 * Compiles an expression of a flag or segment; throws Nonsense for one that makes no sense, or that is one too many. The engine turns it into closures: of its two ways the one
 * without `eval`, which also is the one that agrees with the flagd server where an operand of `cat` is null. `at` is where it stands.
 *
 * As flagd does, the context gets `$flagd.flagKey` and `$flagd.timestamp` (seconds since 1970).
 */
export function compileJsonLogic(expression: Json, at: string, compilation: Compilation): Expression {
  const { flagKey } = compilation
  const { faults, steps, ticking } = checkJsonLogic(expression, '.jsonLogic')
  const [fault] = faults
  if (fault) throw new Nonsense(fault.message, fault.path)
  compilation.jsonLogicSteps += steps
  if (compilation.jsonLogicSteps > jsonLogicStepsMax)
    throw new Nonsense(`may take ${steps} steps, and all of the flag at most ${jsonLogicStepsMax}`, '.jsonLogic')
  noteClock(compilation, { ticking })
  const engine = newEngine()
  const failed = new Unanswerable(`${at} fails for this context`, 'GENERAL')
  const attempt = (context: EvaluationContext, nowMs: number): unknown => {
    const data = { ...context, $flagd: { flagKey, timestamp: Math.floor(nowMs / 1_000) } }
    try {
      return engine.run(expression, data)
    } catch {
      throw failed
    }
  }
  prepare(engine, expression)
  return {
    run: attempt,
    holds: (context, nowMs) => Boolean(engine.truthy(attempt(context, nowMs))),
  }
}

/** One for each expression: an engine that meets 500 expressions in a row for the first time compiles no more of them. */
function newEngine(): LogicEngine {
  const engine = new LogicEngine({})
  engine.methods = methods
  return engine
}

/** The first run compiles. It may fail for want of a context, but not before it compiled. */
function prepare(engine: LogicEngine, expression: Json): void {
  try {
    engine.run(expression, {})
  } catch {
    if (typeof expression === 'object' && expression !== null && !engine.optimizedMap.has(expression))
      throw new Nonsense('fails whatever the context', '.jsonLogic')
  }
}
