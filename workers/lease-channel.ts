// lease_channel: lends a free channel of a pool, and delivers its stream key. With `for`, the channel is returned automatically.
import type { ActionJob } from '#domain/action.ts';
import type { ChannelArn } from '#domain/channel.ts';
import { durationMs } from '#domain/duration.ts';
import { AppError } from '#domain/errors.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { jobIdOf } from '#jobs/job-id.ts';
import { channelsOfPool, freeChannelOf, leasedBy, leaseIdOf } from './channel-pool.ts';
import { withLease } from './lease.ts';
import type { ActionHandler, HandlerContext, HandlerResult } from './ports.ts';
import { isCode, onlyIfFailsFresh, planned } from './preconditions.ts';
import { deliverKey } from './stream-key.ts';

type Job = ActionJob<'lease_channel'>;

export const leaseChannel: ActionHandler<'lease_channel'> = async (job, context) => {
  const { state } = context;
  const leaseId = leaseIdOf(context.jobId);
  // A lease that was begun is finished.
  const isBegun = leasedBy(state.view, leaseId) !== undefined;
  const skip = isBegun ? undefined : await onlyIfFailsFresh(job, context);
  if (skip) return skip;
  const { pool } = job.params;
  if (job.dryRun) {
    const arn = freeChannelOf(state.view, pool, { nowMs: state.nowMs() });
    if (arn === undefined) throw poolEmpty(pool, channelsOfPool(state.view, pool).length);
    const calls = [`lease ${arn}`, `deliver its stream key to ${context.sink(job).description}`];
    return planned(calls, { pool, free: arn });
  }
  try {
    return await lend(job, context, leaseId);
  } catch (error) {
    if (isLast(error, context)) {
      await state.transact((tx) => takeBack(tx, job, leaseId));
      context.nudge();
    }
    throw error;
  }
};

async function lend(job: Job, context: HandlerContext, leaseId: string): Promise<HandlerResult> {
  const { pool } = job.params;
  const { state, signal } = context;
  const sink = context.sink(job);
  await context.progress('check_sink', { sink: sink.description });
  await sink.check(signal);
  const gone = new Set<string>();
  for (;;) {
    const channelArn = await state.transact((tx) => take(tx, job, { leaseId, gone }));
    if (channelArn === undefined) throw poolEmpty(pool, channelsOfPool(state.view, pool).length);
    context.nudge();
    await context.progress('leased', { channelArn });
    try {
      const keyArn = await withLease(context, channelArn, (fence) =>
        deliverKey(context, channelArn, { sink, fence, provisionId: leaseId }),
      );
      return {
        outcome: 'done',
        channelArn,
        keyArn,
        leaseId,
        deliveredTo: sink.description,
        before: { leased: false },
        after: { leased: true, ...(job.params.for === undefined ? {} : { for: job.params.for }) },
      };
    } catch (error) {
      // Deleted since the last listing: another one is lent instead.
      if (!isCode(error, 'IVS_NOT_FOUND')) throw error;
      gone.add(channelArn);
      await context.progress('channel_gone', { channelArn });
    }
  }
}

/** Whether the job ends with this error. An abort surfaces as whatever the interrupted call threw. */
function isLast(thrown: unknown, { signal, lastAttempt }: HandlerContext): boolean {
  const error: unknown = signal.aborted ? signal.reason : thrown;
  const kind = error instanceof AppError ? error.disposition.kind : 'retry';
  return kind === 'give-up' || (kind === 'retry' && lastAttempt);
}

/** Nobody was told about this lease: its channel is returned with another key, since this one may have been delivered. */
function takeBack(tx: Transaction, job: Job, leaseId: string): void {
  const known = leasedBy(tx, leaseId);
  if (!known) return;
  const [arn, lease] = known;
  tx.set(kinds.channelLease.of(arn), { ...lease, untilMs: tx.nowMs });
  enqueueReturn(tx, job, { jobId: jobIdOf('return-channel', leaseId, arn, 'failed'), leaseId, arn, delayMs: 0 });
}

function enqueueReturn(
  tx: Transaction,
  { cause }: Job,
  {
    jobId,
    leaseId,
    arn,
    delayMs,
  }: { readonly jobId: string; readonly leaseId: string; readonly arn: ChannelArn; readonly delayMs: number },
): void {
  const payload = { action: 'return_channel', params: { lease: leaseId }, channelArn: arn, cause } as const;
  tx.enqueue({ jobId, name: 'return_channel', payload: { ...payload, decidedAtMs: tx.nowMs }, delayMs });
}

/** The channel that this job has already, or a free one that it takes now. */
function take(
  tx: Transaction,
  job: Job,
  { leaseId, gone }: { readonly leaseId: string; readonly gone: ReadonlySet<string> },
): ChannelArn | undefined {
  const known = leasedBy(tx, leaseId);
  if (known && !gone.has(known[0])) return known[0];
  if (known) tx.delete(kinds.channelLease.of(known[0]));
  const { pool, for: duration } = job.params;
  const arn = freeChannelOf(tx, pool, { nowMs: tx.nowMs, gone });
  if (arn === undefined) return undefined;
  const who = job.cause.kind === 'operator' ? job.cause.who : `rule ${job.cause.rule}`;
  const untilMs = duration === undefined ? undefined : tx.nowMs + durationMs(duration);
  tx.set(kinds.channelLease.of(arn), {
    pool,
    leaseId,
    who,
    sinceMs: tx.nowMs,
    ...(untilMs === undefined ? {} : { untilMs }),
  });
  if (untilMs !== undefined)
    enqueueReturn(tx, job, {
      jobId: jobIdOf('return-channel', leaseId, arn),
      leaseId,
      arn,
      delayMs: untilMs - tx.nowMs,
    });
  return arn;
}

function poolEmpty(pool: string, channels: number): AppError {
  const what = channels === 0 ? 'no channel has it in its tag' : `none of its ${channels} channels is free`;
  return new AppError('POOL_EMPTY', `the pool ${pool}: ${what}; provision_channel with pool: ${pool} makes one`);
}
