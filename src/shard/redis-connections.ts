// The connections of one shard, or of one service, to Redis. Each part has its own; all are awaited and closed together.
import { AppError } from '#domain/errors.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { connectRedis, disconnectRedis, type Redis, type RedisRole, redisSite, triedOnce } from '#runtime/redis.ts';
import type { RedisAccess } from '#runtime/redis-access.ts';
import type { RedisSite } from '#runtime/redis-site.ts';
import { RedisWatch } from '#runtime/redis-watch.ts';

export interface RedisConnectionsOptions {
  readonly url: string;
  /** What all keys of the shard begin with. */
  readonly prefix: string;
  readonly access?: RedisAccess | undefined;
  /** Whose trouble is shown as a metric; left out: no metric. */
  readonly of?: { readonly shard: string; readonly metrics: Pick<Metrics, 'redisTrouble'> };
  readonly logger: Logger;
  /** Epoch ms, for `outage`. */
  readonly nowMs?: (() => number) | undefined;
  /** Whether it is stopping. */
  readonly closing: () => boolean;
}

/** Connections are in trouble. */
export interface RedisOutage {
  /** `refuses`: it answers with an error; `away`: it does not answer. */
  readonly kind: 'refuses' | 'away';
  /** Since when, by the given clock. */
  readonly sinceMs: number;
}

/** How long a start waits for a server that accepts the connection and says nothing. */
const silentStartMs = 3_000;

export class RedisConnections {
  readonly #options: RedisConnectionsOptions;
  readonly #site: RedisSite;
  readonly #watch: RedisWatch;
  readonly #connections: Redis[] = [];
  #outage: RedisOutage | undefined;

  constructor(options: RedisConnectionsOptions) {
    const { of, logger } = options;
    this.#options = options;
    this.#site = redisSite(options);
    this.#watch = new RedisWatch({
      logger,
      onChange: (kinds) => {
        const kind = kinds.has('away') ? 'away' : kinds.has('refuses') ? 'refuses' : undefined;
        if (kind !== this.#outage?.kind)
          this.#outage = kind && { kind, sinceMs: this.#outage?.sinceMs ?? options.nowMs?.() ?? 0 };
        for (const kind of ['refuses', 'away'] as const)
          of?.metrics.redisTrouble.set({ shard: of.shard, kind }, kinds.has(kind) ? 1 : 0);
      },
    });
  }

  /**
   * Connects at once: BullMQ gives up on a connection permanently when its own first `connect` fails.
   * @throws AppError INTERRUPTED when it is stopping: nobody would close the connection
   */
  connect(role: RedisRole): Redis {
    const { url, prefix, logger, closing } = this.#options;
    if (closing()) throw new AppError('INTERRUPTED', 'the daemon stops: no new connection to Redis');
    const redis = connectRedis({
      url,
      prefix,
      site: this.#site,
      role,
      logger,
      watch: this.#watch,
      // A stop waits for nobody.
      patienceMs: () => (closing() ? 1_000 : 5_000),
    });
    if (redis.status === 'wait') redis.connect().catch(() => undefined);
    this.#connections.push(redis);
    return redis;
  }

  /** What is wrong with them now. */
  get outage(): RedisOutage | undefined {
    return this.#outage;
  }

  /** Resolves when each of them is ready or has failed for the first time, or when the time is up. */
  async settled(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((done) => (timer = setTimeout(done, silentStartMs)));
    await Promise.race([Promise.all(this.#connections.map(triedOnce)), late]);
    clearTimeout(timer);
  }

  async close(): Promise<void> {
    await Promise.all(this.#connections.map(disconnectRedis));
  }
}
