// Wrong tokens: counted, logged once for each episode, and slowed down by the address they come from. Valid tokens do not pass through
// here, so their holders are not slowed by what others send from the same address.
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

/** Wrong tokens that an address may send at once: a rotation that has not reached everybody, or a typing error. */
const burst = 10;
/** After this time it may send one more. */
const refillMs = 6_000;
/** How long the answer to each further one is delayed. */
const holdMs = 250;
/** Most requests delayed at the same time, for one address and in total. Any further one is answered at once, and its connection closed. */
const mostDelayed = 20;
const mostDelayedOfAll = 500;
/** An episode ends when no wrong token has arrived for this long. */
const quietMs = 60_000;
const mostAddresses = 1_000;
/** Log lines about new episodes per `quietMs`; the episodes beyond share one line. */
const mostLines = 20;

interface Attempts {
  failures: number;
  firstAtMs: number;
  lastAtMs: number;
  /** Failures that have not been forgiven yet. */
  level: number;
  delayed: number;
}

/** Remembers at most the `mostAddresses` newest addresses that recently sent wrong tokens. */
export class LoginGuard {
  readonly #options: LoginGuardOptions;
  /** The address that failed last is at the end. */
  readonly #addresses = new Map<string, Attempts>();
  #delayedOfAll = 0;
  #lines = { sinceMs: Number.NEGATIVE_INFINITY, count: 0 };

  constructor(options: LoginGuardOptions) {
    this.#options = options;
  }

  /** Number of remembered addresses; never more than `mostAddresses`. */
  get size(): number {
    return this.#addresses.size;
  }

  /** A request without any token: counted, and asked for one. */
  missed(): void {
    this.#options.metrics.loginFailures.inc({ reason: 'missing' });
  }

  /**
   * Handles a request with a wrong token. Resolves while the address is within its burst.
   * @throws AppError TOO_MANY_LOGINS, after a delay, once it is not
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

  /** Logs the end of every episode that has been quiet for long enough. */
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
