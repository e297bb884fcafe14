// The cost of 10,000 channels after each was used once. Run alone, with --expose-gc, by bench/limiter.ts.

import { pino } from 'pino';
import { SlotLedger } from '#ivs/ledger.ts';
import { Limiter } from '#ivs/limiter.ts';
import { limitsFrom } from '#ivs/limits.ts';
import { systemClock } from '#runtime/clock.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { connectRedis, disconnectRedis, keyPrefix } from '#runtime/redis.ts';

export interface IdleReport {
  /** How much the heap has grown; negative if something else was collected meanwhile. */
  readonly heapMb: number;
  /** Timers of the limiter that are still running. */
  readonly timers: number;
}

const logger = pino({ level: 'silent' });
const redis = connectRedis({ url: process.argv[2]!, role: 'limiter', logger });
await redis.connect();
// Its own quota is raised, so that the 10,000 calls take seconds instead of a minute.
const limitOf = limitsFrom({ overrides: { PutMetadata: { perAccount: 100_000, perChannel: 5 } } });
const ledger = new SlotLedger({
  redis,
  keyPrefix: keyPrefix(`bench-idle-${process.pid}`, 'idle'),
  replica: 'idle',
  requestTimeoutMs: 1000,
  patienceMs: 0,
});
const limiter = new Limiter({
  shard: 'idle',
  ledger,
  limitOf,
  clock: systemClock,
  logger,
  metrics: createMetrics(),
  random: Math.random,
  onRedisDown: 'wait',
  maxWaitMs: 600_000,
});
await limiter.start();

const used = () => {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1024 / 1024;
};
const touch = (from: number, until: number) =>
  Promise.all(
    Array.from({ length: until - from }, (_, i) =>
      limiter.run(
        { operation: 'PutMetadata', channel: `channel-${from + i}`, lane: 'normal' },
        () => async (permit) => {
          await permit.untilSend();
          permit.answered();
        },
      ),
    ),
  );
await touch(0, 500);
await new Promise((resolve) => setTimeout(resolve, 500));
const before = used();
await touch(500, 10_500);
await new Promise((resolve) => setTimeout(resolve, 2000));
// Those of the limiter: the connection to Redis has none.
const timers = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
process.send?.({ heapMb: used() - before, timers } satisfies IdleReport);
await limiter.stop();
await disconnectRedis(redis);
