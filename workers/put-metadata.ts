// put_metadata: hands items to the metadata service, which packs, orders and sends them. The job's id makes a repeat harmless.
import { isOnHold } from '#domain/controls-in-force.ts';
import { durationMs } from '#domain/duration.ts';
import { AppError } from '#domain/errors.ts';
import type { ActionHandler, HandlerContext, HandlerResult } from './ports.ts';
import { onlyIfFailsFresh, planned } from './preconditions.ts';

export const putMetadata: ActionHandler<'put_metadata'> = async (job, context) => {
  const { payload, expires, key, lane = 'normal', if_no_channel: ifNoChannel = 'fail' } = job.params;
  const targets = job.params.targets ?? (job.channelArn === undefined ? undefined : { channelArns: [job.channelArn] });
  if (!targets) {
    if (ifNoChannel === 'skip') return { outcome: 'skipped', reason: 'no_channel' };
    throw new AppError('ACTION_NEEDS_CHANNEL', 'put_metadata needs targets, or a trigger with a channel');
  }
  const skip = await onlyIfFailsFresh(job, context);
  if (skip) return (await acceptedBefore(context)) ?? skip;
  const expiresInMs = expires === undefined ? undefined : job.decidedAtMs + durationMs(expires) - context.state.nowMs();
  if (expiresInMs !== undefined) {
    const compared = { asked: { expires }, found: { ageMs: Math.round(context.state.nowMs() - job.decidedAtMs) } };
    if (!context.check('expires', expiresInMs > 0, compared))
      return (await acceptedBefore(context)) ?? { outcome: 'skipped', reason: 'expired' };
  }
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
    job: {
      jobId: context.jobId,
      ...(job.channelArn === undefined ? {} : { channelArn: job.channelArn }),
      ...(job.cause.kind === 'rule' ? { rule: job.cause.rule, decisionId: job.cause.decisionId } : {}),
    },
    headStart: context.headStart,
    acceptedAs: context.acceptedAs,
    ...(job.dryRun ? { dryRun: true } : {}),
    // Automation leaves these channels alone, even if its targets include them.
    ...(job.cause.kind === 'rule'
      ? { spare: (channelArn) => isOnHold(context.state.view, channelArn, context.state.nowMs()) }
      : {}),
  });
  const { batchId, channels, skipped } = accepted;
  const leftOut = skipped.length === 0 ? {} : { skipped };
  for (const { reason, count, examples } of skipped)
    context.check(reason === 'held' ? 'hold' : reason, false, {
      asked: { channels: 'all' },
      found: { leftOut: count, examples },
    });
  if (job.dryRun) return { ...planned([`PutMetadata on ${channels} channel(s), lane ${lane}`], undefined), ...leftOut };
  // A single reason for all says more than that there was no channel.
  if (channels === 0)
    return {
      outcome: 'skipped',
      reason: skipped.length === 1 ? skipped[0]!.reason : 'no_channel',
      batchId,
      ...leftOut,
    };
  // The outbox has taken over: the job's delivery reports what becomes of the items.
  return { outcome: 'done', reason: 'accepted', batchId, channels, ...leftOut };
};

/** The result of a job that an earlier run handed over: that is done, whatever is true by now. */
async function acceptedBefore({ metadata, jobId }: HandlerContext): Promise<HandlerResult | undefined> {
  const [batchId] = await metadata.acceptedUnder([jobId]);
  return batchId === undefined ? undefined : { outcome: 'done', reason: 'accepted', batchId };
}
