import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'

/**
 * A wire between the nodes that can be cut: one network namespace a node, joined by a bridge in the namespace of this process, which
 * reaches every node whatever is cut between them. Namespaces of network, mounts and processes are all made by `enterPrivateNetwork`
 * and end with it, so nothing is left on the machine.
 */
const inside = 'CHAOS_PRIVATE_NETWORK'
const subnet = '10.99.0'
/** Address of this process on the bridge. */
const ownHost = 254
const chain = 'bridge chaos forward'

/** True in the process that `enterPrivateNetwork` started. */
export function isInside(): boolean {
  return process.env[inside] === '1'
}

/** True where this user may make namespaces and filter packets in them. */
export function canEnter(): boolean {
  try {
    execFileSync('unshare', ['--net', '--mount', '--pid', '--fork', 'nft', 'add', 'table', 'bridge', 'chaos'], {
      stdio: 'ignore',
    })
    execFileSync('ip', ['-V'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Runs this very command again in namespaces of its own; gives its exit code. */
export async function enterPrivateNetwork(): Promise<number> {
  const own = 'mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns && exec "$@"'
  const [, ...command] = ['', process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const child = spawn(
    'unshare',
    ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', own, 'sh', ...command],
    { stdio: 'inherit', env: { ...process.env, [inside]: '1' } },
  )
  // It does not pass on a signal to those inside, but they end with it.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => child.kill('SIGKILL'))
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 130
}

/** Two groups of nodes that could not reach each other, and when (wall clock). */
export interface Cut {
  readonly sides: readonly [readonly number[], readonly number[]]
  readonly fromWallMs: number
  toWallMs: number | null
}

export class PrivateNetwork {
  readonly cuts: Cut[] = []

  /** Builds the wire for so many nodes. Throws when a command fails. */
  constructor(nodes: number) {
    ip('link set lo up')
    ip('link add chaos0 type bridge mcast_snooping 0 forward_delay 0')
    ip(`addr add ${subnet}.${ownHost}/24 dev chaos0`)
    ip('link set chaos0 up')
    for (let node = 0; node < nodes; node++) this.#plugIn(node)
    nft('add table bridge chaos')
    nft(`add chain ${chain} { type filter hook forward priority 0; policy accept; }`)
  }

  host(node: number): string {
    return `${subnet}.${node + 1}`
  }

  /** The command that runs the rest of its line where the node lives. */
  within(node: number): readonly string[] {
    return ['ip', 'netns', 'exec', namespace(node)]
  }

  /** From now on nothing passes between the two sides, either way. */
  cut(side: readonly number[], other: readonly number[]): void {
    this.cuts.push({ sides: [side, other], fromWallMs: Date.now(), toWallMs: null })
    const [a, b] = [ports(side), ports(other)]
    nft(`add rule ${chain} iifname ${a} oifname ${b} counter drop`)
    nft(`add rule ${chain} iifname ${b} oifname ${a} counter drop`)
  }

  /** From now on so many of a hundred packets between nodes get lost, of whatever kind. */
  lose(percent: number): void {
    nft(`add rule ${chain} numgen random mod 100 < ${percent} counter drop`)
  }

  /** Ends what `cut` and `lose` began; gives how many packets they have dropped. */
  heal(): number {
    const text = execFileSync('nft', ['list', 'chain', ...chain.split(' ')], { encoding: 'utf8' })
    nft(`flush chain ${chain}`)
    for (const cut of this.cuts) cut.toWallMs ??= Date.now()
    return [...text.matchAll(/packets (\d+)/g)].reduce((sum, [, packets]) => sum + Number(packets), 0)
  }

  #plugIn(node: number): void {
    const name = namespace(node)
    ip(`netns add ${name}`)
    ip(`link add ${port(node)} type veth peer name eth0 netns ${name}`)
    ip(`link set ${port(node)} master chaos0 up`)
    ip(`-n ${name} addr add ${this.host(node)}/24 dev eth0`)
    ip(`-n ${name} link set lo up`)
    ip(`-n ${name} link set eth0 up`)
  }
}

function namespace(node: number): string {
  return `chaos-${node}`
}

/** The node's end at the bridge. */
function port(node: number): string {
  return `node${node}`
}

function ports(nodes: readonly number[]): string {
  return `{ ${nodes.map((node) => `"${port(node)}"`).join(', ')} }`
}

function ip(command: string): void {
  execFileSync('ip', command.split(' '))
}

function nft(command: string): void {
  execFileSync('nft', [command])
}
