// A limiter that has nothing to do leaves nothing running.
import { it } from 'vitest';
import { SlotLedger } from '#ivs/ledger.ts';
import { Limiter } from '#ivs/limiter.ts';
import { limitsFrom } from '#ivs/limits.ts';
import { systemClock } from '#runtime/clock.ts';
import { eventually, quietLogger, seededRandom, testMetrics } from '#test/support/quiet.ts';
import { redisScope } from '#test/support/redis.ts';

const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

it('holds no timer for channels that were used and are idle', async () => {
  await using scope = await redisScope();
  const ledger = new SlotLedger({
    redis: scope.redis,
    keyPrefix: scope.prefix,
    replica: 'a',
    requestTimeoutMs: 500,
    patienceMs: 0,
  });
  const limiter = new Limiter({
    shard: 'main',
    ledger,
    limitOf: limitsFrom({}),
    clock: systemClock,
    logger: quietLogger(),
    metrics: testMetrics(),
    random: seededRandom(1),
    onRedisDown: 'wait',
  });
  await limiter.start();
  const before = timers();

  await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      limiter.run({ operation: 'PutMetadata', channel: `channel-${i}`, lane: 'normal' }, () => async (permit) => {
        await permit.untilSend();
        permit.answered();
      }),
    ),
  );

  await eventually(() => timers() <= before);
  await limiter.stop();
});
