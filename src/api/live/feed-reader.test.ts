import { expect, test } from 'vitest';
import { FeedReader, type Reader } from './feed-reader.ts';
import type { LiveRow } from './row.ts';

const rowAt = (number: number, viewers = 0): LiveRow => ({
  arn: `arn:aws:ivs:us-west-2:111122223333:channel/${String(number).padStart(12, '0')}`,
  name: `Evening News ${number}`,
  state: 'live',
  health: 'HEALTHY',
  since: 1_760_000_000_000,
  started: 1_760_000_000_000,
  viewers,
  spark: [...Array(24).keys()],
  recording: 'recording',
  tags: { tier: 'gold', show: 'news' },
});

/** A link that takes bytes only when the test lets it. */
function link() {
  const gone = new AbortController();
  const sent: { event: string; data: unknown; bytes: number }[] = [];
  let waiting: (() => void)[] = [];
  let backlog = 0;
  let most = 0;
  const reader: Reader = {
    signal: gone.signal,
    get backlog() {
      return backlog;
    },
    drained: () => (backlog === 0 ? Promise.resolve() : new Promise((done) => void waiting.push(done))),
    send(event, data) {
      const bytes = JSON.stringify(data).length;
      sent.push({ event, data, bytes });
      backlog += bytes;
      most = Math.max(most, backlog);
    },
  };
  return {
    reader,
    sent,
    mostBacklog: () => most,
    /** Takes this many bytes; resumes the waiting sender once everything is taken. */
    async take(bytes: number) {
      backlog = Math.max(0, backlog - bytes);
      if (backlog > 0) return;
      const done = waiting;
      waiting = [];
      for (const each of done) each();
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
    },
  };
}

/** What a page that follows the stream has received in the end. */
function known(sent: readonly { event: string; data: unknown }[]) {
  const rows = new Map<number, Record<string, unknown>>();
  for (const { event, data } of sent) {
    if (event === 'rows') for (const [number, row] of data as [number, LiveRow][]) rows.set(number, { ...row });
    if (event !== 'delta') continue;
    const delta = data as { rows: [number, LiveRow][]; patches: [number, object][]; removed: number[] };
    for (const [number, row] of delta.rows) rows.set(number, { ...row });
    for (const [number, patch] of delta.patches) {
      if (!rows.has(number)) throw new Error(`row ${number} is changed before it is there`);
      Object.assign(rows.get(number)!, patch);
    }
    for (const number of delta.removed) rows.delete(number);
  }
  return rows;
}

test('ten thousand rows pass through a link of 1 Mbit/s while everything changes, with little buffered in memory', async () => {
  const slow = link();
  const { reader, sent } = slow;
  const feed = new FeedReader(reader);
  const now = new Map(Array.from({ length: 10_000 }, (_, index) => [index + 1, rowAt(index + 1)] as const));
  const loaded = feed.load([...now.keys()], (number) => now.get(number));

  let seconds = 0;
  for (; sent.at(-1)?.event !== 'ready' && seconds < 120; seconds += 1) {
    const patches: [number, Record<string, unknown>][] = [];
    for (let number = 1 + (seconds % 15); number <= 10_000; number += 15) {
      const row = now.get(number);
      if (!row) continue;
      now.set(number, { ...row, viewers: seconds });
      patches.push([number, { viewers: seconds }]);
    }
    now.delete(10_000 - seconds);
    now.set(20_000 + seconds, rowAt(20_000 + seconds));
    feed.delta({ rows: [[20_000 + seconds, rowAt(20_000 + seconds)]], patches, removed: [10_000 - seconds] });
    feed.status({ nowMs: seconds });
    for (let part = 0; part < 10; part += 1) await slow.take(12_500);
  }
  await loaded;
  while (reader.backlog > 0) await slow.take(12_500);
  await slow.take(0);

  const total = sent.reduce((sum, { bytes }) => sum + bytes, 0);
  expect(total).toBeGreaterThan(3_000_000);
  expect(seconds).toBeLessThan((total / 125_000) * 1.5);
  expect(slow.mostBacklog()).toBeLessThan(400_000);
  expect(known(sent)).toEqual(now);
});

test('a reader that stalls gets everything it missed in one step, in its current state', async () => {
  const slow = link();
  const { reader, sent } = slow;
  const feed = new FeedReader(reader);
  const now = new Map(Array.from({ length: 600 }, (_, index) => [index + 1, rowAt(index + 1)] as const));
  const loaded = feed.load([...now.keys()], (number) => now.get(number));
  while (sent.at(-1)?.event !== 'ready') await slow.take(1_000_000);
  await loaded;
  await slow.take(1_000_000);
  const before = sent.length;

  reader.send('status', { filler: 'x'.repeat(200_000) });
  for (let step = 1; step <= 50; step += 1) {
    feed.delta({
      rows: [],
      patches: [
        [1, { viewers: step }],
        [2, { viewers: step }],
      ],
      removed: [],
    });
    feed.status({ nowMs: step, counts: { live: step } });
  }
  feed.delta({ rows: [], patches: [], removed: [2] });
  expect(sent.length - before).toBe(1);
  await slow.take(10_000_000);

  expect(sent.slice(before + 1)).toMatchObject([
    { event: 'delta', data: { rows: [], patches: [[1, { viewers: 50 }]], removed: [2] } },
    { event: 'status', data: { nowMs: 50, counts: { live: 50 } } },
  ]);
});

test.each(['at once', 'while it is behind'])(
  'ten thousand new rows in one step are sent in pieces, %s',
  async (when) => {
    const slow = link();
    const feed = new FeedReader(slow.reader);
    await feed.load([], () => undefined);
    if (when === 'while it is behind') slow.reader.send('filler', 'x'.repeat(200_000));
    const rows = Array.from({ length: 10_000 }, (_, index) => [index + 1, rowAt(index + 1)] as const);
    feed.delta({ rows, patches: [], removed: [] });
    await slow.take(Number.POSITIVE_INFINITY);
    feed.delta({
      rows: [],
      patches: [
        [1, { viewers: 7 }],
        [10_000, { viewers: 8 }],
      ],
      removed: [9_999],
    });
    feed.status({ nowMs: 5 });
    for (let turn = 0; turn < 100; turn += 1) await slow.take(Number.POSITIVE_INFINITY);

    expect(slow.mostBacklog()).toBeLessThan(300_000);
    const rowsKnown = known(slow.sent);
    expect(rowsKnown.size).toBe(9_999);
    expect(rowsKnown.get(1)).toMatchObject({ viewers: 7 });
    expect(rowsKnown.get(10_000)).toMatchObject({ viewers: 8 });
    expect(slow.sent.filter(({ event }) => event === 'status')).toMatchObject([{ data: { nowMs: 5 } }]);
  },
);
