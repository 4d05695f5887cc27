import { setTimeout as delay } from 'node:timers/promises'
import type { NodeProcess } from './launch.ts'
import { metricsOf, sampleOf } from './metrics.ts'
import { until } from './until.ts'

export interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
}

/** One request to a node; null when the node did not answer. */
export async function ask(node: NodeProcess, method: string, path: string, body?: unknown): Promise<Answer | null> {
  try {
    const response = await fetch(`${node.url}/api/v1${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? {} : JSON.parse(text) }
  } catch {
    return null
  }
}

export interface MeshMember {
  readonly id: string
  readonly address: string
  readonly url: string
  readonly state: string
  readonly lastSeenMs: number | null
}

export interface MeshAnswer {
  readonly self: { readonly id: string }
  readonly members: readonly MeshMember[]
  readonly ruleset: { readonly root: string; readonly flags: number }
}

/** `GET /mesh` of a node that runs. */
export async function meshOf(node: NodeProcess): Promise<MeshAnswer> {
  const answer = await ask(node, 'GET', '/mesh')
  if (answer?.status !== 200) throw new Error(`${node.url} does not tell its mesh`)
  return answer.body as unknown as MeshAnswer
}

/** The root of the ruleset that a node holds; costs it less than `GET /mesh`. */
export async function rootOf(node: NodeProcess): Promise<string> {
  const answer = await ask(node, 'GET', '/health')
  if (answer?.status !== 200) throw new Error(`${node.url} is not well`)
  return String(answer.body.root)
}

/** A metric of a node that has no labels. */
export async function metric(node: NodeProcess, name: string): Promise<number> {
  return sampleOf(await metricsOf(node.url), name)
}

/** Waits until every node sees all of them, and all hold the same ruleset; gives its root. */
export function convergence(nodes: readonly NodeProcess[]): Promise<string> {
  return until(`${nodes.length} nodes see each other and hold one ruleset`, async () => {
    const views = await Promise.all(nodes.map(meshOf))
    const seesAll = ({ self, members }: MeshAnswer) =>
      new Set([self.id, ...members.filter(({ state }) => state === 'alive').map(({ id }) => id)]).size === nodes.length
    const roots = new Set(views.map(({ ruleset }) => ruleset.root))
    return views.every(seesAll) && roots.size === 1 ? ([...roots][0] as string) : null
  })
}

/** Keys of every flag that a node holds. */
export async function flagKeysOf(node: NodeProcess): Promise<Set<string>> {
  const answer = await ask(node, 'GET', '/export')
  if (answer?.status !== 200) throw new Error(`${node.url} does not export`)
  return new Set((answer.body.flags as { key: string }[]).map(({ key }) => key))
}

export interface Writers {
  /** Keys of the flags whose creation was answered with 201. */
  readonly acknowledged: readonly string[]
  stop(): Promise<void>
}

/**
 * Creates flag after flag at every node, two at a time each, `pauseMs` after each answer, until stopped; nodes that are gone are let
 * be.
 */
export function startWriters(nodes: readonly NodeProcess[], prefix: string, pauseMs = 0): Writers {
  const acknowledged: string[] = []
  let stopped = false
  const write = async (node: NodeProcess, writer: string) => {
    for (let i = 0; !stopped; i++) {
      const key = `${prefix}-${writer}-${i}`
      const answer = await ask(node, 'POST', '/flags', { key })
      if (answer === null) return
      if (answer.status === 201) acknowledged.push(key)
      if (pauseMs > 0) await delay(pauseMs)
    }
  }
  const running = nodes.flatMap((node, n) => ['a', 'b'].map((letter) => write(node, `${n}${letter}`)))
  return {
    acknowledged,
    async stop() {
      stopped = true
      await Promise.all(running)
    },
  }
}
