// Lets time pass for the rules: calls the pipeline's tick again and again, slower while Redis is away.
import { backoffMs } from '#runtime/backoff.ts';
import { type Clock, sleepOrAbort } from '#runtime/clock.ts';
import type { Service } from '#runtime/lifecycle.ts';
import type { Logger } from '#runtime/logger.ts';

export interface TickerOptions {
  readonly tick: () => Promise<void>;
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
}

export class Ticker implements Service {
  readonly name = 'ticker';
  readonly #options: TickerOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: TickerOptions) {
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
    const { tick, intervalMs, clock, logger, random } = this.#options;
    const { signal } = this.#stopping;
    for (let failures = 0; !signal.aborted; ) {
      try {
        await tick();
        if (failures > 0) logger.info('timers run again');
        failures = 0;
      } catch (error) {
        // Nothing is lost: what is due stays due.
        if (failures === 0) logger.warn({ err: error }, 'timers wait');
        failures += 1;
      }
      const pauseMs = failures === 0 ? intervalMs : backoffMs({ baseMs: intervalMs, maxMs: 5_000 }, failures, random);
      await sleepOrAbort(clock, pauseMs, signal);
    }
  }
}
