import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { meshOf } from './api.ts'
import { type NodeProcess, spawnMain, whenReady } from './launch.ts'
import { until } from './until.ts'
import { type Host, VirtualNetwork } from './virtual-network.ts'

export interface WireNode extends NodeProcess {
  readonly host: Host
  readonly dataDir: string
}

export interface StartOptions {
  readonly args?: readonly string[]
  /** Of an earlier node, to be its next life. */
  readonly dataDir?: string
}

/** Nodes on hosts of one wire. Multicast is the default group, on the wire: nothing needs to be free. */
export class WireMesh {
  readonly network: VirtualNetwork
  readonly #directory = mkdtempSync(join(tmpdir(), 'flags-netns-'))
  readonly #children: ChildProcess[] = []

  constructor(hostCount: number) {
    this.network = VirtualNetwork.create(hostCount)
  }

  get hosts(): readonly Host[] {
    return this.network.hosts
  }

  /** Starts a node on a host, and waits until it is ready. */
  async start(
    host: Host,
    { args = [], dataDir = mkdtempSync(join(this.#directory, 'node-')) }: StartOptions = {},
  ): Promise<WireNode> {
    const place = ['--host', host.address, '--insecure', '--data-dir', dataDir]
    const child = spawnMain([...place, ...args], { within: this.network.within(host) })
    this.#children.push(child)
    const node = await whenReady(child)
    return { ...node, host, dataDir }
  }

  startAll(hosts: readonly Host[], options?: StartOptions): Promise<WireNode[]> {
    return Promise.all(hosts.map((host) => this.start(host, options)))
  }

  /** Ends every process and takes the wire away. */
  stop(): void {
    for (const child of this.#children) child.kill('SIGKILL')
    this.network.stop()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

/** How a node sees the one on a host; undefined when it does not know it. */
export async function stateOf(seer: NodeProcess, seen: WireNode): Promise<string | undefined> {
  const { members } = await meshOf(seer)
  return members.find(({ url }) => url === seen.url)?.state
}

/** Waits until each of the seers sees each of the seen, itself aside, in this state. */
export function untilSeen(seers: readonly NodeProcess[], seen: readonly WireNode[], state: string): Promise<true> {
  return until(`${seen.map(({ url }) => url)} ${state} in the eyes of ${seers.map(({ url }) => url)}`, async () => {
    const states = await Promise.all(
      seers.flatMap((seer) => seen.filter(({ url }) => url !== seer.url).map((other) => stateOf(seer, other))),
    )
    return states.every((found) => found === state) ? true : null
  })
}

/** How often a node has held one of these dead: it logs each. */
export function deathsSeenBy(node: NodeProcess): number {
  return node.log.filter(({ msg }) => msg === 'member down').length
}
