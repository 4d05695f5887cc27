import { expect, test } from 'vitest'
import { Simulation } from './simulation.ts'
import { put } from './workload.ts'

/** Simulated milliseconds from each write's being on its node's disk until all nodes see it, sorted. */
function propagate(nodes: number, writes: number, lossRate: number): number[] {
  const simulation = new Simulation({ seed: nodes, nodes, hopMs: 1 })
  simulation.run(1_500)
  simulation.network.faults.lossRate = lossRate
  const written = new Map<string, number>()
  const seen = new Map<string, { count: number; atMs: number }>()
  simulation.onEvent((_, event) => {
    if (event.type !== 'changed') return
    for (const key of event.keys) {
      if (event.local) written.set(key, simulation.queue.nowMs)
      seen.set(key, { count: (seen.get(key)?.count ?? 0) + 1, atMs: simulation.queue.nowMs })
    }
  })
  for (let i = 0; i < writes; i++) {
    put(simulation.node((i * 7_919) % nodes), `key-${i}`, 'x'.repeat(200))
    simulation.run(200)
  }
  simulation.run(5_000)
  const took = [...written].map(([key, atMs]) =>
    seen.get(key)?.count === nodes ? (seen.get(key)?.atMs ?? 0) - atMs : Number.POSITIVE_INFINITY,
  )
  return took.sort((a, b) => a - b)
}

test.each([
  { nodes: 32, writes: 200, lossRate: 0, withinMs: 50 },
  { nodes: 32, writes: 500, lossRate: 0.1, withinMs: 200 },
  { nodes: 1_000, writes: 100, lossRate: 0.1, withinMs: 500 },
])(
  'a write is visible on $nodes nodes at p99 within $withinMs ms, hops of 1 ms, loss $lossRate',
  ({ nodes, writes, lossRate, withinMs }) => {
    const took = propagate(nodes, writes, lossRate)
    const at = (share: number) => Math.round(took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? 0)
    process.stdout.write(`${nodes} nodes, loss ${lossRate}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms\n`)
    expect(took).toHaveLength(writes)
    expect(at(0.99)).toBeLessThan(withinMs)
  },
)
