import { createApiClient } from './api-client.ts'
import { formatTable } from './table.ts'
import type { Terminal } from './terminal.ts'

export interface ListAuditOptions {
  readonly namespace?: string
  readonly key?: string
  readonly actor?: string
  readonly from?: string
  readonly to?: string
  readonly limit?: string
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

/** `audit`: what was changed, newest first. Throws CommandError. */
export async function listAudit(
  { json, ...query }: ListAuditOptions,
  env: NodeJS.ProcessEnv,
  terminal: Terminal,
): Promise<void> {
  const answer = await createApiClient(env).request({ method: 'GET', path: '/audit', query })
  if (json) return terminal.out(`${JSON.stringify(answer)}\n`)
  const { entries } = answer as { entries: readonly Entry[] }
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
