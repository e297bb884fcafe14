// Repeating jobs: once per interval for any number of replicas, because BullMQ's job schedulers live in Redis.
import { jobCatalog } from './catalog.ts';
import type { Queues } from './queues.ts';

export interface Schedule {
  readonly job: 'poll-starving' | 'poll-all' | 'refresh-inventory';
  readonly everyMs: number;
}

/**
 * Puts the schedules into force. A changed interval replaces the old one; one run of a job at a time in the whole fleet.
 * Poll jobs carry no data: the sweep uses what is true when it runs.
 */
export async function applySchedules(queues: Queues, schedules: readonly Schedule[]): Promise<void> {
  for (const { job, everyMs } of schedules) {
    const kind = jobCatalog[job];
    const queue = queues.get(kind.queue);
    await queue.setGlobalConcurrency(1);
    await queue.upsertJobScheduler(
      job,
      { every: everyMs },
      {
        name: job,
        data: {},
        opts: {
          attempts: 1,
          removeOnComplete: { age: kind.keepSeconds.completed, count: 20 },
          removeOnFail: { age: kind.keepSeconds.failed, count: 100 },
        },
      },
    );
  }
}

/** Whether Redis has all of them; it has none after it lost its data. */
export async function areInForce(queues: Queues, schedules: readonly Schedule[]): Promise<boolean> {
  const found = await Promise.all(schedules.map(({ job }) => queues.get(jobCatalog[job].queue).getJobScheduler(job)));
  return found.every((scheduler) => scheduler !== undefined);
}
