// The line of ad breaks. InsertAdBreak allows one call a second for the whole account, so a break on N channels takes N seconds. Each job
// gets the first free turn in the commit that requests it, and the caller learns when each break will begin. If a turn is given back, the
// others keep theirs, and the next request gets it.
import type { ActionJob } from './action.ts';
import type { AdBreakRequest } from './action-memory.ts';
import { adBreakLeadMs, lastInsertedEndMs } from './ad-breaks.ts';
import { iso } from './duration.ts';
import type { StateView, Transaction } from './shared-state.ts';
import { kinds } from './state-registry.ts';

/** A turn that was not taken for this long is abandoned. */
const abandonedMs = 900_000;
const keptMs = 8 * 86_400_000;
const mostDisplaced = 10;

/** A request for a turn. */
export interface TurnRequest {
  readonly channelArn: string;
  readonly jobId: string;
  readonly durationSeconds: number;
  readonly cause: ActionJob['cause'];
  /** Time between two calls, from the quota of the account. */
  readonly spacingMs: number;
}

/**
 * Returns this job's request for the channel, with its turn; or another job's request if that job has the channel. Safe to repeat. A job
 * whose request was cancelled, or overtaken by a later one, keeps that request and gets no second turn.
 */
export function takeTurn(tx: Transaction, request: TurnRequest): AdBreakRequest {
  const { channelArn, jobId, durationSeconds, cause, spacingMs } = request;
  const key = kinds.adBreak.of(channelArn);
  const known = tx.get(key);
  const own = requestOf(tx, channelArn, jobId);
  if (own) return own;
  if (known && isAhead(known, tx.nowMs)) return known;
  const [atMs] = freeTurns(tx, { nowMs: tx.nowMs, spacingMs, count: 1 }) as [number];
  const last = lastInsertedEndMs(known);
  const placed: AdBreakRequest = {
    jobId,
    state: 'planned',
    atMs,
    placedMs: tx.nowMs,
    durationSeconds,
    cause,
    ...(last === undefined ? {} : { lastEndsAtMs: last }),
    ...(known ? displacedBy(known, tx.nowMs) : {}),
  };
  tx.set(key, placed);
  return placed;
}

/** What this job requested, even if another job has the channel by now. */
export function requestOf(view: StateView, channelArn: string, jobId: string): AdBreakRequest | undefined {
  const newest = view.get(kinds.adBreak.of(channelArn));
  return newest?.jobId === jobId ? newest : newest?.displaced?.find((request) => request.jobId === jobId);
}

function displacedBy({ displaced = [], ...newest }: AdBreakRequest, nowMs: number): Pick<AdBreakRequest, 'displaced'> {
  const mayRun = newest.state === 'inserted' || newest.state === 'unknown' ? [] : [newest];
  const all = [...mayRun, ...displaced].filter(({ atMs }) => nowMs - atMs < keptMs).slice(0, mostDisplaced);
  return all.length === 0 ? {} : { displaced: all };
}

/** The next free turns, ascending: in gaps between taken ones, and after them. */
export function freeTurns(
  view: StateView,
  { nowMs, spacingMs, count }: { readonly nowMs: number; readonly spacingMs: number; readonly count: number },
): number[] {
  const taken: number[] = [];
  let lastMs = Number.NEGATIVE_INFINITY;
  for (const [, { state, atMs }] of view.entries(kinds.adBreak)) {
    if (state === 'cancelled' || atMs <= nowMs - spacingMs) continue;
    taken.push(atMs);
    lastMs = Math.max(lastMs, atMs);
  }
  // Usually there are no gaps: then the next turns follow the last one, and nothing needs sorting.
  const isFull = (taken.length - 1) * spacingMs >= lastMs - nowMs;
  const turns: number[] = [];
  let atMs = isFull ? Math.max(nowMs, lastMs + spacingMs) : nowMs;
  const ahead = isFull ? [] : taken.sort((left, right) => left - right);
  for (const takenMs of [...ahead, Number.POSITIVE_INFINITY]) {
    for (; atMs + spacingMs <= takenMs && turns.length < count; atMs += spacingMs) turns.push(atMs);
    atMs = Math.max(atMs, takenMs + spacingMs);
  }
  return turns;
}

/** Whether another job must leave the channel to this one. */
function isAhead(request: AdBreakRequest, nowMs: number): boolean {
  return (request.state === 'planned' || request.state === 'sent') && !isAbandoned(request, nowMs);
}

/** Whether the turn is so long past that it is lost, because the daemon was down or no call could be made. */
export function isAbandoned({ atMs }: AdBreakRequest, nowMs: number): boolean {
  return nowMs - atMs >= abandonedMs;
}

/** A job has ended and inserted nothing: the channel is free for the next one. */
export function leaveLine(tx: Transaction, channelArn: string, jobId: string): void {
  const key = kinds.adBreak.of(channelArn);
  const request = tx.get(key);
  if (request?.jobId !== jobId) return;
  // What a later job must know about the channel stays.
  if (request.lastEndsAtMs === undefined && request.displaced === undefined) tx.delete(key);
  else tx.set(key, { ...request, state: 'cancelled', cancelledBy: 'the job' });
}

/** Cancels a break that was not inserted yet, for a person. Returns undefined if none is planned. */
export function cancelAdBreak(tx: Transaction, channelArn: string, who: string): AdBreakRequest | undefined {
  const request = tx.get(kinds.adBreak.of(channelArn));
  if (request?.state !== 'planned') return undefined;
  const cancelled: AdBreakRequest = { ...request, state: 'cancelled', cancelledBy: who };
  tx.set(kinds.adBreak.of(channelArn), cancelled);
  return cancelled;
}

/** Cancels all breaks of these jobs that were not inserted yet. */
export function cancelAdBreaksOf(
  tx: Transaction,
  isMeant: (jobId: string, channelArn: string) => boolean,
  who: string,
): void {
  for (const [channelArn, { state, jobId }] of Array.from(tx.entries(kinds.adBreak)))
    if (state === 'planned' && isMeant(jobId, channelArn)) cancelAdBreak(tx, channelArn, who);
}

/** Deletes what no guard needs any longer. */
export function dropOldAdBreaks(tx: Transaction): void {
  for (const [channelArn, { atMs }] of Array.from(tx.entries(kinds.adBreak)))
    if (tx.nowMs - atMs > keptMs) tx.delete(kinds.adBreak.of(channelArn));
}

/** When breaks begin: the call, and about ten seconds later the break. */
export interface PlannedAdBreak {
  readonly channelArn: string;
  readonly at: string;
  readonly startsAt: string;
  /** Time after the first break of the plan, which is also how far apart viewers of several channels see them. */
  readonly behindSeconds: number;
}

/** The plan of these channels, in the order of their turns: as they are in the line, or as they would be if they joined it now. */
export function planOf(
  view: StateView,
  channelArns: readonly string[],
  { nowMs, spacingMs, isDry }: { readonly nowMs: number; readonly spacingMs: number; readonly isDry: boolean },
): PlannedAdBreak[] {
  const free = freeTurns(view, { nowMs, spacingMs, count: channelArns.length });
  const turns = channelArns.map((channelArn, place) => {
    const placed = isDry ? undefined : view.get(kinds.adBreak.of(channelArn));
    return { channelArn, atMs: placed?.atMs ?? free[place]! };
  });
  turns.sort((a, b) => a.atMs - b.atMs);
  const firstMs = turns[0]?.atMs ?? 0;
  return turns.map(({ channelArn, atMs }) => ({
    channelArn,
    at: iso(atMs),
    startsAt: iso(atMs + adBreakLeadMs),
    behindSeconds: Math.round((atMs - firstMs) / 1000),
  }));
}
