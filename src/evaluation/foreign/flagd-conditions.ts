import { conditionDepthMax } from '../../base/limits.ts'
import type { Condition, Json } from '../model.ts'

/** Two operands of a JsonLogic operator. */
type Pair = readonly [Json, Json]

/**
 * The condition that holds exactly where a JsonLogic expression is truthy: in our words as far as they mean the same for every context, so
 * that people can edit it; else the expression as it is. `{"==": [{"var": "plan"}, "pro"]}` is one that stays: JsonLogic compares a
 * number with text as numbers, and fails if the text is none.
 */
export function conditionOf(expression: Json, depth = 1): Condition {
  if (expression === true) return { all: [] }
  const kept = { jsonLogic: expression }
  if (typeof expression !== 'object' || expression === null || Array.isArray(expression)) return kept
  const [operator = '', ...others] = Object.keys(expression)
  if (others.length > 0 || !Object.hasOwn(translations, operator) || depth >= conditionDepthMax) return kept
  return translations[operator]?.(expression[operator] as Json, depth) ?? kept
}

const translations: Readonly<Record<string, (operands: Json, depth: number) => Condition | undefined>> = {
  and: (operands, depth) => several(operands, depth, (all) => ({ all })),
  or: (operands, depth) => several(operands, depth, (any) => ({ any })),
  '!': negation,
  in: membership,
  '===': (operands) => identity(operands, 'eq'),
  '!==': (operands) => identity(operands, 'neq'),
  starts_with: (operands) => affix(operands, 'startsWith'),
  ends_with: (operands) => affix(operands, 'endsWith'),
}

function several(operands: Json, depth: number, join: (conditions: Condition[]) => Condition): Condition | undefined {
  if (!Array.isArray(operands) || operands.length === 0) return undefined
  return join(operands.map((operand) => conditionOf(operand, depth + 1)))
}

/** Only of what is true or false: JsonLogic's engine looks into a list that it negates. */
function negation(operands: Json, depth: number): Condition | undefined {
  const operand = Array.isArray(operands) && operands.length === 1 ? (operands[0] as Json) : operands
  if (typeof operand !== 'object' || operand === null || Array.isArray(operand)) return undefined
  const not = conditionOf(operand, depth + 1)
  return isOurs(not) ? { not } : undefined
}

function isOurs(condition: Condition): boolean {
  if ('all' in condition) return condition.all.every(isOurs)
  if ('any' in condition) return condition.any.every(isOurs)
  if ('not' in condition) return isOurs(condition.not)
  return !('jsonLogic' in condition)
}

function membership(operands: Json): Condition | undefined {
  const [item, list] = pairOf(operands) ?? []
  const attribute = attributeOf(item)
  if (attribute === undefined || !Array.isArray(list) || list.length === 0 || !list.every(isScalar)) return undefined
  return { attribute, op: 'in', values: list }
}

function identity(operands: Json, op: 'eq' | 'neq'): Condition | undefined {
  const [one, other] = pairOf(operands) ?? []
  const value = attributeOf(one) === undefined ? one : other
  const attribute = attributeOf(one) ?? attributeOf(other)
  return attribute !== undefined && isScalar(value) ? { attribute, op, values: [value] } : undefined
}

function affix(operands: Json, op: 'startsWith' | 'endsWith'): Condition | undefined {
  const [text, part] = pairOf(operands) ?? []
  const attribute = attributeOf(text)
  return attribute !== undefined && typeof part === 'string' ? { attribute, op, values: [part] } : undefined
}

function pairOf(operands: Json): Pair | undefined {
  return Array.isArray(operands) && operands.length === 2 ? (operands as unknown as Pair) : undefined
}

function isScalar(value: Json | undefined): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

/**
 * The attribute that `{"var": name}` reads, if ours of that name reads the same. One with a dot does not: a context that has an attribute
 * of that very name is read differently.
 */
export function attributeOf(expression: Json | undefined): string | undefined {
  if (typeof expression !== 'object' || expression === null || Array.isArray(expression)) return undefined
  const { var: name, ...others } = expression
  if (typeof name !== 'string' || Object.keys(others).length > 0) return undefined
  return /^[^.\\/$\p{Cc}]{1,256}$/u.test(name) && !(name in Object.prototype) ? name : undefined
}
