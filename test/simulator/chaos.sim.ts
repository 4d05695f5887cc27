import { expect, test } from 'vitest'
import { runChaos } from './chaos.ts'

/** `SIM_SEEDS=20000 SIM_FIRST_SEED=5000 npm run test:sim` for a night. */
const seeds = Number(process.env.SIM_SEEDS ?? 1_000)
const firstSeed = Number(process.env.SIM_FIRST_SEED ?? 1_000)
const seedsPerTest = 50

const batches = Array.from({ length: Math.ceil(seeds / seedsPerTest) }, (_, i) => firstSeed + i * seedsPerTest)

test.each(batches)('fifty seeds of 3 to 10 nodes under every fault lose nothing and converge, from seed %i', (from) => {
  for (let seed = from; seed < from + seedsPerTest; seed++) {
    const report = runChaos({ seed, nodes: 3 + (seed % 8), durationMs: 20_000 })
    expect(report.convergedMs, `seed ${seed}`).toBeLessThan(60_000)
  }
})

test('300 nodes under every fault lose nothing and converge', () => {
  const report = runChaos({ seed: 300, nodes: 300, durationMs: 20_000 })
  expect(report.acknowledged).toBeGreaterThan(100)
})
