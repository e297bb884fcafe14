import { expect, test } from 'vitest';
import { Episode } from './episode.ts';
import { Loop } from './loop.ts';

/** A loop whose runs fail as given, on a clock that is only slept on; it ends after the last run. */
async function played(fates: readonly ('ok' | 'fails')[]) {
  const told: string[] = [];
  const pauses: number[] = [];
  let nowMs = 0;
  let runs = 0;
  const loop: Loop = new Loop({
    name: 'a loop',
    everyMs: 1_000,
    retry: { baseMs: 100, maxMs: 300 },
    random: () => 1,
    run: () => {
      const fate = fates[runs++];
      if (fate === 'fails') throw new Error(`failure ${runs}`);
    },
    episode: new Episode({
      clock: { monotonic: () => nowMs },
      began: (error) => told.push(`began: ${(error as Error).message}`),
      ended: ({ failures, lastedMs }) => told.push(`ended: ${failures} in ${lastedMs} ms`),
    }),
    clock: {
      now: () => nowMs,
      monotonic: () => nowMs,
      sleep: async (ms) => {
        pauses.push(ms);
        nowMs += ms;
        if (runs >= fates.length) void loop.stop();
      },
    },
  });
  await loop.start();
  await new Promise((done) => setImmediate(done));
  await loop.stop();
  return { told, pauses, runs };
}

test('continues after failures, more and more slowly, and returns to its interval afterwards', async () => {
  const { pauses, runs } = await played(['ok', 'fails', 'fails', 'fails', 'fails', 'ok', 'ok']);

  expect(runs).toBe(7);
  expect(pauses).toEqual([1_000, 100, 200, 300, 300, 1_000, 1_000]);
});

test('reports an episode of failures at its beginning and at its end, with its duration', async () => {
  const { told } = await played(['fails', 'fails', 'fails', 'ok', 'ok', 'fails', 'ok']);

  expect(told).toEqual(['began: failure 1', 'ended: 3 in 600 ms', 'began: failure 6', 'ended: 1 in 100 ms']);
});

test('an interruption is not a failure', async () => {
  const told: string[] = [];
  const episode = new Episode({
    clock: { monotonic: () => 0 },
    began: () => told.push('began'),
    ended: () => undefined,
  });

  await expect(episode.watch(() => Promise.reject(new Error('aborted')), AbortSignal.abort())).rejects.toThrow(
    'aborted',
  );

  expect(told).toEqual([]);
});
