import { expect, test } from 'vitest';
import { MemoryState } from '#store/memory-state.ts';
import { eventually, quietLogger, testMetrics } from '#test/support/quiet.ts';
import { fleetGauges } from './gauges.ts';

test('exports gauges again after one failure', async () => {
  const metrics = testMetrics();
  let asked = 0;
  const gauges = fleetGauges({
    shard: 'main',
    view: new MemoryState({ now: () => 0 }).view,
    intervals: () => {
      asked += 1;
      if (asked === 1) throw new Error('these settings are impossible');
      return { starvingMs: 5_000, fullMs: 15_000 };
    },
    isSilent: () => false,
    metrics,
    clock: { now: () => 0, monotonic: () => 0, sleep: () => new Promise((done) => setTimeout(done, 1)) },
    logger: quietLogger(),
    random: () => 0,
  });

  await gauges.start();
  const shown = await eventually(async () =>
    (await metrics.pollIntervalSeconds.get()).values.find(({ labels }) => labels['scope'] === 'all'),
  );
  await gauges.stop();

  expect(shown.value).toBe(15);
});
