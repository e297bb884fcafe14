import { expect, test } from 'vitest';
import type { ActionJob } from '#domain/action.ts';
import { kinds } from '#domain/state-registry.ts';
import { MemoryState } from '#store/memory-state.ts';
import { bulkPending, createBulk, feedBulks, noteBulkResult, stopBulk } from './bulk.ts';

const channels = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    channelArn: `arn:aws:ivs:us-west-2:111122223333:channel/c${index}`,
    params: {},
  }));

async function setup(count: number) {
  const clock = { nowMs: 1_000 };
  const state = new MemoryState({ now: () => clock.nowMs });
  const cause = { kind: 'operator' as const, who: 'token test', reason: 'r' };
  const request = { action: 'stop_stream', items: channels(count), cause, dryRun: true } as const;
  const id = (await createBulk(state, { ...request, mostOpen: 50, adBreakSpacingMs: 1_000 }))!;
  return {
    clock,
    state,
    id,
    bulk: () => state.view.get(kinds.bulk.of(id))!,
    feed: () => state.transact(feedBulks),
    ended: (outcome: 'done' | 'failed', times: number) =>
      state.transact((tx) => {
        for (let left = times; left > 0; left -= 1) noteBulkResult(tx, id, outcome);
      }),
    jobs: () => Array.from(state.view.entries(kinds.job), ([, { payload }]) => payload as unknown as ActionJob),
  };
}

test('runs ten jobs at a time, until every channel had its turn', async () => {
  const t = await setup(25);

  await t.feed();
  await t.feed();
  expect(t.jobs()).toHaveLength(10);
  expect(t.jobs()[0]).toMatchObject({ action: 'stop_stream', bulkId: t.id, dryRun: true });
  await t.ended('done', 4);
  await t.feed();
  expect(t.jobs()).toHaveLength(14);
  await t.ended('failed', 10);
  await t.feed();
  await t.ended('done', 5);
  await t.feed();
  expect(t.bulk()).toMatchObject({ state: 'running', started: 25 });
  await t.ended('done', 6);

  expect(t.bulk()).toMatchObject({ state: 'finished', outcomes: { done: 15, failed: 10 } });
  expect(new Set(t.jobs().map(({ channelArn }) => channelArn)).size).toBe(25);
  expect(bulkPending(t.state.view)).toBe(0);
});

test('keeps what the first twenty jobs of a dry run would do', async () => {
  const t = await setup(25);
  await t.state.transact((tx) => {
    for (const { channelArn } of channels(25))
      noteBulkResult(tx, t.id, 'skipped', { channelArn, calls: Array.from({ length: 30 }, (_, at) => `call ${at}`) });
  });

  const { wouldDo = [], outcomes } = t.bulk();
  expect(wouldDo.map(({ channelArn }) => channelArn)).toEqual(channels(20).map(({ channelArn }) => channelArn));
  expect(wouldDo[0]?.calls).toHaveLength(20);
  expect(outcomes).toEqual({ skipped: 25 });
});

test('starts nothing more after a stop, and clears what waited', async () => {
  const t = await setup(700);
  await t.feed();

  await t.state.transact((tx) => stopBulk(tx, t.id));
  await t.ended('done', 10);
  await t.feed();
  await t.feed();

  expect(t.jobs()).toHaveLength(10);
  expect(bulkPending(t.state.view)).toBe(0);
  expect(t.bulk()).toMatchObject({ state: 'stopped', channels: 700, started: 10 });
});

test('gives up a bulk whose request died while it was being written, and deletes old ones', async () => {
  const t = await setup(3);
  await t.state.transact((tx) => tx.set(kinds.bulk.of(t.id), { ...t.bulk(), state: 'preparing' }));
  t.clock.nowMs += 600_001;
  await t.feed();
  expect(t.bulk().state).toBe('stopped');

  t.clock.nowMs += 7 * 86_400_000 + 1;
  await t.feed();

  expect(t.state.view.get(kinds.bulk.of(t.id))).toBeUndefined();
  expect(t.jobs()).toEqual([]);
});

test('counts simultaneous requests one after another', async () => {
  const state = new MemoryState({ now: () => 1_000 });
  const cause = { kind: 'operator' as const, who: 'token test', reason: 'r' };
  const request = {
    action: 'stop_stream',
    items: channels(700),
    cause,
    dryRun: true,
    mostOpen: 2,
    adBreakSpacingMs: 1_000,
  } as const;

  const ids = await Promise.all(Array.from({ length: 5 }, () => createBulk(state, request)));

  expect(ids.filter((id) => id !== undefined)).toHaveLength(2);
  expect(state.view.count(kinds.bulk)).toBe(2);
  expect(state.view.count(kinds.bulkItem)).toBe(1_400);
});

test('does not give up ad breaks that queue for longer than a job is waited for, and can stop them', async () => {
  const clock = { nowMs: 1_000 };
  const state = new MemoryState({ now: () => clock.nowMs });
  const cause = { kind: 'operator' as const, who: 'mara', reason: 'r' };
  const ask = async (items: ReturnType<typeof channels>) =>
    (await createBulk(state, {
      action: 'insert_ad_break',
      items: items.map((item) => ({ ...item, params: { duration: '30s' } })),
      cause,
      dryRun: false,
      mostOpen: 50,
      adBreakSpacingMs: 1_000,
    }))!;
  const all = channels(703);
  await ask(all.slice(0, 700));
  const id = await ask(all.slice(700));
  const waiting = () => state.view.get(kinds.bulk.of(id));
  clock.nowMs += 699_000;
  await state.transact(feedBulks);

  expect(waiting()).toMatchObject({ state: 'running', started: 3, outcomes: {} });
  await state.transact((tx) => noteBulkResult(tx, id, 'done'));
  await state.transact((tx) => stopBulk(tx, id));
  const states = all.slice(700).map(({ channelArn }) => state.view.get(kinds.adBreak.of(channelArn as never))?.state);
  expect(states).toEqual(['cancelled', 'cancelled', 'cancelled']);
});

test('a deleted bulk leaves nothing behind to compare', async () => {
  const t = await setup(2);
  const channelArn = channels(1)[0]!.channelArn;
  await t.state.transact((tx) => {
    stopBulk(tx, t.id);
    for (const bulkId of [t.id, 'bulk-other'])
      tx.set(kinds.bulkCheck.of(bulkId, channelArn), { bulkId, channelArn, expected: {} });
  });
  await t.feed();
  expect(t.state.view.count(kinds.bulkCheck)).toBe(2);
  t.clock.nowMs += 8 * 86_400_000;
  await t.feed();
  expect(Array.from(t.state.view.entries(kinds.bulkCheck), ([, { bulkId }]) => bulkId)).toEqual(['bulk-other']);
});
