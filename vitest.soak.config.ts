import { defineConfig } from 'vitest/config';

// `npm run soak`: minutes of load with crashes, against a real Redis. Not part of `npm test`.
export default defineConfig({
  test: {
    include: [
      'test/soak/**/*.soak.ts',
      'src/streams/reconcile.test.ts',
      'test/system/acting-crashes.test.ts',
      'test/system/ends.test.ts',
      'test/system/metadata-crash.test.ts',
      'test/system/noticing-deliveries.test.ts',
      'test/system/state-lost.test.ts',
      'test/system/untrusted-text.test.ts',
    ],
    env: { AUTOPILOT_THOROUGH: '1' },
    globalSetup: ['test/support/global-redis.ts'],
    // Guards against hanging.
    testTimeout: 3_600_000,
    hookTimeout: 600_000,
    maxWorkers: 1,
    fileParallelism: false,
  },
});
