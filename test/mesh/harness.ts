import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { setTimeout as delay } from 'node:timers/promises'
import pino from 'pino'
import type { TestContext } from 'vitest'
import { seededRandom, unit } from '../../src/base/random.ts'
import { createMesh, type Mesh, type MeshOptions } from '../../src/mesh/mesh.ts'
import type { Address, MemberEvent, MemberState } from '../../src/replica/ports.ts'

/** Waits for the condition, looking every 5 ms; throws with `what` when it does not come true in time. */
export async function until(what: string, condition: () => boolean, deadlineMs = 20_000): Promise<void> {
  const endMs = performance.now() + deadlineMs
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`not within ${deadlineMs} ms: ${what}`)
    await delay(5)
  }
}

/** A UDP port that is free now; for multicast groups, which several sockets share. */
export async function freePort(): Promise<number> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  const { port } = socket.address()
  await new Promise<void>((resolve) => socket.close(() => resolve()))
  return port
}

export interface Node {
  readonly mesh: Mesh
  readonly options: MeshOptions
  readonly url: string
  readonly events: MemberEvent[]
}

/** Meshes in this process, over real sockets on loopback, with a network between them that can be cut and lossy. */
export class TestNetwork {
  readonly nodes: Node[] = []
  /** Datagrams that the faults ate. */
  lost = 0
  /** Share of datagrams that are lost on their way. */
  lossRatio = 0
  /** True for a link that carries nothing, one way. */
  cut: (from: Address, to: Address) => boolean = () => false
  readonly #defaults: Partial<MeshOptions>
  readonly #random

  constructor(defaults: Partial<MeshOptions> = {}, seed = 1) {
    this.#random = seededRandom(seed)
    this.#defaults = { cluster: `test-${randomBytes(6).toString('hex')}`, ...defaults }
  }

  /** A further node, bound but not yet started. */
  async open(options: Partial<MeshOptions> = {}): Promise<Node> {
    let address: Address = ''
    const all: MeshOptions = {
      host: '127.0.0.1',
      port: 0,
      portFixed: true,
      advertise: null,
      cluster: '',
      keyring: [],
      multicast: null,
      seeds: [],
      nodeId: randomBytes(8).toString('hex'),
      random: this.#random,
      logger: pino({ level: 'silent' }),
      ...this.#defaults,
      ...options,
      hears: (from) => this.#carries(from, address),
    }
    const mesh = await createMesh(all)
    address = mesh.address
    const node: Node = { mesh, options: all, url: `http://127.0.0.1:${mesh.address.split(':')[1]}`, events: [] }
    mesh.membership.onMember((event) => node.events.push(event))
    this.nodes.push(node)
    return node
  }

  async start(options: Partial<MeshOptions> = {}): Promise<Node> {
    const node = await this.open(options)
    await node.mesh.start(node.url)
    return node
  }

  /** Starts `count` nodes, the later ones joining the first. */
  async startJoined(count: number, options: Partial<MeshOptions> = {}): Promise<readonly Node[]> {
    const started: Node[] = []
    for (let i = 0; i < count; i++) started.push(await this.start(options))
    for (const node of started.slice(1)) node.mesh.membership.join([started[0]!.mesh.address])
    await untilAllSee(started, 'alive')
    return started
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.splice(0).map((node) => node.mesh.stop()))
  }

  /** Stops a node that nobody hears any more: what `kill -9` looks like from outside. */
  async kill(node: Node): Promise<void> {
    const { cut } = this
    const { address } = node.mesh
    this.cut = (from, to) => from === address || to === address || cut(from, to)
    this.nodes.splice(this.nodes.indexOf(node), 1)
    await node.mesh.stop()
    await this.#drain()
    this.cut = cut
  }

  /** Waits until each node has read what was sent to it before: a socket on loopback is a queue, and this its last. */
  async #drain(): Promise<void> {
    const malformed = (node: Node) => node.mesh.counters().drops.malformed
    const marks = this.nodes.map((node) => ({ node, before: malformed(node) }))
    const socket = createSocket('udp4')
    for (const { node } of marks) socket.send(Buffer.from('mark'), Number(node.mesh.address.split(':')[1]), '127.0.0.1')
    await until('all have read the mark', () => marks.every(({ node, before }) => malformed(node) > before))
    socket.close()
  }

  #carries(from: Address, to: Address): boolean {
    const carries = !this.cut(from, to) && unit(this.#random) >= this.lossRatio
    if (!carries) this.lost++
    return carries
  }
}

/** The state in which `node` sees `peer`; undefined when it does not know it. */
export function seen(node: Node, peer: Node): MemberState | undefined {
  return node.mesh.membership.members().find(({ address }) => address === peer.mesh.address)?.state
}

/** Waits until each of the nodes sees each other in this state. */
export async function untilAllSee(nodes: readonly Node[], state: MemberState, deadlineMs?: number): Promise<void> {
  const addresses = nodes.map(({ mesh }) => mesh.address)
  const seesAll = ({ mesh }: Node) => {
    const states = new Map(mesh.membership.members().map((member) => [member.address, member.state]))
    return addresses.every((address) => address === mesh.address || states.get(address) === state)
  }
  await until(`all ${nodes.length} nodes see each other ${state}`, () => nodes.every(seesAll), deadlineMs)
}

/** A network that is stopped when the test is over. */
export function networkOf(context: TestContext, ...args: ConstructorParameters<typeof TestNetwork>): TestNetwork {
  const made = new TestNetwork(...args)
  context.onTestFinished(() => made.stop())
  return made
}
