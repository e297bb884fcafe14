// stop_stream: ends a channel's live stream; with revoke_key the key is deleted first, so that the encoder cannot come back.
// https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/undesired-content.html
import type { ActionJob } from '#domain/action.ts';
import { withLease } from './lease.ts';
import type { ActionHandler, HandlerContext, HandlerResult, LiveStream } from './ports.ts';
import { channelGone, channelOf, checkLive, isCode, liveStream, planned, reasonToSkip } from './preconditions.ts';

type Job = ActionJob<'stop_stream'>;

export const stopStream: ActionHandler<'stop_stream'> = async (job, context) => {
  const channelArn = channelOf(job);
  try {
    if (job.dryRun) return await plan(job, context, channelArn);
    if (job.params.revoke_key)
      return await withLease(context, channelArn, () => revokeAndStop(job, context, channelArn));
    const live = await liveStream(context, channelArn);
    const skip = reasonToSkip(job, context, live);
    if (skip) return skip;
    checkLive(context, true, live);
    if (!live) return { outcome: 'already_done', reason: 'offline' };
    return await stop(context, channelArn, live);
  } catch (error) {
    if (isCode(error, 'IVS_NOT_FOUND')) return channelGone(channelArn);
    throw error;
  }
};

async function plan(job: Job, context: HandlerContext, channelArn: string): Promise<HandlerResult> {
  const live = await liveStream(context, channelArn);
  const keyArns = job.params.revoke_key ? await context.ivs.listStreamKeys(channelArn, { signal: context.signal }) : [];
  const before = { live: live?.streamId ?? null, ...(job.params.revoke_key ? { keyArns } : {}) };
  const skip = reasonToSkip(job, context, live);
  if (skip) return { ...skip, before };
  checkLive(context, true, live);
  return planned(
    [...keyArns.map((arn) => `DeleteStreamKey ${arn}`), ...(live ? [`StopStream ${channelArn}`] : [])],
    before,
  );
}

async function revokeAndStop(job: Job, context: HandlerContext, channelArn: string): Promise<HandlerResult> {
  const { ivs, signal } = context;
  const keyArns = await ivs.listStreamKeys(channelArn, { signal });
  const live = await liveStream(context, channelArn);
  // Without a key nobody can have started legitimately since: an earlier run of this job revoked it, and this run continues.
  const skip = keyArns.length > 0 ? reasonToSkip(job, context, live) : undefined;
  if (skip) return skip;
  for (const arn of keyArns) {
    await context.progress('delete_stream_key', { keyArn: arn });
    await ivs.deleteStreamKey(arn, { signal }).catch((error: unknown) => {
      if (!isCode(error, 'IVS_NOT_FOUND')) throw error;
    });
  }
  // Read again: an encoder may have reconnected with the key before it was deleted.
  const left = keyArns.length > 0 ? await liveStream(context, channelArn) : live;
  checkLive(context, true, left);
  const revoked = {
    revokedKeyArns: keyArns,
    next: 'the channel has no stream key: rotate_stream_key gives it a new one',
  };
  if (!left) return { outcome: keyArns.length > 0 ? 'done' : 'already_done', reason: 'offline', ...revoked };
  return { ...(await stop(context, channelArn, left)), ...revoked };
}

async function stop(context: HandlerContext, channelArn: string, live: LiveStream): Promise<HandlerResult> {
  await context.progress('stop_stream', { streamId: live.streamId });
  try {
    await context.ivs.stopStream(channelArn, { signal: context.signal });
  } catch (error) {
    if (!isCode(error, 'IVS_NOT_BROADCASTING')) throw error;
    return { outcome: 'already_done', reason: 'offline', before: { live: live.streamId } };
  }
  return {
    outcome: 'done',
    before: { live: live.streamId },
    after: { stopped: live.streamId },
    stopped: live.streamId,
  };
}
