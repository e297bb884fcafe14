import { expect, test } from 'vitest';
import type { Channel, ChannelArn, StreamId } from '#domain/channel.ts';
import { kinds } from '#domain/state-registry.ts';
import type { SessionBasis, StreamRecord } from '#domain/stream-record.ts';
import { MemoryState } from '#store/memory-state.ts';
import { endReason, isEndToldByEvent } from './ending.ts';
import { listEnded } from './queries.ts';
import { emptyRecord } from './session-record.ts';

const arn = (name: string) => `arn:aws:ivs:us-west-2:111122223333:channel/${name}` as ChannelArn;

function over(
  name: string,
  endedAtMs: number,
  basis: Partial<SessionBasis>,
  more: Partial<StreamRecord> = {},
): StreamRecord {
  const record = emptyRecord({
    channelArn: arn(name),
    streamId: `st-${name}-${endedAtMs}` as StreamId,
    nowMs: endedAtMs,
  });
  return { ...record, state: 'ended', endedAtMs, stateSinceMs: endedAtMs, basis: { missed: [], ...basis }, ...more };
}

test('the reason of an end follows from what ended the session; a live session has none', () => {
  const sweep = { startedAtMs: 1, finishedAtMs: 2 };

  expect([
    endReason(over('a', 9, { endedMs: 9 })),
    endReason(over('a', 9, { failedMs: 9 }, { state: 'failed', failureReason: 'Encoder disconnected' })),
    endReason(over('a', 9, { sessionEndedMs: 9, missed: [sweep] }, { failureReason: 'Idle' })),
    endReason(over('a', 9, { supersededMs: 9 })),
    endReason(over('a', 9, { missed: [sweep, sweep] })),
    endReason(over('a', 9, {}, { state: 'live' })),
  ]).toEqual([
    'Stream End',
    'Stream Failure: Encoder disconnected',
    'Session Ended: Idle',
    'replaced by a newer session',
    'IVS does not list it as live',
    undefined,
  ]);
});

test('ended sessions, including earlier ones, are listed by their end, found by name or tag, page by page', async () => {
  const state = new MemoryState({ now: () => 100 });
  await state.transact((tx) => {
    tx.set(kinds.stream.of(arn('a')), over('a', 30, { endedMs: 30 }));
    tx.set(kinds.past.of(arn('a')), [over('a', 10, { endedMs: 10 })]);
    tx.set(kinds.stream.of(arn('b')), over('b', 20, {}, { state: 'live', endedAtMs: undefined }));
    tx.set(kinds.past.of(arn('b')), [over('b', 20, { failedMs: 20 }, { state: 'failed', channelName: 'Old name' })]);
    tx.set(kinds.channel.of(arn('b')), {
      arn: arn('b'),
      name: 'Derby',
      tags: { tier: 'gold' },
    } as Partial<Channel> as Channel);
  });
  const ids = (text?: string, after?: string, limit = 10) => {
    const { streams, next } = listEnded(state.view, { text, after, limit });
    return { ids: streams.map(({ streamId }) => streamId), next };
  };

  expect(ids().ids).toEqual(['st-a-30', 'st-b-20', 'st-a-10']);
  expect(ids('derby tier=gold').ids).toEqual(['st-b-20']);
  const first = ids(undefined, undefined, 2);
  expect(first.ids).toEqual(['st-a-30', 'st-b-20']);
  expect(ids(undefined, first.next, 2)).toEqual({ ids: ['st-a-10'], next: undefined });
});

test('an end that only a poll noticed may have been earlier: its moment is unknown', () => {
  const sweep = { startedAtMs: 1, finishedAtMs: 2 };

  expect(isEndToldByEvent(over('a', 9, { endedMs: 9 }))).toBe(true);
  expect(isEndToldByEvent(over('a', 9, { failedMs: 9 }))).toBe(true);
  expect(isEndToldByEvent(over('a', 9, { sessionEndedMs: 9 }))).toBe(true);
  expect(isEndToldByEvent(over('a', 9, { supersededMs: 9 }))).toBe(false);
  expect(isEndToldByEvent(over('a', 9, { missed: [sweep, sweep] }))).toBe(false);
});
