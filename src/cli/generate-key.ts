import { randomBytes } from 'node:crypto'
import { UsageError } from '../settings.ts'
import type { Terminal } from './terminal.ts'

/** 256 bits: what AES-256 takes, and more than anyone guesses. */
const keyBytes = 32

const makers: Readonly<Record<string, () => string>> = {
  mesh: () => randomBytes(keyBytes).toString('base64'),
  // With a prefix, so that scanners for leaked secrets can know it.
  api: () => `flags_${randomBytes(keyBytes).toString('base64url')}`,
}

/** `keygen mesh|api`. The key goes to `out` alone, so that `> key.txt` keeps it. Throws UsageError for another kind. */
export function generateKey(kind: string, { json }: { json?: boolean }, terminal: Terminal): void {
  const make = Object.hasOwn(makers, kind) ? makers[kind] : undefined
  if (make === undefined) throw new UsageError(`keygen makes a key of kind mesh or api, not ${kind}.`)
  const key = make()
  terminal.out(json ? `${JSON.stringify({ kind, key })}\n` : `${key}\n`)
}
