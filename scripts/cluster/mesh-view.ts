import { setTimeout as delay } from 'node:timers/promises'
import type { LocalNode } from './local-node.ts'

/** What a node says of the mesh; null while it says nothing. */
export interface MeshView {
  readonly ready: boolean
  /** Nodes alive, itself included. */
  readonly alive: number
  readonly root: string
}

const requestTimeoutMs = 2_000
const pollEveryMs = 100

interface MeshAnswer {
  readonly self: { readonly id: string }
  readonly members: readonly { readonly id: string; readonly state: string }[]
  readonly ruleset: { readonly root: string }
}

export async function viewOf(url: string, apiKey: string | undefined): Promise<MeshView | null> {
  const headers: Record<string, string> = apiKey === undefined ? {} : { 'x-api-key': apiKey }
  const get = (path: string) => fetch(`${url}${path}`, { headers, signal: AbortSignal.timeout(requestTimeoutMs) })
  try {
    const mesh = await get('/api/v1/mesh')
    if (!mesh.ok) return null
    const { self, members, ruleset } = (await mesh.json()) as MeshAnswer
    const ready = await get('/health/ready')
    await ready.body?.cancel()
    const alive = new Set([self.id, ...members.filter(({ state }) => state === 'alive').map(({ id }) => id)])
    return { ready: ready.ok, alive: alive.size, root: ruleset.root }
  } catch {
    return null
  }
}

/**
 * Waits until every node is ready, sees all of them, and holds the same ruleset. Resolves with what is missing when
 * `deadlineMs` have passed or `giveUp` tells why there is no point in waiting; null when all is well.
 */
export async function waitForMesh(
  nodes: readonly LocalNode[],
  apiKey: string | undefined,
  { deadlineMs, giveUp }: { readonly deadlineMs: number; readonly giveUp: () => string | null },
): Promise<string | null> {
  const endMs = performance.now() + deadlineMs
  for (;;) {
    const reason = giveUp()
    if (reason !== null) return reason
    const missing = await firstMissing(nodes, apiKey)
    if (missing === null) return null
    if (performance.now() > endMs) return `${missing} after ${deadlineMs / 1000} s`
    await delay(pollEveryMs)
  }
}

/** Asks one after another and stops at the first that is not there yet: the nodes need the processors to start. */
async function firstMissing(nodes: readonly LocalNode[], apiKey: string | undefined): Promise<string | null> {
  const roots = new Set<string>()
  for (const { index, url } of nodes) {
    const view = await viewOf(url, apiKey)
    if (view === null) return `node-${index} does not answer at ${url}`
    if (!view.ready) return `node-${index} is not ready`
    if (view.alive !== nodes.length) return `node-${index} sees ${view.alive} of ${nodes.length} nodes`
    roots.add(view.root)
  }
  return roots.size === 1 ? null : 'the nodes hold different rulesets'
}
