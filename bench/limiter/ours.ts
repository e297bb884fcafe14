// Ours: the limited client as the daemon uses it.
import { pino } from 'pino';
import { createIvsShard } from '#ivs/shard.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { connectRedis, disconnectRedis, keyPrefix } from '#runtime/redis.ts';
import { type MakeContestant, settleAll } from './contestants.ts';

export const ours: MakeContestant = async ({ endpoint, redisUrl, namespace, clock }) => {
  const logger = pino({ level: 'warn' }, pino.destination(2));
  const redis = connectRedis({ url: redisUrl, role: 'limiter', logger });
  await redis.connect();
  const shard = createIvsShard({
    name: 'bench',
    region: 'us-west-2',
    redis,
    keyPrefix: keyPrefix(namespace, 'bench'),
    endpoint,
    credentials: { accessKeyId: 'bench', secretAccessKey: 'not-a-secret' },
    onRedisDown: 'wait',
    requestTimeoutMs: 5000,
    // Nobody else calls this simulator.
    emptyLedgerPatienceMs: 0,
    maxWaitMs: 600_000,
    clock,
    logger: logger.child({}, { level: 'error' }),
    metrics: createMetrics(),
    random: Math.random,
  });
  await shard.start();
  return {
    sendAll: (items) => settleAll(items, (item) => shard.client.putMetadata(item, { lane: 'bulk' })),
    async stop() {
      await shard.stop();
      await disconnectRedis(redis);
    },
  };
};
