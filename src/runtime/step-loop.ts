// Work that is done in steps for as long as there is some: one step after another, a pause when there is nothing to do, a longer pause
// after a failure. A stop ends the current step.
import { type Clock, sleepOrAbort } from './clock.ts';
import type { Episode } from './episode.ts';
import type { Service } from './lifecycle.ts';

export interface StepLoopOptions {
  readonly name: string;
  /** Does the next piece; `idle`: there was nothing to do. */
  readonly step: (signal: AbortSignal) => Promise<'idle' | 'worked'>;
  readonly idleMs: number;
  readonly retryMs: number;
  /** Gets the outcome of each step. */
  readonly episode: Episode;
  readonly clock: Clock;
}

export class StepLoop implements Service {
  readonly name: string;
  readonly #options: StepLoopOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: StepLoopOptions) {
    this.name = options.name;
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { step, idleMs, retryMs, episode, clock } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      let pauseMs = 0;
      try {
        if ((await step(signal)) === 'idle') pauseMs = idleMs;
        episode.succeeded();
      } catch (error) {
        if (!signal.aborted) episode.failed(error);
        pauseMs = retryMs;
      }
      if (pauseMs > 0) await sleepOrAbort(clock, pauseMs, signal);
    }
  }
}
