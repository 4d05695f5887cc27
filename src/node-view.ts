import type { Arrivals } from './arrivals.ts'
import type { MeshMember, NodeView } from './catalog/ports.ts'
import type { Mesh } from './mesh/mesh.ts'
import type { RegisterStore, Replica } from './replica/ports.ts'
import type { StoreCounters } from './store-meter.ts'

export interface NodeViewParts {
  readonly id: string
  readonly mesh: Mesh
  readonly store: RegisterStore
  readonly storeCounters: () => StoreCounters
  readonly replica: Replica
  readonly arrivals: Pick<Arrivals, 'onArrival'>
  readonly monotonicMs: () => number
  readonly notReady: () => string | null
}

/** What the node tells of itself and its peers: `GET /mesh`, health, metrics. Read afresh at each call. */
export function describeNode(parts: NodeViewParts): NodeView {
  const { id, mesh, store, storeCounters, replica, arrivals, monotonicMs, notReady } = parts

  function members(): MeshMember[] {
    const peers = new Map(replica.peers().map((peer) => [peer.address, peer]))
    const others = mesh.membership.members().map((member) => {
      const peer = peers.get(member.address)
      if (!peer?.root) return { ...member, root: '', lastSeenMs: null, behindMs: null }
      const since = (atMs: number) => Math.round(monotonicMs() - atMs)
      const behindMs = peer.differsSinceMonotonicMs === null ? 0 : since(peer.differsSinceMonotonicMs)
      return { ...member, root: peer.root, lastSeenMs: since(peer.lastHeardMonotonicMs), behindMs }
    })
    return [{ ...mesh.membership.self, root: replica.root(), lastSeenMs: 0, behindMs: 0 }, ...others]
  }

  return {
    id,
    address: mesh.address,
    get url() {
      return mesh.membership.self.url
    },
    members,
    conflicts: () => replica.counters().conflicts ?? 0,
    tombstones: () => replica.size().tombstones,
    notReady,
    storageFailure: () => store.failure(),
    isolated: () => mesh.isolated(),
    onArrival: arrivals.onArrival,
    counters() {
      const { drops, ...transport } = mesh.counters()
      return {
        ...prefixed('replica', replica.counters()),
        ...prefixed('storage', storeCounters()),
        ...prefixed('mesh', transport),
        ...prefixed('mesh_dropped', drops),
      }
    },
  }
}

/** `packetsSent` under `replica` becomes `replica_packets_sent_total`. */
function prefixed(room: string, counters: Readonly<Record<string, number>>): Record<string, number> {
  const named = Object.entries(counters).map(([name, value]) => {
    const words = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    return [`${room}_${words}_total`, value] as const
  })
  return Object.fromEntries(named)
}
