import { conditionDepthMax, conditionsMax } from '../base/limits.ts'
import { compileAttribute } from './attribute.ts'
import { bucketings } from './bucketing.ts'
import { type Compilation, compilePart, Nonsense, noteClock, poison, type Test, Unanswerable } from './compiling.ts'
import { compileJsonLogic } from './foreign/json-logic.ts'
import type { Condition } from './model.ts'
import { operators, readsClock } from './operators.ts'

/** Each kind of condition is named by the one property that only it has. */
type ConditionKind = 'attribute' | 'all' | 'any' | 'not' | 'segment' | 'flag' | 'bucket' | 'jsonLogic'
type ConditionOf<Kind extends ConditionKind> = Extract<Condition, Readonly<Record<Kind, unknown>>>
type CompileKind<Kind extends ConditionKind> = (
  condition: ConditionOf<Kind>,
  at: string,
  compilation: Compilation,
  depth: number,
) => Test

const kinds: { readonly [Kind in ConditionKind]: CompileKind<Kind> } = {
  attribute: compileComparison,
  all: compileAll,
  any: compileAny,
  not: compileNot,
  segment: compileSegmentCondition,
  flag: compileFlagCondition,
  bucket: compileBucketCondition,
  jsonLogic: compileExpression,
}
const kindNames = Object.keys(kinds) as ConditionKind[]

/** Compiles a condition that stands at the path `at`. Total: what makes no sense in it is poison. */
export function compileCondition(condition: Condition, at: string, compilation: Compilation, depth = 1): Test {
  compilation.conditions++
  if (depth > conditionDepthMax) return poison(compilation, at, `nests deeper than ${conditionDepthMax} levels`)
  if (compilation.conditions > conditionsMax)
    return poison(compilation, at, `is one condition more than the ${conditionsMax} that a flag may have`)
  const kind = kindNames.find((name) => name in condition)
  if (!kind) return poison(compilation, at, `must have one of the properties ${kindNames.join(', ')}`)
  // The table pairs each kind with its own compiler; TypeScript cannot see that pairing through a look-up.
  const compile = kinds[kind] as (condition: Condition, at: string, compilation: Compilation, depth: number) => Test
  return compilePart(compilation, at, () => compile(condition, at, compilation, depth))
}

function compileComparison(condition: ConditionOf<'attribute'>, at: string, compilation: Compilation): Test {
  const { attribute, op, values = [], caseInsensitive = false } = condition
  const read = compileAttribute(attribute)
  const compile = Object.hasOwn(operators, op) ? operators[op] : undefined
  if (!compile) throw new Nonsense(`"${op}" is not an operator`, '.op')
  const compare = compile(values, caseInsensitive)
  noteClock(compilation, { ticking: readsClock.has(op) })
  const test: Test = (context, nowMs, trace) => {
    const actual = read(context)
    const outcome = compare(actual, nowMs)
    if (trace) trace.push({ kind: 'condition', at, subject: attribute, op, actual, expected: values, outcome })
    return outcome
  }
  if ((op === 'eq' || op === 'in') && !caseInsensitive) compilation.gates.set(test, { attribute, values })
  return test
}

function compileEach(conditions: readonly Condition[], at: string, compilation: Compilation, depth: number): Test[] {
  return conditions.map((condition, index) => compileCondition(condition, `${at}[${index}]`, compilation, depth + 1))
}

function compileAll(condition: ConditionOf<'all'>, at: string, compilation: Compilation, depth: number): Test {
  const tests = compileEach(condition.all, `${at}.all`, compilation, depth)
  const test: Test = (context, nowMs, trace) => {
    let outcome = true
    for (let i = 0; outcome && i < tests.length; i++) outcome = (tests[i] as Test)(context, nowMs, trace)
    if (trace) trace.push({ kind: 'all', at, outcome })
    return outcome
  }
  const gate = tests[0] && compilation.gates.get(tests[0])
  if (gate) compilation.gates.set(test, gate)
  return test
}

function compileAny(condition: ConditionOf<'any'>, at: string, compilation: Compilation, depth: number): Test {
  const tests = compileEach(condition.any, `${at}.any`, compilation, depth)
  return (context, nowMs, trace) => {
    let outcome = false
    for (let i = 0; !outcome && i < tests.length; i++) outcome = (tests[i] as Test)(context, nowMs, trace)
    if (trace) trace.push({ kind: 'any', at, outcome })
    return outcome
  }
}

function compileNot(condition: ConditionOf<'not'>, at: string, compilation: Compilation, depth: number): Test {
  const test = compileCondition(condition.not, `${at}.not`, compilation, depth + 1)
  return (context, nowMs, trace) => {
    const outcome = !test(context, nowMs, trace)
    if (trace) trace.push({ kind: 'not', at, outcome })
    return outcome
  }
}

function compileSegmentCondition({ segment }: ConditionOf<'segment'>, at: string, compilation: Compilation): Test {
  const asked = compilation.scope.segment(segment)
  if (typeof asked === 'string') throw new Nonsense(asked, '.segment')
  noteClock(compilation, asked)
  const { test } = asked
  return (context, nowMs, trace) => {
    const outcome = test(context, nowMs, trace)
    if (trace) trace.push({ kind: 'segment', at, subject: segment, outcome })
    return outcome
  }
}

function compileFlagCondition({ flag, variations }: ConditionOf<'flag'>, at: string, compilation: Compilation): Test {
  const asked = compilation.scope.flag(flag)
  if (typeof asked === 'string') throw new Nonsense(asked, '.flag')
  noteClock(compilation, asked)
  const failed = new Unanswerable(`${at} asks the flag "${flag}", which cannot be answered`)
  return (context, nowMs, trace) => {
    const { variation, errorCode } = asked.evaluate(context, nowMs)
    if (errorCode !== undefined) throw failed
    const outcome = variation !== undefined && variations.includes(variation)
    if (trace) trace.push({ kind: 'flag', at, subject: flag, actual: variation, expected: variations, outcome })
    return outcome
  }
}

function compileBucketCondition(
  { bucket: condition }: ConditionOf<'bucket'>,
  at: string,
  compilation: Compilation,
): Test {
  return compilePart(compilation, `${at}.bucket`, () => {
    const { algorithm = 'flags', bucketBy, below } = condition
    const buckets = bucketings[algorithm](condition, compilation.flagKey)
    noteClock(compilation, buckets)
    return (context, nowMs, trace) => {
      const actual = buckets.subject(context, nowMs)
      const outcome = actual !== undefined && buckets.bucket(actual) < below
      if (trace)
        trace.push({ kind: 'condition', at, subject: bucketBy, op: 'bucket', actual, expected: condition, outcome })
      return outcome
    }
  })
}

function compileExpression({ jsonLogic }: ConditionOf<'jsonLogic'>, at: string, compilation: Compilation): Test {
  const { holds } = compileJsonLogic(jsonLogic, `${at}.jsonLogic`, compilation)
  return (context, nowMs, trace) => {
    const outcome = holds(context, nowMs)
    if (trace) trace.push({ kind: 'condition', at, op: 'jsonLogic', expected: jsonLogic, outcome })
    return outcome
  }
}
