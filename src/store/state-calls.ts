// Calls to the Redis that keeps a state: their failures are AppErrors, and answers with Redis's time set the clock.
import { failureOf, type Redis } from '#runtime/redis.ts';
import type { RedisClock } from '#runtime/redis-clock.ts';

export interface StateCallsOptions {
  readonly redis: Redis;
  /** Learns Redis's time from every answer of a script. */
  readonly clock: RedisClock;
  /** Begins the message of a failure, such as `the shared state could not be read or written`. */
  readonly failure: string;
}

export class StateCalls {
  readonly #options: StateCallsOptions;

  constructor(options: StateCallsOptions) {
    this.#options = options;
  }

  /** @throws AppError REDIS_UNREACHABLE, REDIS_REFUSES; after a commit it may or may not have happened */
  async reach<A>(run: () => Promise<A>): Promise<A> {
    try {
      return await run();
    } catch (error) {
      throw failureOf(this.#options.redis, this.#options.failure, error);
    }
  }

  /** Runs a script, and learns Redis's clock from its answer. @throws as `reach` */
  script<A extends { redisTimeMs: number }>(run: () => Promise<A>): Promise<A> {
    return this.#options.clock.measure(
      () => this.reach(run),
      ({ redisTimeMs }) => redisTimeMs,
    );
  }
}
