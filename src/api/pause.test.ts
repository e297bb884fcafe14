import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { isPaused } from '#domain/controls-in-force.ts';
import { ShardDirectory } from '#shard/directory.ts';
import { MemoryState } from '#store/memory-state.ts';
import { pauseAll } from './pause.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('pausing succeeds although the Redis of an account that others carry does not answer, and names that account', async () => {
  const main = {
    name: 'main',
    region: 'us-west-2',
    accountId: '111122223333',
    state: new MemoryState({ now: () => 0 }),
  };
  const silent = () => new Promise<never>(() => undefined);
  const sports = {
    name: 'sports',
    region: 'eu-west-1',
    accountId: '222233334444',
    read: silent,
    transact: silent,
    nowMs: () => 0,
  };
  const shards = new ShardDirectory([main], { shards: [sports], carriersOf: () => 'web-2' });

  const answer = pauseAll(shards, { who: 'user mara', reason: 'a fire' });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await answer).toMatchObject({
    written: true,
    unasked: [{ account: 'sports', code: 'REDIS_UNREACHABLE' }],
  });
  expect(isPaused(main.state.view)).toBe(true);
});
