import ipaddr from 'ipaddr.js'
import { RE2JS } from 're2js'
import Range from 'semver/classes/range.js'
import type SemVer from 'semver/classes/semver.js'
import parseSemver from 'semver/functions/parse.js'
import { Nonsense } from './compiling.ts'
import { parseInstant } from './instant.ts'
import type { Json } from './model.ts'

/** A CIDR block. */
export type Block = readonly [address: ipaddr.IPv4 | ipaddr.IPv6, prefixBits: number]

const decimal = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/

// --- reading what the context says: undefined when it is of the wrong kind

/** A finite number, also from a string that writes one in decimal. */
export function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (typeof value !== 'string' || !decimal.test(value)) return undefined
  const number = Number(value)
  return Number.isFinite(number) ? number : undefined
}

/** Epoch milliseconds, from a number or an RFC 3339 string. */
export function toInstant(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  return typeof value === 'string' ? parseInstant(value) : undefined
}

export function toSemver(value: unknown): SemVer | undefined {
  return typeof value === 'string' ? (parseSemver(value) ?? undefined) : undefined
}

/** An address; IPv4 in four decimal parts, IPv6 in any form, and v4 mapped into v6 as the v4 that it is. */
export function toAddress(value: unknown): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  if (typeof value !== 'string') return undefined
  if (ipaddr.IPv4.isValidFourPartDecimal(value)) return ipaddr.IPv4.parse(value)
  return ipaddr.IPv6.isValid(value) ? ipaddr.process(value) : undefined
}

// --- reading what the rule says: Nonsense when it is of the wrong kind

/** Maps each value, and tells which one makes no sense. */
export function each<Operand>(
  values: readonly Json[],
  read: (value: Json) => Operand | undefined,
  wanted: string,
): Operand[] {
  return values.map((value, index) => {
    const operand = read(value)
    if (operand === undefined) throw new Nonsense(`must be ${wanted}`, `.values[${index}]`)
    return operand
  })
}

export function scalars(values: readonly Json[]): (string | number | boolean)[] {
  return each(
    values,
    (value) => (value === null || typeof value === 'object' ? undefined : value),
    'a string, a number or a boolean',
  )
}

export function texts(values: readonly Json[]): string[] {
  return each(values, (value) => (typeof value === 'string' ? value : undefined), 'a string')
}

export function numbers(values: readonly Json[]): number[] {
  return each(values, toNumber, 'a number')
}

export function instants(values: readonly Json[]): number[] {
  return each(values, toInstant, 'an RFC 3339 date-time that exists, or epoch milliseconds')
}

export function semvers(values: readonly Json[]): SemVer[] {
  return each(values, toSemver, 'a semantic version such as 1.2.3')
}

export function ranges(values: readonly Json[]): Range[] {
  return each(values, toRange, 'a range of semantic versions such as ^1.2.3 or >=1.0.0 <2.0.0')
}

export function blocks(values: readonly Json[]): Block[] {
  return each(values, toBlock, 'an IPv4 or IPv6 address or CIDR block such as 10.0.0.0/8')
}

export function patterns(values: readonly Json[], caseInsensitive: boolean): RE2JS[] {
  return texts(values).map((source, index) => {
    try {
      return RE2JS.compile(source, caseInsensitive ? RE2JS.CASE_INSENSITIVE : 0)
    } catch (error) {
      throw new Nonsense(`is not a pattern that RE2 takes: ${(error as Error).message}`, `.values[${index}]`)
    }
  })
}

function toRange(value: Json): Range | undefined {
  if (typeof value !== 'string' || value.trim() === '') return undefined
  try {
    return new Range(value)
  } catch {
    return undefined
  }
}

function toBlock(value: Json): Block | undefined {
  if (typeof value !== 'string') return undefined
  const [text = '', bits, more] = value.split('/')
  const address = toAddress(text)
  if (!address || more !== undefined) return undefined
  const bitsMax = address.kind() === 'ipv4' ? 32 : 128
  if (bits === undefined) return [address, bitsMax]
  return /^\d{1,3}$/.test(bits) && Number(bits) <= bitsMax ? [address, Number(bits)] : undefined
}
