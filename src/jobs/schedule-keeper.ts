// Keeps the repeating jobs in force: creates them once Redis answers, again if Redis lost them, and changes their intervals as the fleet
// grows.
import type { Clock } from '#runtime/clock.ts';
import { loggedEpisode } from '#runtime/episode.ts';
import type { Logger } from '#runtime/logger.ts';
import { Loop } from '#runtime/loop.ts';
import { redisFailure } from '#runtime/redis-trouble.ts';
import type { Queues } from './queues.ts';
import { applySchedules, areInForce, type Schedule } from './schedules.ts';

export interface ScheduleKeeperOptions {
  readonly queues: Queues;
  /** The schedules that should be in force now. */
  readonly schedules: () => readonly Schedule[];
  /** Resolves when there is a state, because repeating jobs would look like one. */
  readonly ready?: () => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly intervalMs?: number;
}

/** The loop that keeps them in force. */
export function scheduleKeeper(options: ScheduleKeeperOptions): Loop {
  const { queues, schedules, ready, clock, logger, random, intervalMs = 5_000 } = options;
  let applied = '';
  return new Loop({
    name: 'schedules',
    async run() {
      await ready?.();
      const wanted = schedules();
      const text = JSON.stringify(wanted);
      if (text === applied && (await areInForce(queues, wanted))) return;
      await applySchedules(queues, wanted);
      applied = text;
      logger.debug({ schedules: wanted }, 'repeating jobs are in force');
    },
    everyMs: intervalMs,
    retry: { baseMs: 200, maxMs: 2_000 },
    episode: loggedEpisode({
      clock,
      logger,
      code: (error) => redisFailure('repeating jobs', error, undefined).code,
      began: 'repeating jobs could not be put into force; trying again',
      ended: 'repeating jobs can be put into force again',
    }),
    clock,
    random,
  });
}
