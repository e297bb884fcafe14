// Waits until Redis's own replicas have what a connection wrote (WAIT): a failover then does not take it back.
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
  /** A replica answers within its round trip; one that takes longer is in trouble. Default 1 s. */
  readonly withinMs?: number;
}

export class Replication {
  readonly #options: Required<ReplicationOptions>;
  /** Something was written over this connection that was not confirmed. */
  #isPending = false;
  #isTold = false;

  constructor(options: ReplicationOptions) {
    this.#options = { withinMs: 1_000, ...options };
  }

  /**
   * Waits for as many replicas as the configuration asks for, all that was written before included. With none asked for, what is
   * precious waits for one, where there is one that follows.
   * @throws AppError REDIS_NOT_REPLICATED: it was written, and a failover may take it back; REDIS_UNREACHABLE, REDIS_REFUSES
   */
  async written({ isPrecious = false }: { readonly isPrecious?: boolean } = {}): Promise<void> {
    const { replicas } = this.#options;
    if (replicas > 0) return this.#confirm();
    if (!isPrecious || !(await this.#isFollowed())) return;
    // It is written: what cannot be confirmed is told, and refused to nobody.
    const confirmed = await this.#wait(1).catch((error: unknown) => messageOf(error));
    if (confirmed === 0 || typeof confirmed === 'string') this.#tell(confirmed);
    else this.#isTold = false;
  }

  /**
   * As `written`, where nothing had to be.
   * @param isRepeat it had been written earlier, maybe by another process, and nobody knows whether that was confirmed.
   */
  async unchanged(isRepeat: boolean): Promise<void> {
    const { redis, prefix, replicas } = this.#options;
    if (replicas === 0 || !(isRepeat || this.#isPending)) return;
    // WAIT is about this connection's own writes: what comes after all others is there when they are.
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

  /** Without a replica WAIT would take all of its time. A user who may not ask goes without. */
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
      `a pause, hold or silence was written, and a failover may take it back: ${reason}`,
    );
  }
}
