import { expect, test } from 'vitest'
import { Simulation } from '../simulator/simulation.ts'
import { put } from '../simulator/workload.ts'

/**
 * Found by seed 12 with 50 nodes. Packets had no checksum of their own: a flipped bit in a value was a write like any other,
 * won against the original half of the time, was passed on, damaged again, and so on without end.
 */
test('a network that flips bits changes no register, and costs only the packets it hits', () => {
  const simulation = new Simulation({ seed: 12, nodes: 20 })
  simulation.network.faults.corruptRate = 0.2
  for (let i = 0; i < 100; i++) {
    put(simulation.node(i % 20), `key-${i}`, 'value')
    simulation.run(50)
  }
  simulation.converge()
  expect(simulation.network.counters.corrupted).toBeGreaterThan(1_000)
  expect(simulation.network.counters.packets).toBeLessThan(100 * 20 * 20)
  const keys = Array.from(simulation.node(0).running.records(), ({ key }) => key)
  expect(keys.sort()).toEqual(Array.from({ length: 100 }, (_, i) => `key-${i}`).sort())
})
