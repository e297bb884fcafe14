// The throttles that one replica meets, logged as episodes: one line when the calls of an operation begin to be throttled, for a channel or
// for the account, and one at the end. Throttles in between are counted. The caller passes the times, as performance.now().
import type { Logger } from '#runtime/logger.ts';
import type { OperationName } from './limits.ts';

/** A throttle after a calm of this length begins a new episode. By then all slots are back in service. */
export const calmMs = 30_000;

export interface Throttle {
  readonly operation: OperationName;
  /** What is slowed down because of it. */
  readonly scope: 'channel' | 'account';
  readonly channelId: string | undefined;
}

interface Episode {
  readonly operation: OperationName;
  readonly scope: 'channel' | 'account';
  readonly beganAt: number;
  lastAt: number;
  throttles: number;
}

export class ThrottleEpisodes {
  readonly #logger: Logger;
  readonly #episodes = new Map<string, Episode>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** A call was throttled. */
  met({ operation, scope, channelId }: Throttle, now: number): void {
    this.settle(now);
    const key = `${operation} ${scope}`;
    const running = this.#episodes.get(key);
    if (running) {
      running.lastAt = now;
      running.throttles += 1;
      return;
    }
    this.#episodes.set(key, { operation, scope, beganAt: now, lastAt: now, throttles: 1 });
    this.#logger.warn(
      { code: 'IVS_THROTTLED', operation, scope, channelId },
      'Amazon IVS throttled a call that had a permit; slowing down. Other software may use the account: see limits.share',
    );
  }

  /** Logs which episodes have ended. It must be called now and then, because nothing else reports a calm. */
  settle(now: number): void {
    for (const [key, { operation, scope, beganAt, lastAt, throttles }] of this.#episodes) {
      if (now - lastAt <= calmMs) continue;
      this.#episodes.delete(key);
      const lastedMs = Math.round(lastAt - beganAt);
      this.#logger.info({ operation, scope, throttles, lastedMs }, 'Amazon IVS no longer throttles these calls');
    }
  }
}
