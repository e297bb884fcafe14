import pino from 'pino';
import { expect, test } from 'vitest';
import { systemClock } from '#runtime/clock.ts';
import { createMetrics, type Metrics } from '#runtime/metrics.ts';
import { MemoryState } from '#store/memory-state.ts';
import { QuotaSampler, quotaHour, readQuotaHour } from './quota-hour.ts';

const noon = Date.UTC(2026, 5, 1, 12);
const metadata = {
  operation: 'PutMetadata' as const,
  perAccount: 155,
  perChannel: 5,
  inUse: 0,
  outOfService: 0,
  headroom: 155,
  granted: 0,
  throttles: 0,
  sinceThrottleMs: undefined,
  slowedChannels: 0,
  slowed: [],
  hottest: [],
};
const every10s = (shard: string, counts: readonly number[], fromMs: number) =>
  counts.map((calls, index) => ({ shard, atMs: fromMs + index * 10_000, calls }));

test('adds up the calls of two accounts, in steps of ten seconds that end now', () => {
  const samples = [
    ...every10s('main', [1_000, 1_500, 2_500], noon - 20_000),
    ...every10s('other', [50, 60, 70], noon - 20_000),
  ];

  const { perSecond, endMs, stepMs } = quotaHour(samples.toReversed(), noon);

  expect([endMs, stepMs, perSecond.length]).toEqual([noon, 10_000, 360]);
  expect(perSecond.slice(-3)).toEqual([null, 51, 101]);
});

test('fills a missed sample, keeps a long hole, and counts from zero after the ledger began again', () => {
  const samples = [
    { shard: 'main', atMs: noon - 600_000, calls: 100 },
    { shard: 'main', atMs: noon - 50_000, calls: 700 },
    { shard: 'main', atMs: noon - 30_000, calls: 900 },
    { shard: 'main', atMs: noon - 20_000, calls: 30 },
  ];

  const { perSecond } = quotaHour(samples, noon);

  expect(perSecond.slice(-6)).toEqual([null, 10, 10, 3, null, null]);
  expect(perSecond.slice(0, -5).every((rate) => rate === null)).toBe(true);
});

test('two replicas share one hour: one sample per step, the throttled calls of both, and nothing lost after a restart', async () => {
  let nowMs = noon;
  const state = new MemoryState({ now: () => nowMs });
  let calls = 0;
  const throttled = { shard: 'main', operation: 'PutMetadata', scope: 'account' };
  const [ofA, ofB] = [createMetrics(), createMetrics()];
  ofB.ivsThrottles.inc({ ...throttled, shard: 'other' }, 50);
  const replica = (metrics: Metrics) =>
    new QuotaSampler({
      shard: 'main',
      state,
      quota: async () => ({ operations: [{ ...metadata, calls }] }),
      metrics,
      clock: systemClock,
      logger: pino({ level: 'silent' }),
    });
  const [a, b] = [replica(ofA), replica(ofB)];
  for (let step = 0; step < 4; step += 1) {
    calls += 200;
    if (step === 2) ofA.ivsThrottles.inc(throttled, 3);
    if (step === 3) ofB.ivsThrottles.inc(throttled, 2);
    await a.sample();
    await b.sample();
    nowMs += 10_000;
  }

  const hour = await readQuotaHour(state, 1);

  expect(hour.perSecond.filter((rate) => rate !== null)).toEqual([20, 20, 20]);
  expect(hour.throttled).toBe(5);
  nowMs += 3_700_000;
  expect(await readQuotaHour(state, 1)).toMatchObject({ throttled: 0 });
});
