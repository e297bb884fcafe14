// How the API shows jobs: times in ISO 8601, and nothing that must not be seen.
import { type ActionJob, actionSchemas } from '#domain/action.ts';
import { maskAddresses } from '#domain/address.ts';
import type { Check, Delivery } from '#domain/decision.ts';
import { iso } from '#domain/duration.ts';
import type { JobRequest } from '#domain/job.ts';
import type { Queues } from '#jobs/queues.ts';
import { shownCheck } from '#journal/checks.ts';
import { checksIn } from '#workers/checks.ts';
import { deliveryText, outcomeOfDelivery } from '#workers/delivery-result.ts';
import type { JobStep } from '#workers/host.ts';
import { type FanoutResult, memberResult } from '#workers/metadata-fanout.ts';
import type { JobView } from './routes/jobs.ts';

type Job = NonNullable<Awaited<ReturnType<Queues['find']>>>;

/** A job that is decided and stored, but not in the queue yet. */
export function pendingJobView({ jobId, name, payload }: JobRequest): JobView {
  return { ...payloadView(payload), jobId, name, state: 'pending', attempts: 0, steps: [], checks: [], result: null };
}

function payloadView(
  payload: unknown,
): Pick<JobView, 'channelArn' | 'cause' | 'params' | 'dryRun' | 'decidedAt' | 'decisionId'> {
  const { channelArn, cause, params, dryRun, decidedAtMs } = payload as Partial<ActionJob>;
  return {
    cause: cause ?? null,
    params: maskAddresses(params ?? null),
    ...(cause?.kind === 'rule' ? { decisionId: cause.decisionId } : {}),
    ...(channelArn === undefined ? {} : { channelArn }),
    ...(dryRun === undefined ? {} : { dryRun }),
    ...(decidedAtMs === undefined ? {} : { decidedAt: iso(decidedAtMs) }),
  };
}

/** With the results of its items: a job whose items all reached nobody is not shown as done. */
export function withDelivery(view: JobView, delivery: Delivery | undefined): JobView {
  if (!delivery) return view;
  const { finishedAtMs, ...counts } = delivery;
  const ended = finishedAtMs === undefined ? {} : { finishedAt: iso(finishedAtMs) };
  const shown = { ...view, delivery: { ...counts, ...ended } };
  if (finishedAtMs === undefined) return shown;
  const told = { outcome: outcomeOfDelivery(delivery), reason: deliveryText(delivery) };
  return { ...shown, result: { ...(view.result as object), ...told } };
}

/** One member of a fan-out, from the view of the fan-out and the member's own job. */
export function memberView(fanout: JobView, { jobId, name, payload }: JobRequest, place: number): JobView {
  const view = { ...fanout, ...payloadView(payload), jobId, name };
  if (fanout.result === null) return view;
  const { checks = [], ...result } = memberResult(fanout.result as FanoutResult, place);
  return { ...view, checks: [...fanout.checks, ...checks.map(shownCheck)], result };
}

const states: Readonly<Record<string, JobView['state']>> = {
  completed: 'completed',
  failed: 'failed',
  delayed: 'delayed',
  active: 'active',
};

/** A job in the queue; `state` is BullMQ's word for it. */
export function jobView(job: Job, state: string): JobView {
  const steps = Array.isArray(job.progress) ? (job.progress as JobStep[]) : [];
  const isAction = Object.hasOwn(actionSchemas, job.name);
  const result = job.returnvalue as (Readonly<Record<string, unknown>> & { readonly checks?: readonly Check[] }) | null;
  const { checks, ...rest } = result ?? {};
  return {
    ...(isAction ? payloadView(job.data) : { cause: null, params: maskAddresses(job.data as unknown) }),
    jobId: job.id ?? '',
    name: job.name,
    state: states[state] ?? 'waiting',
    ...(job.processedOn === undefined ? {} : { startedAt: iso(job.processedOn) }),
    ...(job.finishedOn === undefined ? {} : { finishedAt: iso(job.finishedOn) }),
    attempts: job.attemptsMade,
    steps: steps
      .filter(({ step }) => step !== 'checked')
      .map(({ atMs, checks: _shownBelow, ...step }) => ({ ...step, at: iso(atMs) })),
    checks: (checks ?? checksIn(job.progress)).map(shownCheck),
    result: result === null ? null : rest,
    ...(state === 'failed' && job.failedReason ? { error: job.failedReason } : {}),
  };
}
