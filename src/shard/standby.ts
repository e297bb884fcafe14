// Waits for the activation of a standby. Until then the shard has a copy of its state and gives signs of life, and nothing else: it polls
// nothing, reads no queue, runs no job, and calls nothing at AWS.
import type { Activation } from '#domain/control.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { notes } from '#domain/state-registry.ts';
import { type Clock, sleepOrAbort } from '#runtime/clock.ts';
import type { Service } from '#runtime/lifecycle.ts';

export interface StandbyOptions {
  readonly state: Pick<SharedState, 'view' | 'refresh'>;
  readonly clock: Clock;
  /** Starts what was not started; called once. A rejection is not caught: the process ends, and its next start finds the activation. */
  readonly onActivated: (activation: Activation) => Promise<void>;
}

/** How soon a replica notices that another one was activated. */
const lookMs = 500;

export class Standby implements Service {
  readonly name = 'standby';
  readonly #options: StandbyOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: StandbyOptions) {
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
    const { state, clock, onActivated } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      // While Redis is away nobody can have activated it; the connection logs the outage itself.
      await state.refresh({ maxAgeMs: lookMs }).catch(() => undefined);
      const activation = state.view.get(notes.activation);
      if (activation && !signal.aborted) return onActivated(activation);
      await sleepOrAbort(clock, lookMs, signal);
    }
  }
}
