// How the API shows one job, wherever it is now, and sends a message again. Implements the port of routes/jobs.ts.
import { randomUUID } from 'node:crypto';
import type { ActionJob } from '#domain/action.ts';
import type { Delivery } from '#domain/decision.ts';
import { iso } from '#domain/duration.ts';
import { AppError } from '#domain/errors.ts';
import type { JobRequest } from '#domain/job.ts';
import { isFanout, type MetadataFanout, memberJob, memberJobId, memberOfJobId } from '#domain/metadata-fanout.ts';
import { notFound } from '#domain/not-found.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { jobIdOf } from '#jobs/job-id.ts';
import type { Queues } from '#jobs/queues.ts';
import { audit } from '#journal/audit.ts';
import { resultsOf } from '#journal/query.ts';
import { traceOfJob, withTrace } from '#journal/traces.ts';
import type { ShardDirectory, ShardIdentity } from '#shard/directory.ts';
import { forgetFailedJob } from '#workers/alerts.ts';
import { type BatchEnd, deliveryOf } from '#workers/delivery-result.ts';
import { jobView, memberView, pendingJobView, withDelivery } from './job-views.ts';
import { refreshAll } from './refresh-all.ts';
import type { JobsPort, JobView } from './routes/jobs.ts';

/** What reading jobs needs of one shard. */
export interface JobShard extends ShardIdentity {
  readonly state: SharedState;
  readonly queues: Pick<Queues, 'find'>;
  readonly relay: { nudge(): void };
  /** @throws AppError NOT_FOUND for a batch that is no longer kept */
  readonly metadata: {
    progress(batchId: string): Promise<BatchEnd>;
    /** The part of a batch that a fan-out's member became; undefined if there is none, or it is no longer kept. */
    part(key: string): Promise<BatchEnd | undefined>;
  };
}

export interface JobsOptions {
  readonly shards: Pick<ShardDirectory<JobShard>, 'all'>;
  readonly configHash: () => string;
}

const resendable: ReadonlySet<string> = new Set(['webhook', 'notify', 'emit_event']);

export class Jobs implements JobsPort {
  readonly #options: JobsOptions;

  constructor(options: JobsOptions) {
    this.#options = options;
  }

  async read(jobId: string): Promise<JobView> {
    await refreshAll(this.#options.shards);
    const member = memberOfJobId(jobId);
    for (const shard of this.#options.shards.all) {
      const { state: shared, queues, metadata } = shard;
      const part = member && (await this.#readMember(shard, member));
      if (part) return part;
      const job = await queues.find(jobId);
      if (job) {
        const state = await job.getState();
        // It may have ended between the two reads: then read its result again.
        const ended = job.finishedOn === undefined && (state === 'completed' || state === 'failed');
        const view = jobView((ended ? await queues.find(jobId) : undefined) ?? job, state);
        return withDelivery(view, await deliveryOfJob({ state: shared, metadata }, view));
      }
      const pending = shared.view.get(kinds.job.of(jobId));
      if (pending) return pendingJobView(pending);
    }
    const traces = await Promise.all(this.#options.shards.all.map(({ state }) => traceOfJob(state, jobId)));
    throw notFound(
      'job',
      withTrace(
        `there is no job ${jobId}: finished jobs are kept for some days only`,
        traces.find((trace) => trace !== '') ?? '',
      ),
    );
  }

  /** One channel's part of a fan-out, which is a single job in the queue. */
  async #readMember(
    { state: shared, queues, metadata }: JobShard,
    { fanoutId, index }: NonNullable<ReturnType<typeof memberOfJobId>>,
  ): Promise<JobView | undefined> {
    const job = await queues.find(fanoutId);
    const request = job
      ? { name: job.name, payload: job.data as JobRequest['payload'] }
      : shared.view.get(kinds.job.of(fanoutId));
    if (!request || !isFanout(request)) return undefined;
    const fanout = request.payload as unknown as MetadataFanout;
    const member = fanout.members[index];
    if (!member) return undefined;
    const apart = {
      jobId: memberJobId(fanoutId, index),
      name: 'put_metadata',
      payload: { ...memberJob(fanout, member) },
    };
    if (!job) return pendingJobView(apart);
    const state = await job.getState();
    const ended = job.finishedOn === undefined && (state === 'completed' || state === 'failed');
    const view = memberView(jobView((ended ? await queues.find(fanoutId) : undefined) ?? job, state), apart, index);
    const part = await metadata.part(member.key);
    const delivery = part
      ? deliveryOf(part)
      : (await resultsOf(shared, new Set([view.jobId]), { sinceMs: fanout.decidedAtMs })).get(view.jobId)?.delivery;
    // Only its key says which batch took it over, because an earlier run may have handed it over.
    const { result } = view;
    return withDelivery(
      delivery && result ? { ...view, result: { ...result, batchId: delivery.batchId } } : view,
      delivery,
    );
  }

  async resend(jobId: string, who: string): Promise<{ readonly jobId: string }> {
    for (const shard of this.#options.shards.all) {
      const job = await shard.queues.find(jobId);
      if (!job) continue;
      const state = await job.getState();
      if (!resendable.has(job.name) || (state !== 'completed' && state !== 'failed'))
        throw new AppError('JOB_NOT_RESENDABLE', `job ${jobId} is a ${job.name} in state ${state}`);
      const again = jobIdOf(job.name, jobId, randomUUID());
      const payload = job.data as ActionJob;
      await shard.state.transact((tx) => {
        forgetFailedJob(tx, jobId);
        tx.enqueue({ jobId: again, name: job.name, payload: { ...payload, decidedAtMs: tx.nowMs } });
        audit(tx, {
          who,
          what: 'resend',
          outcome: 'requested',
          why: jobId,
          jobId: again,
          channelArn: payload.channelArn,
          configHash: this.#options.configHash(),
        });
      });
      shard.relay.nudge();
      return { jobId: again };
    }
    throw notFound('job', `there is no job ${jobId}`);
  }
}

/** The results of a put_metadata's items: from the batch, and once that is gone, from the record. */
async function deliveryOfJob(
  { state, metadata }: Pick<JobShard, 'state' | 'metadata'>,
  { jobId, name, result, decidedAt = iso(0) }: JobView,
): Promise<Delivery | undefined> {
  const { batchId } = (result ?? {}) as { readonly batchId?: unknown };
  if (name !== 'put_metadata' || typeof batchId !== 'string') return undefined;
  try {
    return deliveryOf(await metadata.progress(batchId));
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'NOT_FOUND')) throw error;
    return (await resultsOf(state, new Set([jobId]), { sinceMs: Date.parse(decidedAt) })).get(jobId)?.delivery;
  }
}
