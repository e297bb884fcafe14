import { expect, test } from 'vitest';
import { notes } from '#domain/state-registry.ts';
import { activate } from '#rules/controls.ts';
import { MemoryState } from '#store/memory-state.ts';
import { eventually } from '#test/support/quiet.ts';
import { Standby } from './standby.ts';

const by = { who: 'token mara', reason: 'the other Region is lost' };

/** A clock whose sleeps end when the test says so, and which reports that they began. */
function stepClock() {
  const sleeping: (() => void)[] = [];
  return {
    sleeping,
    clock: {
      now: () => 0,
      monotonic: () => 0,
      sleep: (_ms: number, signal?: AbortSignal) =>
        new Promise<void>((done) => {
          sleeping.push(done);
          signal?.addEventListener('abort', () => done());
        }),
    },
  };
}

test('starts its work once, when any replica has written the activation; a Redis outage changes nothing', async () => {
  const state = new MemoryState({ now: () => 1_000 });
  const { clock, sleeping } = stepClock();
  let isAway = true;
  const started: unknown[] = [];
  const standby = new Standby({
    state: { view: state.view, refresh: () => (isAway ? Promise.reject(new Error('away')) : Promise.resolve()) },
    clock,
    onActivated: async (activation) => void started.push(activation),
  });
  await standby.start();
  await eventually(() => sleeping.length === 1);
  sleeping[0]!();
  await eventually(() => sleeping.length === 2);
  expect(started).toEqual([]);

  isAway = false;
  await state.transact((tx) => activate(tx, by));
  sleeping[1]!();
  await eventually(() => started.length === 1);
  await standby.stop();
  expect(started).toEqual([{ ...by, sinceMs: 1_000 }]);
  expect(sleeping).toHaveLength(2);
});

test('starts nothing when it is stopped during standby', async () => {
  const state = new MemoryState({ now: () => 1_000 });
  const { clock, sleeping } = stepClock();
  let starts = 0;
  const standby = new Standby({ state, clock, onActivated: async () => void (starts += 1) });
  await standby.start();
  await eventually(() => sleeping.length === 1);
  await standby.stop();
  expect(starts).toBe(0);
});

test('a second activation keeps the first', async () => {
  const state = new MemoryState({ now: () => 1_000 });
  await state.transact((tx) => activate(tx, by));
  await state.transact((tx) => activate(tx, { who: 'token tom', reason: 'again' }));
  expect(state.view.get(notes.activation)).toEqual({ ...by, sinceMs: 1_000 });
});
