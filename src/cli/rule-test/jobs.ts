// Runs the jobs of a rule test with the daemon's own handlers, in virtual time: one at a time, in the order in which they are due. A
// handler that sleeps is suspended until the world has reached that moment; failed jobs are retried as the queue would.
import type { ActionJob } from '#domain/action.ts';
import type { RunOutcome } from '#domain/action-memory.ts';
import { AppError, messageOf } from '#domain/errors.ts';
import type { JobRequest } from '#domain/job.ts';
import type { Ruleset } from '#domain/rule.ts';
import { isJobName, jobCatalog } from '#jobs/catalog.ts';
import { nextFlushMs } from '#notify/groups.ts';
import { channelView } from '#rules/channel-view.ts';
import { isSilenced, silenceOf } from '#rules/muting.ts';
import { matcherOf } from '#rules/pattern.ts';
import { backoffMs } from '#runtime/backoff.ts';
import { createLogger, Scrubber } from '#runtime/logger.ts';
import { bindActions } from '#workers/actions.ts';
import { flushGroups } from '#workers/groups.ts';
import { outcomeOf } from '#workers/outcome.ts';
import type { ActionPorts, HandlerContext } from '#workers/ports.ts';
import { needsUpkeep, upkeep } from '#workers/upkeep.ts';
import type { CallLog } from './call-log.ts';
import { type AcceptedBatch, outsidePorts } from './outside.ts';
import type { VirtualAccount } from './virtual-account.ts';
import { virtualIvs } from './virtual-ivs.ts';
import { type PlannedJob, takeJobs, type VirtualWorker, type VirtualWorld } from './world.ts';

/** How a run of a job ended. */
export interface VirtualResult {
  readonly atMs: number;
  readonly rule: string;
  readonly channelArn: string | undefined;
  readonly action: string;
  /** The outcome, and its reason if it has one: `deferred live`. */
  readonly text: string;
  /** Not the last run: it runs again. */
  readonly passing: boolean;
}

export interface VirtualJobsOptions {
  readonly world: VirtualWorld;
  readonly ruleset: Ruleset;
  readonly calls: CallLog;
  readonly account: VirtualAccount;
  /** Whether streams, tags and channels change according to the calls. */
  readonly reacts: boolean;
}

interface Due {
  readonly dueMs: number;
  readonly go: () => void;
}

const upkeepEveryMs = 1_000;
const passing: ReadonlySet<RunOutcome> = new Set(['retry', 'postponed', 'interrupted']);
/** Limits jobs that never settle. */
const maxStepsPerMoment = 100_000;

export class VirtualJobs implements VirtualWorker {
  readonly results: VirtualResult[] = [];
  readonly #options: VirtualJobsOptions;
  /** In the order in which they were added. */
  #due: Due[] = [];
  /** The queue recognises a job by its id for as long as it keeps it. */
  readonly #known = new Map<string, number>();
  readonly #batches = new Map<string, AcceptedBatch>();
  readonly #random = () => 0;
  #upkeepMs: number;
  /** Resolves when the running job sleeps or has ended. */
  #step = Promise.withResolvers<void>();

  constructor(options: VirtualJobsOptions) {
    this.#options = options;
    this.#upkeepMs = options.world.nowMs;
  }

  take(job: JobRequest, planned?: PlannedJob): void {
    const { world } = this.#options;
    const knownUntilMs = this.#known.get(job.jobId);
    if (!isJobName(job.name) || (knownUntilMs !== undefined && knownUntilMs > world.nowMs)) return;
    this.#known.set(job.jobId, Number.POSITIVE_INFINITY);
    this.#add(world.nowMs + (job.delayMs ?? 0), () => void this.#run(job, 1, planned));
  }

  nextDueMs(): number | undefined {
    const moments = this.#due.map(({ dueMs }) => dueMs);
    const { view } = this.#options.world.state;
    if (needsUpkeep(view)) moments.push(this.#upkeepMs + upkeepEveryMs);
    const flushMs = nextFlushMs(view);
    if (flushMs !== undefined) moments.push(flushMs);
    return moments.length === 0 ? undefined : moments.reduce((left, right) => Math.min(left, right));
  }

  async runDue(): Promise<void> {
    const { world } = this.#options;
    if (needsUpkeep(world.state.view) && world.nowMs >= this.#upkeepMs + upkeepEveryMs) {
      this.#upkeepMs = world.nowMs;
      await world.state.transact(upkeep);
      await this.#collect();
    }
    const flushMs = nextFlushMs(world.state.view);
    if (flushMs !== undefined && flushMs <= world.nowMs) {
      const { receivers } = this.#options.ruleset;
      await world.state.transact((tx) =>
        flushGroups(tx, { receiver: (name) => receivers.find((each) => each.name === name), isSilenced }),
      );
      await this.#collect();
    }
    for (let steps = 0; ; steps += 1) {
      if (steps > maxStepsPerMoment) throw new Error('the jobs do not settle');
      const next = this.#nextNow();
      if (!next) return;
      this.#due = this.#due.filter((other) => other !== next);
      this.#step = Promise.withResolvers();
      next.go();
      await this.#step.promise;
      await this.#collect();
    }
  }

  #nextNow(): Due | undefined {
    const now = this.#due.filter(({ dueMs }) => dueMs <= this.#options.world.nowMs);
    return now.toSorted((left, right) => left.dueMs - right.dueMs)[0];
  }

  #add(dueMs: number, go: () => void): void {
    this.#due.push({ dueMs, go });
  }

  /** Jobs that other jobs have requested. */
  async #collect(): Promise<void> {
    for (const job of await takeJobs(this.#options.world.state)) this.take(job);
  }

  async #run(request: JobRequest, attempt: number, planned: PlannedJob | undefined): Promise<void> {
    const { world } = this.#options;
    const job = request.payload as unknown as ActionJob;
    const kind = jobCatalog[job.action];
    const opts = { attempts: kind.attempts };
    try {
      const handler = bindActions(this.#ports(request.jobId, job))[job.action];
      const result = await handler(request.payload, this.#jobRun(request, job, attempt, kind.attempts));
      if (planned && result.reason === 'only_if_false') planned.skipped = true;
      this.#ended(request, job, result.outcome, result.reason);
    } catch (error) {
      const outcome = outcomeOf(error, { attemptsMade: attempt - 1, opts });
      this.#ended(request, job, outcome, messageOf(error), error);
      if (!passing.has(outcome)) return;
      const delayMs = postponedMs(error) ?? backoffMs(kind.backoff, attempt - 1, this.#random);
      const next = outcome === 'retry' ? attempt + 1 : attempt;
      this.#add(world.nowMs + delayMs, () => void this.#run(request, next, planned));
    } finally {
      this.#step.resolve();
    }
  }

  #ended(
    { jobId }: JobRequest,
    job: ActionJob,
    outcome: RunOutcome,
    reason: string | undefined,
    error?: unknown,
  ): void {
    const { world } = this.#options;
    const isPassing = passing.has(outcome);
    const { keepSeconds } = jobCatalog[job.action];
    const keepMs = 1000 * (outcome === 'failed' ? keepSeconds.failed : keepSeconds.completed);
    if (!isPassing) this.#known.set(jobId, world.nowMs + keepMs);
    const code = error instanceof AppError ? error.code : undefined;
    this.results.push({
      atMs: world.nowMs,
      rule: ruleOf(job),
      channelArn: job.channelArn,
      action: job.action,
      text: [outcome, code, reason].filter(Boolean).join(' '),
      passing: isPassing,
    });
  }

  #ports(jobId: string, job: ActionJob): ActionPorts {
    const { world, ruleset, calls, account, reacts } = this.#options;
    const log = calls.of(() => world.nowMs, { rule: ruleOf(job), channelArn: job.channelArn });
    if (job.action === 'set_ad_configuration')
      account.assumeAds((job as ActionJob<'set_ad_configuration'>).params.configuration);
    else if ('configuration' in job.params) account.assume(job.params.configuration);
    if ('policy' in job.params) account.assumePolicy(job.params.policy);
    return {
      ...outsidePorts({ world, log, batches: this.#batches }),
      ivs: virtualIvs({ world, account, log, jobId, reacts }),
      state: world.state,
      clock: { now: () => world.nowMs, monotonic: () => world.nowMs, sleep: (ms) => this.#sleep(ms) },
      random: this.#random,
      receiver: (name) => ruleset.receivers.find((receiver) => receiver.name === name),
      externalUrl: () => '',
      countNotification: () => undefined,
      route: () => ruleset.route,
      matcher: matcherOf,
      adBreaks: { spacingMs: () => 1_000, aheadMs: 0, eventWindowMs: 60_000 },
      silenceOf: (action) => silenceOf(world.state.view, world.nowMs, action),
      selects: (match, arn) => matcherOf(match).match(channelView(world.state.view, arn, world.nowMs).channel),
      hide: () => ({ [Symbol.dispose]: () => undefined }),
      configHash: () => ruleset.hash,
      nudge: () => undefined,
    };
  }

  #jobRun(
    { jobId }: JobRequest,
    { action }: ActionJob,
    attempt: number,
    attempts: number,
  ): Omit<HandlerContext, keyof ActionPorts> {
    return {
      jobId,
      name: action,
      attempt,
      lastAttempt: attempt >= attempts,
      signal: new AbortController().signal,
      logger: silent,
      check: (_check, passed) => passed,
      progress: async () => undefined,
    };
  }

  #sleep(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#add(this.#options.world.nowMs + ms, resolve);
    this.#step.resolve();
    return promise;
  }
}

const silent = createLogger({ level: 'silent', scrubber: new Scrubber() });

function ruleOf({ cause }: ActionJob): string {
  return cause.kind === 'rule' ? cause.rule : '';
}

function postponedMs(error: unknown): number | undefined {
  return error instanceof AppError && error.disposition.kind === 'retry-after' ? error.disposition.delayMs : undefined;
}
