import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** One machine of the network: a network namespace with one address on the wire. */
export interface Host {
  readonly name: string
  readonly address: string
}

/** Everything of a network has a name that begins so, with the process that made it. */
const namePrefix = 'flags'
/** A wire is a network of 253 hosts; whoever made it watches from this address of it. */
const observerNumber = 254

/** Why there can be no virtual network here; null when there can. */
export function whyNoVirtualNetwork(): string | null {
  if (process.platform !== 'linux') return 'network namespaces are there on Linux only'
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  for (const tool of ['ip', 'nft']) {
    if (!(process.env.PATH ?? '').split(':').some((directory) => existsSync(`${directory}/${tool}`)))
      return `the program ${tool} is missing: install iproute2 and nftables`
  }
  try {
    run('ip', ['netns', 'add', `${namePrefix}-probe-${process.pid}`])
    run('ip', ['netns', 'del', `${namePrefix}-probe-${process.pid}`])
    return null
  } catch (error) {
    return `network namespaces cannot be made (${error instanceof Error ? error.message : String(error)})`
  }
}

/**
 * Hosts on one wire, as a switch joins them: each a network namespace, joined by a bridge that the making process is on as well, so that it
 * can ask every host whatever stands between them. Faults are rules of nftables on that bridge, changed all at once; they count what they eat.
 * Linux, root, iproute2 and nftables. Everything goes with `stop`, and what a killed process left goes with the next `create`.
 */
export class VirtualNetwork {
  readonly hosts: readonly Host[]
  readonly #bridge: string
  readonly #observer: string
  /** Who does not hear whom. */
  readonly #cuts = new Map<Host, Set<Host>>()
  #lossPercent = 0
  /** The table of rules stands. */
  #ruled = false
  /** What the rules ate before they were last changed. */
  #eaten = 0

  private constructor(count: number) {
    const id = `${process.pid}`
    const subnet = nextSubnet()
    // An interface has a name of 15 characters at most.
    this.#bridge = `${namePrefix}${id}`
    this.#observer = `${subnet}.${observerNumber}`
    this.hosts = Array.from({ length: count }, (_, i) => ({
      name: `${namePrefix}-${id}-${i + 1}`,
      address: `${subnet}.${i + 1}`,
    }))
  }

  /** Makes a wire with so many hosts, 253 at most. One at a time in a process. Throws an Error when the system does not let us. */
  static create(count: number): VirtualNetwork {
    sweep()
    const network = new VirtualNetwork(count)
    process.once('exit', () => network.stop())
    network.#make()
    return network
  }

  /** The command that runs the rest of its line on this host. */
  within(host: Host): readonly string[] {
    return ['ip', 'netns', 'exec', host.name]
  }

  /** From now on `to` hears nothing of `from`; the other way is as it was. */
  cut(from: Host, to: Host): void {
    this.#cuts.set(to, (this.#cuts.get(to) ?? new Set()).add(from))
    this.#apply()
  }

  /** From now on hosts of different groups hear nothing of each other. Hosts in no group hear everyone. */
  partition(...groups: readonly (readonly Host[])[]): void {
    for (const group of groups) {
      for (const host of group) {
        const others = groups.filter((other) => other !== group).flat()
        this.#cuts.set(host, new Set([...(this.#cuts.get(host) ?? []), ...others]))
      }
    }
    this.#apply()
  }

  /** From now on each host loses this share (0-100) of what its peers send. */
  lose(percent: number): void {
    this.#lossPercent = percent
    this.#apply()
  }

  /** No cuts and no loss any more. */
  heal(): void {
    this.#cuts.clear()
    this.#lossPercent = 0
    this.#apply()
  }

  /** Packets that the faults have eaten so far. */
  eaten(): number {
    return this.#eaten + this.#counted()
  }

  stop(): void {
    // A namespace lives on until its last process has ended, and its plug with it.
    for (const i of this.hosts.keys()) tryRun('ip', ['link', 'del', this.#plug(i)])
    for (const { name } of this.hosts) tryRun('ip', ['netns', 'del', name])
    tryRun('ip', ['link', 'del', this.#bridge])
    tryRun('nft', ['delete', 'table', 'bridge', this.#bridge])
    this.#ruled = false
  }

  #make(): void {
    const link = ['link', 'add', this.#bridge, 'type', 'bridge', 'mcast_snooping', '0']
    run('ip', link)
    run('ip', ['addr', 'add', `${this.#observer}/24`, 'dev', this.#bridge])
    run('ip', ['link', 'set', this.#bridge, 'up'])
    this.hosts.forEach((host, i) => {
      const plug = this.#plug(i)
      run('ip', ['netns', 'add', host.name])
      run('ip', ['link', 'add', plug, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', host.name])
      run('ip', ['link', 'set', plug, 'master', this.#bridge, 'up'])
      run('ip', ['-n', host.name, 'addr', 'add', `${host.address}/24`, 'dev', 'eth0'])
      run('ip', ['-n', host.name, 'link', 'set', 'eth0', 'up'])
      run('ip', ['-n', host.name, 'link', 'set', 'lo', 'up'])
    })
    this.#apply()
  }

  #plug(index: number): string {
    return `${this.#bridge}p${index}`
  }

  #apply(): void {
    this.#eaten += this.#counted()
    const cuts = [...this.#cuts].map(
      ([to, from]) => `iifname ${this.#plugs([...from])} oifname ${this.#plugs([to])} counter drop`,
    )
    const all = this.#plugs(this.hosts)
    const loss = `iifname ${all} oifname ${all} numgen random mod 100 < ${this.#lossPercent} counter drop`
    const rules = this.#lossPercent > 0 ? [...cuts, loss] : cuts
    const chain = `chain forward {\n type filter hook forward priority 0; policy accept;\n ${rules.join('\n ')}\n}`
    const table = `table bridge ${this.#bridge}`
    run('nft', ['-f', '-'], `${table}\ndelete ${table}\n${table} {\n${chain}\n}\n`)
    this.#ruled = true
  }

  #plugs(hosts: readonly Host[]): string {
    return `{ ${hosts.map((host) => `"${this.#plug(this.hosts.indexOf(host))}"`).join(', ')} }`
  }

  #counted(): number {
    if (!this.#ruled) return 0
    const text = run('nft', ['list', 'table', 'bridge', this.#bridge])
    return [...text.matchAll(/counter packets (\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0)
  }
}

let subnetsMade = 0

/**
 * The next of the 512 networks that RFC 2544 sets aside for testing: another one each time, because connections that are kept open do
 * not know that their host is gone, and others than the processes that started with us use.
 */
function nextSubnet(): string {
  const index = (process.pid % 64) * 8 + (subnetsMade++ % 8)
  return `198.${18 + (index >> 8)}.${index & 255}`
}

/** Takes away what processes left that are gone. */
function sweep(): void {
  for (const line of run('ip', ['netns', 'list']).split('\n')) {
    const [, name, pid] = new RegExp(`^(${namePrefix}-(\\d+)-\\d+)`).exec(line) ?? []
    if (name !== undefined && !existsSync(`/proc/${pid}`)) tryRun('ip', ['netns', 'del', name])
  }
  for (const [, name, pid] of run('ip', ['-o', 'link', 'show', 'type', 'bridge']).matchAll(
    new RegExp(`^\\d+: (${namePrefix}(\\d+)):`, 'gm'),
  )) {
    if (name === undefined || existsSync(`/proc/${pid}`)) continue
    tryRun('ip', ['link', 'del', name])
    tryRun('nft', ['delete', 'table', 'bridge', name])
  }
}

function run(command: string, args: readonly string[], input = ''): string {
  return execFileSync(command, [...args], { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] })
}

function tryRun(command: string, args: readonly string[]): void {
  try {
    run(command, args)
  } catch {
    // It is gone already.
  }
}
