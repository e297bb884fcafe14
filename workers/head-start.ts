// Metadata that a rule sends need not wait for its job's way through the queue, three round trips to Redis: whoever commits the job knows it
// at once. So its handler runs early, and the job takes its way nonetheless. Its run from the queue finds that everything was accepted, and
// reports it. An early run is thus like a run whose process died right after it, and what it throws is left to the queue.
//
// ORDER. Metadata is accepted in the order in which it was decided. What was decided before was already committed: it is either on its
// way to the queue, so this process knows it, or it got there, so the accepting script sees it (src/metadata/head-start.ts) until it ended.
import type { HeadStart, JobRequest } from '#domain/job.ts';
import { isJobName, type QueueName } from '#jobs/catalog.ts';
import type { Logger } from '#runtime/logger.ts';
import { following, traced } from '#runtime/tracing.ts';
import { type JobRun, placesOf, spanOfRun, type WorkerHostOptions } from './host.ts';
import type { RunResult } from './outcome.ts';

export interface HeadStartsOptions {
  /** The queue of these jobs. */
  readonly queue: QueueName;
  /** Of all keys of the queue. */
  readonly prefix: string;
  /** Whether a job is for this queue and may run early: its handler may run again, and passes the head start on when it submits. */
  readonly isMeant: (job: JobRequest) => boolean;
  readonly handlers: WorkerHostOptions['handlers'];
  readonly logger: Logger;
}

/** So many accepted jobs are remembered until they come out of the queue, the newest. */
const mostRemembered = 100;

export class HeadStarts {
  readonly #options: HeadStartsOptions;
  /** By the id of a job that was accepted early: its batch. The oldest first, until the next job has come out of the queue. */
  readonly #accepted = new Map<string, string>();
  /** The job that came out of the queue last. */
  #outOfQueue: string | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(options: HeadStartsOptions) {
    this.#options = options;
  }

  /**
   * Runs jobs early, one after another. Returns their ids, and when the last of them has ended, however it did.
   * @param pending all committed jobs that are on their way to their queues
   * @param isOwn whether this process has just committed a job
   */
  begin(
    pending: readonly JobRequest[],
    isOwn: (jobId: string) => boolean,
  ): { readonly jobIds: readonly string[]; readonly ended: Promise<void> } {
    const meant = pending.filter((job) => this.#options.isMeant(job));
    const own = meant.filter(({ jobId }) => isOwn(jobId));
    const older = meant.flatMap(({ jobId }) => (isOwn(jobId) ? [] : [jobId]));
    // Not all of so many can have been accepted.
    if (older.length + own.length > mostRemembered) return { jobIds: [], ended: Promise.resolve() };
    for (const job of own) {
      const before = [...older];
      // Whatever happens in it, the next one runs, and its job takes its way.
      this.#last = this.#last.then(() => this.#run(job, before)).catch(() => undefined);
      older.push(job.jobId);
    }
    return { jobIds: own.map(({ jobId }) => jobId), ended: this.#last };
  }

  /**
   * To be called with each job that this process takes from the queue, one at a time. Returns the batch that its metadata was accepted
   * as, if it ran early and that is still remembered.
   */
  taken(jobId: string): string | undefined {
    // The one before has left the queue.
    if (this.#outOfQueue !== undefined && this.#outOfQueue !== jobId) this.#accepted.delete(this.#outOfQueue);
    this.#outOfQueue = jobId;
    return this.#accepted.get(jobId);
  }

  async #run(job: JobRequest, older: readonly string[]): Promise<void> {
    const { queue, prefix } = this.#options;
    const { jobId } = job;
    if (!older.every((id) => this.#accepted.has(id))) return;
    const accepted = new Map(this.#accepted);
    const batchId = batchOf(await this.#handle(job, { queue: `${prefix}:${queue}`, jobId, older, accepted }));
    if (batchId === undefined) return;
    this.#accepted.set(jobId, batchId);
    const [oldest] = this.#accepted.keys();
    if (this.#accepted.size > mostRemembered && oldest !== undefined) this.#accepted.delete(oldest);
  }

  /** Undefined if nothing was accepted: that is no failure, because the run from the queue follows. */
  async #handle({ jobId, name, payload }: JobRequest, headStart: HeadStart): Promise<RunResult | undefined> {
    const { queue, handlers, logger } = this.#options;
    if (!isJobName(name)) return undefined;
    const run: JobRun = {
      jobId,
      name,
      attempt: 1,
      lastAttempt: false,
      signal: new AbortController().signal,
      logger: logger.child({ job: name, jobId }),
      check: (_check, passed) => passed,
      progress: () => Promise.resolve(),
      headStart,
    };
    return following(placesOf(payload), () =>
      traced(spanOfRun(run, queue, payload), async (span) => {
        const result = await handlers[name]?.(payload, run).catch(() => undefined);
        span.set({ 'autopilot.job.outcome': result?.outcome ?? 'postponed' });
        return result;
      }),
    );
  }
}

/** The batch of a run that leaves nothing for the run from the queue, such as channels that were on hold. */
function batchOf(result: RunResult | undefined): string | undefined {
  if (result?.outcome !== 'done') return undefined;
  const isAll = Object.keys(result['others'] ?? {}).length === 0;
  return isAll && typeof result['batchId'] === 'string' ? result['batchId'] : undefined;
}
