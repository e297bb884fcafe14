// Keeps the repeating jobs in force: puts them there once Redis answers, again when Redis lost them, and changes their intervals
// when the fleet grows.
import { AppError } from '#domain/errors.ts';
import { backoffMs } from '#runtime/backoff.ts';
import { type Clock, sleepOrAbort } from '#runtime/clock.ts';
import type { Service } from '#runtime/lifecycle.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Queues } from './queues.ts';
import { applySchedules, areInForce, type Schedule } from './schedules.ts';

export interface ScheduleKeeperOptions {
  readonly queues: Queues;
  /** The schedules that should be in force now. */
  readonly schedules: () => readonly Schedule[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly intervalMs?: number;
}

export class ScheduleKeeper implements Service {
  readonly name = 'schedules';
  readonly #options: Required<ScheduleKeeperOptions>;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #applied = '';

  constructor(options: ScheduleKeeperOptions) {
    this.#options = { intervalMs: 5_000, ...options };
  }

  async start(): Promise<void> {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { queues, schedules, clock, logger, random, intervalMs } = this.#options;
    const { signal } = this.#stopping;
    for (let failures = 0; !signal.aborted; ) {
      try {
        const wanted = schedules();
        const text = JSON.stringify(wanted);
        if (text !== this.#applied || !(await areInForce(queues, wanted))) {
          await applySchedules(queues, wanted);
          this.#applied = text;
          logger.debug({ schedules: wanted }, 'repeating jobs are in force');
        }
        failures = 0;
      } catch (error) {
        if (failures === 0)
          logger.warn(
            { code: error instanceof AppError ? error.code : 'REDIS_UNREACHABLE', err: error },
            'repeating jobs could not be put into force; trying again',
          );
        failures += 1;
      }
      await sleepOrAbort(
        clock,
        failures === 0 ? intervalMs : backoffMs({ baseMs: 200, maxMs: 2_000 }, failures, random),
        signal,
      );
    }
  }
}
