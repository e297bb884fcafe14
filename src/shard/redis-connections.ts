// The connections of one shard to Redis: each part has its own, and all are waited for and closed together.
import { AppError } from '#domain/errors.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { connectRedis, disconnectRedis, type Redis, type RedisRole } from '#runtime/redis.ts';
import { RedisWatch } from '#runtime/redis-trouble.ts';

export interface RedisConnectionsOptions {
  readonly url: string;
  readonly shard: string;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'redisTrouble'>;
  /** Whether the shard stops. */
  readonly closing: () => boolean;
}

/** How long a start waits for a server that takes the connection and says nothing. */
const silentStartMs = 3_000;

export class RedisConnections {
  readonly #options: RedisConnectionsOptions;
  readonly #watch: RedisWatch;
  readonly #connections: Redis[] = [];

  constructor(options: RedisConnectionsOptions) {
    const { shard, logger, metrics } = options;
    this.#options = options;
    this.#watch = new RedisWatch({
      logger,
      onChange: (kinds) => {
        for (const kind of ['refuses', 'away'] as const)
          metrics.redisTrouble.set({ shard, kind }, kinds.has(kind) ? 1 : 0);
      },
    });
  }

  /**
   * Connects at once: BullMQ gives up on a connection for good when its own first `connect` fails.
   * @throws AppError INTERRUPTED once the shard stops: nobody would close the connection
   */
  connect(role: RedisRole): Redis {
    const { url, shard, logger, closing } = this.#options;
    if (closing()) throw new AppError('INTERRUPTED', `${shard} stops: no new connection to Redis`);
    const redis = connectRedis({
      url,
      role,
      logger,
      watch: this.#watch,
      // Whoever stops waits for nobody.
      patienceMs: () => (closing() ? 1_000 : 5_000),
    });
    if (redis.status === 'wait') redis.connect().catch(() => undefined);
    this.#connections.push(redis);
    return redis;
  }

  /** Resolves when each of them is ready or has failed for the first time, or when neither comes. */
  async settled(): Promise<void> {
    await Promise.all(this.#connections.map(settled));
  }

  async close(): Promise<void> {
    await Promise.all(this.#connections.map(disconnectRedis));
  }
}

function settled(redis: Redis): Promise<void> {
  if (redis.status === 'ready' || redis.status === 'reconnecting') return Promise.resolve();
  return new Promise((done) => {
    const end = () => {
      clearTimeout(timer);
      redis.off('ready', end);
      redis.off('close', end);
      done();
    };
    const timer = setTimeout(end, silentStartMs);
    redis.once('ready', end);
    redis.once('close', end);
  });
}
