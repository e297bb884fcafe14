// The reducer of one stream session: (record, observation) → record. Every observation only adds to what is known (`basis`);
// what the record says is derived from that, so neither the order nor the number of deliveries matters.
import type { ChannelArn, StreamId, StreamSnapshot } from '#domain/channel.ts';
import type { EventObservation } from '#domain/observation.ts';
import type {
  AdBreak,
  Evidence,
  LimitBreach,
  RecordingSign,
  SessionBasis,
  StreamRecord,
  TimelineEntry,
} from '#domain/stream-record.ts';
import { type EventSign, mergedStreamIdsOf, readEvent } from './event-signs.ts';
import { sawHealth, sawNotStarving } from './health.ts';
import { longestReconnectMs, newerSign, withMerged } from './recording.ts';
import { derive, missableAfterMs, onOurClock } from './session-state.ts';
import { withEntry } from './timeline.ts';

export interface Sweep {
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
}

/** What one observation says about one session. */
export type SessionInput =
  | { readonly kind: 'event'; readonly observation: EventObservation }
  /** A sweep of ListStreams listed it. */
  | {
      readonly kind: 'seen';
      readonly snapshot: StreamSnapshot;
      readonly seenAtMs: number;
      readonly arrivedAtMs: number;
    }
  /** A complete sweep of all live streams did not list it. */
  | { readonly kind: 'missed'; readonly sweep: Sweep }
  /** Such a sweep began after a session's end: a recording whose end was never reported does not continue forever. */
  | { readonly kind: 'passed'; readonly sweep: Sweep }
  /** The channel's later session reported the end of a recording that merged this one. */
  | { readonly kind: 'recording-merged'; readonly sign: RecordingSign }
  /** A complete sweep of the starving streams did not list it. */
  | { readonly kind: 'not-starving'; readonly sweep: Sweep }
  /** The channel's next session began, or it turned out that there is none (undefined). */
  | { readonly kind: 'superseded'; readonly atMs: number | undefined }
  | { readonly kind: 'named'; readonly name: string };

export const maxBreaches = 10;
export const maxAdBreaks = 5;
/** How far AWS's clock may be ahead of ours. */
const clocksDifferMs = 60_000;

/** Applies one observation to a session's record; returns the same object if it says nothing new. */
export function reduceSession(
  record: StreamRecord | undefined,
  input: SessionInput,
  session: { readonly channelArn: ChannelArn; readonly streamId: StreamId; readonly nowMs: number },
): StreamRecord {
  const before = record ?? emptyRecord(session);
  switch (input.kind) {
    case 'event':
      return settle(before, addEvent(before, input.observation), eventEvidence(input.observation), session.nowMs);
    case 'seen':
      return settle(before, addSighting(before, input), pollEvidence(input.seenAtMs, input.arrivedAtMs), session.nowMs);
    case 'missed':
      return settle(before, addMissed(before, input.sweep), sweepEvidence(input.sweep), session.nowMs);
    case 'passed':
      return settle(before, addPassed(before, input.sweep), sweepEvidence(input.sweep), session.nowMs);
    case 'recording-merged': {
      const { sign } = input;
      if (newerSign(before.basis.recording, sign) === before.basis.recording) return before;
      const evidence: Evidence = {
        source: 'event',
        name: sign.value === 'failed' ? 'Recording End Failure' : 'Recording End',
        eventTimeMs: sign.atMs,
        arrivedAtMs: session.nowMs,
      };
      return settle(before, { ...before, basis: { ...before.basis, recording: sign } }, evidence, session.nowMs);
    }
    case 'not-starving': {
      const known = before.basis.sightings;
      const sightings = known && sawNotStarving(known, input.sweep.startedAtMs);
      if (!sightings || sightings === known) return before;
      const after = { ...before, basis: { ...before.basis, sightings } };
      return settle(before, after, sweepEvidence(input.sweep), session.nowMs);
    }
    case 'superseded': {
      if (input.atMs === before.basis.supersededMs) return before;
      const { supersededMs: _, ...rest } = before.basis;
      const basis = input.atMs === undefined ? rest : { ...rest, supersededMs: input.atMs };
      const evidence = {
        ...sweepEvidence({ startedAtMs: input.atMs ?? 0, finishedAtMs: session.nowMs }),
        name: 'next session',
      };
      return settle(before, { ...before, basis }, evidence, session.nowMs);
    }
    case 'named':
      return input.name === before.channelName ? before : { ...before, channelName: input.name };
  }
}

/** The record of a session of which nothing is known yet. */
export function emptyRecord({
  channelArn,
  streamId,
  nowMs,
}: {
  channelArn: ChannelArn;
  streamId: StreamId;
  nowMs: number;
}): StreamRecord {
  return {
    channelArn,
    streamId,
    channelName: '',
    state: 'created',
    stateSinceMs: nowMs,
    startedAtMs: undefined,
    endedAtMs: undefined,
    health: 'UNKNOWN',
    healthSinceMs: nowMs,
    viewerCount: undefined,
    viewerCountAtMs: undefined,
    recording: 'none',
    recordingSinceMs: undefined,
    recordingPrefix: undefined,
    limitBreaches: [],
    takeoverAtMs: undefined,
    failureReason: undefined,
    evidence: {},
    timeline: [],
    basis: { missed: [] },
  };
}

/** Derives what the record says; notes the evidence, and in the timeline what a poll changed. */
function settle(before: StreamRecord, added: StreamRecord, source: Evidence, nowMs: number): StreamRecord {
  if (added === before) return before;
  const derived = derive(added.basis, before.evidence['state'] ? before.stateSinceMs : nowMs);
  const stateMoved = derived.state !== before.state || before.evidence['state'] === undefined;
  const healthMoved = derived.health !== before.health;
  const evidence = { ...added.evidence };
  if (stateMoved || (derived.stateSinceMs !== before.stateSinceMs && source.source !== 'poll'))
    evidence['state'] = source;
  if (healthMoved || (derived.healthSinceMs !== before.healthSinceMs && source.source !== 'poll'))
    evidence['health'] = source;
  if (added.viewerCountAtMs !== before.viewerCountAtMs) evidence['viewerCount'] = source;
  if (derived.recordingSinceMs !== before.recordingSinceMs) evidence['recording'] = source;
  const text = source.source === 'poll' && pollText(stateMoved, healthMoved, derived);
  const timeline = text ? withEntry(added.timeline, { ...source, text }) : added.timeline;
  return { ...added, ...derived, evidence, timeline };
}

function pollText(
  stateMoved: boolean,
  healthMoved: boolean,
  { state, health }: Pick<StreamRecord, 'state' | 'health'>,
): string | undefined {
  if (stateMoved) return state === 'live' ? `live, ${health.toLowerCase()}` : state;
  if (!healthMoved || state !== 'live') return undefined;
  return health === 'UNKNOWN' ? 'no longer known to be starving' : health.toLowerCase();
}

function addEvent(record: StreamRecord, observation: EventObservation): StreamRecord {
  const sign = readEvent(observation);
  const text = observation.learnt ? `${sign.text} (learnt afterwards)` : sign.text;
  const entry: TimelineEntry = { ...eventEvidence(observation), text };
  const basis = basisOf(record, sign, observation);
  return {
    ...record,
    ...oddities(record, sign, toldMs(observation)),
    ...(observation.learnt ? { learntAtMs: record.learntAtMs ?? observation.arrivedAtMs } : {}),
    timeline: withEntry(record.timeline, entry),
    basis: { ...basis, missed: stillMissed(basis) },
  };
}

function basisOf(
  { basis, recordingPrefix, failureReason }: StreamRecord,
  sign: EventSign,
  observation: EventObservation,
): SessionBasis {
  const atMs = toldMs(observation);
  const clockMs = onOurClock(observation);
  const over = sign.moment === 'sessionEndedMs' || sign.moment === 'endedMs';
  const sightings = sign.health
    ? sawHealth(basis.sightings, { value: sign.health, atMs: clockMs, sinceMs: atMs })
    : basis.sightings;
  const recording = sign.recording && { value: sign.recording, atMs };
  const merged =
    recording && sign.moment === 'recordingEndedMs'
      ? withMerged(basis.mergedRecordings, mergedStreamIdsOf(observation), recording)
      : basis.mergedRecordings;
  return {
    ...basis,
    ...(sign.existed || over ? { aliveMs: latest(basis.aliveMs, clockMs) } : {}),
    ...(sign.existed ? { firstSeenMs: earliest(basis.firstSeenMs, atMs) } : {}),
    ...(sign.live ? { firstLiveMs: earliest(basis.firstLiveMs, atMs) } : {}),
    ...(sightings === undefined ? {} : { sightings }),
    // The first of its kind: a repeat with another id and time changes nothing.
    ...(sign.moment === undefined ? {} : { [sign.moment]: earliest(basis[sign.moment], atMs) }),
    ...(observation.learnt && sign.moment === 'endedMs' && basis.endedMs === undefined ? { endLearnt: true } : {}),
    ...(recording ? { recording: newerSign(basis.recording, recording) } : {}),
    ...(merged === undefined ? {} : { mergedRecordings: merged }),
    ...(replaces(sign.recordingPrefix, atMs, recordingPrefix, basis.prefixMs) ? { prefixMs: atMs } : {}),
    ...(replaces(sign.failureReason, atMs, failureReason, basis.failureMs) ? { failureMs: atMs } : {}),
  };
}

/** When an event says that it happened. Nothing happens after its event arrived. */
function toldMs({ eventTimeMs, arrivedAtMs }: EventObservation): number {
  return Math.min(eventTimeMs, arrivedAtMs);
}

function oddities(record: StreamRecord, sign: EventSign, atMs: number): Partial<StreamRecord> {
  const { breach, adBreak, failureReason, recordingPrefix } = sign;
  const { prefixMs, failureMs } = record.basis;
  return {
    ...(breach ? { limitBreaches: withBreach(record.limitBreaches, breach) } : {}),
    ...(adBreak ? { adBreaks: withAdBreak(record.adBreaks, adBreak) } : {}),
    ...(sign.takeover ? { takeoverAtMs: latest(record.takeoverAtMs, atMs) } : {}),
    ...(replaces(recordingPrefix, atMs, record.recordingPrefix, prefixMs) ? { recordingPrefix } : {}),
    ...(replaces(failureReason, atMs, record.failureReason, failureMs) ? { failureReason } : {}),
  };
}

/** Whether a text replaces another: the newer one counts; in the same second the one that sorts first. */
function replaces(
  text: string | undefined,
  atMs: number,
  known: string | undefined,
  knownMs: number | undefined,
): boolean {
  if (text === undefined) return false;
  if (known === undefined || knownMs === undefined || atMs > knownMs) return true;
  return atMs === knownMs && text < known;
}

/** Newest first; returns the same list object if it says nothing new. */
function withBreach(known: readonly LimitBreach[], breach: LimitBreach): readonly LimitBreach[] {
  const key = breachKey(breach);
  const at = known.findIndex(
    (each) => each.atMs < breach.atMs || (each.atMs === breach.atMs && breachKey(each) >= key),
  );
  const next = at < 0 ? undefined : known[at];
  if (next && next.atMs === breach.atMs && breachKey(next) === key) return known;
  if (at < 0) return known.length < maxBreaches ? [...known, breach] : known;
  return [...known.slice(0, at), breach, ...known.slice(at)].slice(0, maxBreaches);
}

/** Newest first, each id once, with the start that was reported last; returns the same list object if it says nothing new. */
function withAdBreak(known: readonly AdBreak[] = [], adBreak: AdBreak): readonly AdBreak[] {
  const same = known.find(({ id }) => id === adBreak.id);
  if (same && compareAdBreaks(same, adBreak) <= 0) return known;
  const others = known.filter((each) => each !== same);
  const all = [...others, adBreak].toSorted(compareAdBreaks).slice(0, maxAdBreaks);
  return all.includes(adBreak) ? all : known;
}

function compareAdBreaks(a: AdBreak, b: AdBreak): number {
  return (
    b.startsAtMs - a.startsAtMs ||
    b.endsAtMs - a.endsAtMs ||
    b.insertedAtMs - a.insertedAtMs ||
    (a.id < b.id ? -1 : Number(a.id > b.id))
  );
}

/** Tells breaches of one second apart, and orders them. */
function breachKey({ limitName, limitUnit, limitValue, exceededBy }: LimitBreach): string {
  return JSON.stringify([limitName, limitUnit, limitValue, exceededBy]);
}

function addSighting(record: StreamRecord, { snapshot, seenAtMs }: SessionInput & { kind: 'seen' }): StreamRecord {
  const { basis } = record;
  const { health, viewerCount } = snapshot;
  // Nor did anything begin after it was seen.
  const startTimeMs = Math.min(snapshot.startTimeMs, seenAtMs + clocksDifferMs);
  const counted = viewerCount >= 0 && seenAtMs >= (record.viewerCountAtMs ?? seenAtMs);
  const seen: SessionBasis = {
    ...basis,
    aliveMs: latest(basis.aliveMs, seenAtMs),
    listedMs: withListed(basis.listedMs, seenAtMs),
    // A list without a start time says only that the stream is live now.
    ...(startTimeMs > 0 ? { startPollMs: earliest(basis.startPollMs, startTimeMs) } : {}),
    firstSeenMs: earliest(basis.firstSeenMs, startTimeMs > 0 ? startTimeMs : seenAtMs),
    firstLiveMs: earliest(basis.firstLiveMs, startTimeMs > 0 ? startTimeMs : seenAtMs),
    sightings: sawHealth(basis.sightings, { value: health, atMs: seenAtMs, sinceMs: seenAtMs }),
  };
  return {
    ...record,
    ...(counted ? { viewerCount, viewerCountAtMs: seenAtMs } : {}),
    basis: seen.missed.length === 0 ? seen : { ...seen, missed: stillMissed(seen) },
  };
}

function withListed(known: readonly number[] = [], seenAtMs: number): readonly number[] {
  const last = known.at(-1);
  if (last !== undefined && seenAtMs > last) return [last, seenAtMs];
  return known.includes(seenAtMs) ? known : [...known, seenAtMs].toSorted((a, b) => a - b).slice(-2);
}

function addPassed(record: StreamRecord, { startedAtMs }: Sweep): StreamRecord {
  const { recording, endedAtMs, basis } = record;
  if (recording !== 'recording' || endedAtMs === undefined) return record;
  if (startedAtMs <= endedAtMs + longestReconnectMs) return record;
  return { ...record, basis: { ...basis, recordingOverdueMs: latest(basis.recordingOverdueMs, startedAtMs) } };
}

function addMissed(record: StreamRecord, sweep: Sweep): StreamRecord {
  const { basis } = record;
  if (sweep.startedAtMs <= missableAfterMs(basis)) return record;
  if (basis.missed.some(({ startedAtMs }) => startedAtMs === sweep.startedAtMs)) return record;
  const missed = [...basis.missed, sweep].toSorted((a, b) => a.startedAtMs - b.startedAtMs).slice(0, 2);
  return { ...record, basis: { ...basis, missed } };
}

/** Sweeps that still show that it is gone, by what is known now. */
function stillMissed(basis: SessionBasis): SessionBasis['missed'] {
  if (basis.missed.length === 0) return basis.missed;
  const afterMs = missableAfterMs(basis);
  return basis.missed.filter(({ startedAtMs }) => startedAtMs > afterMs);
}

function eventEvidence(observation: EventObservation): Evidence {
  const { eventTimeMs, arrivedAtMs } = observation;
  const source = observation.learnt ? 'history' : 'event';
  return { source, name: readEvent(observation).name, eventTimeMs, arrivedAtMs };
}

function pollEvidence(seenAtMs: number, arrivedAtMs: number): Evidence {
  return { source: 'poll', name: 'ListStreams', eventTimeMs: seenAtMs, arrivedAtMs };
}

function sweepEvidence({ startedAtMs, finishedAtMs }: Sweep): Evidence {
  return pollEvidence(startedAtMs, finishedAtMs);
}

function earliest(known: number | undefined, ms: number): number {
  return known === undefined ? ms : Math.min(known, ms);
}

function latest(known: number | undefined, ms: number): number {
  return known === undefined ? ms : Math.max(known, ms);
}
