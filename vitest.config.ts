import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';
import { SecondAttempts } from './test/support/second-attempts.ts';

// Where .ci/run wants the counts.
const resultsFolder = process.env['AUTOPILOT_RESULTS_DIR'];

// Time-outs only guard against hanging, also on a machine that does much else: what is asserted is order, counts and virtual time.
const guards = {
  testTimeout: 600_000,
  hookTimeout: 600_000,
  teardownTimeout: 120_000,
  expect: { poll: { timeout: 300_000, interval: 20 } },
};

// Real processes, networks and browsers: one failure in some ten thousand runs of a test must not turn a change away, and must not be
// hidden either, so it is told by name. What fails twice has failed. `--retry=0` shows every first failure as one.
const real = { ...guards, retry: 1 };

// Three projects: unit tests live beside the code and touch nothing outside the process; integration tests use a real
// Redis (REDIS_URL, started by scripts/run.mjs); system tests run the whole daemon against the simulator. The first two leave nothing
// behind, so one process does for many files: starting processes and importing the SDK was half of what they computed.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{src,workers,config,simulator,scripts,demo,examples}/**/*.test.ts', 'test/*.test.ts'],
          // As the examples name it, which are for other projects.
          alias: { 'ivs-autopilot/simulator': join(import.meta.dirname, 'simulator', 'index.ts') },
          isolate: false,
          setupFiles: ['test/support/nothing-left-behind.ts'],
          ...guards,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          isolate: false,
          setupFiles: ['test/support/nothing-left-behind.ts'],
          ...real,
        },
      },
      { test: { name: 'system', include: ['test/system/**/*.test.ts'], ...real } },
    ],
    globalSetup: ['test/support/global-redis.ts'],
    // One more than the cores of a small machine: many files mostly wait.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    reporters: ['default', new SecondAttempts(), ...(resultsFolder ? ['json'] : [])],
    ...(resultsFolder ? { outputFile: { json: `${resultsFolder}/tests.json` } } : {}),
  },
});
