// When the heartbeat is sent, and above all when it is not.
import { expect, test } from 'vitest';
import { kinds, notes } from '#domain/state-registry.ts';
import { MemoryState } from '#store/memory-state.ts';
import { beatIfDue, isWatching, type Watched } from './heartbeat.ts';

const beat = { receiver: 'watchdog', intervalMs: 60_000 };

function stage() {
  const now = { ms: 1_000_000, tickMs: 200 as number | undefined, silentMs: undefined as number | undefined };
  const state = new MemoryState({ now: () => now.ms });
  const shard: Watched = { state, silentSinceMs: () => now.silentMs, sinceTickMs: () => now.tickMs };
  const polled = () =>
    state.transact((tx) =>
      tx.set(notes.sweep('all'), { startedAtMs: now.ms, finishedAtMs: now.ms, pages: 1, streams: {} } as never),
    );
  const sendIfDue = (all: readonly Watched[] = [shard]) => beatIfDue(beat, { state, all });
  return { now, state, shard, polled, sendIfDue };
}

test('sends one message per interval, for any number of replicas', async () => {
  const t = stage();
  await t.polled();

  expect([await t.sendIfDue(), await t.sendIfDue()]).toEqual([true, false]);
  t.now.ms += 59_999;
  expect(await t.sendIfDue()).toBe(false);
  t.now.ms += 1;
  expect(await t.sendIfDue()).toBe(true);
  expect(Array.from(t.state.view.entries(kinds.job), ([, { name, payload }]) => [name, payload['atMs']])).toEqual([
    ['heartbeat', 1_000_000],
    ['heartbeat', 1_060_000],
  ]);
});

test('stops when polls are missing, when rules do not decide, and before the first complete poll', async () => {
  const t = stage();
  expect(isWatching(t.shard)).toBe(false);
  await t.polled();
  expect(isWatching(t.shard)).toBe(true);

  t.now.silentMs = 1;
  expect(await t.sendIfDue()).toBe(false);
  t.now.silentMs = undefined;
  for (const tickMs of [undefined, 20_000]) {
    t.now.tickMs = tickMs;
    expect(await t.sendIfDue()).toBe(false);
  }
  t.now.tickMs = 200;
  expect(await t.sendIfDue()).toBe(true);
});

test('speaks for all accounts of the process: one account that is not watched stops it', async () => {
  const t = stage();
  const other = stage();
  await t.polled();

  expect(await t.sendIfDue([t.shard, other.shard])).toBe(false);
  await other.polled();
  expect(await t.sendIfDue([t.shard, other.shard])).toBe(true);
});
