// Data gaps: a source that went silent. While one is open, nothing is concluded from missing data: records are stale, and
// timers freeze (src/rules). Gaps open and close here only, by the age of what was last seen; a gap begins with the last data.
import type { DataSource } from '#domain/observation.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';
import { kinds, notes } from '#domain/state-registry.ts';
import type { Gap, QueueNote, SweepNote } from '#domain/stream-memory.ts';
import type { StreamChange } from '#domain/stream-record.ts';
import { noteUnseen } from './history.ts';

export interface GapOptions {
  /** Polls count as missing this long after the last complete sweep of all live streams began. */
  readonly pollSilentAfterMs: number;
  /** Events count as missing when the queue could not be read for this long; undefined: there is no queue. */
  readonly eventsSilentAfterMs: number | undefined;
}

/** Notes that the event queue was read, whether or not it held anything: a quiet queue is not a gap. */
export function noteQueueRead(tx: Transaction, { atMs, lagMs }: Required<QueueNote>): void {
  if (atMs > (tx.get(notes.queueRead)?.atMs ?? 0)) tx.set(notes.queueRead, { atMs, lagMs });
}

/** Opens and closes gaps. Call it on every tick, before anything new is applied: it writes only what changes. */
export function detectGaps(tx: Transaction, options: GapOptions): StreamChange[] {
  if (tx.get(notes.watchedSince) === undefined) tx.set(notes.watchedSince, tx.nowMs);
  return sources.flatMap((source) => judge(tx, source, silentSinceMs(tx, source, { ...options, nowMs: tx.nowMs })));
}

/**
 * Since when a source has been silent, by what is known at `nowMs`; undefined while it delivers data. It needs no watcher:
 * a replica that only serves the API says the same as those that poll.
 */
export function silentSinceMs(
  view: StateView,
  source: DataSource,
  { nowMs, pollSilentAfterMs, eventsSilentAfterMs }: GapOptions & { readonly nowMs: number },
): number | undefined {
  const sweep = view.get(notes.sweep('all'));
  const lastMs = source === 'poll' ? sweep?.startedAtMs : view.get(notes.queueRead)?.atMs;
  const dataMs = lastMs ?? view.get(notes.watchedSince) ?? nowMs;
  const silentAfterMs =
    source === 'poll' ? pollSilenceMs(sweep, pollSilentAfterMs) : (eventsSilentAfterMs ?? Number.POSITIVE_INFINITY);
  return nowMs - dataMs > silentAfterMs ? dataMs : undefined;
}

/** When polls count as silent, counted from the beginning of the last complete sweep: never before they are late. */
function pollSilenceMs(sweep: SweepNote | undefined, configuredMs: number): number {
  return Math.max(configuredMs, sweep ? (lateAfterMs(sweep) ?? 0) : 0);
}

/**
 * How old, counted from its beginning, the last complete sweep may become: older than that means that two in a row have failed. The
 * interval in force grows with the fleet, since a sweep is limited to a rate of calls; how long a throttled sweep really took counts only
 * within that interval.
 */
export function lateAfterMs({ startedAtMs, finishedAtMs, everyMs }: Omit<SweepNote, 'streams'>): number | undefined {
  return everyMs === undefined ? undefined : 2 * everyMs + Math.min(everyMs, finishedAtMs - startedAtMs);
}

/** The gap of a source, or undefined while it delivers data. */
export function gapOf(view: StateView, source: DataSource): Gap | undefined {
  return view.get(kinds.gap.of(source));
}

const sources = ['poll', 'events'] as const;

function judge(tx: Transaction, source: DataSource, sinceMs: number | undefined): StreamChange[] {
  const open = gapOf(tx, source);
  if ((open === undefined) === (sinceMs === undefined)) return [];
  if (sinceMs !== undefined) {
    tx.set(kinds.gap.of(source), { sinceMs, noticedAtMs: tx.nowMs });
    return [{ kind: 'data_gap', source, state: 'began', sinceMs, atMs: tx.nowMs }];
  }
  tx.delete(kinds.gap.of(source));
  // Before the first data, nothing can be missing.
  if (open!.sinceMs !== tx.get(notes.watchedSince)) noteUnseen(tx, { fromMs: open!.sinceMs, toMs: tx.nowMs });
  return [{ kind: 'data_gap', source, state: 'ended', sinceMs: open!.sinceMs, atMs: tx.nowMs }];
}
