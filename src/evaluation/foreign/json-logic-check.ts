import type { InputFault } from '../../base/errors.ts'
import { contextAttributesMax } from '../../base/limits.ts'
import type { Json } from '../model.ts'
import { joinPath } from '../well-formed.ts'
import { flagdOperators } from './flagd-operators.ts'

/** The operators that flagd's schema of targeting has. The engine knows some more, and no flag of flagd may use them. */
const operators: ReadonlySet<string> = new Set([
  ...['var', 'missing', 'missing_some', 'if', 'and', 'or', '!', '!!', '==', '===', '!=', '!=='],
  ...['>', '>=', '<', '<=', '+', '-', '*', '/', '%', 'max', 'min', 'in', 'cat', 'substr', 'merge'],
  ...['map', 'filter', 'all', 'none', 'some', 'reduce', ...Object.keys(flagdOperators)],
])
const loops: ReadonlySet<string> = new Set(['map', 'filter', 'all', 'none', 'some', 'reduce'])
/** In the body of a `reduce` these could double what it gathers with every item. */
const growing: ReadonlySet<string> = new Set(['cat', 'merge'])

export interface ExpressionCheck {
  readonly faults: readonly InputFault[]
  /** That evaluating it takes at most. */
  readonly steps: number
  /** It may read the clock (`$flagd.timestamp`). */
  readonly ticking: boolean
}

/**
 * Checks a JsonLogic expression before anything of it is run: its operators, and how long any context can make it take. `path` is where it
 * stands.
 */
export function checkJsonLogic(expression: Json, path: string): ExpressionCheck {
  const faults: InputFault[] = []
  let ticking = false

  /** The steps that evaluating a part takes at most. */
  function visit(part: Json, at: string, inReduce: boolean): number {
    if (typeof part !== 'object' || part === null) return 1
    if (Array.isArray(part))
      return part.reduce<number>((sum, item, index) => sum + visit(item, `${at}[${index}]`, inReduce), 1)
    const [operator, ...others] = Object.keys(part)
    if (operator === undefined) return 1
    if (others.length > 0) faults.push({ path: at, message: 'must have one property alone, the operator' })
    else if (!operators.has(operator))
      faults.push({ path: at, message: `"${operator}" is not an operator of flagd's JsonLogic` })
    else if (inReduce && growing.has(operator))
      faults.push({ path: at, message: `"${operator}" cannot stand in a "reduce"` })
    const operands = part[operator] as Json
    if (operator === 'var' && readsTime(operands)) ticking = true
    const within = joinPath(at, operator)
    return loops.has(operator) ? visitLoop(operator, operands, within, inReduce) : 1 + visit(operands, within, inReduce)
  }

  function visitLoop(operator: string, operands: Json, at: string, inReduce: boolean): number {
    if (!Array.isArray(operands) || operands.length < 2) {
      faults.push({ path: at, message: 'must be a list and what to do with its items' })
      return 1
    }
    const [list = null, body = null, ...others] = operands
    const steps = visit(list, `${at}[0]`, inReduce) + visit(others, at, inReduce)
    const items = Array.isArray(list) ? list.length : Math.max(steps, contextAttributesMax)
    return steps + items * visit(body, `${at}[1]`, inReduce || operator === 'reduce')
  }

  const steps = visit(expression, path, false)
  return { faults, steps, ticking }
}

function readsTime(operands: Json): boolean {
  const path = Array.isArray(operands) ? (operands[0] ?? '') : operands
  if (typeof path !== 'string') return typeof path !== 'number'
  return path === '' || path === '$flagd' || path.startsWith('$flagd.timestamp')
}
