// A setting of a channel that takes effect with its next stream: recording, ads, playback restriction. On a live channel the job waits for
// the end of the stream, unless requested otherwise.
//
// AWS documents two behaviours of UpdateChannel on a live channel: refused (409), or accepted without effect on the running stream. Neither
// is relied on: the live state is read first, a 409 means "live after all", and `restart` checks in the session itself (GetStreamSession)
// whether it has the setting.
import type { ActionJob } from '#domain/action.ts';
import type { SettingRequest } from '#domain/action-memory.ts';
import type { ChannelArn } from '#domain/channel.ts';
import { AppError } from '#domain/errors.ts';
import type { Kind } from '#domain/state-key.ts';
import { kinds } from '#domain/state-registry.ts';
import { deferJob, dropIntents, settleIntent, wasCancelled } from './intents.ts';
import { type Fence, withLease } from './lease.ts';
import type { ActionHandler, ChannelDetails, HandlerContext, HandlerResult, LiveStream } from './ports.ts';
import { channelGone, channelOf, checkLive, isCode, liveStream, planned, reasonToSkip } from './preconditions.ts';

export type SettingAction = 'set_recording' | 'set_ad_configuration' | 'set_playback_restriction';
export type SettingMember = 'recordingConfigurationArn' | 'adConfigurationArn' | 'playbackRestrictionPolicyArn';
type Job = ActionJob<SettingAction>;

/** One such setting. */
export interface ChannelSetting<N extends SettingAction> {
  /** A member of Channel and UpdateChannel: an ARN, or empty for none. */
  readonly member: SettingMember;
  /** Its name among the checks. */
  readonly check: string;
  readonly memory: Kind<SettingRequest, ChannelArn>;
  /** The ARN that the job asks for, empty for none. @throws AppError if there is no such resource */
  resolve(params: ActionJob<N>['params'], context: HandlerContext): Promise<string>;
  /** What waits for the end of a stream, such as `record with prod-s3`. */
  summary(params: ActionJob<N>['params'], wantedArn: string): string;
  /** @throws AppError when this channel cannot have it */
  assertPossible?(channel: ChannelDetails): void;
}

/** How often `restart` stops an encoder that returned before the channel could be changed. */
const maxRestarts = 3;

/** The handler of the action that sets it. */
export function channelSettingHandler<N extends SettingAction>(setting: ChannelSetting<N>): ActionHandler<N> {
  return async (job, context) => {
    const channelArn = channelOf(job);
    if (wasCancelled(context, job)) return { outcome: 'skipped', reason: 'intent_cancelled' };
    const wantedArn = await setting.resolve(job.params, context);
    const summary = setting.summary(job.params, wantedArn);
    const wanted: Wanted = { job, context, channelArn, wantedArn, summary, setting };
    try {
      if (job.dryRun) return await plan(wanted);
      return await withLease(context, channelArn, (fence) => run({ ...wanted, fence }));
    } catch (error) {
      if (!isCode(error, 'IVS_NOT_FOUND')) throw error;
      await context.state.transact((tx) => {
        dropIntents(tx, channelArn);
        for (const memory of [kinds.recording, kinds.adConfiguration, kinds.playbackRestriction])
          if (tx.get(memory.of(channelArn)) !== undefined) tx.delete(memory.of(channelArn));
      });
      return channelGone(channelArn);
    }
  };
}

interface Wanted {
  readonly job: Job;
  readonly context: HandlerContext;
  readonly channelArn: string;
  /** Empty: none. */
  readonly wantedArn: string;
  readonly summary: string;
  readonly setting: Pick<ChannelSetting<never>, 'member' | 'check' | 'memory' | 'assertPossible'>;
}

interface Toggle extends Wanted {
  readonly fence: Fence;
}

async function plan({ job, context, channelArn, wantedArn, setting }: Wanted): Promise<HandlerResult> {
  const { member } = setting;
  const channel = await context.ivs.getChannel(channelArn, { signal: context.signal });
  if (wantedArn !== '') setting.assertPossible?.(channel);
  const live = await liveStream(context, channelArn);
  const before = { [member]: channel[member], live: live?.streamId ?? null };
  const skip = reasonToSkip(job, context, live);
  if (skip) return { ...skip, before };
  if (channel[member] === wantedArn && job.params.if_live !== 'restart') return planned([], before);
  const update = `UpdateChannel ${channelArn} ${member}="${wantedArn}"`;
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
  const { job, context, channelArn, wantedArn, setting } = toggle;
  const { member } = setting;
  const request = context.state.view.get(setting.memory.of(channelArn));
  const isNewest = !request || request.decidedAtMs <= job.decidedAtMs;
  const compared = { asked: { decidedAtMs: job.decidedAtMs }, found: { newestAtMs: request?.decidedAtMs ?? null } };
  if (!context.check('newest_request', isNewest, compared)) return { outcome: 'skipped', reason: 'superseded' };
  const restarting = request?.decidedAtMs === job.decidedAtMs && request.restarting !== undefined;
  const channel = await context.ivs.getChannel(channelArn, { signal: context.signal });
  if (wantedArn !== '') setting.assertPossible?.(channel);
  const before = { [member]: channel[member] };
  const live = await liveStream(context, channelArn);
  const skip = restarting ? undefined : reasonToSkip(job, context, live);
  if (skip) return { ...skip, before };
  const set = channel[member] === wantedArn;
  context.check(setting.check, !set, { asked: { other: wantedArn }, found: before });
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
  const { job, context, channelArn, wantedArn, summary, setting, fence } = toggle;
  let intentId = '';
  await context.progress('defer', { streamId: live.streamId, summary });
  await fence.commit((tx) => {
    intentId = deferJob(tx, { ...job, streamId: live.streamId }, summary).id;
    tx.set(setting.memory.of(channelArn), {
      decidedAtMs: job.decidedAtMs,
      configurationArn: wantedArn,
    });
  });
  return { outcome: 'deferred', reason, until: 'Stream End', streamId: live.streamId, intentId, before };
}

/** Stops the stream, so that the encoder's reconnect starts one with the setting. */
async function restart(
  toggle: Toggle,
  { live: first, set: alreadySet, before }: { live: LiveStream; set: boolean; before: unknown },
): Promise<HandlerResult> {
  const { context, channelArn } = toggle;
  const { signal } = context;
  let live: LiveStream | undefined = first;
  let set = alreadySet;
  let stopped: string | undefined;
  const done = async () => ({ ...(await verified(toggle, before)), stopped });
  for (let stops = 0; live; stops += 1) {
    if (set && (await sessionHasIt(toggle, live))) return done();
    if (!set) set = await update(toggle);
    if (stops === maxRestarts) return defer(toggle, live, before, 'encoder_reconnects_too_fast');
    await noteRestart(toggle, live.streamId);
    await context.progress('stop_stream', { streamId: live.streamId });
    try {
      await context.ivs.stopStream(channelArn, { signal });
      stopped = live.streamId;
    } catch (error) {
      if (!isCode(error, 'IVS_NOT_BROADCASTING')) throw error;
    }
    if (set) return done();
    live = await updateBeforeReconnect(toggle);
    set = live === undefined;
  }
  return done();
}

/** Whether the running session began with the setting. If IVS does not say: whether it is a session that came back after our stop. */
async function sessionHasIt(
  { job, context, channelArn, wantedArn, setting }: Toggle,
  live: LiveStream,
): Promise<boolean> {
  const session = await context.ivs.getStreamSession(channelArn, live.streamId, { signal: context.signal });
  const arn = session[setting.member];
  const request = context.state.view.get(setting.memory.of(channelArn));
  const stopped = request?.decidedAtMs === job.decidedAtMs ? (request.restarting ?? []) : [];
  const hasIt = arn === undefined ? stopped.length > 0 && !stopped.includes(live.streamId) : arn === wantedArn;
  const found = { streamId: live.streamId, [setting.member]: arn ?? null };
  context.check(`session_${setting.check}`, !hasIt, { asked: { other: wantedArn }, found });
  return hasIt;
}

/** Tries until the channel accepts the change; returns the stream that came back first, if one did. */
async function updateBeforeReconnect(toggle: Toggle): Promise<LiveStream | undefined> {
  const { context, channelArn } = toggle;
  for (let attempt = 0; ; attempt += 1) {
    if (await update(toggle)) return undefined;
    // Right after the stop the channel may still count as live: that is temporary.
    const live = attempt >= 4 ? await liveStream(context, channelArn) : undefined;
    if (live) return live;
    if (attempt > 20) throw new AppError('IVS_CONFLICT', `${channelArn} still refuses the change`, postponed);
    await context.clock.sleep(250, context.signal);
  }
}

/** Returns false if the channel is live and cannot be changed (409). */
async function update({ context, channelArn, wantedArn, setting, fence }: Toggle): Promise<boolean> {
  const change = { [setting.member]: wantedArn };
  await context.progress('update_channel', change);
  await fence.renew();
  try {
    await context.ivs.updateChannel(channelArn, change, { signal: context.signal });
    return true;
  } catch (error) {
    if (isCode(error, 'IVS_CONFLICT')) return false;
    throw error;
  }
}

async function noteRestart(
  { job, context, channelArn, wantedArn, setting, fence }: Toggle,
  streamId: string,
): Promise<void> {
  const request = context.state.view.get(setting.memory.of(channelArn));
  const earlier = request?.decidedAtMs === job.decidedAtMs ? (request.restarting ?? []) : [];
  await fence.commit((tx) =>
    tx.set(setting.memory.of(channelArn), {
      decidedAtMs: job.decidedAtMs,
      configurationArn: wantedArn,
      restarting: [...new Set([...earlier, streamId])].slice(-10),
    }),
  );
}

async function verified(toggle: Toggle, before: unknown): Promise<HandlerResult> {
  const { context, channelArn, wantedArn, setting } = toggle;
  await context.progress('verify', { channelArn });
  const { [setting.member]: found } = await context.ivs.getChannel(channelArn, { signal: context.signal });
  if (found !== wantedArn) {
    throw new AppError(
      setting.member === 'recordingConfigurationArn' ? 'RECORDING_UNSETTLED' : 'CHANNEL_SETTING_UNSETTLED',
      `${setting.member} of ${channelArn} was set to ${wantedArn || 'none'} and is now ${found || 'none'}`,
    );
  }
  await settle(toggle);
  return { outcome: 'done', before, after: { [setting.member]: found } };
}

async function settle({ job, channelArn, wantedArn, setting, fence }: Toggle): Promise<void> {
  await fence.commit((tx) => {
    settleIntent(tx, job);
    const key = setting.memory.of(channelArn);
    const request = tx.get(key);
    if (!request || request.decidedAtMs <= job.decidedAtMs)
      tx.set(key, { decidedAtMs: job.decidedAtMs, configurationArn: wantedArn });
  });
}
