import type { Condition, Json, UnleashOperator } from '../model.ts'
import type { UnleashConstraint } from './unleash-document.ts'
import { unleashOperators } from './unleash-operators.ts'

/** Holds for everybody. */
export const always: Condition = { all: [] }
/** Holds for nobody. */
export const never: Condition = { any: [] }

/** Unleash's name of an attribute in our words. */
export function attributeOf(contextName: string): string {
  return contextName === 'userId' ? 'targetingKey' : contextName
}

/**
 * The condition that holds exactly where a constraint of Unleash does. One that Unleash does not know holds for nobody, inverted or not; so
 * does one that is not there.
 */
export function constraintCondition(constraint: UnleashConstraint | null): Condition {
  const condition = constraint ? plainCondition(constraint) : undefined
  if (!condition) return never
  return constraint?.inverted ? { not: condition } : condition
}

function plainCondition({
  contextName,
  operator,
  values,
  value,
  caseInsensitive,
}: UnleashConstraint): Condition | undefined {
  const attribute = attributeOf(contextName)
  const texts = values ?? []
  if (operator === 'IN') return equals(attribute, trimmed(texts))
  if (operator === 'NOT_IN') return differs(attribute, trimmed(texts))
  const op = `unleash:${operator}`
  if (!isUnleashOperator(op)) return undefined
  // Dates are always compared with the one time that there is, whatever name stands there.
  return {
    attribute: op.startsWith('unleash:DATE_') ? 'currentTime' : attribute,
    op,
    values: takesSeveral.has(op) ? texts : value === undefined || value === null ? [] : [value],
    ...(caseInsensitive ? { caseInsensitive } : {}),
  }
}

const takesSeveral: ReadonlySet<UnleashOperator> = new Set([
  'unleash:STR_STARTS_WITH',
  'unleash:STR_ENDS_WITH',
  'unleash:STR_CONTAINS',
  'unleash:IN_CIDR',
])

function isUnleashOperator(op: string): op is UnleashOperator {
  return Object.hasOwn(unleashOperators, op)
}

/** Unleash trims values and leaves out empty ones. */
function trimmed(values: readonly string[]): string[] {
  return values.filter((value) => value !== '').map((value) => value.trim())
}

/** An attribute that is one of these texts; or a number or boolean of that text, since Unleash reads every attribute as text. */
export function equals(attribute: string, texts: readonly string[]): Condition {
  return texts.length === 0 ? never : { attribute, op: 'in', values: texts.flatMap(withTwins) }
}

function differs(attribute: string, texts: readonly string[]): Condition {
  return texts.length === 0 ? always : { attribute, op: 'notIn', values: texts.flatMap(withTwins) }
}

function withTwins(text: string): Json[] {
  if (text === 'true' || text === 'false') return [text, text === 'true']
  const number = Number(text)
  return Number.isFinite(number) && String(number) === text ? [text, number] : [text]
}

/** All of these hold. */
export function allOf(conditions: readonly Condition[]): Condition {
  const [only, ...others] = conditions
  return only && others.length === 0 ? only : { all: conditions }
}
