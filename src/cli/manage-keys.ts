import { createApiClient } from './api-client.ts'
import { formatTable } from './table.ts'
import type { Terminal } from './terminal.ts'

interface Key {
  readonly id: string
  readonly name: string
  readonly role: string
  readonly namespaces?: readonly string[]
  readonly environments?: readonly string[]
  readonly rateLimit?: number
  readonly expiresAt?: string
  readonly createdAt: string
  readonly createdBy: string
}

export interface NewKeyOptions {
  readonly role: string
  readonly namespace?: readonly string[]
  readonly environment?: readonly string[]
  readonly rateLimit?: number
  readonly expires?: string
  readonly json?: boolean
}

/** `keys list`. Throws CommandError. */
export async function listKeys(
  { json }: { json?: boolean },
  env: NodeJS.ProcessEnv,
  terminal: Terminal,
): Promise<void> {
  const answer = await createApiClient(env).request({ method: 'GET', path: '/keys' })
  if (json) return terminal.out(`${JSON.stringify(answer)}\n`)
  const { keys } = answer as { keys: readonly Key[] }
  terminal.out(
    formatTable([
      ['ID', 'NAME', 'ROLE', 'NAMESPACES', 'ENVIRONMENTS', 'EXPIRES', 'MADE', 'BY'],
      ...keys.map(({ id, name, role, namespaces, environments, expiresAt, createdAt, createdBy }) => [
        id,
        name,
        role,
        namespaces?.join() ?? 'all',
        environments?.join() ?? 'all',
        expiresAt ?? 'never',
        createdAt,
        createdBy,
      ]),
    ]),
  )
}

/** `keys create`. The secret goes to `out` alone, so that `> key.txt` keeps it. Throws CommandError. */
export async function createKey(
  name: string,
  { role, namespace, environment, rateLimit, expires, json }: NewKeyOptions,
  env: NodeJS.ProcessEnv,
  terminal: Terminal,
): Promise<void> {
  const wanted = { name, role, namespaces: namespace, environments: environment, rateLimit, expiresAt: expires }
  const answer = await createApiClient(env).request({ method: 'POST', path: '/keys', body: JSON.stringify(wanted) })
  const made = answer as Key & { readonly secret: string }
  if (!json) terminal.err(`Key ${made.id}; its secret is shown this once:\n`)
  terminal.out(json ? `${JSON.stringify(made)}\n` : `${made.secret}\n`)
}

/** `keys revoke`. Throws CommandError. */
export async function revokeKey(
  id: string,
  { json }: { json?: boolean },
  env: NodeJS.ProcessEnv,
  terminal: Terminal,
): Promise<void> {
  await createApiClient(env).request({ method: 'DELETE', path: `/keys/${encodeURIComponent(id)}` })
  terminal.out(
    json ? `${JSON.stringify({ revoked: id })}\n` : `Revoked ${id}; it fails on every node within moments.\n`,
  )
}
