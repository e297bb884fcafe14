import { defineConfig } from 'vitest/config';

// Where .ci/run wants the counts.
const resultsFolder = process.env['AUTOPILOT_RESULTS_DIR'];

// Three projects: unit tests live beside the code and touch nothing outside the process; integration tests use a real
// Redis (REDIS_URL, started by scripts/run.mjs); system tests run the whole daemon against the simulator.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{src,workers,config,simulator,scripts,demo}/**/*.test.ts', 'test/*.test.ts'],
          testTimeout: 15_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      { test: { name: 'system', include: ['test/system/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 } },
    ],
    globalSetup: ['test/support/global-redis.ts'],
    maxWorkers: 2,
    reporters: ['default', ...(resultsFolder ? ['json'] : [])],
    ...(resultsFolder ? { outputFile: { json: `${resultsFolder}/tests.json` } } : {}),
  },
});
