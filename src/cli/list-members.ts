import { createApiClient } from './api-client.ts'
import { formatTable } from './table.ts'
import type { Terminal } from './terminal.ts'

/** The parts of `GET /mesh` that are shown. */
interface Member {
  readonly id: string
  readonly address: string
  readonly url: string
  readonly state?: string
  readonly root?: string
  readonly lastSeenMs?: number | null
}

interface MeshAnswer {
  readonly self: Member
  readonly members: readonly Member[]
  readonly ruleset: { readonly root: string }
}

/** `members`. Throws CommandError. */
export async function listMembers(
  { json }: { json?: boolean },
  env: NodeJS.ProcessEnv,
  terminal: Terminal,
): Promise<void> {
  const mesh = (await createApiClient(env).request({ method: 'GET', path: '/mesh' })) as MeshAnswer
  if (json) return terminal.out(`${JSON.stringify(mesh)}\n`)
  const { root } = mesh.ruleset
  const others = mesh.members.filter(({ id }) => id !== mesh.self.id)
  terminal.out(
    formatTable([
      ['NODE', 'ADDRESS', 'URL', 'STATE', 'RULESET', 'LAST SEEN'],
      [mesh.self.id, mesh.self.address, mesh.self.url, 'self', root, ''],
      ...others.map(({ id, address, url, state = '', root: theirs = '', lastSeenMs }) => [
        id,
        address,
        url,
        state,
        theirs === root ? 'the same' : theirs || 'not yet known',
        lastSeenMs == null ? 'never' : `${(lastSeenMs / 1000).toFixed(1)} s ago`,
      ]),
    ]),
  )
}
