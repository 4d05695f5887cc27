import { expect, test } from 'vitest'
import { percentile } from '../../bench/support/report.ts'
import { below } from '../../src/base/random.ts'
import { runSwimChaos } from './swim-chaos.ts'
import { SwimSimulation } from './swim-simulation.ts'

/** As for the replica: `SIM_SEEDS=20000 SIM_FIRST_SEED=5000 npm run test:sim` for a night. */
const seeds = Number(process.env.SIM_SEEDS ?? 1_000)
const firstSeed = Number(process.env.SIM_FIRST_SEED ?? 1_000)

test('members under every fault of the network agree within a minute of its end', () => {
  const tookMs: number[] = []
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++)
    tookMs.push(runSwimChaos(seed, 3 + (seed % 14), 60_000).agreedMs)
  tell(`${seeds} seeds of chaos, agreed after`, tookMs)
})

test.each([0.1, 0.3])(
  'of 32 members nobody who lives is declared dead in ten minutes at a loss of %d, ten seeds',
  (lossRate) => {
    let [deaths, suspicions] = [0, 0]
    for (let seed = 1; seed <= 10; seed++) {
      const simulation = joined(seed, 32)
      simulation.network.faults.lossRate = lossRate
      for (let second = 0; second < 600; second++) {
        simulation.run(1_000)
        suspicions += suspectsSeen(simulation)
      }
      expect(simulation.network.counters.lost).toBeGreaterThan(5_000)
      deaths += simulation.running
        .flatMap(({ life }) => life?.events ?? [])
        .filter(({ type }) => type === 'down').length
    }
    process.stdout.write(
      `32 members, loss ${lossRate}: ${deaths} deaths, ${suspicions / 6_000} suspects seen at once\n`,
    )
    expect(deaths).toBe(0)
  },
)

test('a crash is noticed by all of ten members at p50 within 7 s', () => {
  const tookMs = Array.from({ length: 200 }, (_, i) => {
    const simulation = joined(i, 10)
    // Anywhere within the rounds of probes.
    simulation.run(below(simulation.random, 5_000))
    const victim = simulation.machines[below(simulation.random, 10)]
    if (victim !== undefined) simulation.crash(victim)
    return simulation.runUntil('all noticed', () => simulation.isAgreed())
  })
  tell('200 crashes among 10 members, noticed by all after', tookMs)
  expect(percentile(tookMs, 50)).toBeLessThan(7_000)
})

function joined(seed: number, nodes: number): SwimSimulation {
  const simulation = new SwimSimulation({ seed, nodes })
  simulation.runUntil('all see all', () => simulation.isAgreed())
  return simulation
}

function suspectsSeen({ running }: SwimSimulation): number {
  const members = running.flatMap(({ life }) => life?.membership.members() ?? [])
  return members.filter(({ state }) => state === 'suspect').length
}

function tell(what: string, tookMs: readonly number[]): void {
  process.stdout.write(
    `${what}: p50 ${percentile(tookMs, 50)} ms, p99 ${percentile(tookMs, 99)} ms, max ${Math.max(...tookMs)} ms\n`,
  )
}
