// One replica in a separate process: sends what it is given until each item was accepted, and reports that. It may be killed.
import { AppError } from '#domain/errors.ts';
import { createIvsShard } from '#ivs/shard.ts';
import { systemClock } from '#runtime/clock.ts';
import { connectRedis } from '#runtime/redis.ts';
import { quietLogger, testMetrics } from './quiet.ts';

export interface LimiterTask {
  readonly endpoint: string;
  readonly redisUrl: string;
  readonly keyPrefix: string;
  readonly requestTimeoutMs: number;
  readonly items: readonly { readonly channelArn: string; readonly metadata: string }[];
}

process.once('message', (task: LimiterTask) => {
  void work(task);
});
process.send?.({ awake: true });

async function work({ items, ...task }: LimiterTask): Promise<void> {
  const redis = connectRedis({ url: task.redisUrl, role: 'limiter', logger: quietLogger() });
  const shard = createIvsShard({
    name: 'soak',
    region: 'us-west-2',
    redis,
    keyPrefix: task.keyPrefix,
    endpoint: task.endpoint,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    onRedisDown: 'wait',
    requestTimeoutMs: task.requestTimeoutMs,
    maxWaitMs: 600_000,
    clock: systemClock,
    logger: quietLogger(),
    metrics: testMetrics(),
    random: Math.random,
  });
  await shard.start();
  await Promise.all(
    items.map(async (item) => {
      for (;;) {
        try {
          await shard.client.putMetadata(item, { lane: 'bulk' });
          break;
        } catch (error) {
          // At least once: what may have been sent is sent again.
          const kind = error instanceof AppError ? error.disposition.kind : 'give-up';
          if (kind !== 'retry' && kind !== 'retry-after') throw error;
        }
      }
      process.send?.({ sent: item.metadata });
    }),
  );
  await shard.stop();
  redis.disconnect();
  process.disconnect();
}
