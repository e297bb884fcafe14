import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EventObservation } from '#domain/observation.ts';
import { adBreakAt } from '#domain/stream-record.ts';
import { event, Noticing, poll, snapshot, startMs } from '#test/support/streams.ts';

/** An ad break of `seconds`, inserted at `at` ms, that begins ten seconds later. */
function inserted(at: number, { id = `break${at}`, seconds = 30, detail = {}, arrived = at } = {}): EventObservation {
  const target = new Date(startMs + at + 10_000).toISOString();
  const told = { ad_break_id: id, duration_seconds: seconds, target_start_time: target, ...detail };
  return event('Ad Break Inserted', { channel: 'A', stream: 's1', at, arrived, id: `${id}-${at}`, detail: told });
}

async function live(...events: EventObservation[]): Promise<Noticing> {
  const noticing = new Noticing();
  await noticing.see(event('Stream Start', { channel: 'A', stream: 's1', at: 0 }), ...events);
  return noticing;
}

const during = (noticing: Noticing, at: number) => adBreakAt(noticing.record('A')!, startMs + at)?.id;

test('an ad break is in the record from its event until its target time plus its duration, and in the timeline', async () => {
  const noticing = await live(inserted(60_000));

  expect(noticing.record('A')!.adBreaks).toEqual([
    { id: 'break60000', insertedAtMs: startMs + 60_000, startsAtMs: startMs + 70_000, endsAtMs: startMs + 100_000 },
  ]);
  expect([60_000, 99_999, 100_000].map((at) => during(noticing, at))).toEqual(['break60000', 'break60000', undefined]);
  expect(noticing.record('A')!.timeline.at(-1)).toMatchObject({
    name: 'Ad Break Inserted',
    text: 'an ad break of 30 s was inserted, to begin at 10:01:10 UTC',
  });
  expect(noticing.changes.filter(({ kind }) => kind === 'stream')).toHaveLength(2);
});

test('an ad break ends with the stream', async () => {
  const noticing = await live(inserted(60_000), event('Stream End', { channel: 'A', stream: 's1', at: 75_000 }));

  expect(during(noticing, 80_000)).toBeUndefined();
});

test('an ad break shows that the stream is live, even if nothing else did', async () => {
  const noticing = new Noticing();
  await noticing.see(inserted(60_000));

  expect(noticing.record('A')).toMatchObject({ state: 'live', startedAtMs: undefined });
});

test.each([
  ['no id', { ad_break_id: undefined }],
  ['a duration of none', { duration_seconds: 0 }],
  ['a duration of an hour', { duration_seconds: 3_600 }],
  ['a duration in words', { duration_seconds: '30' }],
  ['no target', { target_start_time: undefined }],
  ['a target that is not a time', { target_start_time: 'soon' }],
  ['a target in ten years', { target_start_time: '2036-11-20T10:01:10Z' }],
])('an ad break with %s appears in the timeline, and nothing is concluded from it', async (_what, detail) => {
  const noticing = await live(inserted(60_000, { detail }));

  expect(noticing.record('A')!.adBreaks).toBeUndefined();
  expect(noticing.record('A')!.timeline.at(-1)).toMatchObject({ text: 'an ad break was inserted' });
});

test('an event that arrives hours late describes a break that is over', async () => {
  const noticing = await live(inserted(60_000, { arrived: 7_200_000 }));
  await noticing.see(poll('all', { at: 7_201_000, streams: [snapshot('A', 's1')] }));

  expect(noticing.record('A')!.adBreaks).toHaveLength(1);
  expect(during(noticing, 7_201_000)).toBeUndefined();
});

test('the order and the repeats of events do not matter, and the newest few breaks are kept', async () => {
  const events = [0, 1, 2, 3, 4, 5, 6].map((n) => inserted(60_000 + n * 400_000));
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray([...events, ...events.slice(0, 3)], { minLength: 10 }), async (shuffled) => {
      const noticing = await live();
      noticing.nowMs = startMs + 9_000_000;
      await noticing.see(...shuffled);
      const ids = noticing.record('A')!.adBreaks!.map(({ id }) => id);
      expect(ids).toEqual([6, 5, 4, 3, 2].map((n) => `break${60_000 + n * 400_000}`));
    }),
    { numRuns: 30 },
  );
});
