// Derives what the record of a session says (state, its start, health) from what is known of it. Pure, and independent of the order of
// arrival.
import type { SessionBasis, StreamRecord } from '#domain/stream-record.ts';
import { healthOf } from './health.ts';
import { recordingOf } from './recording.ts';

/**
 * The moment of an event by our clock: EventBridge truncates times to whole seconds, so what "happened at :04" may have happened
 * until :04.999, and a poll that began within that second does not contradict it. Nothing happens after its event arrived: if the event
 * says so, the clocks differ, and polls are timed by ours.
 */
export function onOurClock({ eventTimeMs, arrivedAtMs }: { eventTimeMs: number; arrivedAtMs: number }): number {
  if (eventTimeMs > arrivedAtMs) return arrivedAtMs;
  return eventTimeMs % 1000 === 0 ? eventTimeMs + 999 : eventTimeMs;
}

/**
 * A session whose encoder was accepted but that is in no list: a sweep counts as "gone" only this long after it was created.
 * IVS ends a session after 30 s without data. https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/troubleshooting-faqs.html
 */
const startGraceMs = 60_000;

/** A complete sweep that began after this moment and does not list the session shows that it is gone. */
export function missableAfterMs({
  aliveMs = Number.NEGATIVE_INFINITY,
  firstLiveMs,
  createdMs,
  mentionedMs,
  sessionEndedMs,
  recordingEndedMs,
}: SessionBasis): number {
  const beganMs = createdMs ?? mentionedMs;
  if (firstLiveMs !== undefined || beganMs === undefined) return aliveMs;
  // An end says that it had started, not when: an earlier sweep may have come before the start.
  const startedByMs = Math.min(beganMs + startGraceMs, sessionEndedMs ?? Infinity, recordingEndedMs ?? Infinity);
  return Math.max(aliveMs, startedByMs);
}

/** A list may show a stream for this long after its end. */
const staleListMs = 5_000;

/** The moment by which two sweeps had listed the session, which is the older of the two newest; undefined: they have not. */
function confirmedMs({ listedMs }: SessionBasis): number | undefined {
  return listedMs?.length === 2 ? listedMs[0] : undefined;
}

/**
 * What is known, without impossible ends: those before the session's own start, and those after which two sweeps listed it.
 * One odd event does not outweigh what every sweep shows; a session that is really over is ended by the sweeps.
 */
function credible(basis: SessionBasis): SessionBasis {
  if (basis.endedMs === undefined && basis.failedMs === undefined && basis.sessionEndedMs === undefined) return basis;
  const { endedMs, failedMs, sessionEndedMs, ...others } = basis;
  const startMs = basis.startPollMs ?? basis.startEventMs ?? Number.NEGATIVE_INFINITY;
  const shownMs = (confirmedMs(basis) ?? Number.NEGATIVE_INFINITY) - staleListMs;
  // EventBridge truncates times to whole seconds.
  const canBe = (ms: number | undefined) => ms !== undefined && ms + 999 >= startMs && ms + 999 >= shownMs;
  return {
    ...others,
    ...(canBe(endedMs) ? { endedMs } : {}),
    ...(canBe(failedMs) ? { failedMs } : {}),
    ...(canBe(sessionEndedMs) ? { sessionEndedMs } : {}),
  };
}

type Derived = Pick<
  StreamRecord,
  'state' | 'stateSinceMs' | 'startedAtMs' | 'endedAtMs' | 'health' | 'healthSinceMs' | 'recording' | 'recordingSinceMs'
>;

/** What the record says. `fallbackMs` is when the session was first heard of, used if no moment of it is known. */
export function derive(basis: SessionBasis, fallbackMs: number): Derived {
  const startedAtMs = basis.startPollMs ?? basis.startEventMs;
  const end = endOf(basis);
  if (end) {
    return {
      state: end.state,
      stateSinceMs: end.atMs,
      startedAtMs,
      endedAtMs: end.atMs,
      health: 'UNKNOWN',
      healthSinceMs: end.atMs,
      ...recordingOf(basis, end.atMs),
    };
  }
  const liveSinceMs = startedAtMs ?? basis.firstLiveMs;
  const stateSinceMs = liveSinceMs ?? basis.createdMs ?? basis.firstSeenMs ?? basis.mentionedMs ?? fallbackMs;
  return {
    state: liveSinceMs === undefined ? 'created' : 'live',
    stateSinceMs,
    startedAtMs,
    endedAtMs: undefined,
    ...(basis.sightings ? healthOf(basis.sightings) : { health: 'UNKNOWN', healthSinceMs: stateSinceMs }),
    ...recordingOf(basis, undefined),
  };
}

/** When events, or complete sweeps without the session, say that it was over; a newer session alone does not count here. */
export function endedByItself(basis: SessionBasis): number | undefined {
  const { supersededMs: _, ...own } = basis;
  return endOf(own)?.atMs ?? credible(basis).sessionEndedMs;
}

/** Whether two sweeps listed the session after everything that is known of another one of its channel. */
export function isListedAfter(basis: SessionBasis, other: SessionBasis): boolean {
  const shownMs = confirmedMs(basis);
  if (shownMs === undefined) return false;
  const otherMs = Math.max(other.aliveMs ?? 0, other.listedMs?.at(-1) ?? 0, other.mentionedMs ?? 0);
  return shownMs > otherMs + staleListMs;
}

function endOf(basis: SessionBasis): { state: 'ended' | 'failed'; atMs: number } | undefined {
  const { failedMs, endedMs, sessionEndedMs, supersededMs, missed } = credible(basis);
  if (failedMs !== undefined) return { state: 'failed', atMs: failedMs };
  if (endedMs !== undefined) return { state: 'ended', atMs: endedMs };
  // One later sweep confirms an event that says so; without an event it takes two, since a page may shift while it is read. The result is
  // the moment by which the session was certainly over: a shifted page may have missed it while it still existed.
  const eventMs = sessionEndedMs ?? recordingEndOf(basis);
  const confirming = eventMs === undefined ? undefined : missed.find(({ startedAtMs }) => startedAtMs > eventMs + 999);
  const passedMs = (confirming ?? missed[1])?.finishedAtMs;
  if (passedMs === undefined && supersededMs === undefined) return undefined;
  const overMs = Math.min(passedMs ?? Infinity, supersededMs ?? Infinity);
  // For a session that was never seen, only reported, sweeps and other sessions may have come before its beginning.
  const toldMs = basis.aliveMs === undefined ? (basis.recordingEndedMs ?? basis.mentionedMs) : undefined;
  return { state: 'ended', atMs: sessionEndedMs ?? Math.max(overMs, toldMs ?? overMs) };
}

/** The end of the recording, if it may be the end of the stream: a recording can fail while the stream continues. */
function recordingEndOf({ recordingEndedMs, aliveMs }: SessionBasis): number | undefined {
  return recordingEndedMs !== undefined && (aliveMs ?? 0) <= recordingEndedMs + 999 ? recordingEndedMs : undefined;
}
