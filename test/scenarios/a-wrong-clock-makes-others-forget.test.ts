import { expect, test } from 'vitest'
import type { SimNode } from '../simulator/sim-node.ts'
import { Simulation } from '../simulator/simulation.ts'
import { bytes, put } from '../simulator/workload.ts'

/**
 * Found by seed 1088. A node whose clock had jumped a year ahead, and which held next to nothing, was the first that others
 * met after a power loss. By its clock they had been away for a year, so they took its word for what the mesh still had.
 */
test('nodes that come back to a peer whose clock is a year ahead keep what it lacks', () => {
  const simulation = new Simulation({ seed: 1_088, nodes: 4 })
  const [ahead, ...others] = simulation.nodes
  if (ahead === undefined) throw new Error('There are no nodes.')
  ahead.clock.step(365 * 86_400_000)
  simulation.run(10_000)
  simulation.partition([ahead], others)
  simulation.run(8_000)
  for (let i = 0; i < 20; i++) put(simulation.node(1 + (i % 3)), `key-${i}`, 'value')
  simulation.run(10_000)
  for (const node of simulation.nodes) simulation.crash(node)
  simulation.heal()
  simulation.start(ahead)
  const [first, ...rest] = others
  simulation.start(first as SimNode)
  simulation.run(10_000)
  expect(first?.running.peers()).toHaveLength(1)
  expect(first?.running.size().values).toBe(20)
  for (const node of rest) simulation.start(node)
  simulation.run(5_000)
  simulation.converge()
  for (const node of simulation.nodes) {
    expect(node.running.size().values).toBe(20)
    expect(node.running.get('key-7')?.value).toEqual(bytes('value'))
  }
})
