import { defineConfig } from 'vitest/config'
import { whyNoVirtualNetwork } from './test/e2e/harness/virtual-network.ts'

/** Real processes on virtual networks: needs root, and is not part of `npm test`. Without it, says so and passes. */
const reason = whyNoVirtualNetwork()
if (reason !== null) console.warn(`The tests on virtual networks are skipped: ${reason}.`)

export default defineConfig({
  test: {
    include: reason === null ? ['test/e2e/netns/**/*.test.ts'] : [],
    passWithNoTests: true,
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
