import type { Address } from '../replica/ports.ts'
import { parseAddress } from './address.ts'

/** Above every wall clock's second for 8 million years; nothing could outrank a forged one that is higher still. */
const incarnationMax = 2 ** 48
const urlCharactersMax = 300
const idPattern = /^[0-9a-f]{16}$/

/**
 * The JSON array in `bytes`, null for anything else. The small messages of the mesh are JSON arrays, because JSON cannot
 * claim to be larger than it is.
 */
export function parseFields(bytes: Uint8Array): readonly unknown[] | null {
  try {
    const fields: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'))
    return Array.isArray(fields) ? fields : null
  } catch {
    return null
  }
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

export function isAddress(value: unknown): value is Address {
  return typeof value === 'string' && parseAddress(value) !== null
}

export function isIncarnation(value: unknown): value is number {
  return isCount(value) && value <= incarnationMax
}

export function isId(value: unknown): value is string {
  return typeof value === 'string' && idPattern.test(value)
}

/** The base URL of a peer: http or https and nothing after the host and port. */
export function isUrl(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > urlCharactersMax) return false
  const url = URL.parse(value)
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') && url.origin === value
}
