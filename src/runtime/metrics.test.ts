import perfHooks from 'node:perf_hooks';
import { afterEach, expect, test, vi } from 'vitest';
import { createMetrics } from './metrics.ts';

afterEach(() => void vi.restoreAllMocks());

test('the event loop is woken fifty times a second to measure its delay, not a hundred times', () => {
  const monitor = vi
    .spyOn(perfHooks, 'monitorEventLoopDelay')
    .mockReturnValue({ enable: () => true } as unknown as ReturnType<typeof perfHooks.monitorEventLoopDelay>);

  createMetrics().collectProcessMetrics();

  expect(monitor.mock.calls).toEqual([[{ resolution: 20 }]]);
});
