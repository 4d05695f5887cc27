import { createApiClient } from './api-client.ts'
import { formatTable } from './table.ts'
import type { Terminal } from './terminal.ts'

export interface HistoryOptions {
  readonly namespace?: string
  readonly json?: boolean
}

interface Version {
  readonly version: string
  readonly at: string
  readonly actor: { readonly name: string }
  readonly node: string
  readonly change: string
  readonly reason?: string
  readonly conflict?: boolean
}

/** `history KEY`: the versions of a flag, newest first. Throws CommandError. */
export async function showHistory(
  key: string,
  { json, namespace }: HistoryOptions,
  env: NodeJS.ProcessEnv,
  terminal: Terminal,
): Promise<void> {
  const path = `/flags/${encodeURIComponent(key)}/history`
  const answer = await createApiClient(env).request({ method: 'GET', path, query: { namespace } })
  if (json) return terminal.out(`${JSON.stringify(answer)}\n`)
  const { versions } = answer as { versions: readonly Version[] }
  terminal.out(
    formatTable([
      ['VERSION', 'AT', 'WHO', 'NODE', 'CHANGE', ''],
      ...versions.map(({ version, at, actor, node, change, reason = '', conflict }) => [
        version,
        at,
        actor.name,
        node,
        change,
        conflict ? `lost to another ${reason}` : reason,
      ]),
    ]),
  )
}

/** `rollback KEY VERSION`: writes an earlier version again, as a new one. Throws CommandError. */
export async function rollBack(
  key: string,
  version: string,
  { json, namespace, reason }: HistoryOptions & { readonly reason?: string },
  env: NodeJS.ProcessEnv,
  terminal: Terminal,
): Promise<void> {
  const path = `/flags/${encodeURIComponent(key)}/rollback`
  const body = JSON.stringify({ version, reason })
  const answer = await createApiClient(env).request({ method: 'POST', path, query: { namespace }, body })
  const flag = answer as { readonly version: string }
  terminal.out(
    json ? `${JSON.stringify(answer)}\n` : `${key} is as it was at ${version}; its version is now ${flag.version}.\n`,
  )
}
