import { below, sample } from '../../src/base/random.ts'
import { between, type Fault, type FaultWorld, pickRunning } from './fault.ts'
import type { NetworkFaults } from './network.ts'
import type { SimNode } from './sim-node.ts'

type Link = readonly [from: SimNode, to: SimNode]

/** One of the network's rates rises for some seconds. */
function storm(rate: keyof NetworkFaults, from: number, to: number): Fault {
  return ({ simulation, random, later }) => {
    const { faults } = simulation.network
    faults[rate] = between(random, from, to)
    faults.delayMsMax = 2_000
    later(1_000, 10_000, () => {
      faults[rate] = 0
    })
    return true
  }
}

function shuffled({ simulation, random }: FaultWorld): SimNode[] {
  return sample(random, simulation.nodes, simulation.nodes.length)
}

function links(from: readonly SimNode[], to: readonly SimNode[]): Link[] {
  return from.flatMap((a) => to.map((b): Link => [a, b]))
}

function cutForAWhile(world: FaultWorld, cut: readonly Link[]): boolean {
  const { network, membership } = world.simulation
  for (const [from, to] of cut) network.cut(from.address, to.address)
  membership.observe()
  world.later(1_000, 20_000, () => {
    for (const [from, to] of cut) network.mend(from.address, to.address)
    membership.observe()
  })
  return cut.length > 0
}

/** Two sides that do not hear each other. */
const partition: Fault = (world) => {
  const nodes = shuffled(world)
  const size = 1 + below(world.random, Math.max(1, nodes.length - 1))
  const [left, right] = [nodes.slice(0, size), nodes.slice(size)]
  return cutForAWhile(world, [...links(left, right), ...links(right, left)])
}

/** Some that are heard and do not hear. */
const oneWayCut: Fault = (world) => {
  const nodes = shuffled(world)
  const size = 1 + below(world.random, Math.max(1, nodes.length - 1))
  return cutForAWhile(world, links(nodes.slice(0, size), nodes.slice(size)))
}

/** One node that some others do not hear, though it and they hear the rest. */
const cutFromSome: Fault = (world) => {
  const [one, ...others] = shuffled(world)
  if (one === undefined) return false
  const some = others.slice(0, 1 + below(world.random, Math.max(1, others.length)))
  return cutForAWhile(world, [...links([one], some), ...links(some, [one])])
}

/** One node speaks a protocol that the others do not know, as in the middle of an upgrade. */
const otherVersion: Fault = (world) => {
  const node = pickRunning(world)
  if (node === undefined) return false
  const { versions } = world.simulation.network
  versions.set(node.address, 2)
  world.later(1_000, 20_000, () => versions.delete(node.address))
  return true
}

export const networkFaults = {
  loss: storm('lossRate', 0.1, 0.6),
  repetition: storm('repeatRate', 0.1, 0.5),
  delay: storm('delayRate', 0.1, 0.5),
  corruption: storm('corruptRate', 0.01, 0.2),
  'broken bulk': storm('bulkBreakRate', 0.05, 0.5),
  partition,
  'one-way cut': oneWayCut,
  'cut from some': cutFromSome,
  'other version': otherVersion,
} as const satisfies Record<string, Fault>
