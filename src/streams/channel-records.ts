// Applies what one observation says about one channel's sessions to the shared state, and names what changed.
import { type ChannelArn, channelIdOf, type StreamId } from '#domain/channel.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { kinds, logs, notes } from '#domain/state-registry.ts';
import type { StreamChange, StreamRecord } from '#domain/stream-record.ts';
import { lastSeenMs } from './health.ts';
import { archivedOf, channelOf, pastOf, streamOf } from './keys.ts';
import { noteSample } from './samples.ts';
import { reduceSession, type SessionInput } from './session-record.ts';
import { arrange } from './sessions.ts';

export interface Folded {
  /** The session's record; undefined if the observation is too old to be kept. */
  readonly record: StreamRecord | undefined;
  readonly changes: readonly StreamChange[];
}

/** Ended sessions kept in a channel's log. */
export const maxLoggedSessions = 100;
/** Ids of sessions that were archived early, for each channel. */
const maxArchived = 200;

/** Adds one input to one session of one channel. */
export function fold(
  tx: Transaction,
  channelArn: ChannelArn,
  streamId: StreamId,
  input: SessionInput,
  { unknownAfterMs }: { readonly unknownAfterMs: number },
): Folded {
  const newest = streamOf(tx, channelArn);
  const past = pastOf(tx, channelArn);
  const known = newest ? [newest, ...past] : [];
  const session = { channelArn, streamId, nowMs: tx.nowMs };
  const before = known.find((record) => record.streamId === streamId);
  // Its session was archived long ago: a fragment of it would only look like another session.
  if (!before && newest && input.kind === 'event' && input.observation.eventTimeMs < unknownAfterMs)
    return { record: undefined, changes: [] };
  // What a sweep lists now is not a fragment.
  if (!before && input.kind !== 'seen' && archivedOf(tx, channelArn)[streamId] !== undefined)
    return { record: undefined, changes: [] };
  const after = named(tx, withKnownSweeps(tx, reduceSession(before, input, session)), input);
  if (before && after === before) return { record: before, changes: [] };
  if (before && before === newest && after.basis.firstSeenMs === before.basis.firstSeenMs && past.length === 0) {
    tx.set(kinds.stream.of(channelArn), after);
    noteSample(tx, before, after);
    return { record: after, changes: changesOf(newest, after, undefined, tx.nowMs) };
  }
  const { sessions, settled } = arrange([...known.filter((record) => record !== before), after], tx.nowMs);
  const [newestAfter, ...pastAfter] = sessions;
  tx.set(kinds.stream.of(channelArn), newestAfter);
  if (pastAfter.length === 0 && past.length > 0) tx.delete(kinds.past.of(channelArn));
  else if (pastAfter.length !== past.length || pastAfter.some((record, index) => record !== past[index]))
    tx.set(kinds.past.of(channelArn), pastAfter);
  for (const record of settled) archive(tx, record);
  if (settled.length > 0) noteArchived(tx, channelArn, settled);
  const old = newest && pastAfter.find((record) => record.streamId === newest.streamId);
  const record = sessions.find((session) => session.streamId === streamId) ?? after;
  noteSample(tx, before, record);
  return {
    record,
    changes: changesOf(newest, newestAfter, old, tx.nowMs),
  };
}

/** Appends an ended session to its channel's log: nothing will amend it any longer, so the evidence behind it may be deleted. */
export function archive(tx: Transaction, record: StreamRecord): void {
  // An end of its recording that was not reported by now will never be.
  const recording = record.recording === 'recording' ? ({ recording: 'ended' } as const) : {};
  const entry: StreamRecord = { ...record, ...recording, basis: { missed: [] } };
  tx.append(logs.sessions(channelIdOf(record.channelArn)), entry, maxLoggedSessions);
}

function noteArchived(tx: Transaction, channelArn: ChannelArn, records: readonly StreamRecord[]): void {
  const noted = Object.entries(archivedOf(tx, channelArn));
  for (const { streamId } of records) noted.push([streamId, tx.nowMs]);
  tx.set(kinds.rested.of(channelArn), Object.fromEntries(noted.slice(-maxArchived)));
}

/**
 * What earlier complete sweeps already say about a session that was not known then: a start that arrives hours late is not
 * the start of a stream that is live now. A session that those sweeps did list was seen by them, and is not touched.
 */
function withKnownSweeps(tx: Transaction, record: StreamRecord): StreamRecord {
  const session = sessionOf(tx, record);
  const all = tx.get(notes.sweep('all'));
  let result = record;
  for (const sweep of all ? [all.previous, all] : [])
    if (sweep)
      result = reduceSession(
        result,
        { kind: 'missed', sweep: { startedAtMs: sweep.startedAtMs, finishedAtMs: sweep.finishedAtMs } },
        session,
      );
  if (all) result = reduceSession(result, { kind: 'passed', sweep: all }, session);
  const starving = tx.get(notes.sweep('starving'));
  if (
    starving?.pages === 1 &&
    result.health === 'STARVING' &&
    starving.startedAtMs > lastSeenMs(result.basis.sightings)
  )
    result = reduceSession(result, { kind: 'not-starving', sweep: starving }, session);
  return result;
}

/** The inventory's name, otherwise the newest one that an event contained. */
function named(tx: Transaction, record: StreamRecord, input: SessionInput): StreamRecord {
  const listed = channelOf(tx, record.channelArn)?.name;
  if (listed) return reduceSession(record, { kind: 'named', name: listed }, sessionOf(tx, record));
  if (input.kind !== 'event') return record;
  const { eventTimeMs, envelope } = input.observation;
  const name = envelope.detail['channel_name'];
  if (typeof name !== 'string' || name === '' || eventTimeMs < (record.basis.nameMs ?? eventTimeMs)) return record;
  return { ...record, channelName: name.slice(0, 128), basis: { ...record.basis, nameMs: eventTimeMs } };
}

function sessionOf({ nowMs }: Transaction, { channelArn, streamId }: StreamRecord) {
  return { channelArn, streamId, nowMs };
}

/** `before` of a change is the same session's record; a new session has none, and the one it replaced has a change of its own. */
function changesOf(
  newestBefore: StreamRecord | undefined,
  newestAfter: StreamRecord,
  oldAfter: StreamRecord | undefined,
  atMs: number,
): StreamChange[] {
  const { channelArn } = newestAfter;
  if (newestBefore?.streamId === newestAfter.streamId) {
    if (!differs(newestBefore, newestAfter)) return [];
    return [{ kind: 'stream', channelArn, before: newestBefore, after: newestAfter, atMs }];
  }
  const changes: StreamChange[] = [];
  if (newestBefore && oldAfter && differs(newestBefore, oldAfter))
    changes.push({ kind: 'stream', channelArn, before: newestBefore, after: oldAfter, atMs });
  changes.push({ kind: 'stream', channelArn, before: undefined, after: newestAfter, atMs });
  return changes;
}

const told = [
  'state',
  'stateSinceMs',
  'startedAtMs',
  'endedAtMs',
  'health',
  'healthSinceMs',
  'viewerCount',
  'recording',
  'recordingSinceMs',
  // The reducer returns the same list object when no breach is new.
  'limitBreaches',
  'adBreaks',
  'takeoverAtMs',
  'failureReason',
] as const satisfies readonly (keyof StreamRecord)[];

/** Whether something changed that a rule or a person can see; a confirmation is not a change. */
function differs(before: StreamRecord, after: StreamRecord): boolean {
  return told.some((field) => before[field] !== after[field]);
}
