// The sessions of one channel: which is the newest, which one closes which, and when an ended one is archived in the log.
// Decided from what is known of each, never from the order of arrival.
import type { StreamId } from '#domain/channel.ts';
import type { RecordingSign, StreamRecord } from '#domain/stream-record.ts';
import { newerSign } from './recording.ts';
import { reduceSession } from './session-record.ts';
import { endedByItself, isListedAfter } from './session-state.ts';

/** Newest first; never empty. Those after the first are over, and are kept for a while so that late events still find them. */
export type Sessions = readonly [newest: StreamRecord, ...past: StreamRecord[]];

/** An encoder that reconnects repeatedly makes many sessions in a short time; older ones than these are no longer amended. */
const maxPast = 20;

/** Orders the sessions and lets each newer one close the one before; returns those that no longer fit as `settled`. */
export function arrange(
  records: readonly StreamRecord[],
  nowMs: number,
): { sessions: Sessions; settled: StreamRecord[] } {
  const ordered = listedFirst(inOrder(records));
  const merged = mergedRecordings(ordered);
  const closed = ordered.map((record, index) => {
    const session = { channelArn: record.channelArn, streamId: record.streamId, nowMs };
    const newer = ordered[index - 1];
    const atMs = newer && (newer.basis.firstSeenMs ?? endingMs(newer));
    const over = reduceSession(record, { kind: 'superseded', atMs }, session);
    const sign = merged.get(record.streamId);
    return sign ? reduceSession(over, { kind: 'recording-merged', sign }, session) : over;
  });
  // What a sweep listed last may still exist, in whatever order events put it.
  const lastListed = closed.toSorted((a, b) => lastListedMs(b) - lastListedMs(a))[0];
  const kept = closed.slice(0, maxPast + 1);
  if (lastListed && lastListedMs(lastListed) > 0 && !kept.includes(lastListed)) kept.splice(-1, 1, lastListed);
  return {
    sessions: kept as unknown as Sessions,
    settled: closed.filter((record) => !kept.includes(record)).reverse(),
  };
}

function lastListedMs({ basis }: StreamRecord): number {
  return basis.listedMs?.at(-1) ?? 0;
}

/** The ends of recordings that sessions report for each other. */
function mergedRecordings(records: readonly StreamRecord[]): ReadonlyMap<string, RecordingSign> {
  const signs = new Map<string, RecordingSign>();
  for (const { basis } of records)
    for (const [id, sign] of Object.entries(basis.mergedRecordings ?? {}))
      signs.set(id, newerSign(signs.get(id), sign));
  return signs;
}

/**
 * A channel has one live stream at a time: the one that sweeps still list is the newest, whatever an event said about another one
 * before.
 */
function listedFirst(ordered: readonly StreamRecord[]): readonly StreamRecord[] {
  const listed = ordered.findLast(({ basis }, place) =>
    ordered.slice(0, place).every((other) => isListedAfter(basis, other.basis)),
  );
  return !listed || listed === ordered[0] ? ordered : [listed, ...ordered.filter((record) => record !== listed)];
}

/** Newest first. A session of which only the end is known is the newest only if the others certainly ended earlier. */
function inOrder(records: readonly StreamRecord[]): readonly StreamRecord[] {
  if (records.length === 1) return records;
  const begun = records.filter(({ basis }) => basis.firstSeenMs !== undefined).toSorted(byDescending(beginningSecond));
  const endings = records.filter(({ basis }) => basis.firstSeenMs === undefined).toSorted(byDescending(endingMs));
  const newest = begun[0];
  if (!newest) return endings;
  const newestEndMs = endedByItself(newest.basis) ?? Number.POSITIVE_INFINITY;
  const isNewer = (record: StreamRecord) => (endingMs(record) ?? Number.NEGATIVE_INFINITY) > newestEndMs;
  const older = endings.filter((record) => !isNewer(record));
  return [...endings.filter(isNewer), ...mergedPast(begun, older)];
}

function mergedPast(begun: readonly StreamRecord[], endings: readonly StreamRecord[]): StreamRecord[] {
  const [newest, ...rest] = begun;
  const past = [...rest, ...endings].toSorted(byDescending(beginningSecond));
  return newest ? [newest, ...past] : past;
}

function endingMs({ basis }: StreamRecord): number | undefined {
  return basis.endedMs ?? basis.sessionEndedMs ?? basis.recordingEndedMs ?? basis.mentionedMs;
}

/** Events are dated to the second; two sessions that began in the same second are ordered by which was seen last. */
function beginningSecond(record: StreamRecord): number | undefined {
  const beganMs = record.basis.startPollMs ?? record.basis.firstSeenMs ?? endingMs(record);
  return beganMs === undefined ? undefined : Math.floor(beganMs / 1000);
}

function byDescending(timeOf: (record: StreamRecord) => number | undefined) {
  const key = (record: StreamRecord) => timeOf(record) ?? Number.NEGATIVE_INFINITY;
  const alive = ({ basis }: StreamRecord) => basis.aliveMs ?? 0;
  const idOrder = (a: StreamId, b: StreamId) => (a < b ? 1 : a > b ? -1 : 0);
  return (a: StreamRecord, b: StreamRecord) =>
    Math.sign(key(b) - key(a)) || alive(b) - alive(a) || idOrder(a.streamId, b.streamId);
}
