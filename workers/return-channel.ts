// return_channel: takes back a lent channel: its key is replaced, and a stream that still runs is stopped. In the end the channel has one
// key that was delivered to nobody, and is free.
import type { ChannelLease } from '#domain/action-memory.ts';
import { AppError } from '#domain/errors.ts';
import { kinds } from '#domain/state-registry.ts';
import { keyRecordOf } from './key-record.ts';
import { type Fence, withLease } from './lease.ts';
import type { ActionHandler, HandlerContext, HandlerResult } from './ports.ts';
import {
  channelGone,
  channelOf,
  isCode,
  liveStream,
  onlyIfFailsFresh,
  planned,
  putOffByControls,
} from './preconditions.ts';

const maxRounds = 4;

export const returnChannel: ActionHandler<'return_channel'> = async (job, context) => {
  const channelArn = channelOf(job);
  const key = kinds.channelLease.of(channelArn);
  const lease = context.state.view.get(key);
  const isMeant = lease !== undefined && (job.params.lease === undefined || job.params.lease === lease.leaseId);
  const compared = { asked: { lease: job.params.lease ?? 'any' }, found: { lease: lease?.leaseId ?? null } };
  if (!context.check('lease', isMeant, compared)) return { outcome: 'already_done', reason: 'not_leased' };
  try {
    // What was begun is finished: a half-replaced key must not stay.
    const isBegun = lease?.returning !== undefined;
    // For a lease that is over: nobody else takes the channel back.
    const isOver = (lease?.untilMs ?? Infinity) <= context.state.nowMs();
    if (!isBegun && isOver && !job.dryRun) putOffByControls(job, context);
    const skip = isBegun ? undefined : await onlyIfFailsFresh(job, context);
    if (skip) return skip;
    if (job.dryRun) return await plan(context, channelArn);
    return await withLease(context, channelArn, (fence) => giveBack(context, { channelArn, fence }));
  } catch (error) {
    if (!isCode(error, 'IVS_NOT_FOUND')) throw error;
    await context.state.transact((tx) => {
      if (tx.get(key) !== undefined) tx.delete(key);
    });
    return channelGone(channelArn);
  }
};

async function plan(context: HandlerContext, channelArn: string): Promise<HandlerResult> {
  const keyArns = await context.ivs.listStreamKeys(channelArn, { signal: context.signal });
  const live = await liveStream(context, channelArn);
  return planned(
    [
      ...keyArns.map((arn) => `DeleteStreamKey ${arn}`),
      `CreateStreamKey ${channelArn}`,
      ...(live ? [`StopStream ${channelArn}`] : []),
    ],
    { keyArns, live: live?.streamId ?? null },
  );
}

async function giveBack(
  context: HandlerContext,
  { channelArn, fence }: { readonly channelArn: string; readonly fence: Fence },
): Promise<HandlerResult> {
  const { ivs, signal } = context;
  const oldKeyArns = await begin(context, channelArn, fence);
  const keyArn = await replaceKey(context, { channelArn, fence, oldKeyArns });
  const live = await liveStream(context, channelArn);
  let stopped: string | undefined;
  if (live) {
    await context.progress('stop_stream', { streamId: live.streamId });
    try {
      await ivs.stopStream(channelArn, { signal });
      stopped = live.streamId;
    } catch (error) {
      if (!isCode(error, 'IVS_NOT_BROADCASTING')) throw error;
    }
  }
  await fence.commit((tx) => {
    tx.delete(kinds.channelLease.of(channelArn));
    // Nobody has the channel's present key.
    if (tx.get(keyRecordOf(channelArn)) !== undefined) tx.delete(keyRecordOf(channelArn));
  });
  return {
    outcome: 'done',
    before: { keyArns: oldKeyArns, live: live?.streamId ?? null },
    after: { keyArns: [keyArn] },
    stopped,
  };
}

/** Records which keys will be deleted before the first one is. Returns them. */
async function begin(context: HandlerContext, channelArn: string, fence: Fence): Promise<readonly string[]> {
  const key = kinds.channelLease.of(channelArn);
  const known = context.state.view.get(key)?.returning;
  if (known) return known.oldKeyArns;
  const oldKeyArns = await context.ivs.listStreamKeys(channelArn, { signal: context.signal });
  await fence.commit((tx) => {
    const lease: ChannelLease | undefined = tx.get(key);
    if (!lease) throw new AppError('LEASE_LOST', `${channelArn} was returned meanwhile; this run stops`);
    tx.set(key, { ...lease, returning: { oldKeyArns } });
  });
  return oldKeyArns;
}

/** Repeats until there is one key, and none of the old ones. Returns its ARN. */
async function replaceKey(
  context: HandlerContext,
  {
    channelArn,
    fence,
    oldKeyArns,
  }: { readonly channelArn: string; readonly fence: Fence; readonly oldKeyArns: readonly string[] },
): Promise<string> {
  const { ivs, signal } = context;
  for (let round = 0; round < maxRounds; round += 1) {
    const keyArns = await ivs.listStreamKeys(channelArn, { signal });
    const [fresh] = keyArns.filter((arn) => !oldKeyArns.includes(arn));
    const old = keyArns.filter((arn) => oldKeyArns.includes(arn));
    if (fresh !== undefined && old.length === 0) return fresh;
    for (const arn of old) {
      await context.progress('delete_stream_key', { keyArn: arn });
      await fence.renew();
      await ivs.deleteStreamKey(arn, { signal }).catch((error: unknown) => {
        if (!isCode(error, 'IVS_NOT_FOUND')) throw error;
      });
    }
    if (fresh !== undefined) continue;
    await context.progress('create_stream_key', {});
    await fence.renew();
    await ivs.createStreamKey(channelArn, { signal }).catch((error: unknown) => {
      if (!isCode(error, 'IVS_QUOTA_EXCEEDED')) throw error;
    });
  }
  throw new AppError('KEY_UNSETTLED', `the keys of ${channelArn} changed ${maxRounds} times meanwhile`);
}
