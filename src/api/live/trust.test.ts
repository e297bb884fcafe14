import { expect, test } from 'vitest';
import { notes } from '#domain/state-registry.ts';
import { MemoryState } from '#store/memory-state.ts';
import type { LiveSources } from './sources.ts';
import { trustOf } from './trust.ts';

/** The trust lines by name, when the intake has noted this. */
async function linesOf(unheard: number, events: ReturnType<NonNullable<LiveSources['events']>>) {
  const state = new MemoryState({ now: () => 100_000 });
  await state.transact((tx) => {
    tx.set(notes.queueRead, { atMs: 99_000, lagMs: 0 });
    tx.set(notes.disagreements, { started: unheard, ended: 0, health: 0, unheard });
  });
  const { trust } = trustOf(
    {
      state,
      ruleset: () => ({ rules: [], inhibitRules: [], timeIntervals: [], receivers: [], hash: '' }),
      config: () => ({ hash: 'x', loadedAtMs: 0 }),
      silentAfterMs: () => ({ poll: 60_000, events: 60_000 }),
      events: () => events,
    },
    { nowMs: 100_000 },
  );
  return Object.fromEntries(trust.map((line) => [line.name, line]));
}

test('reading the queue does not prove that events arrive: reports many sessions in a row without one', async () => {
  const few = await linesOf(4, { waiting: 0 });
  const many = await linesOf(5, { waiting: 0 });

  expect(few['Events']).toMatchObject({ state: 'ok' });
  expect(many['Events']).toMatchObject({
    state: 'stale',
    text: '0 waiting, lag below 1 s; none came of the last 5 sessions; queue read',
  });
  expect(many['Disagreements']!.text).toContain('5 starts, 0 ends, 0 health changes');
});

test('reports a missing redrive policy instead of the dead letters', async () => {
  const bare = await linesOf(0, { waiting: 0, redrives: false });
  const whole = await linesOf(0, { waiting: 0, deadLetters: 0, redrives: true });

  expect(bare['Dead letters']).toMatchObject({
    state: 'stale',
    text: expect.stringContaining('no redrive policy') as unknown,
  });
  expect(whole['Dead letters']).toMatchObject({ state: 'ok', text: '0 in the dead-letter queue' });
});
