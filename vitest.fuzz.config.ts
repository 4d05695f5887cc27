import { defineConfig } from 'vitest/config'

/** The properties of evaluation with many runs each: `npm run test:fuzz`; FLAGS_FUZZ_RUNS says how many, 100,000 by default. */
export default defineConfig({
  test: {
    include: [
      'test/evaluation/properties.test.ts',
      'test/evaluation/rule-index.test.ts',
      'test/evaluation/foreign/flagd.test.ts',
      'test/catalog/gossip-order.test.ts',
      'test/catalog/foreign-import.test.ts',
      'test/conformance/unleash/unleash-client.test.ts',
    ],
    env: { FLAGS_FUZZ_RUNS: process.env.FLAGS_FUZZ_RUNS ?? '100000' },
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 24 * 60 * 60_000,
  },
})
