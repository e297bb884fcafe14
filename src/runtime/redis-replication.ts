// Waits until Redis's own replicas have what a connection wrote (WAIT): then a failover does not lose it.
import { AppError, messageOf } from '#domain/errors.ts';
import type { Logger } from './logger.ts';
import { failureOf, type Redis } from './redis.ts';

export interface ReplicationOptions {
  /** The connection that writes: WAIT is about what was written over it. */
  readonly redis: Redis;
  /** What all keys begin with. */
  readonly prefix: string;
  /** `redis.wait_replicas` */
  readonly replicas: number;
  readonly logger: Logger;
  /** A replica answers within its round trip; a slower one is in trouble. Default 1 s. */
  readonly withinMs?: number;
}

export class Replication {
  readonly #options: Required<ReplicationOptions>;
  /** Something written over this connection was not confirmed. */
  #isPending = false;
  #isTold = false;

  constructor(options: ReplicationOptions) {
    this.#options = { withinMs: 1_000, ...options };
  }

  /**
   * Waits for as many replicas as the configuration asks for; this covers everything written before. If it asks for none, a
   * precious write waits for one, if one is connected.
   * @throws AppError REDIS_NOT_REPLICATED: it was written, and a failover may lose it; REDIS_UNREACHABLE, REDIS_REFUSES
   */
  async written({ isPrecious = false }: { readonly isPrecious?: boolean } = {}): Promise<void> {
    const { replicas } = this.#options;
    if (replicas > 0) return this.#confirm();
    if (!isPrecious || !(await this.#isFollowed())) return;
    // It is written: a missing confirmation is reported, but the caller is not refused.
    const confirmed = await this.#wait(1).catch((error: unknown) => messageOf(error));
    if (confirmed === 0 || typeof confirmed === 'string') this.#tell(confirmed);
    else this.#isTold = false;
  }

  /**
   * Like `written`, if nothing had to be written.
   * @param isRepeat it was written earlier, perhaps by another process, and it is unknown whether that was confirmed.
   */
  async unchanged(isRepeat: boolean): Promise<void> {
    const { redis, prefix, replicas } = this.#options;
    if (replicas === 0 || !(isRepeat || this.#isPending)) return;
    // WAIT is about this connection's own writes: a write that follows all others is there when they are.
    try {
      await redis.set(`${prefix}:probe`, '1', 'PX', 60_000);
    } catch (error) {
      throw failureOf(redis, 'the replicas of Redis could not be waited for', error);
    }
    await this.#confirm();
  }

  async #confirm(): Promise<void> {
    this.#isPending = true;
    const { replicas, withinMs } = this.#options;
    const confirmed = await this.#wait(replicas);
    if (confirmed < replicas)
      throw new AppError(
        'REDIS_NOT_REPLICATED',
        `${confirmed} of ${replicas} replicas of Redis (redis.wait_replicas) confirmed the write within ${withinMs} ms`,
      );
    this.#isPending = false;
  }

  async #wait(replicas: number): Promise<number> {
    const { redis, withinMs } = this.#options;
    try {
      return await redis.wait(replicas, withinMs);
    } catch (error) {
      throw failureOf(redis, 'the replicas of Redis could not be waited for', error);
    }
  }

  /** Without a replica WAIT would use all of its time. A user who may not ask does without. */
  async #isFollowed(): Promise<boolean> {
    const text = await this.#options.redis.info('replication').catch(() => '');
    return /^slave\d+:.*state=online/m.test(text);
  }

  #tell(why: 0 | string): void {
    if (this.#isTold) return;
    this.#isTold = true;
    const { logger, withinMs } = this.#options;
    const reason = why === 0 ? `no replica of Redis confirmed it within ${withinMs} ms` : why;
    logger.warn(
      { code: 'REDIS_NOT_REPLICATED' },
      `a pause, hold or silence was written, and a failover may lose it: ${reason}`,
    );
  }
}
