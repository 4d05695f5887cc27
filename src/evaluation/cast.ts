import type { FlagType, Json } from './model.ts'
import { toNumber } from './operands.ts'

/** The value as the type that was asked for; `ok` false where there is no such reading of it. */
export type Cast = { readonly ok: true; readonly value: Json } | { readonly ok: false }

const impossible: Cast = { ok: false }
const booleans: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  [true, true],
  [false, false],
  [1, true],
  [0, false],
  ['true', true],
  ['false', false],
  ['1', true],
  ['0', false],
])

/**
 * Reads a value as another type: a flag's builds disagree about it during a deploy. Total, and never a guess: only what has one
 * obvious reading is cast. `true`, 1, "1" and "true" are one boolean; a boolean is 1 or 0 as a number; scalars have a text, and objects and
 * lists their JSON; as json, a string is what it holds if that is JSON, else itself.
 */
export function cast(value: Json, as: FlagType): Cast {
  switch (as) {
    case 'boolean':
      return toBoolean(value)
    case 'number':
      return castNumber(value)
    case 'string':
      return { ok: true, value: typeof value === 'string' ? value : JSON.stringify(value) }
    case 'json':
      return { ok: true, value: typeof value === 'string' ? parsed(value) : value }
  }
}

function toBoolean(value: Json): Cast {
  const boolean = booleans.get(typeof value === 'string' ? value.trim().toLowerCase() : value)
  return boolean === undefined ? impossible : { ok: true, value: boolean }
}

function castNumber(value: Json): Cast {
  if (typeof value === 'boolean') return { ok: true, value: value ? 1 : 0 }
  const number = toNumber(value)
  return number === undefined ? impossible : { ok: true, value: number }
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}
