// set_recording: makes a channel record with a configuration, or not at all. A live channel waits for its end, unless told otherwise.
//
// AWS documents two behaviours of UpdateChannel on a live channel: refused (409), or accepted without effect on the running
// stream. Neither is relied on: live state is read first, a 409 means "live after all", and `restart` asks the session itself
// (GetStreamSession) whether it records.
import type { ActionJob } from '#domain/action.ts';
import { AppError } from '#domain/errors.ts';
import { kinds } from '#domain/state-registry.ts';
import { deferJob, dropIntents, settleIntent, wasCancelled } from './intents.ts';
import { type Fence, withLease } from './lease.ts';
import type { ActionHandler, HandlerContext, HandlerResult, LiveStream } from './ports.ts';
import { channelGone, channelOf, checkLive, isCode, liveStream, planned, reasonToSkip } from './preconditions.ts';
import { assertActive, findRecordingConfiguration } from './recording-configuration.ts';

type Job = ActionJob<'set_recording'>;

/** How often `restart` stops an encoder that is back before the channel could be changed. */
const maxRestarts = 3;

export const setRecording: ActionHandler<'set_recording'> = async (job, context) => {
  const channelArn = channelOf(job);
  if (wasCancelled(context, job)) return { outcome: 'skipped', reason: 'intent_cancelled' };
  const wantedArn = await resolve(job, context);
  const toggle = { job, context, channelArn, wantedArn };
  try {
    if (job.dryRun) return await plan(toggle);
    return await withLease(context, channelArn, (fence) => run({ ...toggle, fence }));
  } catch (error) {
    if (!isCode(error, 'IVS_NOT_FOUND')) throw error;
    await context.state.transact((tx) => {
      dropIntents(tx, channelArn);
      if (tx.get(kinds.recording.of(channelArn)) !== undefined) tx.delete(kinds.recording.of(channelArn));
    });
    return channelGone(channelArn);
  }
};

interface Wanted {
  readonly job: Job;
  readonly context: HandlerContext;
  readonly channelArn: string;
  /** Empty: recording off. */
  readonly wantedArn: string;
}

interface Toggle extends Wanted {
  readonly fence: Fence;
}

async function resolve(job: Job, context: HandlerContext): Promise<string> {
  if (job.params.configuration === 'none') return '';
  await context.progress('find_configuration', { configuration: job.params.configuration });
  const configuration = await findRecordingConfiguration(job.params.configuration, context);
  const { state, arn } = configuration;
  const compared = { asked: { state: 'ACTIVE' }, found: { state, arn } };
  context.check('recording_configuration', state === 'ACTIVE', compared);
  assertActive(configuration);
  return configuration.arn;
}

async function plan({ job, context, channelArn, wantedArn }: Wanted): Promise<HandlerResult> {
  const channel = await context.ivs.getChannel(channelArn, { signal: context.signal });
  const live = await liveStream(context, channelArn);
  const before = { recordingConfigurationArn: channel.recordingConfigurationArn, live: live?.streamId ?? null };
  const skip = reasonToSkip(job, context, live);
  if (skip) return { ...skip, before };
  if (channel.recordingConfigurationArn === wantedArn && job.params.if_live !== 'restart') return planned([], before);
  const update = `UpdateChannel ${channelArn} recordingConfigurationArn="${wantedArn}"`;
  const verify = `GetChannel ${channelArn}`;
  if (!live) return planned([update, verify], before);
  const whenLive = {
    defer: ['wait for Stream End', update, verify],
    skip: [],
    fail: [],
    restart: [update, `StopStream ${channelArn}`, verify],
  };
  return planned(whenLive[job.params.if_live ?? 'defer'], before);
}

async function run(toggle: Toggle): Promise<HandlerResult> {
  const { job, context, channelArn, wantedArn } = toggle;
  const request = context.state.view.get(kinds.recording.of(channelArn));
  const isNewest = !request || request.decidedAtMs <= job.decidedAtMs;
  const compared = { asked: { decidedAtMs: job.decidedAtMs }, found: { newestAtMs: request?.decidedAtMs ?? null } };
  if (!context.check('newest_request', isNewest, compared)) return { outcome: 'skipped', reason: 'superseded' };
  const restarting = request?.decidedAtMs === job.decidedAtMs && request.restarting !== undefined;
  const channel = await context.ivs.getChannel(channelArn, { signal: context.signal });
  const before = { recordingConfigurationArn: channel.recordingConfigurationArn };
  const live = await liveStream(context, channelArn);
  const skip = restarting ? undefined : reasonToSkip(job, context, live);
  if (skip) return { ...skip, before };
  const set = channel.recordingConfigurationArn === wantedArn;
  context.check('recording', !set, { asked: { other: wantedArn }, found: before });
  checkLive(context, job.params.if_live === 'restart', live);
  if (live && job.params.if_live === 'restart') return restart(toggle, { live, set, before });
  if (set) {
    await settle(toggle);
    return { outcome: 'already_done', reason: 'set', before, after: before };
  }
  if (live) return whileLive(toggle, live, before);
  if (await update(toggle)) return verified(toggle, before);
  // Refused although it was offline a moment ago: it went live in between.
  const now = await liveStream(context, channelArn);
  if (!now) throw new AppError('IVS_CONFLICT', `${channelArn} refuses the change while it comes up`, postponed);
  return job.params.if_live === 'restart'
    ? restart(toggle, { live: now, set: false, before })
    : whileLive(toggle, now, before);
}

const postponed = { disposition: { kind: 'retry-after', delayMs: 2_000 } } as const;

async function whileLive(toggle: Toggle, live: LiveStream, before: unknown): Promise<HandlerResult> {
  const { job, channelArn } = toggle;
  if (job.params.if_live === 'skip') return { outcome: 'skipped', reason: 'live', streamId: live.streamId, before };
  if (job.params.if_live === 'fail')
    throw new AppError('CHANNEL_LIVE', `${channelArn} is live (${live.streamId}), and if_live is "fail"`);
  return defer(toggle, live, before);
}

async function defer(toggle: Toggle, live: LiveStream, before: unknown, reason = 'live'): Promise<HandlerResult> {
  const { job, context, channelArn, wantedArn, fence } = toggle;
  const summary = wantedArn === '' ? 'recording off' : `record with ${job.params.configuration}`;
  let intentId = '';
  await context.progress('defer', { streamId: live.streamId, summary });
  await fence.commit((tx) => {
    intentId = deferJob(tx, { ...job, streamId: live.streamId }, summary).id;
    tx.set(kinds.recording.of(channelArn), {
      decidedAtMs: job.decidedAtMs,
      configurationArn: wantedArn,
    });
  });
  return { outcome: 'deferred', reason, until: 'Stream End', streamId: live.streamId, intentId, before };
}

/** Stops the stream so that the encoder's reconnect starts one that records as wanted. */
async function restart(
  toggle: Toggle,
  { live: first, set: alreadySet, before }: { live: LiveStream; set: boolean; before: unknown },
): Promise<HandlerResult> {
  const { context, channelArn, wantedArn } = toggle;
  const { signal } = context;
  let live: LiveStream | undefined = first;
  let set = alreadySet;
  for (let stops = 0; live; stops += 1) {
    if (set) {
      const session = await context.ivs.getStreamSession(channelArn, live.streamId, { signal });
      const isRecording = session.recordingConfigurationArn === wantedArn;
      const found = { streamId: live.streamId, recordingConfigurationArn: session.recordingConfigurationArn };
      context.check('session_recording', !isRecording, { asked: { other: wantedArn }, found });
      if (isRecording) return verified(toggle, before);
    } else set = await update(toggle);
    if (stops === maxRestarts) return defer(toggle, live, before, 'encoder_reconnects_too_fast');
    await noteRestart(toggle, live.streamId);
    await context.progress('stop_stream', { streamId: live.streamId });
    await context.ivs.stopStream(channelArn, { signal }).catch((error: unknown) => {
      if (!isCode(error, 'IVS_NOT_BROADCASTING')) throw error;
    });
    if (set) return verified(toggle, before);
    live = await updateBeforeReconnect(toggle);
    set = live === undefined;
  }
  return verified(toggle, before);
}

/** Tries until the channel takes the change; returns the stream that came back first, if one did. */
async function updateBeforeReconnect(toggle: Toggle): Promise<LiveStream | undefined> {
  const { context, channelArn } = toggle;
  for (let attempt = 0; ; attempt += 1) {
    if (await update(toggle)) return undefined;
    // Right after the stop the channel may still count as live: that passes.
    const live = attempt >= 4 ? await liveStream(context, channelArn) : undefined;
    if (live) return live;
    if (attempt > 20) throw new AppError('IVS_CONFLICT', `${channelArn} still refuses the change`, postponed);
    await context.clock.sleep(250, context.signal);
  }
}

/** Returns false when the channel is live and cannot be changed (409). */
async function update({ context, channelArn, wantedArn, fence }: Toggle): Promise<boolean> {
  await context.progress('update_channel', { recordingConfigurationArn: wantedArn });
  await fence.renew();
  try {
    await context.ivs.updateChannel(channelArn, { recordingConfigurationArn: wantedArn }, { signal: context.signal });
    return true;
  } catch (error) {
    if (isCode(error, 'IVS_CONFLICT')) return false;
    throw error;
  }
}

async function noteRestart({ job, context, channelArn, wantedArn, fence }: Toggle, streamId: string): Promise<void> {
  const request = context.state.view.get(kinds.recording.of(channelArn));
  const earlier = request?.decidedAtMs === job.decidedAtMs ? (request.restarting ?? []) : [];
  await fence.commit((tx) =>
    tx.set(kinds.recording.of(channelArn), {
      decidedAtMs: job.decidedAtMs,
      configurationArn: wantedArn,
      restarting: [...new Set([...earlier, streamId])].slice(-10),
    }),
  );
}

async function verified(toggle: Toggle, before: unknown): Promise<HandlerResult> {
  const { context, channelArn, wantedArn } = toggle;
  await context.progress('verify', { channelArn });
  const { recordingConfigurationArn } = await context.ivs.getChannel(channelArn, { signal: context.signal });
  if (recordingConfigurationArn !== wantedArn) {
    throw new AppError(
      'RECORDING_UNSETTLED',
      `${channelArn} was set to ${wantedArn || 'no recording'} and now shows ${recordingConfigurationArn || 'no recording'}`,
    );
  }
  await settle(toggle);
  return { outcome: 'done', before, after: { recordingConfigurationArn } };
}

async function settle({ job, channelArn, wantedArn, fence }: Toggle): Promise<void> {
  await fence.commit((tx) => {
    settleIntent(tx, job);
    const key = kinds.recording.of(channelArn);
    const request = tx.get(key);
    if (!request || request.decidedAtMs <= job.decidedAtMs)
      tx.set(key, { decidedAtMs: job.decidedAtMs, configurationArn: wantedArn });
  });
}
