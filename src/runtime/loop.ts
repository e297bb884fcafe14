// Repeats one thing: at its interval while it works, with backoff while it fails. No failure ends it.
import { type BackoffOptions, backoffMs } from './backoff.ts';
import { type Clock, sleepOrAbort } from './clock.ts';
import type { Episode } from './episode.ts';
import type { Service } from './lifecycle.ts';

export interface LoopOptions {
  readonly name: string;
  readonly run: () => void | Promise<void>;
  readonly everyMs: number;
  /** Between attempts while it fails. */
  readonly retry: BackoffOptions;
  /** Gets the outcome of each attempt. */
  readonly episode: Episode;
  readonly clock: Clock;
  readonly random: () => number;
}

/** States: new → running → stopped; `stop` waits for the run under way. */
export class Loop implements Service {
  readonly name: string;
  readonly #options: LoopOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: LoopOptions) {
    this.name = options.name;
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#running ??= this.#loop();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #loop(): Promise<void> {
    const { run, everyMs, retry, episode, clock, random } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await run();
        episode.succeeded();
      } catch (error) {
        if (!signal.aborted) episode.failed(error);
      }
      const pauseMs = episode.failures === 0 ? everyMs : backoffMs(retry, episode.failures - 1, random);
      await sleepOrAbort(clock, pauseMs, signal);
    }
  }
}
