import { expect, test } from 'vitest'
import { runSwimChaos, swimFaultNames } from './swim-chaos.ts'
import { SwimSimulation } from './swim-simulation.ts'

function joined(seed: number, nodes: number): SwimSimulation {
  const simulation = new SwimSimulation({ seed, nodes })
  simulation.runUntil('all see all', () => simulation.isAgreed())
  return simulation
}

test('all members see all within five seconds of their start, and one seed gives one run', () => {
  const runs = [1, 2].map(() => {
    const { queue, network } = joined(5, 16)
    return { tookMs: queue.nowMs, ...network.counters }
  })
  expect(runs[0]?.tookMs).toBeLessThan(5_000)
  expect(runs[1]).toEqual(runs[0])
})

test.each([0.1, 0.3])('of 32 members nobody who lives is declared dead in a minute at a loss of %d', (lossRate) => {
  const simulation = joined(1, 32)
  simulation.network.faults.lossRate = lossRate
  simulation.run(60_000)
  expect(simulation.network.counters.lost).toBeGreaterThan(500)
  const events = simulation.running.flatMap(({ life }) => life?.events ?? [])
  expect(events.filter(({ type }) => type === 'down')).toEqual([])
})

test('a crash is noticed by all of ten within seconds', () => {
  const simulation = joined(2, 10)
  const [victim] = simulation.machines
  if (victim === undefined) throw new Error('There are no machines.')
  simulation.crash(victim)
  expect(simulation.runUntil('all noticed', () => simulation.isAgreed())).toBeLessThan(10_000)
})

test('after crashes, departures, returns, loss, delays and cuts all hold exactly those who run for alive', () => {
  const struck = new Set<string>()
  for (let seed = 1; seed <= 10; seed++) {
    const report = runSwimChaos(seed, 4 + (seed % 8), 60_000)
    for (const name of report.struck.keys()) struck.add(name)
  }
  expect([...struck].sort()).toEqual([...swimFaultNames].sort())
})
