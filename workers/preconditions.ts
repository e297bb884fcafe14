// What must be true right before an action acts: no pause or hold, the channel exists, is live or not, with this stream, and `only_if` is
// true. Read from IVS at that time, not from the record of the stream.
import type { ActionJob, ActionName } from '#domain/action.ts';
import { holdTag, isOnHold, readHold, readPause } from '#domain/controls-in-force.ts';
import { type StreamDocument, timesOfStream } from '#domain/documents.ts';
import { AppError } from '#domain/errors.ts';
import { settledAfterRepairMs } from '#domain/state-loss.ts';
import { kinds } from '#domain/state-registry.ts';
import { adBreakAt, type StreamRecord } from '#domain/stream-record.ts';
import type { HandlerContext, HandlerResult, LiveStream } from './ports.ts';

/** The channel a job is about. @throws AppError ACTION_NEEDS_CHANNEL */
export function channelOf(job: ActionJob): string {
  if (job.channelArn === undefined)
    throw new AppError('ACTION_NEEDS_CHANNEL', `${job.action} needs a channel, and its cause names none`);
  return job.channelArn;
}

export function isCode(error: unknown, code: AppError['code']): boolean {
  return error instanceof AppError && error.code === code;
}

/** The channel's live stream according to GetStream now, or undefined if it is offline. */
export async function liveStream(context: HandlerContext, channelArn: string): Promise<LiveStream | undefined> {
  try {
    return await context.ivs.getStream(channelArn, { signal: context.signal });
  } catch (error) {
    if (isCode(error, 'IVS_NOT_BROADCASTING')) return undefined;
    throw error;
  }
}

/**
 * Why a destructive action must not continue, or undefined. Reasons: a pause or hold began meanwhile, another stream than the one it was
 * decided for is live, or `only_if` does not hold. Call it only before the first change: the action's own steps may change the answer.
 */
export function reasonToSkip(
  job: ActionJob,
  context: HandlerContext,
  live: LiveStream | undefined,
): HandlerResult | undefined {
  const skipped = skippedByControls(job, context);
  if (skipped) return skipped;
  const { streamId } = job;
  const compared = { asked: { streamId }, found: { streamId: live?.streamId ?? null } };
  if (streamId !== undefined && !context.check('session', !live || live.streamId === streamId, compared)) {
    return {
      outcome: 'skipped',
      reason: 'another_session_live',
      decidedFor: streamId,
      live: live?.streamId,
    };
  }
  return onlyIfFails(job, context, live);
}

/** Holds and the pause that began after the decision. An operator's request is carried out anyway. @throws AppError STATE_LOST: later */
export function skippedByControls(
  job: ActionJob,
  context: Pick<HandlerContext, 'state' | 'check'>,
): HandlerResult | undefined {
  if (job.cause.kind !== 'rule') return undefined;
  const { state } = context;
  const pause = readPause(state.view);
  const paused = { paused: pause !== undefined, ...(pause ? { by: pause.who, reason: pause.reason } : {}) };
  if (!context.check('pause', !pause, { asked: { paused: false }, found: paused }))
    return { outcome: 'skipped', reason: 'paused' };
  const settlesInMs = settledAfterRepairMs(state.view) - state.nowMs();
  if (settlesInMs > 0)
    throw new AppError(
      'STATE_LOST',
      'the shared state was repaired a moment ago: another replica may know of more holds',
      {
        disposition: { kind: 'retry-after', delayMs: settlesInMs },
      },
    );
  const { channelArn } = job;
  // For metadata, put_metadata itself leaves out targets on hold.
  if (job.action === 'put_metadata' || channelArn === undefined) return undefined;
  const hold = readHold(state.view, channelArn, state.nowMs());
  const isHeld = isOnHold(state.view, channelArn, state.nowMs());
  const by = hold ? { by: hold.who, reason: hold.reason } : isHeld ? { by: `the tag ${holdTag}` } : {};
  if (context.check('hold', !isHeld, { asked: { held: false }, found: { held: isHeld, ...by } })) return undefined;
  return { outcome: 'skipped', reason: 'held', channelArn };
}

/** The result of a job whose `only_if` does not hold now, or undefined. */
function onlyIfFails(job: ActionJob, context: HandlerContext, live: LiveStream | undefined): HandlerResult | undefined {
  if (job.onlyIf === undefined) return undefined;
  const { state } = context;
  const record = job.channelArn === undefined ? undefined : state.view.get(kinds.stream.of(job.channelArn));
  const document = documentOf(live, record, state.nowMs());
  const holds = context.matcher(job.onlyIf).match(document);
  if (context.check('only_if', holds, { asked: job.onlyIf, found: { ...document } })) return undefined;
  return { outcome: 'skipped', reason: 'only_if_false', observed: document };
}

/** People are still notified of what was decided before the pause or the hold. */
const telling: ReadonlySet<ActionName> = new Set(['notify', 'capture_session', 'report']);

/** Holds, the pause and `only_if` for actions that do not read the stream otherwise. */
export async function onlyIfFailsFresh(job: ActionJob, context: HandlerContext): Promise<HandlerResult | undefined> {
  const skipped = telling.has(job.action) ? undefined : skippedByControls(job, context);
  if (skipped) return skipped;
  if (job.onlyIf === undefined || job.channelArn === undefined) return undefined;
  try {
    return onlyIfFails(job, context, await liveStream(context, job.channelArn));
  } catch (error) {
    if (isCode(error, 'IVS_NOT_FOUND')) return channelGone(job.channelArn);
    throw error;
  }
}

const putOffMs = 30_000;

/**
 * For what an earlier run has left for later, such as the end of a grace period: a pause or a hold postpones it, since nobody requests it
 * a second time. `only_if` was judged then.
 * @throws AppError CONTROLS_CHANGED: later
 */
export function putOffByControls(job: ActionJob, context: HandlerContext): void {
  const skipped = skippedByControls(job, context);
  if (!skipped) return;
  throw new AppError('CONTROLS_CHANGED', `the rest of ${job.action} waits: ${skipped.reason}`, {
    disposition: { kind: 'retry-after', delayMs: putOffMs },
  });
}

/** Whether the channel is live, as a check: `wanted` is what the action asks for. */
export function checkLive(context: HandlerContext, wanted: boolean, live: LiveStream | undefined): boolean {
  const found = live
    ? {
        live: true,
        streamId: live.streamId,
        health: live.health,
        ...(live.viewerCount === undefined ? {} : { viewerCount: live.viewerCount }),
      }
    : { live: false };
  return context.check('live', (live !== undefined) === wanted, { asked: { live: wanted }, found });
}

/** The result for a channel that was deleted meanwhile: nothing is left to do. */
export function channelGone(channelArn: string): HandlerResult {
  return { outcome: 'skipped', reason: 'channel_gone', channelArn };
}

/** The result of a dry run. */
export function planned(calls: readonly string[], before: unknown): HandlerResult {
  return { outcome: 'skipped', reason: 'dry_run', calls, before };
}

/** The stream's document according to IVS now; the recording's state is the record's, if it is about the same stream. */
function documentOf(live: LiveStream | undefined, record: StreamRecord | undefined, nowMs: number): StreamDocument {
  if (!live) {
    if (!record) return { live: false, state: 'offline', recording: 'none' };
    const { streamId, recording, failureReason } = record;
    // IVS decides, even if a record still says live.
    const state = record.state === 'live' ? 'ended' : record.state;
    return {
      live: false,
      state,
      streamId,
      recording,
      ...timesOfStream(record.startedAtMs, { live: false, nowMs }),
      ...(failureReason === undefined ? {} : { failureReason }),
    };
  }
  const known = record?.streamId === live.streamId ? record : undefined;
  return {
    live: true,
    state: 'live',
    streamId: live.streamId,
    ...timesOfStream(live.startTimeMs, { live: true, nowMs }),
    ...(known ? { adBreak: adBreakAt(known, nowMs) !== undefined } : {}),
    health: live.health as NonNullable<StreamDocument['health']>,
    ...(live.viewerCount === undefined ? {} : { viewerCount: live.viewerCount }),
    recording: known?.recording ?? 'none',
  };
}
