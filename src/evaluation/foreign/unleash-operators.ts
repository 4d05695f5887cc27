import ipaddr from 'ipaddr.js'
import { RE2JS } from 're2js'
import type SemVer from 'semver/classes/semver.js'
import parseSemver from 'semver/functions/parse.js'
import type { Compare, Compile } from '../compiling.ts'
import type { Json, Operator, UnleashOperator } from '../model.ts'

/**
 * The operators of Unleash's constraints that mean something else than ours do, as in its client specification 6 and in unleash-client
 * 6.12. Every attribute is read as text, numbers and booleans too. What makes no sense in a constraint is no error there: it never holds.
 * IN and NOT_IN are not here, because `in` and `notIn` say the same.
 */
export const unleashOperators: Readonly<Record<UnleashOperator, Compile>> = {
  'unleash:STR_STARTS_WITH': textual((text, value) => text.startsWith(value)),
  'unleash:STR_ENDS_WITH': textual((text, value) => text.endsWith(value)),
  'unleash:STR_CONTAINS': textual((text, value) => text.includes(value)),
  'unleash:NUM_EQ': numeric((number, value) => number === value),
  'unleash:NUM_GT': numeric((number, value) => number > value),
  'unleash:NUM_GTE': numeric((number, value) => number >= value),
  'unleash:NUM_LT': numeric((number, value) => number < value),
  'unleash:NUM_LTE': numeric((number, value) => number <= value),
  'unleash:DATE_AFTER': temporal((instantMs, valueMs) => instantMs > valueMs),
  'unleash:DATE_BEFORE': temporal((instantMs, valueMs) => instantMs < valueMs),
  'unleash:SEMVER_EQ': versioned((order) => order === 0),
  'unleash:SEMVER_GT': versioned((order) => order > 0),
  'unleash:SEMVER_GTE': versioned((order) => order >= 0),
  'unleash:SEMVER_LT': versioned((order) => order < 0),
  'unleash:SEMVER_LTE': versioned((order) => order <= 0),
  'unleash:REGEX': regex,
  'unleash:IN_CIDR': inCidr,
}

/** They compare with the clock unless the context says what time it is. */
export const unleashClockOperators: ReadonlySet<Operator> = new Set(['unleash:DATE_AFTER', 'unleash:DATE_BEFORE'])

const never: Compare = () => false

function textOf(value: unknown): string | undefined {
  return value === undefined || value === null ? undefined : String(value)
}

/** Values are trimmed, and empty ones do not count. */
function wantedTexts(values: readonly Json[]): string[] {
  return values.filter((value) => Boolean(value)).map((value) => String(value).trim())
}

function textual(holds: (text: string, value: string) => boolean): Compile {
  return (values, caseInsensitive) => {
    const fold = (text: string) => (caseInsensitive ? text.toLowerCase() : text)
    const wanted = wantedTexts(values).map(fold)
    return (actual) => {
      const text = textOf(actual)
      return text !== undefined && wanted.some((value) => holds(fold(text), value))
    }
  }
}

function numeric(holds: (number: number, value: number) => boolean): Compile {
  return ([value]) => {
    const wanted = Number(value)
    if (Number.isNaN(wanted)) return never
    return (actual) => {
      const number = Number(textOf(actual))
      return !Number.isNaN(number) && holds(number, wanted)
    }
  }
}

/** Compares what the context says the time is, or else the clock. A value that is no date compares with nothing. */
function temporal(holds: (instantMs: number, valueMs: number) => boolean): Compile {
  return ([value]) => {
    const wantedMs = toMs(value)
    return (actual, nowMs) => holds(actual ? toMs(actual) : nowMs, wantedMs)
  }
}

/** What `new Date(value)` makes of it; NaN for what is no date. */
function toMs(value: unknown): number {
  return typeof value === 'string' ? Date.parse(value) : Number(value)
}

function versioned(holds: (order: -1 | 0 | 1) => boolean): Compile {
  return ([value]) => {
    const wanted = parseSemver(typeof value === 'string' ? value : null)
    if (!wanted) return never
    return (actual) => {
      const version = versionOf(actual)
      return version !== null && holds(version.compare(wanted))
    }
  }
}

/** A leading v is allowed in the constraint, but not here. */
function versionOf(actual: unknown): SemVer | null {
  const text = textOf(actual)
  return text === undefined || text.startsWith('v') ? null : parseSemver(text)
}

function regex([source]: readonly Json[], caseInsensitive: boolean): Compare {
  if (typeof source !== 'string') return never
  const pattern = compilePattern(source, caseInsensitive)
  if (!pattern) return never
  return (actual) => {
    const text = textOf(actual)
    return text !== undefined && pattern.test(text)
  }
}

function compilePattern(source: string, caseInsensitive: boolean): RE2JS | undefined {
  try {
    return RE2JS.compile(source, caseInsensitive ? RE2JS.CASE_INSENSITIVE : 0)
  } catch {
    return undefined
  }
}

/** An IPv4 address mapped into IPv6 is not the same as the IPv4 address. */
function inCidr(values: readonly Json[]): Compare {
  const blocks = wantedTexts(values)
    .map(blockOf)
    .filter((block) => block !== undefined)
  return (actual) => {
    const address = blockOf(textOf(actual) ?? '')?.[0]
    if (!address) return false
    return blocks.some(([network, bits]) => address.kind() === network.kind() && address.match(network, bits))
  }
}

type Block = readonly [address: ipaddr.IPv4 | ipaddr.IPv6, prefixBits: number]

function blockOf(text: string): Block | undefined {
  const [address = '', bits, more] = text.split('/')
  if (more !== undefined || (bits !== undefined && !/^\d{1,3}$/.test(bits))) return undefined
  const parsed = addressOf(address)
  const bitsMax = parsed?.kind() === 'ipv4' ? 32 : 128
  const prefixBits = bits === undefined ? bitsMax : Number(bits)
  return parsed && prefixBits <= bitsMax ? [parsed, prefixBits] : undefined
}

function addressOf(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text)
  return ipaddr.IPv6.isValid(text) ? ipaddr.IPv6.parse(text) : undefined
}
