import { expect, test } from 'vitest';
import type { ActionJob } from '#domain/action.ts';
import { kinds } from '#domain/state-registry.ts';
import type { StreamChange, StreamRecord } from '#domain/stream-record.ts';
import { MemoryState } from '#store/memory-state.ts';
import { cancelIntent, deferJob, intentsDue, intentsOf, settleIntent, sweepIntents, wasCancelled } from './intents.ts';

const channelArn = 'arn:aws:ivs:us-west-2:111122223333:channel/a';

const request = (configuration: string, decidedAtMs: number): ActionJob<'set_recording'> => ({
  action: 'set_recording',
  params: { configuration },
  channelArn,
  streamId: 'st-1',
  cause: { kind: 'operator', who: 'token test', reason: 'r' },
  decidedAtMs,
});
const record = (state: string, streamId = 'st-1') => ({ channelArn, streamId, state }) as unknown as StreamRecord;
const change = (after: StreamRecord) =>
  ({ kind: 'stream', channelArn, before: undefined, after, atMs: 0 }) as unknown as StreamChange;

function setup() {
  const clock = { nowMs: 1_000_000 };
  const state = new MemoryState({ now: () => clock.nowMs });
  return {
    clock,
    state,
    view: state.view,
    jobs: () =>
      Array.from(state.view.entries(kinds.job), ([, { payload }]) => payload as unknown as ActionJob<'set_recording'>),
  };
}

test('keeps the newest request, in whatever order requests arrive', async () => {
  const { state, view } = setup();
  for (const [configuration, atMs] of [
    ['on', 1],
    ['off', 3],
    ['other', 2],
  ] as const)
    await state.transact((tx) => deferJob(tx, request(configuration, atMs), configuration));

  expect(intentsOf(view)).toMatchObject([{ summary: 'off', replaced: 1 }]);
});

test('the end of the stream releases it once, however often the end is reported', async () => {
  const { state, jobs } = setup();
  await state.transact((tx) => deferJob(tx, request('on', 1), 'on'));
  await state.transact((tx) => intentsDue(tx, change(record('live'))));
  expect(jobs()).toEqual([]);

  await state.transact((tx) => intentsDue(tx, change(record('ended'))));
  await state.transact((tx) => intentsDue(tx, change(record('failed'))));

  expect(jobs()).toHaveLength(1);
  expect(jobs()[0]).toMatchObject({ params: { configuration: 'on' } });
  expect(jobs()[0]).not.toHaveProperty('streamId');
});

test('an end that was noticed before the request was stored releases it at once', async () => {
  const { state, jobs } = setup();
  await state.transact((tx) => tx.set(kinds.stream.of(channelArn), record('ended')));

  await state.transact((tx) => deferJob(tx, request('on', 1), 'on'));

  expect(jobs()).toHaveLength(1);
});

test('a released request that finds the channel live again still waits, and the sweep leaves it for a while', async () => {
  const { state, view, jobs, clock } = setup();
  await state.transact((tx) => deferJob(tx, request('on', 1), 'on'));
  await state.transact((tx) => intentsDue(tx, change(record('ended'))));
  const [released] = jobs();
  await state.transact((tx) => deferJob(tx, { ...released!, streamId: 'st-2' }, 'on'));
  await state.transact((tx) => sweepIntents(tx));
  expect(jobs()).toHaveLength(1);

  clock.nowMs += 60_000;
  await state.transact((tx) => tx.set(kinds.stream.of(channelArn), record('live', 'st-2')));
  await state.transact((tx) => sweepIntents(tx));
  expect(jobs()).toHaveLength(1);
  await state.transact((tx) => intentsDue(tx, change(record('ended', 'st-2'))));

  expect(jobs()).toHaveLength(2);
  expect(intentsOf(view)).toHaveLength(1);
});

test('a job knows that its request was cancelled or replaced', async () => {
  const { state, view, jobs } = setup();
  await state.transact((tx) => deferJob(tx, request('on', 1), 'on'));
  await state.transact((tx) => intentsDue(tx, change(record('ended'))));
  const [released] = jobs();
  const context = { state, check: (_check: string, passed: boolean) => passed };
  expect(wasCancelled(context, released!)).toBe(false);

  await state.transact((tx) => deferJob(tx, request('off', 2), 'off'));
  expect(wasCancelled(context, released!)).toBe(true);
  await state.transact((tx) => settleIntent(tx, released!));
  expect(intentsOf(view)).toHaveLength(1);
  await state.transact((tx) => cancelIntent(tx, 'set_recording', channelArn));
  expect(intentsOf(view)).toEqual([]);
});
