import { expect, test } from 'vitest'
import { Simulation } from './simulation.ts'
import { bytes } from './workload.ts'

test('a write at one node is visible at all others within 100 ms', () => {
  const simulation = new Simulation({ seed: 1, nodes: 20 })
  simulation.run(2_000)
  simulation.node(3).write([{ key: 'default|new-checkout|definition', value: bytes('one') }])
  simulation.run(100)
  for (const node of simulation.nodes)
    expect(node.running.get('default|new-checkout|definition')?.value).toEqual(bytes('one'))
})

test('writes on both sides of a partition are on both sides within 2 s of its end', () => {
  const simulation = new Simulation({ seed: 2, nodes: 10 })
  simulation.run(2_000)
  simulation.partition(simulation.nodes.slice(0, 5), simulation.nodes.slice(5))
  simulation.run(10_000)
  for (let i = 0; i < 500; i++) {
    simulation.node(i % 5).write([{ key: `left-${i}`, value: bytes('l'.repeat(200)) }])
    simulation.node(5 + (i % 5)).write([{ key: `right-${i}`, value: bytes('r'.repeat(200)) }])
    simulation.run(10)
  }
  simulation.run(1_000)
  expect(simulation.isConverged()).toBe(false)
  expect(simulation.network.counters.cut).toBeGreaterThan(0)
  simulation.heal()
  expect(simulation.converge()).toBeLessThan(2_500)
  expect(simulation.node(0).running.size().values).toBe(1_000)
})

test('all acknowledged writes converge though a third of all packets is lost and others come twice or late', () => {
  const simulation = new Simulation({ seed: 3, nodes: 12 })
  Object.assign(simulation.network.faults, { lossRate: 0.33, repeatRate: 0.1, delayRate: 0.2, delayMsMax: 300 })
  simulation.run(1_000)
  for (let i = 0; i < 200; i++) {
    simulation.node(i % 12).write([{ key: `key-${i % 40}`, value: i % 7 === 0 ? null : bytes(`value ${i}`) }])
    simulation.run(20)
  }
  simulation.converge()
  const { lost, repeated, delayed } = simulation.network.counters
  for (const happened of [lost, repeated, delayed]) expect(happened).toBeGreaterThan(100)
})

test('a mesh that has not converged says which registers differ between whom, and what keeps them from talking', () => {
  const simulation = new Simulation({ seed: 4, nodes: 4 })
  simulation.run(2_000)
  const [left, right] = [simulation.nodes.slice(0, 2), simulation.nodes.slice(2)]
  simulation.partition(left, right)
  simulation.run(10_000)
  simulation.node(0).write([{ key: 'only-left', value: bytes('x') }])
  simulation.run(1_000)
  const why = simulation.pending()
  expect(why).toMatch(/only-left: 10\.0\.0\.0:7946 has \S+, 10\.0\.0\.2:7946 has nothing/)
  expect(why).toContain('1 registers differ between')
  expect(why).toContain('10.0.0.0:7946 is cut off from 10.0.0.2:7946')
  simulation.heal()
  expect(() => simulation.converge(1)).toThrow(/only-left: [\s\S]*Replay: this test, seed 4/)
})
