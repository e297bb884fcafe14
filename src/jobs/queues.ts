// The BullMQ queues of one shard: adds jobs, repeats jobs, and reads them. Nothing else writes to the queues.
import { type Job, Queue } from 'bullmq';
import { AppError } from '#domain/errors.ts';
import type { JobRequest } from '#domain/job.ts';
import { fanoutJobName, isFanout } from '#domain/metadata-fanout.ts';
import { failureOf, type Redis } from '#runtime/redis.ts';
import { isJobName, jobCatalog, type QueueName, queueNames, queueOf } from './catalog.ts';

export interface QueuesOptions {
  /** Connection of role `queue`; all queues share it. */
  readonly redis: Redis;
  readonly prefix: string;
}

export class Queues {
  readonly #queues: Record<QueueName, Queue>;
  readonly #redis: Redis;

  constructor({ redis, prefix }: QueuesOptions) {
    this.#redis = redis;
    this.#queues = Object.fromEntries(
      queueNames.map((name) => [name, new Queue(name, { connection: redis, prefix, skipVersionCheck: true })]),
    ) as Record<QueueName, Queue>;
    // The connection reports its own outages; a queue would only repeat them.
    for (const queue of Object.values(this.#queues)) queue.on('error', () => undefined);
  }

  get(name: QueueName): Queue {
    return this.#queues[name];
  }

  all(): readonly Queue[] {
    return Object.values(this.#queues);
  }

  /** Adds jobs; one whose id is in the queue, or recently was, stays unchanged. @throws AppError REDIS_UNREACHABLE, REDIS_REFUSES */
  async add(jobs: readonly JobRequest[]): Promise<void> {
    const byQueue = Map.groupBy(jobs, ({ name, payload }) => {
      if (!isJobName(name)) throw new AppError('JOB_PAYLOAD_INVALID', `there is no job named ${name}`);
      return queueOf(name, payload);
    });
    try {
      for (const [queue, requests] of byQueue) {
        const jobs = requests.map(toQueued);
        const [first] = jobs;
        // A single job gets its own call: half the work of a transaction.
        if (first && jobs.length === 1) await this.#queues[queue].add(first.name, first.data, first.opts);
        else await this.#queues[queue].addBulk(jobs);
      }
    } catch (error) {
      throw error instanceof AppError ? error : failureOf(this.#redis, 'jobs could not be added to their queue', error);
    }
  }

  /** A job by its id, in whichever queue it is. */
  async find(jobId: string): Promise<Job | undefined> {
    for (const queue of this.all()) {
      const job = (await queue.getJob(jobId)) as Job | undefined;
      if (job) return job;
    }
    return undefined;
  }

  async close(): Promise<void> {
    await Promise.all(this.all().map((queue) => queue.close()));
  }
}

/** Shorter retention for the signal that a batch waits, which means nothing once it was handled. */
const keptAnnouncement = { completed: 3_600, failed: 86_400 };

function toQueued({ jobId, name, payload, delayMs }: JobRequest) {
  const kind = jobCatalog[name as keyof typeof jobCatalog];
  const keep = name === fanoutJobName && !isFanout({ name, payload }) ? keptAnnouncement : kind.keepSeconds;
  return {
    name,
    data: payload,
    opts: {
      jobId,
      attempts: kind.attempts,
      backoff: { type: 'custom' },
      removeOnComplete: { age: keep.completed, count: 50_000 },
      removeOnFail: { age: keep.failed, count: 50_000 },
      ...(delayMs === undefined ? {} : { delay: delayMs }),
    },
  };
}
