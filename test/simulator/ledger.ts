import type { RegisterChange } from '../../src/crdt/register.ts'
import { RegisterMap } from '../../src/crdt/register-map.ts'
import { noStamp, type Stamp, wallMsOf } from '../../src/crdt/stamp.ts'
import type { ReplicaEvent, WriteTicket } from '../../src/replica/ports.ts'
import type { SimNode } from './sim-node.ts'
import type { Simulation } from './simulation.ts'

interface Acknowledged {
  readonly stamp: Stamp
  readonly isDeletion: boolean
}

interface Pending {
  readonly changes: readonly RegisterChange[]
  readonly life: number
}

/** What was promised to writers, and whether it is kept. Every check throws with the command that replays the run. */
export class Ledger {
  readonly counters = { acknowledged: 0, refused: 0, excused: 0, conflicts: 0 }
  readonly #simulation: Simulation
  /** The greatest acknowledged write of each register. */
  readonly #acknowledged = new Map<string, Acknowledged>()
  readonly #pending = new Map<SimNode, Map<number, Pending>>()
  /** The last stamp each node acknowledged, as long as its disk remembers. */
  readonly #issued = new Map<SimNode, Stamp>()
  /** What each life of a node has shown of each register. */
  readonly #shown = new Map<SimNode, { readonly life: number; readonly stamps: Map<string, Stamp> }>()

  constructor(simulation: Simulation) {
    this.#simulation = simulation
    simulation.onEvent((node, event) => this.#onEvent(node, event))
  }

  /** Writes at the node and follows the write to its end. */
  write(node: SimNode, changes: readonly RegisterChange[], wantAck = false): WriteTicket {
    const seen = changes.map(({ key }) => node.running.get(key)?.stamp ?? noStamp)
    const ticket = node.write(changes, wantAck)
    this.#demand(
      seen.every((stamp) => stamp < ticket.stamp),
      `${node.address} stamped a write below what it had seen`,
    )
    const pending = this.#pending.get(node) ?? new Map<number, Pending>()
    this.#pending.set(node, pending)
    pending.set(ticket.id, { changes, life: node.life })
    return ticket
  }

  /** A machine lost power: writes it had not acknowledged may be lost or not. */
  onCrash(node: SimNode): void {
    this.#pending.delete(node)
  }

  /** A disk is about to lose some or all it holds, which excuses the loss of what no other disk has. */
  beforeDiskLoss(node: SimNode): void {
    this.#issued.delete(node)
    const others = this.#simulation.nodes.filter((other) => other !== node).map((other) => other.disk.durable())
    for (const [key, { stamp }] of this.#acknowledged) {
      if (others.some((disk) => (disk.get(key) ?? noStamp) >= stamp)) continue
      this.#acknowledged.delete(key)
      this.counters.excused++
    }
  }

  /** Invariant 5: whatever crashed, each acknowledged write, or a later one, is on some disk. */
  checkDurable(): void {
    const disks = this.#simulation.nodes.map((node) => node.disk.durable())
    for (const [key, { stamp }] of this.#acknowledged) {
      const kept = disks.some((disk) => (disk.get(key) ?? noStamp) >= stamp)
      this.#demand(kept, `the acknowledged write ${stamp} of ${key} is on no disk`)
    }
  }

  /** Invariants 2, 3 and 6 on a converged mesh: nothing acknowledged is missing, nothing deleted is back. */
  checkVisible(expiredBeforeWallMs = 0): void {
    for (const node of this.#simulation.running) {
      for (const [key, { stamp, isDeletion }] of this.#acknowledged) {
        const held = node.running.get(key)
        const isExpired = isDeletion && wallMsOf(stamp) < expiredBeforeWallMs
        if (held === undefined) this.#demand(isExpired, `${node.address} lacks ${key} of ${stamp}`)
        else this.#demand(held.stamp >= stamp, `${node.address} holds ${held.stamp} of ${key}, older than ${stamp}`)
      }
      this.checkDigest(node)
    }
  }

  /** Invariant 3: the digest that was kept up equals the one built anew. */
  checkDigest(node: SimNode): void {
    const rebuilt = new RegisterMap()
    for (const record of node.running.records()) rebuilt.merge(record)
    this.#demand(rebuilt.root() === node.running.root(), `the digest of ${node.address} is not that of its registers`)
  }

  #onEvent(node: SimNode, event: ReplicaEvent): void {
    if (event.type === 'changed') this.#onChanged(node, event.keys)
    if (event.type === 'written') this.#onWritten(node, event.id, event.stamp)
    if (event.type === 'refused') {
      this.#pending.get(node)?.delete(event.id)
      this.counters.refused++
    }
    if (event.type === 'conflict') this.counters.conflicts++
  }

  /** A register only ever moves on to a greater stamp, or is forgotten whole. */
  #onChanged(node: SimNode, keys: readonly string[]): void {
    const held = this.#shown.get(node)
    const shown = held?.life === node.life ? held : { life: node.life, stamps: new Map<string, Stamp>() }
    this.#shown.set(node, shown)
    for (const key of keys) {
      const stamp = node.running.get(key)?.stamp
      if (stamp === undefined) {
        shown.stamps.delete(key)
        continue
      }
      const before = shown.stamps.get(key) ?? noStamp
      this.#demand(stamp > before, `${node.address} went from ${before} of ${key} to ${stamp}`)
      shown.stamps.set(key, stamp)
    }
  }

  #onWritten(node: SimNode, id: number, stamp: Stamp): void {
    const pending = this.#pending.get(node)?.get(id)
    if (pending === undefined) return
    this.#pending.get(node)?.delete(id)
    this.counters.acknowledged++
    this.#demand(stamp > (this.#issued.get(node) ?? noStamp), `the stamps of ${node.address} do not grow`)
    this.#issued.set(node, stamp)
    for (const { key, value } of pending.changes) {
      const visible = node.running.get(key)?.stamp ?? noStamp
      this.#demand(visible >= stamp, `${node.address} does not show ${key} of ${stamp}, which it acknowledged`)
      const stored = node.disk.durable().get(key) ?? noStamp
      this.#demand(stored >= stamp, `${node.address} has ${key} of ${stamp} not on its disk, which it acknowledged`)
      const before = this.#acknowledged.get(key)?.stamp ?? noStamp
      if (stamp > before) this.#acknowledged.set(key, { stamp, isDeletion: value === null })
    }
  }

  #demand(holds: boolean, what: string): void {
    if (!holds)
      throw new Error(`${what}, at ${Math.round(this.#simulation.queue.nowMs)} ms.\n${this.#simulation.replay()}`)
  }
}
