// Ends what will not be sent although no drain has reached it: expired, cancelled and displaced items, wherever they wait.
// One replica sweeps at a time; a later sweep finds an item that one has missed.
import { type Clock, sleepOrAbort } from '#runtime/clock.ts';
import type { Service } from '#runtime/lifecycle.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import type { Outbox } from './outbox.ts';
import type { DueItem } from './outbox-replies.ts';

export interface SweeperOptions {
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** For the gauges. */
  readonly shard: string;
  /** Default 500 ms. */
  readonly intervalMs?: number;
}

/** Items ended in one step, and channels in one script: together, what Redis does in a few milliseconds. */
const itemsPerStep = 20;
const channelsPerScript = 250;
/** A pause between two scripts, so that other commands get their turn. */
const breathMs = 2;

export class Sweeper implements Service {
  readonly name = 'metadata sweeper';
  readonly #options: Required<SweeperOptions>;
  readonly #stop = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(options: SweeperOptions) {
    this.#options = { intervalMs: 500, ...options };
  }

  async start(): Promise<void> {
    if (!this.#stop.signal.aborted) this.#loop ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
  }

  /**
   * One step over the due items. Returns how many (item, channel) pairs ended, and whether more may be due.
   * @param found what is due, if that is known already
   */
  async sweep(found?: readonly DueItem[]): Promise<{ readonly ended: number; readonly more: boolean }> {
    const { outbox, clock } = this.#options;
    const due = found ?? (await outbox.due(itemsPerStep));
    const more = due.length === itemsPerStep;
    let ended = 0;
    for (const { id, channels } of due)
      if (channels !== undefined) ended += await outbox.sweep(channels.split(' '), [id]);
    const everywhere = due.filter(({ channels }) => channels === undefined).map(({ id }) => id);
    if (everywhere.length === 0) return { ended, more };
    for await (const channels of outbox.waitingChannels(channelsPerScript)) {
      ended += await outbox.sweep(channels, everywhere);
      await clock.sleep(breathMs);
    }
    return { ended, more };
  }

  /** An item that is being sent stays due until its call is answered: a step that ends nothing is the last one for now. */
  async #sweepAll(found: readonly DueItem[]): Promise<void> {
    const { clock } = this.#options;
    for (let step = await this.sweep(found); step.more && step.ended > 0 && !this.#stop.signal.aborted; ) {
      await clock.sleep(breathMs);
      step = await this.sweep();
    }
  }

  async #run(): Promise<void> {
    const { outbox, clock, logger, metrics, shard, intervalMs } = this.#options;
    const { signal } = this.#stop;
    let failing = false;
    while (!signal.aborted) {
      try {
        const { due = [], depth } = await outbox.sweepTurn(intervalMs, itemsPerStep);
        if (due.length > 0) await this.#sweepAll(due);
        const { items, channels } = due.length > 0 ? await outbox.depth() : depth;
        metrics.metadataWaiting.set({ shard }, items);
        for (const [state, count] of Object.entries(channels)) metrics.metadataChannels.set({ shard, state }, count);
        failing = false;
      } catch (error) {
        if (!failing) logger.warn({ err: error }, 'expired metadata cannot be swept; trying again');
        failing = true;
      }
      await sleepOrAbort(clock, intervalMs, signal);
    }
  }
}
