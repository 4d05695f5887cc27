import { expect, test } from 'vitest'
import { Simulation } from '../simulator/simulation.ts'
import { put } from '../simulator/workload.ts'

/**
 * Found by seed 2090. A node whose clock was a year behind deleted a register that nobody else had. Others refused the
 * tombstone because its retention had run out, and roots differed until the next full hour.
 */
test('a tombstone that is older than its retention when it is written still makes roots equal', () => {
  const simulation = new Simulation({ seed: 2_090, nodes: 5 })
  simulation.run(1_000)
  const behind = simulation.node(4)
  simulation.partition([behind], simulation.nodes.slice(0, 4))
  simulation.run(10_000)
  behind.clock.step(-365 * 86_400_000)
  put(behind, 'never seen elsewhere', null)
  simulation.run(1_000)
  simulation.heal()
  simulation.run(1_000)
  expect(simulation.converge()).toBeLessThan(5_000)
})
