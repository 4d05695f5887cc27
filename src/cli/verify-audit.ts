import { type ApiClient, createApiClient } from './api-client.ts'
import { CommandError } from './command-error.ts'
import { formatTable } from './table.ts'
import type { Terminal } from './terminal.ts'

interface Verification {
  readonly intact: boolean
  readonly entries: number
  readonly digest: string
  readonly broken: readonly { readonly version: string; readonly kind: string; readonly key: string }[]
  readonly unreadable: readonly string[]
  readonly refused: readonly string[]
}

interface Member {
  readonly id: string
  readonly url: string
  readonly state: string
}

interface Found extends Member {
  readonly verification: Verification
}

/** Times that nodes are asked again when their logs differ: a change may be on its way. */
const attemptsMax = 5
const betweenAttemptsMs = 1_000

/**
 * `audit verify`: whether the audit log of every live node is as its authors left it, and the same on all of them. Throws
 * CommandError when it is not, or a node cannot be asked.
 */
export async function verifyAudit(
  { json }: { json?: boolean },
  env: NodeJS.ProcessEnv,
  terminal: Terminal,
): Promise<void> {
  const entrance = createApiClient(env)
  let found: readonly Found[] = []
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    found = await askAll(entrance, env)
    if (agree(found)) break
    if (attempt < attemptsMax) await new Promise((resolve) => setTimeout(resolve, betweenAttemptsMs))
  }
  const nodes = found.map(({ id, url, verification }) => ({ id, url, ...verification }))
  const intact = nodes.every((node) => node.intact) && agree(found)
  terminal.out(json ? `${JSON.stringify({ intact, nodes })}\n` : describe(found))
  if (!intact) throw new CommandError(complaint(found))
}

async function askAll(entrance: ApiClient, env: NodeJS.ProcessEnv): Promise<Found[]> {
  const { members } = (await entrance.request({ method: 'GET', path: '/mesh' })) as { members: readonly Member[] }
  const live = members.filter(({ state }) => state === 'alive')
  return Promise.all(
    live.map(async (member) => {
      const api = createApiClient({ ...env, FLAGS_URL: member.url })
      return { ...member, verification: (await api.request({ method: 'GET', path: '/audit/verify' })) as Verification }
    }),
  )
}

function agree(found: readonly Found[]): boolean {
  return new Set(found.map(({ verification }) => verification.digest)).size <= 1
}

function describe(found: readonly Found[]): string {
  return formatTable([
    ['NODE', 'URL', 'ENTRIES', 'BROKEN', 'REFUSED', 'DIGEST'],
    ...found.map(({ id, url, verification: { entries, broken, unreadable, refused, digest } }) => [
      id,
      url,
      String(entries),
      String(broken.length + unreadable.length),
      String(refused.length),
      digest.slice(0, 16),
    ]),
  ])
}

function complaint(found: readonly Found[]): string {
  const lines = found.flatMap(({ url, verification: { broken, unreadable, refused } }) => [
    ...broken.map(
      ({ kind, key, version }) => `  ${url}: what came before ${kind} ${key} ${version} is missing or changed`,
    ),
    ...unreadable.map((key) => `  ${url}: ${key} cannot be read`),
    ...refused.map((key) => `  ${url}: ${key} was forged, in its file or by a peer, and refused`),
  ])
  if (lines.length > 0) return ['The audit log is not as its authors left it:', ...lines].join('\n')
  return 'The nodes hold different audit logs: one that stays behind, or whose newest entries were removed.'
}
