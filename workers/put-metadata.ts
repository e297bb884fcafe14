// put_metadata: hands items to the metadata service, which packs, orders and sends them. The job's id makes a repeat harmless.
import { isOnHold } from '#domain/controls-in-force.ts';
import { durationMs } from '#domain/duration.ts';
import { AppError } from '#domain/errors.ts';
import { onlyIfFailsFresh, planned } from './fresh-look.ts';
import type { ActionHandler } from './ports.ts';

export const putMetadata: ActionHandler<'put_metadata'> = async (job, context) => {
  const { payload, expires, key, lane = 'normal', if_no_channel: ifNoChannel = 'fail' } = job.params;
  const targets = job.params.targets ?? (job.channelArn === undefined ? undefined : { channelArns: [job.channelArn] });
  if (!targets) {
    if (ifNoChannel === 'skip') return { outcome: 'skipped', reason: 'no_channel' };
    throw new AppError('ACTION_NEEDS_CHANNEL', 'put_metadata needs targets, or a trigger with a channel');
  }
  const skip = await onlyIfFailsFresh(job, context);
  if (skip) return skip;
  const expiresInMs = expires === undefined ? undefined : job.decidedAtMs + durationMs(expires) - context.state.nowMs();
  if (expiresInMs !== undefined && expiresInMs <= 0) return { outcome: 'skipped', reason: 'expired' };
  const item = {
    payload,
    ...(key === undefined ? {} : { key }),
    ...(expiresInMs === undefined ? {} : { expiresInMs }),
  };
  const accepted = await context.metadata.submit({
    requestId: context.jobId,
    targets,
    items: [item],
    lane,
    who: job.cause.kind === 'operator' ? job.cause.who : `rule ${job.cause.rule}`,
    ...(job.dryRun ? { dryRun: true } : {}),
    // Automation keeps its hands off these, also when it meant others.
    ...(job.cause.kind === 'rule'
      ? { spare: (channelArn) => isOnHold(context.state.view, channelArn, context.state.nowMs()) }
      : {}),
  });
  const { batchId, channels, skipped } = accepted;
  const leftOut = skipped.length === 0 ? {} : { skipped };
  if (job.dryRun) return { ...planned([`PutMetadata on ${channels} channel(s), lane ${lane}`], undefined), ...leftOut };
  // One reason for all says more than that there was no channel.
  if (channels === 0)
    return {
      outcome: 'skipped',
      reason: skipped.length === 1 ? skipped[0]!.reason : 'no_channel',
      batchId,
      ...leftOut,
    };
  return { outcome: 'done', batchId, channels, ...leftOut };
};
