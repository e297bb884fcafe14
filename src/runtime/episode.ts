// Lasting trouble is reported twice: when it begins, and when it is over, with its duration. Failures in between are counted.
import { AppError } from '#domain/errors.ts';
import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';

export interface EpisodeOptions {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Reports the beginning, with the error of the first failure. */
  readonly began: (error: unknown) => void;
  /** Reports the end: failures since the beginning, and ms from the first of them until now. */
  readonly ended: (episode: { readonly failures: number; readonly lastedMs: number }) => void;
}

/** States: well → troubled (after a failure) → well (after a success). */
export class Episode {
  readonly #options: EpisodeOptions;
  #failures = 0;
  #beganAt = 0;

  constructor(options: EpisodeOptions) {
    this.#options = options;
  }

  /** Consecutive failures so far. */
  get failures(): number {
    return this.#failures;
  }

  failed(error: unknown): void {
    this.#failures += 1;
    if (this.#failures > 1) return;
    this.#beganAt = this.#options.clock.monotonic();
    this.#options.began(error);
  }

  succeeded(): void {
    if (this.#failures === 0) return;
    const episode = { failures: this.#failures, lastedMs: Math.round(this.#options.clock.monotonic() - this.#beganAt) };
    this.#failures = 0;
    this.#options.ended(episode);
  }

  /** Runs something and counts its outcome; rethrows what it throws. An interruption counts as nothing. */
  async watch<T>(run: () => Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      const result = await run();
      this.succeeded();
      return result;
    } catch (error) {
      if (!signal.aborted) this.failed(error);
      throw error;
    }
  }
}

/** The code of an AppError; anything else is a bug of ours. */
export function codeOf(error: unknown): string {
  return error instanceof AppError ? error.code : 'INTERNAL';
}

/** An episode whose beginning and end are log lines; `code` is part of the first. */
export function loggedEpisode(options: {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly logger: Logger;
  readonly level?: 'warn' | 'error';
  readonly code?: (error: unknown) => string | undefined;
  readonly began: string;
  readonly ended: string;
}): Episode {
  const { clock, logger, level = 'warn', code } = options;
  return new Episode({
    clock,
    began: (err) => logger[level]({ code: code?.(err), err }, options.began),
    ended: (episode) => logger.info(episode, options.ended),
  });
}
