// A simulator for tests: as a Vitest fixture, or through the hooks of any test runner. No runner is imported.
import { type SimulatorHandle, startSimulator } from './server.ts';
import type { SimulatorOptions } from './settings.ts';

/** The hooks of a test runner: `{ beforeAll, afterAll }` of Vitest and Jest, `{ beforeAll: before, afterAll: after }` of node:test and Mocha. */
export interface SimulatorHooks {
  readonly beforeAll: (work: () => Promise<void>) => unknown;
  readonly afterAll: (work: () => Promise<void>) => unknown;
}

/**
 * One simulator for the tests of a file: started before them and closed after them. Call it where hooks are registered.
 * @returns the simulator; reading any of its members before the tests run is an error
 */
export function useSimulator(
  hooks: SimulatorHooks,
  options: SimulatorOptions = {},
): Omit<SimulatorHandle, 'close' | typeof Symbol.asyncDispose> {
  let running: SimulatorHandle | undefined;
  hooks.beforeAll(async () => {
    running = await startSimulator(options);
  });
  hooks.afterAll(async () => {
    await running?.close();
    running = undefined;
  });
  const started = (): SimulatorHandle => {
    if (!running) throw new Error('the simulator runs while tests run: read it inside a test or a hook');
    return running;
  };
  return {
    get url() {
      return started().url;
    },
    get port() {
      return started().port;
    },
    get seed() {
      return started().seed;
    },
    get control() {
      return started().control;
    },
  };
}

/**
 * A fixture for Vitest's `test.extend`: each test that asks for it has a simulator of its own.
 * @example const test = base.extend<{ simulator: SimulatorHandle }>({ simulator: simulatorFixture({ seed: 'mine' }) });
 */
export function simulatorFixture(options: SimulatorOptions = {}) {
  // Vitest reads the first parameter's pattern to learn which other fixtures this one needs: none.
  // oxlint-disable-next-line eslint/no-empty-pattern -- see above.
  return async ({}: object, use: (simulator: SimulatorHandle) => Promise<void>): Promise<void> => {
    const simulator = await startSimulator(options);
    try {
      await use(simulator);
    } finally {
      await simulator.close();
    }
  };
}
