import type { EvaluationContext } from './model.ts'

/** Reads one attribute of a context; undefined when it is missing. */
export type Read = (context: EvaluationContext) => unknown

/**
 * Compiles the name of an attribute. A name with dots is tried as it stands first, then as a path into objects (`device.os`).
 * Only own properties count where a name is one that every object inherits (`constructor`, `toString`, `__proto__`).
 */
export function compileAttribute(name: string): Read {
  const direct = ownProperty(name)
  if (!name.includes('.')) return direct
  const steps = name.split('.')
  return (context) => {
    const value = direct(context)
    return value === undefined ? follow(context, steps) : value
  }
}

function ownProperty(name: string): Read {
  // A plain property read is several times faster, and as safe for a name that nothing inherits.
  if (name in Object.prototype) return (context) => (Object.hasOwn(context, name) ? context[name] : undefined)
  return (context) => context[name]
}

function follow(context: EvaluationContext, steps: readonly string[]): unknown {
  let value: unknown = context
  for (const step of steps) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as Record<string, unknown>)[step]
  }
  return value
}

/**
 * The text that names a subject: a string that is not empty, a number or a boolean; anything else names nobody. One rule for
 * rollouts, overrides and segments, so that a subject is the same one everywhere.
 */
export function subjectText(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}
