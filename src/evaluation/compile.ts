import { type Answer, type Compilation, compilePart, noteClock, type Test } from './compiling.ts'
import { compileCondition } from './conditions.ts'
import type { Evaluation, EvaluationContext, FlagDefinition, Prerequisite, Rule } from './model.ts'
import { compileOverrides, type Override } from './overrides.ts'
import { type Gate, indexRules } from './rule-index.ts'
import {
  compileCoverage,
  compileServe,
  type FlagParts,
  type ServeFrame,
  type Serving,
  serveVariation,
} from './serve.ts'
import { type Settings, settingsIn } from './settings.ts'
import type { Trace } from './trace.ts'

/** What a flag compiles to in one environment. */
export interface Decision {
  readonly enabled: boolean
  readonly answer: Answer
  /** No context can change the answer, and neither can the clock. */
  readonly constant: boolean
}

/** The off answer when the prerequisite is not met, undefined when it is. */
type Unmet = (context: EvaluationContext, nowMs: number, trace: Trace | undefined) => Evaluation | undefined

interface CompiledRule {
  readonly id: string | undefined
  readonly at: string
  readonly gate: Gate | undefined
  readonly test: Test
  readonly serve: Serving
}

/**
 * Compiles a flag for one environment. Total, and a function of the flag and of what it names alone: a part that makes no
 * sense answers PARSE_ERROR to the contexts that reach it, and everything around it goes on.
 */
export function compileDecision(definition: FlagDefinition, environment: string, compilation: Compilation): Decision {
  const settings = settingsIn(definition, environment)
  const { targeting, enabled, pathOf } = settings
  const flag: FlagParts = { key: definition.key, variations: new Map(Object.entries(definition.variations)) }
  const off = compileOff(settings, 'DISABLED', flag, compilation)
  const unmets = (targeting.prerequisites ?? []).map((prerequisite, index) =>
    compilePrerequisite(prerequisite, `${pathOf('prerequisites')}[${index}]`, off, compilation),
  )
  const overrides = compileOverrides(
    targeting.overrides ?? {},
    targeting.offVariation,
    pathOf('overrides'),
    flag,
    compilation,
  )
  const rules = (targeting.rules ?? []).map((rule, index) =>
    compileRule(rule, `${pathOf('rules')}[${index}]`, flag, compilation),
  )
  const plain = unmets.length === 0 && !overrides && rules.length === 0
  const fallthrough = compileFallthrough(settings, plain, flag, compilation)
  if (!enabled) return { enabled, answer: off, constant: true }
  if (plain)
    return { enabled, answer: fallthrough, constant: !targeting.fallthrough || 'variation' in targeting.fallthrough }
  return { enabled, answer: decide(unmets, overrides, rules, fallthrough), constant: false }
}

/** The order of evaluation: prerequisites, overrides, rules in their order, fallthrough. A trace wants to see every rule asked. */
function decide(
  unmets: readonly Unmet[],
  overrides: Override | undefined,
  rules: readonly CompiledRule[],
  fallthrough: Answer,
): Answer {
  const find = indexRules(rules)
  return (context, nowMs, trace) => {
    for (let i = 0; i < unmets.length; i++) {
      const off = (unmets[i] as Unmet)(context, nowMs, trace)
      if (off) return off
    }
    const override = overrides?.(context, nowMs, trace)
    if (override) return override
    const mayHold = find && !trace ? find(context) : rules
    for (let i = 0; i < mayHold.length; i++) {
      const rule = mayHold[i] as CompiledRule
      const outcome = rule.test(context, nowMs, trace)
      if (trace) trace.push({ kind: 'rule', at: rule.at, subject: rule.id, outcome })
      if (outcome) return rule.serve(context, nowMs, trace) ?? fallthrough(context, nowMs, trace)
    }
    return fallthrough(context, nowMs, trace)
  }
}

function compileOff(
  { targeting, pathOf }: Settings,
  reason: 'DISABLED' | 'DEFAULT',
  flag: FlagParts,
  compilation: Compilation,
): Answer {
  const { offVariation } = targeting
  if (offVariation === undefined) return noValue(reason)
  return compilePart(compilation, pathOf('offVariation'), () => {
    const evaluation = serveVariation(flag, offVariation, reason, undefined, '')
    return () => evaluation
  })
}

function compileFallthrough(settings: Settings, plain: boolean, flag: FlagParts, compilation: Compilation): Answer {
  const { fallthrough } = settings.targeting
  if (!fallthrough) return noValue('DEFAULT')
  const frame: ServeFrame = { at: settings.pathOf('fallthrough'), reason: plain ? 'STATIC' : 'DEFAULT' }
  const serving = compileServe(fallthrough, frame, flag, compilation)
  const nothing = noValue('DEFAULT')
  const serve: Answer = (context, nowMs, trace) => serving(context, nowMs, trace) ?? nothing(context, nowMs, trace)
  const covers = compileCoverage(fallthrough, frame.at, flag)
  if (!covers) return serve
  const off = compileOff(settings, 'DEFAULT', flag, compilation)
  return (context, nowMs, trace) => (covers(context, nowMs, trace) ? serve : off)(context, nowMs, trace)
}

/** Nothing to serve: the caller's default holds. */
function noValue(reason: 'DISABLED' | 'DEFAULT'): Answer {
  const evaluation: Evaluation = { value: undefined, variation: undefined, reason }
  return () => evaluation
}

function compileRule(rule: Rule, at: string, flag: FlagParts, compilation: Compilation): CompiledRule {
  const serveAt = `${at}.serve`
  const condition = compileCondition(rule.if, `${at}.if`, compilation)
  const covers = compileCoverage(rule.serve, serveAt, flag)
  const frame: ServeFrame = { at: serveAt, reason: 'TARGETING_MATCH', ruleId: rule.id }
  return {
    id: rule.id,
    at,
    gate: compilation.gates.get(condition),
    test: covers ? (...asked) => condition(...asked) && covers(...asked) : condition,
    serve: compileServe(rule.serve, frame, flag, compilation),
  }
}

/**
 * A prerequisite that cannot be asked (it is not there, or asking it would go in a circle) or has no answer itself gives the off
 * variation too, with PARSE_ERROR: of the two safe things, no answer and off, off is the one that the author chose.
 */
function compilePrerequisite(prerequisite: Prerequisite, at: string, off: Answer, compilation: Compilation): Unmet {
  const { flag: subject, variations } = prerequisite
  const asked = compilation.scope.flag(subject)
  if (typeof asked === 'string') {
    compilation.faults.push({ path: `${at}.flag`, message: asked })
    return offWithError(off, `${at}.flag ${asked}`)
  }
  noteClock(compilation, asked)
  const failed = offWithError(off, `${at} needs the flag "${subject}", which cannot be answered`)
  return (context, nowMs, trace) => {
    const { variation: actual, errorCode } = asked.evaluate(context, nowMs)
    const outcome = errorCode === undefined && actual !== undefined && variations.includes(actual)
    if (trace) trace.push({ kind: 'prerequisite', at, subject, actual, expected: variations, outcome })
    if (outcome) return undefined
    return errorCode === undefined ? off(context, nowMs, trace) : failed(context, nowMs, trace)
  }
}

function offWithError(off: Answer, errorDetails: string): Answer {
  return (context, nowMs, trace) => {
    if (trace) trace.push({ kind: 'error', at: 'prerequisites', outcome: null, details: errorDetails })
    return { ...off(context, nowMs, trace), reason: 'ERROR', errorCode: 'PARSE_ERROR', errorDetails }
  }
}
