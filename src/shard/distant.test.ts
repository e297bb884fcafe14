import { expect, test } from 'vitest';
import type { AccountSettings } from '#config/settings.ts';
import type { HttpObservation } from '#domain/observation.ts';
import { redisOfUrl } from '#runtime/redis-servers.ts';
import { lastingPort } from '#test/support/ports.ts';
import { quietLogger, testMetrics } from '#test/support/quiet.ts';
import { DistantShard } from './distant.ts';

test('refuses observations of an account whose Redis is away instead of holding them, and leaves nothing open', async () => {
  const url = `redis://127.0.0.1:${await lastingPort()}`;
  const account: AccountSettings = { name: 'sports', region: 'us-west-2' };
  const shard = new DistantShard({
    account,
    config: () => {
      throw new Error('not asked for');
    },
    redis: () => redisOfUrl(url),
    namespace: 'test',
    logger: quietLogger(),
    metrics: testMetrics(),
    inTurn: (run) => run(),
  });
  const observation: HttpObservation = {
    kind: 'http',
    requestId: 'r-1',
    name: 'goal',
    channelArn: undefined,
    body: null,
    atMs: 0,
  };

  await expect(shard.take(observation)).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' });
  expect(shard.isOpen).toBe(false);
  await shard.close();
});
