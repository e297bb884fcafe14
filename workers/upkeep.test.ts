import { expect, test } from 'vitest';
import { kinds } from '#domain/state-registry.ts';
import { MemoryState } from '#store/memory-state.ts';
import { upkeep } from './upkeep.ts';

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
