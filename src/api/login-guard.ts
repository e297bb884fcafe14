// Wrong tokens: counted, told once for each episode, and slowed down by the address they come from. A valid token never comes here,
// so whoever has one is not slowed by what others send from the same address.
import { AppError } from '#domain/errors.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { clientKey } from './client-address.ts';

export interface LoginGuardOptions {
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'loginFailures'>;
}

/** Wrong tokens that an address may send at once: a rotation that was not told everywhere, a typing error. */
const burst = 10;
/** After so long it may send one more. */
const refillMs = 6_000;
/** How long the answer to each further one is delayed. */
const holdMs = 250;
/** Delayed at the same time: for one address, and for all. Whoever is beyond that is answered at once and loses the connection. */
const mostDelayed = 20;
const mostDelayedOfAll = 500;
/** An episode is over when nothing wrong came for so long. */
const quietMs = 60_000;
const mostAddresses = 1_000;
/** Lines about new episodes in `quietMs`; of those beyond it there is one line together. */
const mostLines = 20;

interface Attempts {
  failures: number;
  firstAtMs: number;
  lastAtMs: number;
  /** Failures that have not been forgiven yet. */
  level: number;
  delayed: number;
}

/** Knows the addresses that lately sent wrong tokens, the `mostAddresses` newest at most. */
export class LoginGuard {
  readonly #options: LoginGuardOptions;
  /** The address that failed last comes last. */
  readonly #addresses = new Map<string, Attempts>();
  #delayedOfAll = 0;
  #lines = { sinceMs: Number.NEGATIVE_INFINITY, count: 0 };

  constructor(options: LoginGuardOptions) {
    this.#options = options;
  }

  /** Addresses that are known; never more than `mostAddresses`. */
  get size(): number {
    return this.#addresses.size;
  }

  /** A request without any token: counted, and asked for one. */
  missed(): void {
    this.#options.metrics.loginFailures.inc({ reason: 'missing' });
  }

  /**
   * A request whose token is wrong. Resolves while the address is within its burst.
   * @throws AppError TOO_MANY_LOGINS, after a while, once it is not.
   */
  async failed(address: string): Promise<void> {
    const { clock, metrics } = this.#options;
    const nowMs = clock.monotonic();
    this.#endQuiet(nowMs);
    const key = clientKey(address);
    const known = this.#addresses.get(key);
    const attempts = known ?? { failures: 0, firstAtMs: nowMs, lastAtMs: nowMs, level: 0, delayed: 0 };
    attempts.level = Math.max(0, attempts.level - (nowMs - attempts.lastAtMs) / refillMs) + 1;
    attempts.failures += 1;
    attempts.lastAtMs = nowMs;
    this.#addresses.delete(key);
    this.#addresses.set(key, attempts);
    if (this.#addresses.size > mostAddresses) this.#addresses.delete(this.#addresses.keys().next().value!);
    if (!known) this.#tellBeginning(key, nowMs);
    if (attempts.level <= burst) {
      metrics.loginFailures.inc({ reason: 'wrong' });
      return;
    }
    attempts.level = burst + 1;
    metrics.loginFailures.inc({ reason: 'slowed' });
    if (attempts.delayed < mostDelayed && this.#delayedOfAll < mostDelayedOfAll) {
      attempts.delayed += 1;
      this.#delayedOfAll += 1;
      await clock.sleep(holdMs).finally(() => {
        attempts.delayed -= 1;
        this.#delayedOfAll -= 1;
      });
    }
    throw new AppError('TOO_MANY_LOGINS', `too many wrong tokens came from ${key}`, {
      disposition: { kind: 'retry-after', delayMs: refillMs },
    });
  }

  /** Tells the end of every episode that has been quiet. */
  #endQuiet(nowMs: number): void {
    for (const [address, { failures, firstAtMs, lastAtMs }] of this.#addresses) {
      if (nowMs - lastAtMs < quietMs) return;
      this.#addresses.delete(address);
      this.#options.logger.debug(
        { address, failures, lastedMs: lastAtMs - firstAtMs },
        'no more wrong tokens come from there',
      );
    }
  }

  #tellBeginning(address: string, nowMs: number): void {
    const { logger } = this.#options;
    if (nowMs - this.#lines.sinceMs >= quietMs) this.#lines = { sinceMs: nowMs, count: 0 };
    this.#lines.count += 1;
    if (this.#lines.count > mostLines) return;
    logger.warn(
      { code: 'UNAUTHORIZED', address },
      this.#lines.count < mostLines
        ? 'wrong tokens come from this address; autopilot_login_failures_total counts them'
        : 'wrong tokens come from many addresses; further addresses are not named for a minute',
    );
  }
}
