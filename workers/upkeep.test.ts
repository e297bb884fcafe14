import { afterEach, expect, test, vi } from 'vitest';
import { kinds } from '#domain/state-registry.ts';
import { systemClock } from '#runtime/clock.ts';
import { MemoryState } from '#store/memory-state.ts';
import { quietLogger, testMetrics } from '#test/support/quiet.ts';
import { arnOf } from '#test/support/streams.ts';
import { ActionUpkeep, upkeep } from './upkeep.ts';

afterEach(() => void vi.restoreAllMocks());

test('deletes the progress of a message a day after the last news of its job, and not earlier', async () => {
  let nowMs = Date.parse('2026-11-30T20:00:00Z');
  const state = new MemoryState({ now: () => nowMs });
  const hour = 3_600_000;
  const note = (jobId: string) =>
    state.transact((tx) => tx.set(kinds.notified.of(jobId), { taken: [0], atMs: tx.nowMs }));
  const known = async () => {
    await state.transact(upkeep);
    return Array.from(state.view.entries(kinds.notified), ([jobId]) => jobId);
  };
  await note('heartbeat-1');
  nowMs += 23 * hour;
  await note('note-2');
  expect(await known()).toEqual(['heartbeat-1', 'note-2']);
  nowMs += 2 * hour;
  expect(await known()).toEqual(['note-2']);
});

test('walks over the stream keys once a minute, however often it runs', async () => {
  const hour = 3_600_000;
  let passedMs = 0;
  const state = new MemoryState({ now: () => 100 * hour + passedMs });
  await state.transact((tx) => tx.set(kinds.streamKey.of(arnOf('a')), { keyArn: 'k', sinceMs: 0, made: true }));
  const metrics = testMetrics();
  const service = new ActionUpkeep({
    shard: 'main',
    state,
    clock: { ...systemClock, monotonic: () => passedMs },
    logger: quietLogger(),
    metrics,
    nudge: () => undefined,
    groups: { receiver: () => undefined, isSilenced: () => false },
  });
  const walk = vi.spyOn(state.view, 'entries');
  const walks = () => walk.mock.calls.filter(([kind]) => kind === kinds.streamKey).length;
  const hours = async () => (await metrics.streamKeyAgeMax.get()).values.map(({ value }) => value / 3_600);

  for (; passedMs < 60_000; passedMs += 1_000) await service.runOnce();
  expect([walks(), await hours()]).toEqual([1, [100]]);

  passedMs = hour;
  await service.runOnce();
  expect([walks(), await hours()]).toEqual([2, [101]]);
});
