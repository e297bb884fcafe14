// Data gaps: a source that went silent. While one is open nothing is concluded from missing data: records are stale, and
// timers freeze (src/rules). Gaps open and close here only, by the age of what was last seen.
import type { StateView, Transaction } from '#domain/shared-state.ts';
import type { StreamChange } from '#domain/stream-record.ts';
import { type Gap, keys, type PassNote, type QueueNote } from './keys.ts';

export interface GapOptions {
  /** Polls count as missing this long after the last complete pass over all live streams. */
  readonly pollSilentAfterMs: number;
  /** Events count as missing when the queue could not be read for this long; undefined: there is no queue. */
  readonly eventsSilentAfterMs: number | undefined;
}

/** Notes that the event queue was read, whether or not it held anything: a quiet queue is no gap. */
export function noteQueueRead(tx: Transaction, { atMs, lagMs }: Required<QueueNote>): void {
  if (atMs > (tx.get<QueueNote>(keys.queueRead)?.atMs ?? 0))
    tx.set(keys.queueRead, { atMs, lagMs } satisfies QueueNote);
}

/** Opens and closes gaps. Call it on every tick: it writes only what changes. */
export function detectGaps(tx: Transaction, { pollSilentAfterMs, eventsSilentAfterMs }: GapOptions): StreamChange[] {
  const watchedSinceMs = tx.get<number>(keys.watchedSince) ?? tx.nowMs;
  if (tx.get(keys.watchedSince) === undefined) tx.set(keys.watchedSince, watchedSinceMs);
  const pass = tx.get<PassNote>(keys.pass('all'));
  const lastPassMs = pass?.finishedAtMs ?? watchedSinceMs;
  const lastReadMs = tx.get<QueueNote>(keys.queueRead)?.atMs ?? watchedSinceMs;
  return [
    ...judge(tx, 'poll', lastPassMs, pollSilenceMs(pass, pollSilentAfterMs)),
    ...judge(tx, 'events', lastReadMs, eventsSilentAfterMs ?? Number.POSITIVE_INFINITY),
  ];
}

/** When polls count as silent: over a large fleet a pass takes its time, and the next one as well. */
export function pollSilenceMs(pass: PassNote | undefined, configuredMs: number): number {
  return Math.max(configuredMs, pass ? 4 * (pass.finishedAtMs - pass.startedAtMs) : 0);
}

/** The gap of a source, or undefined while it gives data. */
export function gapOf(view: StateView, source: 'poll' | 'events'): Gap | undefined {
  return view.get<Gap>(keys.gap(source));
}

function judge(tx: Transaction, source: 'poll' | 'events', lastMs: number, silentAfterMs: number): StreamChange[] {
  const open = gapOf(tx, source) !== undefined;
  const silent = tx.nowMs - lastMs > silentAfterMs;
  if (open === silent) return [];
  if (silent) tx.set(keys.gap(source), { sinceMs: lastMs, noticedAtMs: tx.nowMs } satisfies Gap);
  else tx.delete(keys.gap(source));
  return [{ kind: 'data_gap', source, state: silent ? 'began' : 'ended', atMs: tx.nowMs }];
}
