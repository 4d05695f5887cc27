import { defineConfig } from 'vitest/config'

/** The long runs of the simulator: `npm run test:sim`. */
export default defineConfig({
  test: {
    include: ['test/simulator/*.sim.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30 * 60_000,
  },
})
