import { below } from '../../src/base/random.ts'
import { SimDisk } from './disk.ts'
import { between, type Fault, type FaultWorld, pickRunning } from './fault.ts'
import type { SimNode } from './sim-node.ts'

const hourMs = 3_600_000
const yearMs = 365 * 24 * hourMs

function restartLater(world: FaultWorld, node: SimNode): void {
  world.later(100, 20_000, () => {
    if (!node.isUp) world.simulation.start(node)
  })
}

function crashOne(world: FaultWorld, andThen: (node: SimNode) => boolean): boolean {
  const node = pickRunning(world)
  if (node === undefined) return false
  world.ledger.onCrash(node)
  world.simulation.crash(node)
  const struck = andThen(node)
  restartLater(world, node)
  return struck
}

/** Every machine at once, in the middle of whatever it does. */
const powerLoss: Fault = (world) => {
  for (const node of world.simulation.running) {
    world.ledger.onCrash(node)
    world.simulation.crash(node)
    restartLater(world, node)
  }
  return true
}

/** SIGSTOP: the machine does nothing for a while, then everything that came meanwhile. */
const pause: Fault = (world) => {
  const node = pickRunning(world)
  if (node === undefined) return false
  node.pause()
  world.later(500, 30_000, () => node.resume())
  return true
}

const lostDisk: Fault = (world) =>
  crashOne(world, (node) => {
    world.ledger.beforeDiskLoss(node)
    node.disk = new SimDisk()
    return true
  })

/** A backup from the beginning takes the place of what the disk held. */
const restoredBackup: Fault = (world) => {
  const node = pickRunning(world)
  const backup = node && world.backups.get(node)
  if (node === undefined || backup === undefined) return false
  world.ledger.onCrash(node)
  world.simulation.crash(node)
  world.ledger.beforeDiskLoss(node)
  node.disk = backup.snapshot()
  restartLater(world, node)
  return true
}

/** A machine comes up with a copy of another's disk, stamps and identity of replication included. */
const clonedDisk: Fault = (world) =>
  crashOne(world, (node) => {
    const original = world.simulation.nodes[below(world.random, world.simulation.nodes.length)]
    if (original === undefined || original === node) return false
    world.ledger.beforeDiskLoss(node)
    node.disk = original.disk.snapshot()
    return true
  })

const diskErrors: Fault = (world) => {
  const node = pickRunning(world)
  if (node === undefined) return false
  node.disk.faults.syncErrorRate = between(world.random, 0.05, 0.5)
  world.later(1_000, 15_000, () => {
    node.disk.faults.syncErrorRate = 0
  })
  return true
}

const fullDisk: Fault = (world) => {
  const node = pickRunning(world)
  if (node === undefined) return false
  node.disk.faults.isFull = true
  world.later(1_000, 15_000, () => {
    node.disk.faults.isFull = false
  })
  return true
}

/** The wall clock is off by up to `byMsMax` either way, until it is set right. */
function clockFault(byMsMax: number): Fault {
  return (world) => {
    const node = pickRunning(world)
    if (node === undefined) return false
    node.clock.step(between(world.random, -byMsMax, byMsMax))
    world.later(1_000, 30_000, () => node.clock.correct(world.simulation.queue.nowMs))
    return true
  }
}

const drift: Fault = (world) => {
  const node = pickRunning(world)
  if (node === undefined) return false
  node.clock.drift(world.simulation.queue.nowMs, between(world.random, -0.1, 0.1))
  world.later(1_000, 30_000, () => node.clock.correct(world.simulation.queue.nowMs))
  return true
}

export const machineFaults = {
  crash: (world) => crashOne(world, () => true),
  'power loss': powerLoss,
  pause,
  'lost disk': lostDisk,
  'restored backup': restoredBackup,
  'cloned disk': clonedDisk,
  'disk errors': diskErrors,
  'full disk': fullDisk,
  drift,
  'clock step': clockFault(2_000),
  'clock jump of an hour': clockFault(hourMs),
  'clock jump of a year': clockFault(yearMs),
} as const satisfies Record<string, Fault>
