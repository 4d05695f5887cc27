import type { ChildProcess } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { convergence } from '../../test/e2e/harness/api.ts'
import { type NodeProcess, spawnMain, whenReady } from '../../test/e2e/harness/launch.ts'

/** Real nodes on loopback, each a process with a directory of its own, that meet by multicast on a port of their own. */
export class MeshOfNodes {
  readonly nodes: NodeProcess[] = []
  readonly directory = mkdtempSync(join(tmpdir(), 'flags-bench-'))
  readonly #children: ChildProcess[] = []
  readonly #common: readonly string[]

  private constructor(multicastPort: number) {
    const place = ['--host', '127.0.0.1', '--port', '0', '--mesh-port', '0', '--cluster', `bench-${process.pid}`]
    this.#common = [...place, '--multicast', `239.255.70.71:${multicastPort}`]
  }

  /** Starts so many nodes, and waits until each sees all. */
  static async start(count: number): Promise<MeshOfNodes> {
    const mesh = new MeshOfNodes(await freeUdpPort())
    process.once('exit', () => mesh.#killAll())
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
    await Promise.all(Array.from({ length: count }, () => mesh.add()))
    await convergence(mesh.nodes)
    return mesh
  }

  /** One more node; `directory` is that of an earlier one, or a new one. Resolves when it is ready. */
  async add(directory = this.newDirectory()): Promise<NodeProcess> {
    const node = await whenReady(this.launch(directory), 300_000)
    this.nodes.push(node)
    return node
  }

  /** Starts a node's process, and does not wait for it. */
  launch(directory = this.newDirectory(), args: readonly string[] = []): ChildProcess {
    const child = spawnMain([...this.#common, '--data-dir', directory, ...args])
    this.#children.push(child)
    return child
  }

  newDirectory(): string {
    return mkdtempSync(join(this.directory, 'node-'))
  }

  #killAll(): void {
    for (const child of this.#children) child.kill('SIGKILL')
    rmSync(this.directory, { recursive: true, force: true })
  }
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address() as AddressInfo
  socket.close()
  return port
}
