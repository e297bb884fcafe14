// retire_channel: deletes the key, stops the stream, waits for its end, deletes the channel. The rule or request has confirmed it.
// https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_DeleteChannel.html
import { AppError } from '#domain/errors.ts';
import type { Key } from '#domain/state-key.ts';
import { kinds } from '#domain/state-registry.ts';
import { clearAlerts } from './alerts.ts';
import { dropIntents } from './intents.ts';
import { withLease } from './lease.ts';
import type { ActionHandler, HandlerContext, HandlerResult } from './ports.ts';
import { channelOf, checkLive, isCode, liveStream, planned, reasonToSkip } from './preconditions.ts';

/** How long one run waits for the end of the stream before the job is postponed. */
const waitMs = 30_000;

export const retireChannel: ActionHandler<'retire_channel'> = async (job, context) => {
  const channelArn = channelOf(job);
  const { ivs, signal } = context;
  const run = async (): Promise<HandlerResult> => {
    const channel = await ivs.getChannel(channelArn, { signal });
    const keyArns = await ivs.listStreamKeys(channelArn, { signal });
    const live = await liveStream(context, channelArn);
    // If there is no key, this job has already begun, and a live stream started before that.
    const skip = keyArns.length > 0 ? reasonToSkip(job, context, live) : undefined;
    if (skip) return skip;
    const before = { name: channel.name, tags: channel.tags, live: live?.streamId ?? null, keyArns };
    if (job.dryRun) {
      const stop = live ? [`StopStream ${channelArn}`, 'wait for Stream End'] : [];
      return planned(
        [...keyArns.map((arn) => `DeleteStreamKey ${arn}`), ...stop, `DeleteChannel ${channelArn}`],
        before,
      );
    }
    for (const arn of keyArns) {
      await context.progress('delete_stream_key', { keyArn: arn });
      await ivs.deleteStreamKey(arn, { signal }).catch(ignoringGone);
    }
    const stopped = await stopAndWait(context, channelArn);
    await context.progress('delete_channel', { channelArn });
    await deleteChannel(context, channelArn);
    await forget(context, channelArn);
    return { outcome: 'done', before, after: { deleted: channelArn }, stopped };
  };
  try {
    return job.dryRun ? await run() : await withLease(context, channelArn, run);
  } catch (error) {
    if (!isCode(error, 'IVS_NOT_FOUND')) throw error;
    await forget(context, channelArn);
    return { outcome: 'already_done', reason: 'channel_gone', channelArn };
  }
};

/** Returns the session that it stopped, if one was live. */
async function stopAndWait(context: HandlerContext, channelArn: string): Promise<string | undefined> {
  const { ivs, signal, clock } = context;
  const until = clock.monotonic() + waitMs;
  let stopped: string | undefined;
  for (;;) {
    const live = await liveStream(context, channelArn);
    if (stopped === undefined || !live) checkLive(context, false, live);
    if (!live) return stopped;
    if (live.streamId !== stopped) {
      await context.progress('stop_stream', { streamId: live.streamId });
      await ivs.stopStream(channelArn, { signal }).catch((error: unknown) => {
        if (!isCode(error, 'IVS_NOT_BROADCASTING')) throw error;
      });
      stopped = live.streamId;
    }
    if (clock.monotonic() >= until) throw stillLive(channelArn);
    await clock.sleep(1_000, signal);
  }
}

async function deleteChannel({ ivs, signal }: HandlerContext, channelArn: string): Promise<void> {
  try {
    await ivs.deleteChannel(channelArn, { signal });
  } catch (error) {
    if (isCode(error, 'IVS_CONFLICT')) throw stillLive(channelArn);
    throw error;
  }
}

function stillLive(channelArn: string): AppError {
  return new AppError('STREAM_STILL_LIVE', `${channelArn} is not offline yet`, {
    disposition: { kind: 'retry-after', delayMs: 5_000 },
  });
}

async function forget(context: HandlerContext, channelArn: string): Promise<void> {
  await context.state.transact((tx) => {
    clearAlerts(tx, channelArn);
    dropIntents(tx, channelArn);
    const known = [kinds.key, kinds.recording, kinds.adConfiguration, kinds.playbackRestriction, kinds.channelLease];
    for (const key of known.map((kind): Key<unknown> => kind.of(channelArn)))
      if (tx.get(key) !== undefined) tx.delete(key);
  });
}

function ignoringGone(error: unknown): void {
  if (!isCode(error, 'IVS_NOT_FOUND')) throw error;
}
