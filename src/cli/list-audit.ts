import { UsageError } from '../settings.ts'
import { type ApiClient, createApiClient } from './api-client.ts'
import { formatTable } from './table.ts'
import type { Terminal } from './terminal.ts'

export interface ListAuditOptions {
  readonly namespace?: string
  readonly key?: string
  readonly actor?: string
  readonly from?: string
  readonly to?: string
  readonly limit: string
  readonly json?: boolean
}

interface Entry {
  readonly at: string
  readonly actor: { readonly name: string; readonly from: string }
  readonly node: string
  readonly namespace?: string
  readonly kind: string
  readonly key: string
  readonly change: string
  readonly version: string
  readonly reason?: string
  readonly conflict?: boolean
}

/** Entries of one request; the most that a node gives. */
const pageEntries = 200

/** `audit`: what was changed, newest first, page after page. Throws CommandError, and UsageError for a limit that is none. */
export async function listAudit(
  { json, limit, ...query }: ListAuditOptions,
  env: NodeJS.ProcessEnv,
  terminal: Terminal,
): Promise<void> {
  if (!/^[1-9]\d{0,8}$/.test(limit)) throw new UsageError(`--limit must be a whole number from 1, not ${limit}.`)
  const entries = await collect(createApiClient(env), query, Number(limit))
  if (json) return terminal.out(`${JSON.stringify({ entries })}\n`)
  terminal.out(
    formatTable([
      ['AT', 'WHO', 'FROM', 'NODE', 'CHANGE', 'WHAT', 'VERSION', ''],
      ...entries.map(({ at, actor, node, change, kind, namespace, key, version, reason = '', conflict }) => [
        at,
        actor.name,
        actor.from,
        node,
        change,
        `${kind} ${namespace === undefined || namespace === 'default' ? '' : `${namespace}/`}${key}`,
        version,
        conflict ? `lost to another ${reason}` : reason,
      ]),
    ]),
  )
}

async function collect(api: ApiClient, asked: Record<string, string | undefined>, limit: number): Promise<Entry[]> {
  const entries: Entry[] = []
  let cursor: string | undefined
  do {
    const query = { ...asked, cursor, limit: String(Math.min(limit - entries.length, pageEntries)) }
    const page = (await api.request({ method: 'GET', path: '/audit', query })) as {
      readonly entries: readonly Entry[]
      readonly nextCursor?: string
    }
    entries.push(...page.entries)
    cursor = page.nextCursor
  } while (cursor !== undefined && entries.length < limit)
  return entries
}
