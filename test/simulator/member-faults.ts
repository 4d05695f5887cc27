import { below } from '../../src/base/random.ts'
import { type Fault, pickRunning } from './fault.ts'

/** Members that a node is told of at once, none of which answers. */
const ghostsMax = 2_000

/** A node is told of up to two thousand members that do not exist, and some seconds later that they are gone. */
const ghostMembers: Fault = (world) => {
  const node = pickRunning(world)
  if (node === undefined) return false
  const life = node.life
  const ghosts = Array.from({ length: 1 + below(world.random, ghostsMax) }, (_, i) => `10.66.${i >> 8}.${i & 255}:7946`)
  const tell = (type: 'up' | 'down') => {
    for (const address of ghosts) node.running.onMember(node.now(), { type, address, id: address })
  }
  tell('up')
  // Not by `later`: they go away though the faults are over.
  world.simulation.queue.after(5_000, () => {
    if (node.life === life && node.isUp) tell('down')
  })
  return true
}

/** A machine that was never there before comes up with nothing on its disk. */
const newMachine: Fault = ({ simulation, startedWith }) => {
  if (simulation.nodes.length >= startedWith + 3) return false
  simulation.start(simulation.addNode())
  return true
}

export const memberFaults = {
  'ghost members': ghostMembers,
  'new machine': newMachine,
} as const satisfies Record<string, Fault>
