// Metadata that a rule sends need not wait for its job's way through the queue, three round trips to Redis: whoever commits the job knows it
// at once. So its handler runs early, and the job takes its way nonetheless. Its run from the queue finds that everything was accepted, and
// reports it. An early run is thus the same as a run whose process died right after it, and whatever it throws is left to the queue.
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

/** So many jobs that ran early are remembered, the newest; their way through the queue takes some milliseconds. */
const mostRemembered = 50;

export class HeadStarts {
  readonly #options: HeadStartsOptions;
  /** Ids of jobs whose metadata was accepted early, the oldest first. */
  readonly #accepted = new Set<string>();
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
    const before = meant.flatMap(({ jobId }) => (isOwn(jobId) ? [] : [jobId]));
    for (const job of own) {
      const older = [...before];
      this.#last = this.#last.then(() => this.#run(job, older));
      before.push(job.jobId);
    }
    return { jobIds: own.map(({ jobId }) => jobId), ended: this.#last };
  }

  /** Whether a job's metadata was accepted early, as far as is remembered. */
  accepted(jobId: string): boolean {
    return this.#accepted.has(jobId);
  }

  async #run(job: JobRequest, older: readonly string[]): Promise<void> {
    const { queue, prefix } = this.#options;
    const { jobId } = job;
    if (!older.every((id) => this.#accepted.has(id))) return;
    const headStart = { queue: `${prefix}:${queue}`, jobId, accepted: [...this.#accepted] };
    const result = await this.#handle(job, headStart).catch(() => undefined);
    if (!isAccepted(result)) return;
    this.#accepted.add(job.jobId);
    const [oldest] = this.#accepted;
    if (this.#accepted.size > mostRemembered && oldest !== undefined) this.#accepted.delete(oldest);
  }

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
      traced(spanOfRun(run, queue, payload), async () => handlers[name]?.(payload, run)),
    );
  }
}

/** Whether nothing of the job is left for its run from the queue, such as channels that were on hold. */
function isAccepted(result: RunResult | undefined): boolean {
  return result?.outcome === 'done' && Object.keys(result['others'] ?? {}).length === 0;
}
