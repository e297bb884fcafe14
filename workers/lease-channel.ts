// lease_channel: lends a free channel of a pool, and delivers its stream key. With `for`, it comes back by itself.
import type { ActionJob } from '#domain/action.ts';
import type { ChannelArn } from '#domain/channel.ts';
import { durationMs } from '#domain/duration.ts';
import { AppError } from '#domain/errors.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { jobIdOf } from '#jobs/job-id.ts';
import { channelsOfPool, freeChannelOf, leasedBy, leaseIdOf } from './channel-pool.ts';
import { withLease } from './lease.ts';
import type { ActionHandler } from './ports.ts';
import { onlyIfFailsFresh, planned } from './preconditions.ts';
import { deliverKey } from './stream-key.ts';

type Job = ActionJob<'lease_channel'>;

export const leaseChannel: ActionHandler<'lease_channel'> = async (job, context) => {
  const skip = await onlyIfFailsFresh(job, context);
  if (skip) return skip;
  const { pool } = job.params;
  const { state, signal } = context;
  const sink = context.sink(job);
  const leaseId = leaseIdOf(job);
  if (job.dryRun) {
    const arn = freeChannelOf(state.view, pool, state.nowMs());
    if (arn === undefined) throw poolEmpty(pool, channelsOfPool(state.view, pool).length);
    return planned([`lease ${arn}`, `deliver its stream key to ${sink.description}`], { pool, free: arn });
  }
  await context.progress('check_sink', { sink: sink.description });
  await sink.check(signal);
  const channelArn = await state.transact((tx) => take(tx, job, leaseId));
  if (channelArn === undefined) throw poolEmpty(pool, channelsOfPool(state.view, pool).length);
  context.nudge();
  await context.progress('leased', { channelArn });
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
};

/** The channel that this job has already, or a free one that is its from now on. */
function take(tx: Transaction, job: Job, leaseId: string): ChannelArn | undefined {
  const known = leasedBy(tx, leaseId);
  if (known) return known[0];
  const { pool, for: duration } = job.params;
  const arn = freeChannelOf(tx, pool, tx.nowMs);
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
    tx.enqueue({
      jobId: jobIdOf('return-channel', leaseId),
      name: 'return_channel',
      payload: {
        action: 'return_channel',
        params: { lease: leaseId },
        channelArn: arn,
        cause: job.cause,
        decidedAtMs: tx.nowMs,
      },
      delayMs: untilMs - tx.nowMs,
    });
  return arn;
}

function poolEmpty(pool: string, channels: number): AppError {
  const what = channels === 0 ? 'no channel has it in its tag' : `none of its ${channels} channels is free`;
  return new AppError('POOL_EMPTY', `the pool ${pool}: ${what}; provision_channel with pool: ${pool} makes one`);
}
