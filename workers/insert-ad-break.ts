// insert_ad_break: one server-side ad break on the channel's live stream, when its turn in the account's queue has come.
//
// InsertAdBreak is not idempotent, and a break cannot be undone. So the job records that the call is being sent before it sends it, and
// never repeats a call with an unknown outcome: the break's event decides, received from EventBridge or listed in the session. Without an
// event the job ends as `unknown`, and a person is notified.
// https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_InsertAdBreak.html
import type { ActionJob } from '#domain/action.ts';
import type { AdBreakRequest } from '#domain/action-memory.ts';
import { freeTurns, isAbandoned, leaveLine, requestOf, takeTurn } from '#domain/ad-break-line.ts';
import { adBreakLeadMs, lastAdBreakEndMs, openIncident, whyNoAds } from '#domain/ad-breaks.ts';
import { durationMs, iso } from '#domain/duration.ts';
import { AppError } from '#domain/errors.ts';
import { awsToleranceMs } from '#domain/replica.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import type { ActionHandler, HandlerContext, HandlerResult, LiveStream } from './ports.ts';
import { channelGone, channelOf, checkLive, isCode, liveStream, planned, reasonToSkip } from './preconditions.ts';

type Job = ActionJob<'insert_ad_break'>;

interface Insertion {
  readonly job: Job;
  readonly context: HandlerContext;
  readonly channelArn: string;
  readonly durationSeconds: number;
}

/**
 * Times of events are AWS's, and Redis's clock may differ by the tolerated amount. An earlier break of the channel was inserted longer
 * ago than that: IVS accepts none while one is announced or runs.
 */
const clocksDifferMs = awsToleranceMs;
/** Between two checks for the event of a break. */
const lookEveryMs = 2_000;

export const insertAdBreak: ActionHandler<'insert_ad_break'> = async (job, context) => {
  const channelArn = channelOf(job);
  const insertion = { job, context, channelArn, durationSeconds: durationMs(job.params.duration) / 1000 };
  if (job.dryRun) return plan(insertion);
  const request = await place(insertion);
  if (request.jobId !== context.jobId)
    return { outcome: 'skipped', reason: 'ad_break_planned', at: iso(request.atMs), otherJobId: request.jobId };
  switch (request.state) {
    case 'planned':
      return inTurn(insertion, request);
    case 'sent':
      return settle(insertion, request);
    case 'cancelled':
      return { outcome: 'skipped', reason: 'cancelled', by: request.cancelledBy };
    case 'inserted':
      return { outcome: 'done', ...shown(request) };
    case 'unknown':
      return unknown(channelArn, request);
  }
};

/** Its place in the queue, taken when the job is first seen. */
async function place({ job, context, channelArn, durationSeconds }: Insertion): Promise<AdBreakRequest> {
  const { state, jobId, adBreaks } = context;
  const known = requestOf(state.view, channelArn, jobId);
  if (known) return known;
  const spacingMs = adBreaks.spacingMs();
  return state.transact((tx) => takeTurn(tx, { channelArn, jobId, durationSeconds, cause: job.cause, spacingMs }));
}

async function inTurn(insertion: Insertion, request: AdBreakRequest): Promise<HandlerResult> {
  const { job, context, channelArn } = insertion;
  const { state, adBreaks } = context;
  const waitMs = request.atMs - adBreaks.aheadMs - state.nowMs();
  if (waitMs > 0) {
    await tellPlan(context, request);
    throw new AppError('AD_BREAK_PLANNED', `the ad break on ${channelArn} has its turn at ${iso(request.atMs)}`, {
      disposition: { kind: 'retry-after', delayMs: waitMs },
    });
  }
  const isInTime = !isAbandoned(request, state.nowMs());
  if (!context.check('turn', isInTime, { asked: { at: iso(request.atMs) }, found: { now: iso(state.nowMs()) } }))
    return leave(insertion, { outcome: 'skipped', reason: 'turn_missed', at: iso(request.atMs) });
  try {
    const live = await liveStream(context, channelArn);
    const skip = reasonToSkip(job, context, live) ?? silenced(insertion) ?? inIncident(insertion) ?? tooSoon(insertion);
    if (skip) return await leave(insertion, skip);
    if (!checkLive(context, true, live) || !live)
      return await leave(insertion, { outcome: 'skipped', reason: 'offline' });
    await assertPossible(insertion);
    return await insert(insertion, live);
  } catch (error) {
    if (!isCode(error, 'IVS_NOT_FOUND')) throw error;
    return leave(insertion, channelGone(channelArn));
  }
}

function tellPlan(context: HandlerContext, { atMs, durationSeconds }: AdBreakRequest): Promise<void> {
  return context.progress('planned', { at: iso(atMs), startsAt: iso(atMs + adBreakLeadMs), durationSeconds });
}

/** A silence that began while the break waited for its turn. */
function silenced({ job, context, channelArn }: Insertion): HandlerResult | undefined {
  if (job.cause.kind !== 'rule') return undefined;
  const silence = context.silenceOf({ rule: job.cause.rule, action: job.action, channelArn });
  const found = silence ? { silence: silence.id, by: silence.author, why: silence.reason } : {};
  if (context.check('silence', !silence, { asked: { silenced: false }, found })) return undefined;
  return { outcome: 'skipped', reason: 'silenced', ...found };
}

/** Rules insert no ads while many channels are in trouble together. */
function inIncident({ job, context }: Insertion): HandlerResult | undefined {
  if (job.cause.kind !== 'rule') return undefined;
  const incident = openIncident(context.state.view);
  const found = incident ? { incident: incident.id, text: incident.text } : {};
  if (context.check('incident', !incident, { asked: { incident: 'none' }, found })) return undefined;
  return { outcome: 'skipped', reason: 'incident_open', ...found };
}

/** The rule's `min_gap`, by what is known now: other rules and people insert breaks too. */
function tooSoon({ job, context, channelArn }: Insertion): HandlerResult | undefined {
  const { minGapMs = 0 } = job;
  if (minGapMs === 0) return undefined;
  const { state } = context;
  const endedMs = lastAdBreakEndMs(state.view, channelArn);
  const isOver = endedMs === undefined || state.nowMs() - endedMs >= minGapMs;
  const found = { lastEndsAt: endedMs === undefined ? null : iso(endedMs) };
  if (context.check('min_gap', isOver, { asked: { minGapMs }, found })) return undefined;
  return { outcome: 'skipped', reason: 'min_gap', ...found };
}

/** @throws AppError AD_BREAK_IMPOSSIBLE for a channel that cannot have ads */
async function assertPossible({ context, channelArn }: Insertion): Promise<void> {
  const { adConfigurationArn, containerFormat } = await context.ivs.getChannel(channelArn, { signal: context.signal });
  const found = { adConfigurationArn, containerFormat };
  const problem = whyNoAds(found);
  context.check('ads', problem === undefined, { asked: { adConfigurationArn: 'any', containerFormat: 'TS' }, found });
  if (problem !== undefined) throw new AppError('AD_BREAK_IMPOSSIBLE', `${channelArn} ${problem}`);
}

async function insert(insertion: Insertion, { streamId }: LiveStream): Promise<HandlerResult> {
  const { context, channelArn, durationSeconds } = insertion;
  const { ivs, signal, state } = context;
  await context.progress('insert_ad_break', { streamId, durationSeconds });
  const sent = await change(insertion, ['planned'], (request, { nowMs }) => ({
    ...request,
    state: 'sent',
    streamId,
    sentMs: nowMs,
  }));
  // Cancelled, or taken by another replica's run of this same job.
  if (!sent) throw new AppError('AD_BREAK_PLANNED', `the ad break on ${channelArn} was changed meanwhile`, again);
  let went = false;
  const confirm = (): void => {
    went = true;
  };
  try {
    const { adBreakId } = await ivs.insertAdBreak(channelArn, durationSeconds, { signal, confirm });
    const inserted = await noteInserted(insertion, { adBreakId, insertedMs: state.nowMs() });
    return { outcome: 'done', ...shown(inserted), before: { live: streamId }, after: { adBreakId } };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code === 'IVS_CONFLICT') {
      // Only one break can run: the requested break exists, whoever inserted it.
      await noteInserted(insertion, { insertedMs: state.nowMs() });
      return { outcome: 'already_done', reason: 'ad_break_running' };
    }
    if (error.code === 'IVS_NOT_BROADCASTING') return leave(insertion, { outcome: 'skipped', reason: 'offline' });
    if (went && !wasRefused(error)) {
      // The daemon is stopping, or the answer could not be recorded: the next run finds out.
      if (!error.code.startsWith('IVS_')) throw error;
      return settle(insertion, sent);
    }
    await change(insertion, ['sent'], ({ sentMs: _sent, ...request }) => ({ ...request, state: 'planned' }));
    throw error;
  }
}

const again = { disposition: { kind: 'retry-after', delayMs: 500 } } as const;
const refusals: ReadonlySet<AppError['code']> = new Set([
  'IVS_THROTTLED',
  'IVS_NOT_FOUND',
  'IVS_ACCESS_DENIED',
  'IVS_PENDING_VERIFICATION',
  'IVS_QUOTA_EXCEEDED',
  'IVS_REQUEST_INVALID',
]);

/** Whether there is certainly no break: the call was not sent after all, or IVS refused it. */
function wasRefused({ code, details }: AppError): boolean {
  // Its permit came too late to be used, or the run had to end before the moment to send: only the client says that a call was sent.
  const endedWaiting =
    code.startsWith('LIMITER_') || ((code === 'INTERRUPTED' || code === 'JOB_TIMED_OUT') && !details['sent']);
  return endedWaiting || details['sent'] === false || refusals.has(code);
}

/** The call was sent and its outcome is unknown: only the break's event can tell. */
async function settle(insertion: Insertion, request: AdBreakRequest): Promise<HandlerResult> {
  const { context, channelArn } = insertion;
  const { state, adBreaks } = context;
  const { sentMs = request.atMs } = request;
  const event = await eventOf(insertion, request);
  if (event) {
    const inserted = await noteInserted(insertion, event);
    return { outcome: 'done', reason: event.told, ...shown(inserted) };
  }
  const leftMs = sentMs + adBreaks.eventWindowMs - state.nowMs();
  if (leftMs > 0)
    throw new AppError(
      'AD_BREAK_UNCERTAIN',
      `InsertAdBreak on ${channelArn} gave no answer: the job waits for its event`,
      {
        disposition: { kind: 'retry-after', delayMs: Math.min(lookEveryMs, leftMs) },
      },
    );
  await change(insertion, ['sent'], (sent) => ({ ...sent, state: 'unknown' }));
  // Another run of this job may have received the answer.
  const ended = requestOf(state.view, channelArn, context.jobId);
  return ended?.state === 'inserted' ? { outcome: 'done', ...shown(ended) } : unknown(channelArn, request);
}

interface Told {
  readonly adBreakId?: string;
  readonly insertedMs: number;
  readonly endsAtMs?: number;
  readonly told: string;
}

/** The event of the break, from EventBridge or as IVS lists it in the session. */
async function eventOf(
  { context, channelArn }: Insertion,
  { sentMs = 0, streamId }: AdBreakRequest,
): Promise<Told | undefined> {
  const { state, ivs, signal, adBreaks } = context;
  const isOurs = (ms: number) => ms >= sentMs - clocksDifferMs && ms <= sentMs + adBreaks.eventWindowMs;
  const told = state.view.get(kinds.stream.of(channelArn))?.adBreaks?.findLast((each) => isOurs(each.insertedAtMs));
  if (told)
    return { adBreakId: told.id, insertedMs: told.insertedAtMs, endsAtMs: told.endsAtMs, told: 'its event came' };
  try {
    const { events } = await ivs.getStreamSession(channelArn, streamId, { signal });
    const listed = events.find(({ name, timeMs }) => name === 'Ad Break Inserted' && isOurs(timeMs));
    return listed && { insertedMs: listed.timeMs, told: 'IVS lists its event' };
  } catch (error) {
    // The session cannot be read now: EventBridge may still report the break, and the job must not end as if nothing had been inserted.
    if (error instanceof AppError && /^(?:IVS|LIMITER)_/.test(error.code)) return undefined;
    throw error;
  }
}

function unknown(channelArn: string, { sentMs = 0 }: AdBreakRequest): HandlerResult {
  return {
    outcome: 'unknown',
    reason: `InsertAdBreak on ${channelArn} was sent at ${iso(sentMs)}, but neither its answer nor its event came: it was not sent again`,
  };
}

function noteInserted(insertion: Insertion, told: Omit<Told, 'told'>): Promise<AdBreakRequest | undefined> {
  const { adBreakId, insertedMs, endsAtMs = insertedMs + adBreakLeadMs + insertion.durationSeconds * 1000 } = told;
  const known = adBreakId === undefined ? {} : { adBreakId };
  return change(insertion, ['sent'], (request) => ({ ...request, ...known, state: 'inserted', insertedMs, endsAtMs }));
}

function shown(request: AdBreakRequest | undefined): { adBreakId?: string; startsAt?: string; endsAt?: string } {
  const { adBreakId, insertedMs, endsAtMs } = request ?? {};
  return {
    ...(adBreakId === undefined ? {} : { adBreakId }),
    ...(insertedMs === undefined ? {} : { startsAt: iso(insertedMs + adBreakLeadMs) }),
    ...(endsAtMs === undefined ? {} : { endsAt: iso(endsAtMs) }),
  };
}

/** Changes the request of this job, if it is still in one of these states. */
function change(
  { context, channelArn }: Insertion,
  states: readonly AdBreakRequest['state'][],
  next: (request: AdBreakRequest, tx: Transaction) => AdBreakRequest,
): Promise<AdBreakRequest | undefined> {
  return context.state.transact((tx) => {
    const request = tx.get(kinds.adBreak.of(channelArn));
    if (request?.jobId !== context.jobId || !states.includes(request.state)) return undefined;
    const changed = next(request, tx);
    tx.set(kinds.adBreak.of(channelArn), changed);
    return changed;
  });
}

/** Nothing was inserted: the channel is free for the next one. */
async function leave(insertion: Insertion, result: HandlerResult): Promise<HandlerResult> {
  const { context, channelArn } = insertion;
  await context.state.transact((tx) => leaveLine(tx, channelArn, context.jobId));
  return result;
}

async function plan({ job, context, channelArn, durationSeconds }: Insertion): Promise<HandlerResult> {
  const { state } = context;
  try {
    const live = await liveStream(context, channelArn);
    const { adConfigurationArn, containerFormat } = await context.ivs.getChannel(channelArn, {
      signal: context.signal,
    });
    const before = { live: live?.streamId ?? null, adConfigurationArn, containerFormat };
    const skip = reasonToSkip(job, context, live);
    if (skip) return { ...skip, before };
    if (!checkLive(context, true, live)) return { outcome: 'skipped', reason: 'offline', before };
    const problem = whyNoAds(before);
    if (problem !== undefined) throw new AppError('AD_BREAK_IMPOSSIBLE', `${channelArn} ${problem}`);
    const turn = { nowMs: state.nowMs(), spacingMs: context.adBreaks.spacingMs(), count: 1 };
    const [atMs] = freeTurns(state.view, turn) as [number];
    const calls = [`InsertAdBreak ${channelArn} durationSeconds=${durationSeconds}`];
    return { ...planned(calls, before), at: iso(atMs), startsAt: iso(atMs + adBreakLeadMs) };
  } catch (error) {
    if (isCode(error, 'IVS_NOT_FOUND')) return channelGone(channelArn);
    throw error;
  }
}
