import { expect, test } from 'vitest';
import type { StreamChange } from '#domain/stream-record.ts';
import { Noticing, poll, snapshot, startMs } from '#test/support/streams.ts';
import { detectGaps, gapOf, noteQueueRead, silentSinceMs } from './gaps.ts';

const options = { pollSilentAfterMs: 60_000, eventsSilentAfterMs: 900_000 };

function setup() {
  const noticing = new Noticing();
  const tickAt = async (at: number): Promise<readonly StreamChange[]> => {
    noticing.nowMs = startMs + at;
    return noticing.state.transact((tx) => detectGaps(tx, options));
  };
  const readAt = (at: number) => noticing.state.transact((tx) => noteQueueRead(tx, { atMs: startMs + at, lagMs: 0 }));
  return { noticing, tickAt, readAt };
}

test('failing polls open a gap from the last complete sweep, and the next complete one closes it', async () => {
  const { noticing, tickAt } = setup();
  await noticing.see(poll('all', { at: 0, streams: [snapshot('A', 's1')] }));
  expect(await tickAt(60_000)).toEqual([]);
  await noticing.see(poll('all', { at: 60_050, complete: false }));

  expect(await tickAt(60_200)).toEqual([
    { kind: 'data_gap', source: 'poll', state: 'began', sinceMs: startMs, atMs: startMs + 60_200 },
  ]);
  expect(gapOf(noticing.state.view, 'poll')).toEqual({ sinceMs: startMs, noticedAtMs: startMs + 60_200 });
  expect(await tickAt(61_000)).toEqual([]);
  await noticing.see(poll('all', { at: 600_000, streams: [snapshot('A', 's1')] }));

  expect(await tickAt(600_200)).toMatchObject([{ source: 'poll', state: 'ended', sinceMs: startMs }]);
  expect(gapOf(noticing.state.view, 'poll')).toBeUndefined();
});

test('nothing is invented about what may have happened in a gap', async () => {
  const { noticing, tickAt } = setup();
  await noticing.see(poll('all', { at: 0, streams: [snapshot('A', 's1')] }));
  await tickAt(3_600_000);

  await noticing.see(poll('all', { at: 3_601_000 }));
  expect(noticing.record('A')!.state).toBe('live');
  await noticing.see(poll('all', { at: 3_616_000 }));

  expect(noticing.record('A')).toMatchObject({ state: 'ended', endedAtMs: startMs + 3_616_100 });
});

test('a queue that is read is no gap, however quiet it is; one that cannot be read is', async () => {
  const { noticing, tickAt, readAt } = setup();
  await tickAt(0);
  for (let at = 0; at <= 3_600_000; at += 600_000) {
    await readAt(at);
    await noticing.see(poll('all', { at }));
    expect(await tickAt(at + 200)).toEqual([]);
  }

  await noticing.see(poll('all', { at: 4_600_000 }));

  expect(await tickAt(4_600_200)).toMatchObject([{ source: 'events', state: 'began' }]);
  await readAt(4_601_000);
  expect(await tickAt(4_601_200)).toMatchObject([{ source: 'events', state: 'ended' }]);
});

test('a source that never delivered anything is missing from the first check on', async () => {
  const { tickAt } = setup();

  expect(await tickAt(0)).toEqual([]);
  expect(await tickAt(59_000)).toEqual([]);
  expect(await tickAt(61_000)).toMatchObject([{ source: 'poll', state: 'began' }]);
});

test('the sweeps of a large fleet may take longer than the silence that would be a gap elsewhere', async () => {
  const { noticing, tickAt } = setup();
  await noticing.see(poll('all', { at: 0, took: 40_000, everyMs: 45_000 }));

  expect(await tickAt(130_000)).toEqual([]);
  expect(await tickAt(131_000)).toMatchObject([{ source: 'poll', state: 'began' }]);
});

test('a throttled sweep that took half an hour does not delay the detection of a gap by hours', async () => {
  const { noticing, tickAt } = setup();
  await noticing.see(poll('all', { at: 0, took: 1_800_000, everyMs: 45_000 }));

  // Its first page is half an hour old.
  expect(await tickAt(1_800_100)).toMatchObject([{ source: 'poll', state: 'began', sinceMs: startMs }]);
});

test('the silence of a source is known even if nobody watches', async () => {
  const { noticing, tickAt, readAt } = setup();
  await tickAt(0);
  await readAt(0);
  await noticing.see(poll('all', { at: 0 }));
  const since = (source: 'poll' | 'events', at: number) =>
    silentSinceMs(noticing.state.view, source, { ...options, nowMs: startMs + at });

  expect([since('poll', 60_000), since('events', 60_000)]).toEqual([undefined, undefined]);
  expect([since('poll', 61_000), since('events', 61_000)]).toEqual([startMs, undefined]);
  expect([since('poll', 901_000), since('events', 901_000)]).toEqual([startMs, startMs]);
});

test('a sweep may be acted on until two more have failed', async () => {
  const { noticing } = setup();

  const changes = await noticing.see(poll('all', { at: 0, took: 5_000, everyMs: 15_000 }));

  expect(changes).toMatchObject([{ kind: 'poll', staleAtMs: startMs + 35_000 }]);
});
