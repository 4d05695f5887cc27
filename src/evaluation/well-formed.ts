import type { InputFault } from '../base/errors.ts'

/**
 * What JSON.parse lets through and nobody should store: numbers that overflowed to Infinity, lone surrogates (UTF-8 cannot
 * carry them), the property `__proto__`, and nesting deep enough to end the stack of whoever walks it by recursion. This walk
 * has its own stack. Returns the first fault, or undefined.
 */
export function findIllFormed(root: unknown, depthMax: number): InputFault | undefined {
  const pending: { value: unknown; path: string; depth: number }[] = [{ value: root, path: '', depth: 0 }]
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { value, path, depth } = next
    const message = scalarFault(value) ?? (depth > depthMax ? `nests deeper than ${depthMax} levels` : undefined)
    if (message !== undefined) return { path, message }
    if (typeof value !== 'object' || value === null) continue
    for (const name of Object.keys(value)) {
      const at = Array.isArray(value) ? `${path}[${name}]` : joinPath(path, name)
      if (name === '__proto__' || !name.isWellFormed())
        return { path: at, message: 'is not allowed as the name of a property' }
      pending.push({ value: (value as Record<string, unknown>)[name], path: at, depth: depth + 1 })
    }
  }
  return undefined
}

/** Whether JSON nests deeper than so many levels. Recursive, as it stops there; 20 times as fast as findIllFormed, which keeps paths. */
export function nestsDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels < 0) return true
  if (Array.isArray(value)) {
    for (const item of value) if (nestsDeeperThan(item, levels - 1)) return true
    return false
  }
  for (const name in value) if (nestsDeeperThan((value as Record<string, unknown>)[name], levels - 1)) return true
  return false
}

function scalarFault(value: unknown): string | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) return 'is not a number that JSON can carry'
  if (typeof value === 'string' && !value.isWellFormed()) return 'holds half a surrogate pair, which is not a character'
  return undefined
}

/** `a.b`, or `a["odd name"]` where a dot would mislead. */
export function joinPath(path: string, name: string): string {
  if (!/^[\w$-]+$/.test(name)) return `${path}[${JSON.stringify(name)}]`
  return path === '' ? name : `${path}.${name}`
}

/** The path of a zod issue in the same form. */
export function pathText(path: readonly PropertyKey[]): string {
  let text = ''
  for (const step of path) text = typeof step === 'number' ? `${text}[${step}]` : joinPath(text, String(step))
  return text
}

/** Absent and undefined are one thing in JSON; only absent compares equal to what is read back. */
export function withoutUndefined<T extends object>(holder: T): T {
  const kept: Partial<T> = {}
  for (const name in holder) if (holder[name] !== undefined) kept[name] = holder[name]
  return kept as T
}
