// One sweep of ListStreams: what it lists is live; what a complete sweep does not list is ending. Pages may shift while they are read, so
// absence counts only once two complete sweeps agree, or one sweep and an event.
import type { PollObservation, StreamName } from '#domain/observation.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';
import { kinds, notes } from '#domain/state-registry.ts';
import type { StreamChange, StreamRecord } from '#domain/stream-record.ts';
import { archive, fold } from './channel-records.ts';
import { noteDisagreement, noteUnheard } from './disagreements.ts';
import { lateAfterMs } from './gaps.ts';
import { lastSeenMs } from './health.ts';
import { knownSession } from './keys.ts';
import { longestReconnectMs } from './recording.ts';
import { noteFleetSample } from './samples.ts';
import type { SessionInput } from './session-record.ts';

export interface PollOptions {
  readonly settleMs: number;
  readonly retentionMs: number;
}

export function applyPoll(tx: Transaction, poll: PollObservation, options: PollOptions): StreamChange[] {
  const changes: StreamChange[] = [];
  const inOrder = poll.streams.toSorted((a, b) => a.startTimeMs - b.startTimeMs);
  const add = (record: StreamName, input: SessionInput) => {
    const folded = fold(tx, record.channelArn, record.streamId, input, { unknownAfterMs: Number.NEGATIVE_INFINITY });
    noteDisagreement(tx, input, folded.changes);
    changes.push(...folded.changes);
  };
  for (const snapshot of inOrder) {
    const seenAtMs = snapshot.seenAtMs ?? poll.startedAtMs;
    add(snapshot, { kind: 'seen', snapshot, seenAtMs, arrivedAtMs: poll.finishedAtMs });
  }
  const { scope, complete, continues, startedAtMs, finishedAtMs } = poll;
  if (complete && (!continues || poll.unlisted)) {
    const sweep = { startedAtMs, finishedAtMs };
    for (const { record, kind } of conclusionsOf(tx, poll, poll.unlisted)) add(record, { kind, sweep });
  }
  if (continues) return changes;
  if (complete) noteSweep(tx, poll);
  if (complete && scope === 'all') forgetOld(tx, options);
  const lateMs = lateAfterMs(poll);
  const staleAtMs = lateMs === undefined ? {} : { staleAtMs: startedAtMs + lateMs };
  changes.push({ kind: 'poll', scope, complete, atMs: tx.nowMs, ...staleAtMs });
  return changes;
}

/** What a complete sweep means for a session that it does not list. */
interface Conclusion {
  readonly record: StreamRecord;
  readonly kind: 'missed' | 'passed' | 'not-starving';
}

/**
 * What a complete sweep that is newer than the last one says by not listing sessions: they are missing, or no longer starving, or their
 * recordings are over. Nothing that was concluded from this sweep before.
 * @param among only these sessions
 */
export function conclusionsOf(view: StateView, poll: PollObservation, among?: readonly StreamName[]): Conclusion[] {
  const { scope, startedAtMs, pages } = poll;
  const last = view.get(notes.sweep(scope));
  if (last && last.startedAtMs >= startedAtMs) return [];
  const newest = among ? sessionsNamed(view, among) : Array.from(view.entries(kinds.stream), ([, record]) => record);
  const listed = listedBy(poll);
  const isAbsent = (record: StreamRecord) =>
    (record.state === 'live' || record.state === 'created') && !listed.has(nameOf(record));
  const concluded = (kind: Conclusion['kind']) => (record: StreamRecord) => ({ record, kind });
  if (scope === 'starving') {
    // A list of several pages may have shifted while it was read: it takes a second sweep to conclude that a stream is not in it.
    const seenBeforeMs = pages === 1 ? Number.POSITIVE_INFINITY : (last?.startedAtMs ?? 0);
    const isOver = (record: StreamRecord) =>
      record.health === 'STARVING' && lastSeenMs(record.basis.sightings) < seenBeforeMs && isAbsent(record);
    return newest.filter(isOver).map(concluded('not-starving'));
  }
  const isMissed = (record: StreamRecord) =>
    isAbsent(record) && !record.basis.missed.some((missed) => missed.startedAtMs === startedAtMs);
  const past = among ? [] : Array.from(view.entries(kinds.past), ([, records]) => records).flat();
  return [
    ...newest.filter(isMissed).map(concluded('missed')),
    ...[...newest, ...past].filter((record) => isOverdue(record, startedAtMs)).map(concluded('passed')),
  ];
}

function sessionsNamed(view: StateView, names: readonly StreamName[]): StreamRecord[] {
  return names.flatMap(({ channelArn, streamId }) => knownSession(view, channelArn, streamId) ?? []);
}

/** The sessions that a sweep lists, in this piece and in earlier ones. */
function listedBy({ streams, alreadyApplied = [] }: PollObservation): ReadonlySet<string> {
  return new Set([...alreadyApplied, ...streams].map(nameOf));
}

/** Names both, since an event may have named another channel's stream. */
function nameOf({ channelArn, streamId }: StreamName): string {
  return `${channelArn} ${streamId}`;
}

/** Whether a session says that it is still recorded, but ended too long before a sweep for that to be true. */
function isOverdue({ recording, endedAtMs }: StreamRecord, sweptAtMs: number): boolean {
  return recording === 'recording' && (endedAtMs ?? sweptAtMs) + longestReconnectMs < sweptAtMs;
}

/** Notes a complete sweep that is newer than the last one. */
function noteSweep(tx: Transaction, poll: PollObservation): void {
  const { scope, startedAtMs, finishedAtMs, everyMs, pages } = poll;
  const last = tx.get(notes.sweep(scope));
  if (last && last.startedAtMs >= startedAtMs) return;
  const sweep = { startedAtMs, finishedAtMs };
  if (scope === 'all') noteFleetSample(tx, sweep, last);
  if (last && scope === 'all') noteUnheard(tx, last.startedAtMs, startedAtMs);
  const previous = last ? { previous: { startedAtMs: last.startedAtMs, finishedAtMs: last.finishedAtMs } } : {};
  const pace = everyMs === undefined ? {} : { everyMs };
  tx.set(notes.sweep(scope), { ...sweep, pages, streams: listedBy(poll).size, ...pace, ...previous });
}

/** Channels whose old sessions one sweep forgets: the next one continues. */
const mostForgotten = 200;

/** Archives sessions that no event will amend any longer, and deletes what is older than the retention. */
function forgetOld(tx: Transaction, options: PollOptions): void {
  for (const forget of oldSessions(tx, options).take(mostForgotten)) forget();
}

function* oldSessions(tx: Transaction, { settleMs, retentionMs }: PollOptions): Generator<() => void> {
  const isSettled = ({ endedAtMs, stateSinceMs }: StreamRecord) => (endedAtMs ?? stateSinceMs) < tx.nowMs - settleMs;
  for (const [arn, past] of tx.entries(kinds.past)) {
    const settled = past.filter(isSettled);
    if (settled.length === 0) continue;
    const kept = past.filter((record) => !isSettled(record));
    yield () => {
      for (const record of settled.toReversed()) archive(tx, record);
      if (kept.length > 0) tx.set(kinds.past.of(arn), kept);
      else tx.delete(kinds.past.of(arn));
    };
  }
  for (const [arn, archived] of tx.entries(kinds.rested)) {
    const recent = Object.entries(archived).filter(([, atMs]) => atMs >= tx.nowMs - settleMs);
    if (recent.length === 0) yield () => tx.delete(kinds.rested.of(arn));
    else if (recent.length < Object.keys(archived).length)
      yield () => tx.set(kinds.rested.of(arn), Object.fromEntries(recent));
  }
  for (const [arn, { endedAtMs }] of tx.entries(kinds.stream))
    if (endedAtMs !== undefined && endedAtMs < tx.nowMs - retentionMs) yield () => tx.delete(kinds.stream.of(arn));
}
