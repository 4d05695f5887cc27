import type SemVer from 'semver/classes/semver.js'
import coerce from 'semver/functions/coerce.js'
import compare from 'semver/functions/compare.js'
import parse from 'semver/functions/parse.js'
import { murmur32 } from '../../base/hash.ts'
import { scaleHash } from './flagd-buckets.ts'

/** What an expression sees as its data: the context with flagd's own properties. In a loop it is the item at hand. */
type Data = Readonly<Record<string, unknown>> | null | undefined
/** An operator that flagd adds to JsonLogic; null says that it was not given what it takes. */
type FlagdOperator = (operands: unknown, data: Data) => unknown

/** Greatest sum of the weights of a `fractional`: they are 32-bit integers in flagd. */
const weightsSumMax = 2_147_483_647

/** As in flagd's specification of custom operations, and in @openfeature/flagd-core 4.0.1. */
export const flagdOperators: Readonly<Record<'starts_with' | 'ends_with' | 'sem_ver' | 'fractional', FlagdOperator>> = {
  starts_with: textual((text, part) => text.startsWith(part)),
  ends_with: textual((text, part) => text.endsWith(part)),
  sem_ver: semVer,
  fractional,
}

function textual(holds: (text: string, part: string) => boolean): FlagdOperator {
  return (operands) => {
    if (!Array.isArray(operands) || operands.length !== 2) return null
    const [text, part] = operands
    return typeof text === 'string' && typeof part === 'string' ? holds(text, part) : null
  }
}

const comparisons: Readonly<Record<string, (one: SemVer, other: SemVer) => boolean>> = {
  '=': (one, other) => compare(one, other) === 0,
  '!=': (one, other) => compare(one, other) !== 0,
  '<': (one, other) => compare(one, other) < 0,
  '<=': (one, other) => compare(one, other) <= 0,
  '>=': (one, other) => compare(one, other) >= 0,
  '>': (one, other) => compare(one, other) > 0,
  '^': (one, other) => one.major === other.major,
  '~': (one, other) => one.major === other.major && one.minor === other.minor,
}

function semVer(operands: unknown): boolean | null {
  if (!Array.isArray(operands) || operands.length !== 3) return null
  const [one, operator, other] = [lenientVersion(operands[0]), String(operands[1]), lenientVersion(operands[2])]
  if (!one || !other || !Object.hasOwn(comparisons, operator)) return null
  return comparisons[operator]?.(one, other) ?? null
}

/** A semantic version, also with a leading v and with its last numbers left out. */
function lenientVersion(value: unknown): SemVer | null {
  const text = String(value).replace(/^[vV]/, '')
  return parse(text) ?? (/^\d+(\.\d+)?$/.test(text) ? coerce(text) : null)
}

/** `[text to hash?, [variation, weight?], ...]`: without a text that of the flag key and the targeting key. */
function fractional(operands: unknown, data: Data): unknown {
  const flagd = data?.$flagd as { readonly flagKey: string } | undefined
  if (!Array.isArray(operands) || operands.length === 0 || !flagd) return null
  const [first, ...others] = operands
  const own = typeof first === 'string'
  if (!own && !data?.targetingKey) return null
  const shares = readShares(own ? others : operands)
  if (!shares) return null
  const sum = shares.reduce((total, { weight }) => total + weight, 0)
  if (sum > weightsSumMax) return null
  const position = scaleHash(murmur32(own ? first : `${flagd.flagKey}${data?.targetingKey}`), sum)
  let end = 0
  for (const { variation, weight } of shares) {
    end += weight
    if (end > position) return variation
  }
  return null
}

interface Share {
  readonly variation: string | number | boolean | null
  readonly weight: number
}

/** undefined where one of them is none. */
function readShares(entries: readonly unknown[]): Share[] | undefined {
  const shares = entries.map(readShare)
  return shares.every((share) => share !== undefined) ? shares : undefined
}

/** A weight that a calculation made negative counts as 0. */
function readShare(entry: unknown): Share | undefined {
  if (!Array.isArray(entry) || entry.length === 0 || entry.length > 2) return undefined
  const variation = entry[0] ?? null
  const weight = entry.length === 1 ? 1 : entry[1]
  if (typeof variation === 'object' && variation !== null) return undefined
  return Number.isInteger(weight) ? { variation, weight: Math.max(0, weight) } : undefined
}
