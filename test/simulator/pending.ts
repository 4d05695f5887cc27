import type { PeerView } from '../../src/replica/ports.ts'
import type { SimNode } from './sim-node.ts'
import type { Simulation } from './simulation.ts'

/** Members of a group that are named, and registers that are shown. */
const namedMax = 5

/** Why a mesh has not converged: who holds what, what differs, and who cannot or does not talk to whom. */
export function whyNotConverged(simulation: Simulation): string {
  const groups = [...groupsOfRoots(simulation.running)]
  const lines = groups.map(([root, members]) => `${root}: ${shortened(members.map(standing))}`)
  const [first, second] = groups.map(([, members]) => members[0] as SimNode)
  if (first !== undefined && second !== undefined) {
    lines.push(...differences(first, second), ...talk(simulation, first, second), ...talk(simulation, second, first))
  }
  const off = simulation.nodes.filter((node) => !node.isUp)
  const paused = simulation.nodes.filter((node) => node.isPaused)
  if (off.length > 0) lines.push(`off: ${shortened(off.map(({ address }) => address))}`)
  if (paused.length > 0) lines.push(`paused: ${shortened(paused.map(({ address }) => address))}`)
  return lines.join('\n')
}

function groupsOfRoots(nodes: readonly SimNode[]): Map<string, SimNode[]> {
  return Map.groupBy(nodes, (node) => node.running.root())
}

function standing({ address, running }: SimNode): string {
  const { values, tombstones } = running.size()
  return `${address} (${values} values, ${tombstones} tombstones, ${running.peers().length} peers)`
}

/** Some registers of which the two hold different things. */
function differences(a: SimNode, b: SimNode): string[] {
  const keys = new Set([a, b].flatMap((node) => Array.from(node.running.records(), ({ key }) => key)))
  const differing = [...keys].filter((key) => held(a, key) !== held(b, key))
  const shown = differing.slice(0, namedMax)
  const lines = shown.map((key) => `${key}: ${a.address} has ${held(a, key)}, ${b.address} has ${held(b, key)}`)
  return [...lines, `${differing.length} registers differ between ${a.address} and ${b.address}`]
}

function held({ running }: SimNode, key: string): string {
  const record = running.get(key)
  return record === undefined ? 'nothing' : `${record.stamp}${record.value === null ? ', deleted' : ''}`
}

function talk({ network }: Simulation, from: SimNode, to: SimNode): string[] {
  if (network.isCut(from.address, to.address)) return [`${from.address} is cut off from ${to.address}`]
  const peer = from.running.peers().find(({ address }) => address === to.address)
  return [peer === undefined ? `${from.address} does not know ${to.address}` : hearing(from, peer)]
}

function hearing(node: SimNode, { address, lastHeardMonotonicMs, differsSinceMonotonicMs }: PeerView): string {
  const sinceMs = (atMs: number) => Math.round(node.now().monotonicMs - atMs)
  const heard = `${node.address} heard ${address} ${sinceMs(lastHeardMonotonicMs)} ms ago`
  if (differsSinceMonotonicMs === null) return `${heard}, and knows of no difference`
  return `${heard}, and has known for ${sinceMs(differsSinceMonotonicMs)} ms that they differ`
}

function shortened(names: readonly string[]): string {
  return names.slice(0, namedMax).join(', ') + (names.length > namedMax ? ` and ${names.length - namedMax} more` : '')
}
