import type { ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { meshOf } from '../../test/e2e/harness/api.ts'
import { type NodeProcess, spawnMain, whenReady } from '../../test/e2e/harness/launch.ts'
import type { Host, VirtualNetwork } from '../../test/e2e/harness/virtual-network.ts'

/** One process of a node, from when it was ready until it was killed (wall clock). */
export interface Life {
  readonly node: number
  /** Of the data directory: a node that restarts keeps it, one whose disk was emptied gets another. */
  readonly id: string
  readonly process: NodeProcess
  /** The connection of this node's evaluation client. */
  readonly agent: Agent
  readonly fromWallMs: number
  toWallMs: number | null
}

/** Two groups of nodes that could not reach each other, and when (wall clock). */
export interface Cut {
  readonly sides: readonly [readonly number[], readonly number[]]
  readonly fromWallMs: number
  readonly toWallMs: number
}

/** What a start may take when all nodes start at once on a busy machine. */
const readyDeadlineMs = 120_000

/** The nodes as real processes, each with a directory of its own. */
export class Arena {
  readonly nodes: readonly number[]
  /** The wire between them; null where it is loopback. */
  readonly network: VirtualNetwork | null
  /** The cuts of that wire so far. */
  readonly cuts: Cut[] = []
  /** Every process that became ready, those that have ended included. */
  readonly lives: Life[] = []
  readonly #serving = new Map<number, Life>()
  readonly #children = new Set<ChildProcess>()
  readonly #directory = mkdtempSync(join(tmpdir(), 'flags-chaos-'))

  constructor(nodes: number, network: VirtualNetwork | null) {
    this.nodes = Array.from({ length: nodes }, (_, node) => node)
    this.network = network
  }

  /** Where on the wire the node is; undefined where there is none. */
  host(node: number): Host | undefined {
    return this.network?.hosts[node]
  }

  /** The process of a node that should be answering; null while it is struck. */
  serving(node: number): Life | null {
    return this.#serving.get(node) ?? null
  }

  /** Starts the node on its directory, and resolves once it is ready. */
  async start(node: number): Promise<Life> {
    const directory = this.#directoryOf(node)
    mkdirSync(directory, { recursive: true })
    const host = this.host(node)
    const place = host ? ['--host', host.address, '--insecure'] : ['--host', '127.0.0.1', '--mesh-port', '0']
    const child = spawnMain(
      [...place, '--port', '0', '--data-dir', directory, '--cluster', `chaos-${process.pid}`, '--rate-limit', '0'],
      { within: host ? this.network?.within(host) : [] },
    )
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
    const ready = await whenReady(child, readyDeadlineMs)
    const { id } = (await meshOf(ready)).self
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const life: Life = { node, id, process: ready, agent, fromWallMs: Date.now(), toWallMs: null }
    this.lives.push(life)
    this.#serving.set(node, life)
    return life
  }

  /** Kills the node as a power cut would. Throws when it ended otherwise. */
  async kill(node: number): Promise<Life> {
    const life = this.#strike(node)
    life.toWallMs = Date.now()
    const code = await life.process.end('SIGKILL')
    life.agent.destroy()
    if (code !== null) throw new Error(`node ${node} had ended by itself, with exit code ${code}`)
    return life
  }

  /** Empties the directory of a node that does not run. */
  wipe(node: number): void {
    rmSync(this.#directoryOf(node), { recursive: true })
  }

  /** Stops the node's process where it is; `resume` lets it go on. */
  pause(node: number): Life {
    const life = this.#strike(node)
    process.kill(life.process.pid, 'SIGSTOP')
    return life
  }

  resume(life: Life): void {
    process.kill(life.process.pid, 'SIGCONT')
    this.#serving.set(life.node, life)
  }

  /** Ends what still runs, and removes its files. */
  close(): void {
    for (const child of this.#children) child.kill('SIGKILL')
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5 })
  }

  #strike(node: number): Life {
    const life = this.#serving.get(node)
    if (life === undefined) throw new Error(`node ${node} does not run`)
    this.#serving.delete(node)
    return life
  }

  #directoryOf(node: number): string {
    return join(this.#directory, `node-${node}`)
  }
}
