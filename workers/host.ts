// Runs the jobs of some queues: one BullMQ Worker for each queue. It times, limits and records every run. Handlers do the work; outcome.ts
// decides what an error means.
import { type Job, Worker } from 'bullmq';
import type { ActionJob } from '#domain/action.ts';
import type { RunOutcome } from '#domain/action-memory.ts';
import type { Check } from '#domain/decision.ts';
import { AppError } from '#domain/errors.ts';
import type { HeadStart } from '#domain/job.ts';
import { placesIn, type Traceparent } from '#domain/trace.ts';
import { isJobName, type JobKind, type JobName, jobCatalog, type QueueName } from '#jobs/catalog.ts';
import { backoffMs } from '#runtime/backoff.ts';
import { type Clock, sleepOrAbort } from '#runtime/clock.ts';
import { codeOf } from '#runtime/episode.ts';
import type { Service } from '#runtime/lifecycle.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import type { Redis } from '#runtime/redis.ts';
import { following, type SpanNotes, type SpanOptions, traced } from '#runtime/tracing.ts';
import { CheckNotes } from './checks.ts';
import { outcomeOf, type RunResult, settle } from './outcome.ts';

/** One run of a job, as its handler sees it. */
export interface JobRun {
  readonly jobId: string;
  readonly name: JobName;
  /** 1 for the first. */
  readonly attempt: number;
  readonly lastAttempt: boolean;
  /** Aborted if the run takes too long or the daemon must stop now. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /**
   * Records a value that is compared before acting: it is stored with the next step, and with the result. Returns `passed`, so that it
   * can be used in the condition itself.
   */
  check(check: string, passed: boolean, compared: Pick<Check, 'asked' | 'found'>): boolean;
  /** Shows a step in GET /v1/jobs/{id}. */
  progress(step: string, detail?: Readonly<Record<string, unknown>>): Promise<void>;
  /** The job is not in its queue yet (head-start.ts). */
  readonly headStart?: HeadStart | undefined;
  /** The batch that the job's metadata was accepted as, before the job was in its queue; Redis may have lost it since. */
  readonly acceptedAs?: string | undefined;
}

export type JobHandler = (payload: unknown, run: JobRun) => Promise<RunResult>;

/** A step that a handler reported. */
export interface JobStep {
  readonly step: string;
  readonly atMs: number;
  readonly [detail: string]: unknown;
}

export interface WorkerHostOptions {
  /** A new connection of role `worker` for each call; the host closes them. */
  readonly connect: () => Redis;
  readonly prefix: string;
  readonly queues: Readonly<Partial<Record<QueueName, { readonly concurrency: number }>>>;
  readonly handlers: Readonly<Partial<Record<JobName, JobHandler>>>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly random: () => number;
  /** How long running jobs may continue after a stop began, before they are interrupted. */
  readonly graceMs: number;
  /** Called for every finished run. */
  readonly onFinished?: (finished: {
    jobId: string;
    name: JobName;
    payload: unknown;
    outcome: RunOutcome;
    result: RunResult | undefined;
    error: unknown;
    checks: readonly Check[];
  }) => Promise<void>;
}

/** How long a run may be silent before another replica takes it over; renewed at half of this time. */
const lockDurationMs = 10_000;

/** How long interrupted runs have to return to their queue. */
const unwindMs = 2_000;

export class WorkerHost implements Service {
  readonly name = 'workers';
  readonly #options: WorkerHostOptions;
  readonly #runs = new Map<AbortController, JobKind>();
  /** Why the runs of some kinds, or finally of all kinds, must end now. */
  #interrupted: { readonly kinds: 'those that may be cut' | 'all'; readonly reason: AppError } | undefined;
  readonly #workers: Worker[] = [];
  #running = 0;
  #stopped: Promise<void> | undefined;

  constructor(options: WorkerHostOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { queues, connect, prefix, random, logger } = this.#options;
    if (this.#stopped) throw new AppError('INTERRUPTED', 'the workers are stopped');
    for (const [queue, { concurrency }] of Object.entries(queues) as [QueueName, { concurrency: number }][]) {
      const worker = new Worker(
        queue,
        // Three parameters: BullMQ passes its signal only to a processor that declares it.
        async (job: Job, token?: string, signal?: AbortSignal) => {
          this.#running += 1;
          try {
            return await this.#process(job, token, signal);
          } finally {
            this.#running -= 1;
          }
        },
        {
          connection: connect(),
          prefix,
          concurrency,
          // It uses INFO, which may be forbidden to the user: then it would retry without a pause, forever.
          skipVersionCheck: true,
          lockDuration: lockDurationMs,
          stalledInterval: lockDurationMs / 2,
          // Every crash of a replica counts as a stall. Handlers are safe to repeat, so a job may stall many times.
          maxStalledCount: 20,
          settings: {
            backoffStrategy: (attempts: number, _type, _error, job) =>
              backoffMs(
                isJobName(job?.name ?? '') ? jobCatalog[job!.name as JobName].backoff : { baseMs: 1000, maxMs: 60_000 },
                attempts - 1,
                random,
              ),
          },
        },
      );
      // The connection logs outages, once each.
      worker.on('error', (error) => logger.debug({ err: error, queue }, 'a worker reported an error'));
      this.#workers.push(worker);
    }
  }

  /** Takes no more jobs, lets running ones finish within the grace period, then interrupts them. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const { clock, graceMs, logger } = this.#options;
    const idle = new AbortController();
    // A paused worker takes no more jobs, and counts as paused when the running ones are done. Not `close`: a second call of it does not
    // force anything, whatever its argument.
    void Promise.allSettled(this.#workers.map((worker) => worker.pause())).then(() => idle.abort());
    this.#interrupt('those that may be cut');
    // With nothing running, only an unreachable Redis keeps a worker from pausing.
    await sleepOrAbort(clock, this.#running === 0 ? Math.min(graceMs, unwindMs) : graceMs, idle.signal);
    this.#interrupt('all');
    if (this.#running > 0) await sleepOrAbort(clock, unwindMs, idle.signal);
    if (this.#running > 0)
      logger.warn(
        { runs: this.#running },
        'interrupted runs do not end: other replicas take them over when their locks expire',
      );
    await Promise.all(this.#workers.map((worker) => worker.close(true)));
  }

  #interrupt(kinds: 'those that may be cut' | 'all'): void {
    this.#interrupted = { kinds, reason: new AppError('INTERRUPTED', 'the daemon stops') };
    for (const [abort, kind] of this.#runs) this.#interruptIfMeant(abort, kind);
  }

  #interruptIfMeant(abort: AbortController, { mayBeCut = false }: JobKind): void {
    if (this.#interrupted && (mayBeCut || this.#interrupted.kinds === 'all')) abort.abort(this.#interrupted.reason);
  }

  async #process(job: Job, token: string | undefined, cancelled: AbortSignal | undefined): Promise<RunResult> {
    const { handlers } = this.#options;
    const { name } = job;
    const handler = isJobName(name) ? handlers[name] : undefined;
    if (!isJobName(name) || !handler) {
      return settle(new AppError('JOB_PAYLOAD_INVALID', `nobody works on jobs named ${name}`), job, token, Date.now());
    }
    const about = { jobId: job.id ?? '', name, attempt: job.attemptsMade + 1 };
    return following(placesOf(job.data), () =>
      traced(spanOfRun(about, job.queueName, job.data), (span) =>
        this.#run(job, { name, handler, token, cancelled, span }),
      ),
    );
  }

  async #run(
    job: Job,
    {
      name,
      handler,
      token,
      cancelled,
      span,
    }: {
      readonly name: JobName;
      readonly handler: JobHandler;
      readonly token: string | undefined;
      readonly cancelled: AbortSignal | undefined;
      readonly span: SpanNotes;
    },
  ): Promise<RunResult> {
    const { clock, logger, metrics } = this.#options;
    const startedAt = clock.monotonic();
    const kind: JobKind = jobCatalog[name];
    // Not AbortSignal.any: its signal and all its listeners would stay until a full garbage collection.
    const abort = new AbortController();
    const timer = setTimeout(
      () => abort.abort(new AppError('JOB_TIMED_OUT', `${name} took longer than ${kind.timeoutMs} ms`)),
      kind.timeoutMs,
    );
    const cancel = () => abort.abort(cancelled?.reason);
    cancelled?.addEventListener('abort', cancel, { once: true });
    this.#runs.set(abort, kind);
    this.#interruptIfMeant(abort, kind);
    if (cancelled?.aborted) cancel();
    const notes = new CheckNotes(job.progress, () => Date.now());
    const run: JobRun = {
      jobId: job.id ?? '',
      name,
      attempt: job.attemptsMade + 1,
      lastAttempt: job.attemptsMade + 1 >= (job.opts.attempts ?? 1),
      signal: abort.signal,
      logger: logger.child({ job: name, jobId: job.id }),
      check: (check, passed, compared) => notes.note(check, passed, compared),
      progress: (step, detail) => report(job, { step, atMs: Date.now(), ...detail, ...notes.unsaved() }),
    };
    const finish = async (outcome: RunOutcome, result: RunResult | undefined, error: unknown) => {
      metrics.jobs.inc({ job: name, outcome });
      span.set({ 'autopilot.job.outcome': outcome });
      span.endedWith(outcome === 'failed' || outcome === 'retry' ? codeOf(error) : undefined);
      metrics.jobSeconds.observe({ job: name }, (clock.monotonic() - startedAt) / 1000);
      await this.#options
        .onFinished?.({ jobId: run.jobId, name, payload: job.data, outcome, result, error, checks: notes.all })
        .catch((cause: unknown) => run.logger.warn({ err: cause }, 'the result of a job could not be recorded'));
    };
    try {
      const result = await handler(job.data, run);
      await finish(result.outcome, result, undefined);
      return notes.all.length === 0 ? result : { ...result, checks: notes.all };
    } catch (thrown) {
      // An abort surfaces as whatever the interrupted call threw; the signal's reason says what it means.
      const error = run.signal.aborted && run.signal.reason instanceof AppError ? run.signal.reason : thrown;
      const outcome = outcomeOf(error, job);
      if (outcome === 'failed' && !kind.tellsItself)
        run.logger.error({ err: error, attempt: run.attempt }, 'job failed');
      else if (outcome === 'retry') run.logger.warn({ err: error, attempt: run.attempt }, 'job will be tried again');
      await finish(outcome, undefined, error);
      // A run that threw returns nothing: what it compared is stored with the steps.
      const left = notes.unsaved();
      if (left.checks) await report(job, { step: 'checked', atMs: Date.now(), ...left }).catch(() => undefined);
      // BullMQ counts a delay from its own clock (runtime/process-time.ts).
      return await settle(error, job, token, Date.now());
    } finally {
      clearTimeout(timer);
      cancelled?.removeEventListener('abort', cancel);
      this.#runs.delete(abort);
    }
  }
}

/** The places in traces that a job follows from. */
export function placesOf(payload: unknown): readonly Traceparent[] {
  return placesIn((payload as { readonly follows?: unknown } | null | undefined)?.follows);
}

/** The span of one run of a job. https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/ */
export function spanOfRun(
  { jobId, name, attempt }: Pick<JobRun, 'jobId' | 'name' | 'attempt'>,
  queue: string,
  payload: unknown,
): SpanOptions {
  const { channelArn, streamId, cause } = (payload ?? {}) as Partial<ActionJob>;
  return {
    name: `process ${name}`,
    kind: 'consumer',
    attributes: {
      'messaging.system': 'bullmq',
      'messaging.destination.name': queue,
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.message.id': jobId,
      'autopilot.job.name': name,
      'autopilot.job.attempt': attempt,
      'autopilot.rule': cause?.kind === 'rule' ? cause.rule : undefined,
      'autopilot.decision.id': cause?.kind === 'rule' ? cause.decisionId : undefined,
      'autopilot.channel.arn': channelArn,
      'autopilot.stream.id': streamId,
    },
  };
}

const keptSteps = 50;

async function report(job: Job, step: JobStep): Promise<void> {
  const steps = Array.isArray(job.progress) ? (job.progress as JobStep[]) : [];
  await job.updateProgress([...steps, step].slice(-keptSteps));
}
