// True histories of channels, what polls see of them, and deliveries that lose, repeat, delay and reorder their events.
import type { GeneratorValue } from 'fast-check';
import fc from 'fast-check';
import type { StreamHealth } from '#domain/channel.ts';
import type { EventObservation, Observation, PollObservation } from '#domain/observation.ts';
import { event, poll, snapshot, streamIdFor } from './streams.ts';

/** One session; times in ms after `startMs`, ends exclusive. */
export interface TrueSession {
  readonly stream: string;
  readonly createdAt: number;
  /** The same as `endAt` for a session that failed and never was live. */
  readonly liveAt: number;
  readonly endAt: number;
  /** When Session Ended happened, on either side of Stream End. */
  readonly goneAt: number;
  readonly starving: readonly { readonly from: number; readonly to: number }[];
  /** Undefined: it is not recorded. A recording that continues over reconnects ends for all its streams when it ends for the last. */
  readonly recorded: Recorded | undefined;
  /** Other things that happen to a live stream. */
  readonly incidents: readonly { readonly name: 'Ingest Bitrate' | 'Stream Takeover'; readonly at: number }[];
}

export interface Recorded {
  readonly from: number;
  readonly to: number;
  readonly end: 'Recording End' | 'Recording End Failure';
  /** Whether the end is reported under this stream's id, and for which earlier ones too. */
  readonly tells: readonly string[] | undefined;
}

export interface History {
  readonly channel: string;
  readonly sessions: readonly TrueSession[];
  /** When nothing happens any more. */
  readonly endsAt: number;
}

export const fullEvery = 15_000;
export const starvingEvery = 5_000;

const between = (min: number, max: number) => fc.integer({ min, max });

/**
 * Up to seven sessions of 1 to 200 seconds with some starvation, breaches and takeovers; some fail; the last may still be live at the end.
 */
export function drawHistory(draw: GeneratorValue, channel: string): History {
  const sessions: TrueSession[] = [];
  const count = draw(between, 0, 4) === 0 ? draw(between, 4, 7) : draw(between, 1, 3);
  const records = draw(fc.constantFrom<('never' | 'each' | 'merged')[]>, 'never', 'each', 'merged');
  let now = draw(between, 0, 20_000);
  for (let index = 0; index < count; index += 1) {
    const stream = `${channel}s${index}`;
    const createdAt = now;
    const fails = draw(between, 0, 7) === 0;
    const session = fails ? drawFailed(draw, stream, createdAt) : drawSession(draw, stream, createdAt, records);
    sessions.push(session);
    now = Math.max(session.endAt, session.goneAt) + draw(between, 1_500, 60_000);
  }
  if (records === 'merged') mergeRecordings(sessions);
  const last = sessions.at(-1)!;
  const isCut = last.liveAt < last.endAt && draw(fc.boolean);
  return { channel, sessions, endsAt: isCut ? draw(between, last.liveAt + 1_000, last.endAt) : now };
}

function drawFailed(draw: GeneratorValue, stream: string, createdAt: number): TrueSession {
  const endAt = createdAt + draw(between, 500, 9_000);
  const goneAt = endAt + draw(between, 0, 900);
  return { stream, createdAt, liveAt: endAt, endAt, goneAt, starving: [], recorded: undefined, incidents: [] };
}

function drawSession(
  draw: GeneratorValue,
  stream: string,
  createdAt: number,
  records: 'never' | 'each' | 'merged',
): TrueSession {
  const liveAt = createdAt + draw(between, 500, 9_000);
  const endAt = liveAt + draw(between, 1_000, 200_000);
  const starving: { from: number; to: number }[] = [];
  for (let from = liveAt + draw(between, 200, 60_000); from < endAt; ) {
    const to = Math.min(endAt, from + draw(between, 200, 40_000));
    starving.push({ from, to });
    from = to + draw(between, 200, 60_000);
  }
  const recorded = {
    from: liveAt + draw(between, 100, 900),
    to: endAt + draw(between, 0, 1_400),
    end: draw(fc.constantFrom<Recorded['end'][]>, 'Recording End', 'Recording End', 'Recording End Failure'),
    tells: [],
  };
  return {
    stream,
    createdAt,
    liveAt,
    endAt,
    goneAt: endAt + draw(between, -900, 900),
    starving,
    recorded: records === 'never' ? undefined : recorded,
    incidents: Array.from({ length: draw(between, 0, 3) }, () => ({
      name: draw(fc.constantFrom<('Ingest Bitrate' | 'Stream Takeover')[]>, 'Ingest Bitrate', 'Stream Takeover'),
      at: draw(between, liveAt, endAt - 1),
    })),
  };
}

/** One recording of all of them: it ends with the last, for all. */
function mergeRecordings(sessions: TrueSession[]): void {
  const last = sessions.findLast(({ recorded }) => recorded);
  if (!last?.recorded) return;
  const { to, end } = last.recorded;
  const ids = sessions.flatMap(({ stream, recorded }) => (recorded ? streamIdFor(stream) : []));
  for (const [index, session] of sessions.entries())
    if (session.recorded)
      sessions[index] = {
        ...session,
        recorded: { ...session.recorded, to, end, tells: session === last ? ids : undefined },
      };
}

export function healthAt({ starving }: TrueSession, at: number): StreamHealth {
  return starving.some(({ from, to }) => at >= from && at < to) ? 'STARVING' : 'HEALTHY';
}

export function liveAt({ sessions }: History, at: number): TrueSession | undefined {
  return sessions.find((session) => at >= session.liveAt && at < session.endAt);
}

/** The events of a history in the order in which they happened. */
export function eventsOf({ channel, sessions, endsAt }: History): EventObservation[] {
  return sessions
    .flatMap(({ stream, createdAt, liveAt, endAt, goneAt, starving, recorded, incidents }) => [
      { name: 'Session Created', stream, at: createdAt },
      ...(liveAt < endAt ? [{ name: 'Stream Start', stream, at: liveAt }] : []),
      ...starving.flatMap(({ from, to }) => [
        { name: 'Starvation Start', stream, at: from },
        // A stream that dies while it starves has no Starvation End.
        ...(to < endAt ? [{ name: 'Starvation End', stream, at: to }] : []),
      ]),
      ...incidents.map(({ name, at }) => ({ name, stream, at })),
      ...(recorded ? [{ name: 'Recording Start', stream, at: recorded.from }] : []),
      ...(recorded?.tells
        ? [{ name: recorded.end, stream, at: recorded.to, detail: { recording_session_stream_ids: recorded.tells } }]
        : []),
      { name: 'Session Ended', stream, at: goneAt },
      { name: liveAt < endAt ? 'Stream End' : 'Stream Failure', stream, at: endAt },
    ])
    .filter(({ at }) => at < endsAt)
    .toSorted((a, b) => a.at - b.at)
    .map(({ name, ...told }) => event(name, { channel, ...told, arrived: told.at + 300 }));
}

const oddNames = [
  'Session Created',
  'Stream Start',
  'Stream End',
  'Stream Failure',
  'Session Ended',
  'Starvation Start',
  'Starvation End',
  'Stream Takeover',
  'Recording Start',
  'Recording End',
  'Recording End Failure',
  'Ingest Bitrate',
  'Nobody Knows This Name',
];

/**
 * False events: with any name, dated anywhere between years ago and days ahead, about the channel's own streams,
 * about another channel's, or about one that never was. They arrive while the history lasts, or after it.
 */
export function oddEvents(histories: readonly History[], draw: GeneratorValue): EventObservation[] {
  const streams = [...histories.flatMap(({ sessions }) => sessions.map(({ stream }) => stream)), 'nobody', 'never'];
  const endsAt = Math.max(...histories.map((history) => history.endsAt));
  return Array.from({ length: draw(between, 1, 30) }, (_, index) => {
    const { channel } = draw(fc.constantFrom<History[]>, ...histories);
    const arrived = draw(between, 0, endsAt + 60_000);
    const far = draw(fc.constantFrom<number[]>, 0, 0, 5_000, 600_000, 5 * 86_400_000, 1_000 * 86_400_000);
    const at = arrived + draw(between, -far, Math.min(far, 5 * 86_400_000));
    const stream = draw(fc.constantFrom<string[]>, ...streams);
    return event(draw(fc.constantFrom<string[]>, ...oddNames), {
      channel,
      stream,
      at,
      arrived,
      id: `odd-${channel}-${index}`,
    });
  });
}

type Fault = 'none' | 'broken' | 'shifted';

/** What a sweep sees at this moment. Nothing changes after the end of a history. */
function sweepAt(
  histories: readonly History[],
  scope: PollObservation['scope'],
  at: number,
  fault: Fault,
): PollObservation {
  const streams = histories.flatMap((history) => {
    const moment = Math.min(at, history.endsAt - 1);
    const session = liveAt(history, moment);
    if (!session || fault !== 'none') return [];
    const health = healthAt(session, moment);
    if (scope === 'starving' && health !== 'STARVING') return [];
    return [
      snapshot(history.channel, session.stream, { health, viewers: session.liveAt % 97, started: session.liveAt }),
    ];
  });
  return poll(scope, { at, took: 50, streams, complete: fault !== 'broken' });
}

/**
 * Sweeps at their intervals up to `until`, and two more. Some fail, and some miss streams because a page shifted, but never two in
 * a row; for a while there may be none at all.
 */
export function sweepsOf(histories: readonly History[], until: number, draw?: GeneratorValue): PollObservation[] {
  const endsAt = Math.max(...histories.map((history) => history.endsAt));
  const gapFrom = draw?.(between, 0, 2 * endsAt) ?? Number.POSITIVE_INFINITY;
  const gapTo = gapFrom + (draw?.(between, 20_000, 300_000) ?? 0);
  const sweeps: PollObservation[] = [];
  let faulty = false;
  for (let at = 2_500; at < endsAt + 40_000; at += starvingEvery) {
    if (at >= gapFrom && at < gapTo) continue;
    sweeps.push(sweepAt(histories, 'starving', at, 'none'));
    if (at % fullEvery !== 2_500) continue;
    const fault: Fault =
      draw && !faulty ? draw(fc.constantFrom<Fault[]>, 'none', 'none', 'none', 'broken', 'shifted') : 'none';
    faulty = fault !== 'none';
    sweeps.push(sweepAt(histories, 'all', at + 100, fault));
  }
  // Nothing changes any longer: a few sweeps represent hours of them, the last one after every reconnect window.
  const later = [until, until + fullEvery, until + 2 * fullEvery, until + 400_000];
  for (let at = endsAt + 50_000; at < until; at += Math.max(20_000, (until - endsAt) / 10)) later.push(at);
  for (const at of later)
    sweeps.push(sweepAt(histories, 'all', at, 'none'), sweepAt(histories, 'starving', at + 100, 'none'));
  return sweeps;
}

export interface Faults {
  readonly lost: boolean;
}

/** The events as delivered on a bad day: some twice, some late by minutes or hours, some never. */
export function deliver(
  events: readonly EventObservation[],
  draw: GeneratorValue,
  { lost }: Faults,
): EventObservation[] {
  return events.flatMap((observation) => {
    const fate = draw(
      fc.constantFrom<('prompt' | 'late' | 'hours' | 'twice' | 'never')[]>,
      'prompt',
      'prompt',
      'late',
      'hours',
      'twice',
      'never',
    );
    if (fate === 'never' && lost) return [];
    const delay =
      fate === 'late'
        ? draw(between, 0, 90_000)
        : fate === 'hours'
          ? draw(between, 0, 10_000_000)
          : draw(between, 0, 2_000);
    const first = { ...observation, arrivedAtMs: observation.arrivedAtMs + delay };
    if (fate !== 'twice') return [first];
    return [first, { ...first, arrivedAtMs: first.arrivedAtMs + draw(between, 0, 100_000) }];
  });
}

/** Everything in the order in which it arrives. */
export function inOrderOfArrival(observations: readonly Observation[]): Observation[] {
  const arrival = (observation: Observation) =>
    observation.kind === 'event' ? observation.arrivedAtMs : observation.kind === 'poll' ? observation.finishedAtMs : 0;
  return observations.toSorted((a, b) => arrival(a) - arrival(b));
}
