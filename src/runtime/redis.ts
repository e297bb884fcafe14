// Connections to Redis by role, and the names of keys. The sole importer of ioredis' constructor.
import { Redis, type RedisOptions } from 'ioredis';
import type { Logger } from './logger.ts';

export type { Redis };

/**
 * - `queue`: producers (BullMQ Queue): fails fast while Redis is away.
 * - `worker`: BullMQ Worker and QueueEvents: blocks, waits for Redis for ever.
 * - `limiter`, `store`: scripts with an answer that somebody waits for: fails fast.
 */
export type RedisRole = 'queue' | 'worker' | 'limiter' | 'store';

const optionsByRole: Record<RedisRole, Omit<RedisOptions, 'replyMapping'>> = {
  queue: { maxRetriesPerRequest: 1, enableOfflineQueue: false },
  worker: { maxRetriesPerRequest: null },
  limiter: { maxRetriesPerRequest: 0, enableOfflineQueue: false, autoResendUnfulfilledCommands: false },
  store: { maxRetriesPerRequest: 0, enableOfflineQueue: false, autoResendUnfulfilledCommands: false },
};

export interface ConnectOptions {
  readonly url: string;
  readonly role: RedisRole;
  readonly logger: Logger;
}

/** A connection that reconnects by itself with at most two seconds between tries. Its errors are logged once per outage. */
export function connectRedis({ url, role, logger }: ConnectOptions): Redis {
  const redis = new Redis(url, {
    ...optionsByRole[role],
    connectionName: `autopilot-${role}`,
    // After a failover the old primary is read-only: the address leads to the new one.
    reconnectOnError: ({ message }) => message.includes('READONLY'),
    retryStrategy: (times) => Math.min(2000, 50 * 2 ** Math.min(times, 6)),
    // BullMQ duplicates a worker's connection, and gives up for good on one whose own first `connect` call fails.
    lazyConnect: role !== 'worker',
  });
  let down = false;
  redis.on('error', (error: Error) => {
    if (down) return;
    down = true;
    logger.error({ code: 'REDIS_UNREACHABLE', role, err: error }, 'Redis does not answer; trying again until it does');
  });
  redis.on('ready', () => {
    if (down) logger.info({ role }, 'Redis answers again');
    down = false;
  });
  return redis;
}

/** Ends a connection; never rejects, and never waits for a server that is away. */
export async function disconnectRedis(redis: Redis): Promise<void> {
  if (redis.status === 'ready')
    await Promise.race([redis.quit().catch(() => undefined), new Promise((done) => setTimeout(done, 500))]);
  redis.disconnect();
}

/** Every key of one deployment and shard starts with this; braces keep them in one slot of a Redis Cluster. */
export function keyPrefix(namespace: string, shard: string): string {
  return `{${namespace}:${shard}}`;
}
