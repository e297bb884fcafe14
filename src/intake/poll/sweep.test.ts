import { expect, test } from 'vitest';
import { AppError } from '#domain/errors.ts';
import { snapshot } from '#test/support/streams.ts';
import type { CallOptions, StreamReader } from '../ports.ts';
import { pollIntervals } from './intervals.ts';
import { readSweep } from './sweep.ts';

type Page = Awaited<ReturnType<StreamReader['listStreams']>>;

/** Serves the pages in order; a page that is an error is thrown. */
function reader(pages: readonly (Page | Error)[]) {
  const calls: { request: object; options: CallOptions }[] = [];
  return {
    calls,
    async listStreams(request: object, options: CallOptions): Promise<Page> {
      calls.push({ request, options });
      const page = pages[calls.length - 1];
      if (!page || page instanceof Error) throw page ?? new Error('asked for too many pages');
      return page;
    },
  };
}

function setup(pages: readonly (Page | Error)[], scope: 'starving' | 'all' = 'all') {
  const listing = reader(pages);
  let now = 1_000;
  const sweep = () =>
    readSweep({ scope, pollId: 'p1', reader: listing, now: () => (now += 10), signal: new AbortController().signal });
  return { listing, sweep };
}

const a = snapshot('A', 's1');
const b = snapshot('B', 's2', { viewers: 5 });

test('a sweep reads page after page and records when it saw each stream', async () => {
  const { listing, sweep } = setup([
    { streams: [a], nextToken: 'two' },
    { streams: [b], nextToken: undefined },
  ]);

  const { observation, failure } = await sweep();

  expect(failure).toBeUndefined();
  expect(observation).toMatchObject({ pages: 2, complete: true });
  expect(observation.streams).toEqual([
    { ...a, seenAtMs: 1_020 },
    { ...b, seenAtMs: 1_030 },
  ]);
  expect(listing.calls.map(({ request }) => request)).toEqual([{}, { nextToken: 'two' }]);
});

test('the starving poll has priority at the limiter, the full sweep comes last', async () => {
  const starving = setup([{ streams: [], nextToken: undefined }], 'starving');
  const all = setup([{ streams: [], nextToken: undefined }]);

  await Promise.all([starving.sweep(), all.sweep()]);

  expect(starving.listing.calls[0]).toMatchObject({
    request: { filterBy: { health: 'STARVING' } },
    options: { lane: 'urgent' },
  });
  expect(all.listing.calls[0]).toMatchObject({ request: {}, options: { lane: 'bulk' } });
});

test('a sweep that fails halfway reports what it saw, marked as incomplete', async () => {
  const { sweep } = setup([{ streams: [a], nextToken: 'two' }, new AppError('IVS_UNAVAILABLE', 'out of order')]);

  const { observation, failure } = await sweep();

  expect(observation).toMatchObject({ complete: false, streams: [{ streamId: a.streamId }] });
  expect(failure).toMatchObject({ code: 'POLL_FAILED', message: expect.stringContaining('page 2') as unknown });
});

test('a stream on two pages counts once, in its last version', async () => {
  const { sweep } = setup([
    { streams: [a, { ...b, viewerCount: 4 }], nextToken: 'two' },
    { streams: [b], nextToken: undefined },
  ]);

  expect((await sweep()).observation.streams.map(({ viewerCount }) => viewerCount)).toEqual([0, 5]);
});

test('a listing that repeats its pages ends as an incomplete sweep', async () => {
  const page = { streams: [a], nextToken: 'again' };
  const { sweep } = setup([page, page, page, page]);

  expect(await sweep()).toMatchObject({ observation: { complete: false, pages: 2 }, failure: { code: 'POLL_FAILED' } });
});

test.each([
  [
    { live: 40, starving: 2 },
    { starvingMs: 5_000, fullMs: 15_000 },
  ],
  [
    { live: 1_000, starving: 10 },
    { starvingMs: 5_000, fullMs: 15_000 },
  ],
  // 100 pages at (5 - 0.2) × 0.9 a second.
  [
    { live: 10_000, starving: 90 },
    { starvingMs: 5_000, fullMs: 24_000 },
  ],
  // 20 pages of starving streams fit into half of the quota only every 8 s.
  [
    { live: 10_000, starving: 2_000 },
    { starvingMs: 8_000, fullMs: 45_000 },
  ],
])('intervals for %j are %j', (fleet, expected) => {
  expect(pollIntervals({ starvingIntervalMs: 5_000, fullIntervalMs: 15_000, callsPerSecond: 5, ...fleet })).toEqual(
    expected,
  );
});

test('with a tenth of the quota everything takes ten times as long, but nothing stops', () => {
  expect(
    pollIntervals({ starvingIntervalMs: 5_000, fullIntervalMs: 15_000, callsPerSecond: 0.5, live: 1_000, starving: 0 }),
  ).toEqual({
    starvingMs: 5_000,
    fullMs: 38_000,
  });
});
