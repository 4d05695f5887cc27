import type SemVer from 'semver/classes/semver.js'
import { type Compare, type Compile, Nonsense } from './compiling.ts'
import { unleashClockOperators, unleashOperators } from './foreign/unleash-operators.ts'
import type { Json, Operator } from './model.ts'
import {
  blocks,
  instants,
  numbers,
  patterns,
  ranges,
  scalars,
  semvers,
  texts,
  toAddress,
  toInstant,
  toNumber,
  toSemver,
} from './operands.ts'

/**
 * Every operator. Several values mean any of them, and for a negative operator none of them, because it is exactly the
 * opposite of its twin: so it holds for a missing attribute and for one of the wrong kind as well.
 */
export const operators: Readonly<Record<Operator, Compile>> = {
  eq: some(equal),
  neq: not(some(equal)),
  in: some(equal),
  notIn: not(some(equal)),
  contains: some(textual((actual, value) => actual.includes(value))),
  notContains: not(some(textual((actual, value) => actual.includes(value)))),
  startsWith: some(textual((actual, value) => actual.startsWith(value))),
  endsWith: some(textual((actual, value) => actual.endsWith(value))),
  matches: some(matching),
  lt: some(numeric((actual, value) => actual < value)),
  lte: some(numeric((actual, value) => actual <= value)),
  gt: some(numeric((actual, value) => actual > value)),
  gte: some(numeric((actual, value) => actual >= value)),
  between: exactly(2, between),
  before: some(temporal((actual, value) => actual < value)),
  after: some(temporal((actual, value) => actual > value)),
  semverEq: some(versioned((order) => order === 0)),
  semverNeq: not(some(versioned((order) => order === 0))),
  semverLt: some(versioned((order) => order < 0)),
  semverLte: some(versioned((order) => order <= 0)),
  semverGt: some(versioned((order) => order > 0)),
  semverGte: some(versioned((order) => order >= 0)),
  semverRange: some(inRange),
  cidr: some(inBlock),
  notCidr: not(some(inBlock)),
  exists: none(() => (actual) => actual !== undefined && actual !== null),
  notExists: none(() => (actual) => actual === undefined || actual === null),
  modulo: exactly(2, modulo),
  arrayContainsAny: some(arrayContains((items, wanted) => wanted.some((value) => items.has(value)))),
  arrayContainsAll: some(arrayContains((items, wanted) => wanted.every((value) => items.has(value)))),
  ...unleashOperators,
}

/** Operators that compare with the clock where the context says nothing. */
export const readsClock: ReadonlySet<Operator> = unleashClockOperators

// --- how many values an operator takes

function some(compile: Compile): Compile {
  return (values, caseInsensitive) => {
    if (values.length === 0) throw new Nonsense('must name at least one value', '.values')
    return compile(values, caseInsensitive)
  }
}

function exactly(count: number, compile: Compile): Compile {
  return (values, caseInsensitive) => {
    if (values.length !== count) throw new Nonsense(`must name exactly ${count} values`, '.values')
    return compile(values, caseInsensitive)
  }
}

function none(compile: Compile): Compile {
  return (values, caseInsensitive) => {
    if (values.length > 0) throw new Nonsense('takes no values', '.values')
    return compile(values, caseInsensitive)
  }
}

function not(compile: Compile): Compile {
  return (values, caseInsensitive) => {
    const compare = compile(values, caseInsensitive)
    return (actual, nowMs) => !compare(actual, nowMs)
  }
}

// --- what an operator compares

function equal(values: readonly Json[], caseInsensitive: boolean): Compare {
  const wanted = scalars(values)
  if (caseInsensitive) {
    const folded = new Set<unknown>(wanted.map(fold))
    return (actual) => folded.has(fold(actual))
  }
  const [only] = wanted
  if (wanted.length === 1) return (actual) => actual === only
  const all = new Set<unknown>(wanted)
  return (actual) => all.has(actual)
}

function fold(value: unknown): unknown {
  return typeof value === 'string' ? value.toLowerCase() : value
}

/** Whether it holds for any of the values; most conditions name one, and asking that one directly is several times faster. */
function any<Actual, Value>(
  values: readonly Value[],
  holds: (actual: Actual, value: Value) => boolean,
): (actual: Actual) => boolean {
  const [only] = values
  if (values.length === 1) return (actual) => holds(actual, only as Value)
  return (actual) => values.some((value) => holds(actual, value))
}

function textual(holds: (actual: string, value: string) => boolean): Compile {
  return (values, caseInsensitive) => {
    const wanted = texts(values)
    if (caseInsensitive) {
      const holdsAny = any(
        wanted.map((value) => value.toLowerCase()),
        holds,
      )
      return (actual) => typeof actual === 'string' && holdsAny(actual.toLowerCase())
    }
    const holdsAny = any(wanted, holds)
    return (actual) => typeof actual === 'string' && holdsAny(actual)
  }
}

function matching(values: readonly Json[], caseInsensitive: boolean): Compare {
  const holdsAny = any(patterns(values, caseInsensitive), (actual: string, pattern) => pattern.test(actual))
  return (actual) => typeof actual === 'string' && holdsAny(actual)
}

function numeric(holds: (actual: number, value: number) => boolean): Compile {
  return (values) => {
    const holdsAny = any(numbers(values), holds)
    return (actual) => {
      const number = toNumber(actual)
      return number !== undefined && holdsAny(number)
    }
  }
}

/** Both ends belong to it. */
function between(values: readonly Json[]): Compare {
  const [low, high] = numbers(values) as [number, number]
  if (low > high) throw new Nonsense('must name the lower end first', '.values')
  return (actual) => {
    const number = toNumber(actual)
    return number !== undefined && number >= low && number <= high
  }
}

function temporal(holds: (actual: number, value: number) => boolean): Compile {
  return (values) => {
    const holdsAny = any(instants(values), holds)
    return (actual) => {
      const instant = toInstant(actual)
      return instant !== undefined && holdsAny(instant)
    }
  }
}

function versioned(holds: (order: -1 | 0 | 1) => boolean): Compile {
  return (values) => {
    const holdsAny = any(semvers(values), (actual: SemVer, value) => holds(actual.compare(value)))
    return (actual) => {
      const version = toSemver(actual)
      return version !== undefined && holdsAny(version)
    }
  }
}

function inRange(values: readonly Json[]): Compare {
  const holdsAny = any(ranges(values), (actual: SemVer, range) => range.test(actual))
  return (actual) => {
    const version = toSemver(actual)
    return version !== undefined && holdsAny(version)
  }
}

function inBlock(values: readonly Json[]): Compare {
  const wanted = blocks(values)
  return (actual) => {
    const address = toAddress(actual)
    if (!address) return false
    return wanted.some(([network, bits]) => address.kind() === network.kind() && address.match(network, bits))
  }
}

/** `values` are divisor and remainder; the remainder is never negative. */
function modulo(values: readonly Json[]): Compare {
  const [divisor, remainder] = numbers(values) as [number, number]
  if (divisor <= 0) throw new Nonsense('must be a divisor greater than 0', '.values[0]')
  if (remainder < 0 || remainder >= divisor)
    throw new Nonsense('must be a remainder from 0 to below the divisor', '.values[1]')
  return (actual) => {
    const number = toNumber(actual)
    return number !== undefined && ((number % divisor) + divisor) % divisor === remainder
  }
}

function arrayContains(holds: (items: ReadonlySet<unknown>, wanted: readonly unknown[]) => boolean): Compile {
  return (values, caseInsensitive) => {
    const wanted = caseInsensitive ? scalars(values).map(fold) : scalars(values)
    return (actual) => Array.isArray(actual) && holds(new Set(caseInsensitive ? actual.map(fold) : actual), wanted)
  }
}
