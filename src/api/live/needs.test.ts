import { expect, test } from 'vitest';
import { silence } from '#rules/controls.ts';
import { MemoryState } from '#store/memory-state.ts';
import { gatherStatus } from './gather.ts';

const minute = 60_000;

/** The minutes at which a silence of this many minutes is shown as about to end, checked once a minute. */
async function toldAfter(minutes: number): Promise<number[]> {
  const startMs = Date.UTC(2026, 10, 20);
  let nowMs = startMs;
  const state = new MemoryState({ now: () => nowMs });
  await state.transact((tx) =>
    silence(tx, { matchers: ['rule="x"'], who: 'ann', reason: 'finals', endsMs: startMs + minutes * minute }),
  );
  const told: number[] = [];
  for (let after = 0; after < minutes; after += 1) {
    nowMs = startMs + after * minute;
    const { needs } = await gatherStatus({
      state,
      ruleset: () => ({ rules: [], inhibitRules: [], timeIntervals: [], receivers: [], hash: '' }),
      config: () => ({ hash: '', loadedAtMs: startMs }),
      silentAfterMs: () => ({ poll: 365 * 86_400_000, events: 365 * 86_400_000 }),
    });
    if (needs.some(({ kind }) => kind === 'silence_ending')) told.push(after);
  }
  return told;
}

test('announces the end of a silence in its last ten minutes, and of a short one near its end, not when it is made', async () => {
  expect(await toldAfter(240)).toEqual([231, 232, 233, 234, 235, 236, 237, 238, 239]);
  expect(await toldAfter(10)).toEqual([9]);
});
