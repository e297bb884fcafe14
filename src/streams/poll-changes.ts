// One sweep of ListStreams: what it lists is live; what a complete sweep does not list is ending. Pages may shift while they are read, so
// absence counts only once two complete sweeps agree, or one sweep and an event.
import type { PollObservation } from '#domain/observation.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { kinds, notes } from '#domain/state-registry.ts';
import type { StreamChange, StreamRecord } from '#domain/stream-record.ts';
import { archive, fold } from './channel-records.ts';
import { noteDisagreement, noteUnheard } from './disagreements.ts';
import { lateAfterMs } from './gaps.ts';
import { lastSeenMs } from './health.ts';
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
  const add = (record: Pick<StreamRecord, 'channelArn' | 'streamId'>, input: SessionInput) => {
    const folded = fold(tx, record.channelArn, record.streamId, input, { unknownAfterMs: Number.NEGATIVE_INFINITY });
    noteDisagreement(tx, input, folded.changes);
    changes.push(...folded.changes);
  };
  for (const snapshot of inOrder) {
    const seenAtMs = snapshot.seenAtMs ?? poll.startedAtMs;
    add(snapshot, { kind: 'seen', snapshot, seenAtMs, arrivedAtMs: poll.finishedAtMs });
  }
  if (poll.continues) return changes;
  if (poll.complete) judgeAbsence(tx, poll, add);
  if (poll.complete && poll.scope === 'all') forgetOld(tx, options);
  const { scope, complete } = poll;
  const lateMs = lateAfterMs(poll);
  const staleAtMs = lateMs === undefined ? {} : { staleAtMs: poll.startedAtMs + lateMs };
  changes.push({ kind: 'poll', scope, complete, atMs: tx.nowMs, ...staleAtMs });
  return changes;
}

/** A complete sweep that is newer than the last one: streams that it did not list are missing, or no longer starving. */
function judgeAbsence(
  tx: Transaction,
  { scope, startedAtMs, finishedAtMs, everyMs, pages, streams, alreadyApplied = [] }: PollObservation,
  add: (record: StreamRecord, input: SessionInput) => void,
): void {
  const last = tx.get(notes.sweep(scope));
  if (last && last.startedAtMs >= startedAtMs) return;
  // From both, since an event may have named another channel's stream.
  const nameOf = ({ channelArn, streamId }: Pick<StreamRecord, 'channelArn' | 'streamId'>) =>
    `${channelArn} ${streamId}`;
  const listed = new Set([...alreadyApplied, ...streams].map(nameOf));
  const sweep = { startedAtMs, finishedAtMs };
  const absent = Array.from(tx.entries(kinds.stream), ([, record]) => record).filter(
    (record) => (record.state === 'live' || record.state === 'created') && !listed.has(nameOf(record)),
  );
  if (scope === 'all') {
    for (const record of absent) add(record, { kind: 'missed', sweep });
    for (const record of overdueRecordings(tx, startedAtMs)) add(record, { kind: 'passed', sweep });
  }
  // A list of several pages may have shifted while it was read: it takes a second sweep to conclude that a stream is not in it.
  else {
    const seenBeforeMs = pages === 1 ? Number.POSITIVE_INFINITY : (last?.startedAtMs ?? 0);
    clearStarving(
      absent.filter(({ basis }) => lastSeenMs(basis.sightings) < seenBeforeMs),
      sweep,
      add,
    );
  }
  if (scope === 'all') noteFleetSample(tx, sweep, last);
  if (last && scope === 'all') noteUnheard(tx, last.startedAtMs, startedAtMs);
  const previous = last ? { previous: { startedAtMs: last.startedAtMs, finishedAtMs: last.finishedAtMs } } : {};
  const pace = everyMs === undefined ? {} : { everyMs };
  tx.set(notes.sweep(scope), { ...sweep, pages, streams: listed.size, ...pace, ...previous });
}

/** Sessions that say they are still recorded, but ended too long before a sweep for that to be true. */
function overdueRecordings(tx: Transaction, startedAtMs: number): StreamRecord[] {
  const overdue: StreamRecord[] = [];
  const add = (record: StreamRecord) => {
    const { recording, endedAtMs = startedAtMs } = record;
    if (recording === 'recording' && endedAtMs + longestReconnectMs < startedAtMs) overdue.push(record);
  };
  for (const [, record] of tx.entries(kinds.stream)) add(record);
  for (const [, past] of tx.entries(kinds.past)) past.forEach(add);
  return overdue;
}

function clearStarving(
  absent: readonly StreamRecord[],
  sweep: { readonly startedAtMs: number; readonly finishedAtMs: number },
  add: (record: StreamRecord, input: SessionInput) => void,
): void {
  for (const record of absent) if (record.health === 'STARVING') add(record, { kind: 'not-starving', sweep });
}

/** Archives sessions that no event will amend any longer, and deletes what is older than the retention. */
function forgetOld(tx: Transaction, { settleMs, retentionMs }: PollOptions): void {
  const isSettled = ({ endedAtMs, stateSinceMs }: StreamRecord) => (endedAtMs ?? stateSinceMs) < tx.nowMs - settleMs;
  for (const [arn, past] of tx.entries(kinds.past)) {
    const settled = past.filter(isSettled);
    if (settled.length === 0) continue;
    for (const record of settled.toReversed()) archive(tx, record);
    const kept = past.filter((record) => !isSettled(record));
    if (kept.length > 0) tx.set(kinds.past.of(arn), kept);
    else tx.delete(kinds.past.of(arn));
  }
  for (const [arn, archived] of tx.entries(kinds.rested)) {
    const recent = Object.entries(archived).filter(([, atMs]) => atMs >= tx.nowMs - settleMs);
    if (recent.length === 0) tx.delete(kinds.rested.of(arn));
    else if (recent.length < Object.keys(archived).length) tx.set(kinds.rested.of(arn), Object.fromEntries(recent));
  }
  for (const [arn, { endedAtMs }] of tx.entries(kinds.stream))
    if (endedAtMs !== undefined && endedAtMs < tx.nowMs - retentionMs) tx.delete(kinds.stream.of(arn));
}
