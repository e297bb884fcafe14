// The line of ad breaks. InsertAdBreak has one call a second for the whole account, so a break on N channels takes N seconds: each
// job gets its turn when it is first heard of, and whoever asks is told when each break comes. A turn that is given back stays empty:
// the times of the others hold.
import type { ActionJob } from '#domain/action.ts';
import type { AdBreakRequest } from '#domain/action-memory.ts';
import { adBreakLeadMs, lastInsertedEndMs } from '#domain/ad-breaks.ts';
import { iso } from '#domain/duration.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';
import { kinds, notes } from '#domain/state-registry.ts';

/** A turn that nobody took for so long is nobody's. */
const abandonedMs = 900_000;
const keptMs = 8 * 86_400_000;

/** What takes a place in the line. */
export interface TurnRequest {
  readonly channelArn: string;
  readonly jobId: string;
  readonly durationSeconds: number;
  readonly cause: ActionJob['cause'];
  /** Between two calls, by the quota of the account. */
  readonly spacingMs: number;
}

/** The request of this job for the channel, with its turn; another job's when that one has the channel. Harmless to repeat. */
export function takeTurn(tx: Transaction, request: TurnRequest): AdBreakRequest {
  const { channelArn, jobId, durationSeconds, cause, spacingMs } = request;
  const key = kinds.adBreak.of(channelArn);
  const known = tx.get(key);
  if (known && (known.jobId === jobId || isAhead(known, tx.nowMs))) return known;
  const atMs = nextTurnMs(tx, tx.nowMs);
  const last = lastInsertedEndMs(known);
  const placed: AdBreakRequest = {
    jobId,
    state: 'planned',
    atMs,
    placedMs: tx.nowMs,
    durationSeconds,
    cause,
    ...(last === undefined ? {} : { lastEndsAtMs: last }),
  };
  tx.set(key, placed);
  tx.set(notes.adBreakLine, { nextMs: atMs + spacingMs });
  return placed;
}

/** When the next one that joins the line has its turn. */
export function nextTurnMs(view: StateView, nowMs: number): number {
  return Math.max(nowMs, view.get(notes.adBreakLine)?.nextMs ?? 0);
}

/** Whether another job must leave the channel to this one. */
function isAhead({ state, atMs }: AdBreakRequest, nowMs: number): boolean {
  return (state === 'planned' || state === 'sent') && nowMs - atMs < abandonedMs;
}

/** A person takes back a break that has not been inserted. Returns undefined when none is planned. */
export function cancelAdBreak(tx: Transaction, channelArn: string, who: string): AdBreakRequest | undefined {
  const request = tx.get(kinds.adBreak.of(channelArn));
  if (request?.state !== 'planned') return undefined;
  const cancelled: AdBreakRequest = { ...request, state: 'cancelled', cancelledBy: who };
  tx.set(kinds.adBreak.of(channelArn), cancelled);
  return cancelled;
}

/** Forgets what no guard asks for any more. */
export function dropOldAdBreaks(tx: Transaction): void {
  for (const [channelArn, { atMs }] of Array.from(tx.entries(kinds.adBreak)))
    if (tx.nowMs - atMs > keptMs) tx.delete(kinds.adBreak.of(channelArn));
}

/** When breaks come: the call, and about ten seconds later the break. */
export interface PlannedAdBreak {
  readonly channelArn: string;
  readonly at: string;
  readonly startsAt: string;
  /** After the first one of the plan: viewers of several channels see them so far apart. */
  readonly behindSeconds: number;
}

/** The plan of these channels, in the order of their turns: as they stand in the line, or as they would if they joined it now. */
export function planOf(
  view: StateView,
  channelArns: readonly string[],
  { nowMs, spacingMs, isDry }: { readonly nowMs: number; readonly spacingMs: number; readonly isDry: boolean },
): PlannedAdBreak[] {
  const fromMs = nextTurnMs(view, nowMs);
  const turns = channelArns.map((channelArn, place) => {
    const placed = isDry ? undefined : view.get(kinds.adBreak.of(channelArn));
    return { channelArn, atMs: placed?.atMs ?? fromMs + place * spacingMs };
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
