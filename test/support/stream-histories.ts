// True histories of a channel, what polls see of them, and deliveries of their events that lose, repeat, delay and reorder.
import type { GeneratorValue } from 'fast-check';
import fc from 'fast-check';
import type { StreamHealth } from '#domain/channel.ts';
import type { EventObservation, Observation, PollObservation } from '#domain/observation.ts';
import { event, poll, snapshot } from './streams.ts';

/** One session; times in ms after `startMs`, ends exclusive. */
export interface TrueSession {
  readonly stream: string;
  readonly createdAt: number;
  readonly liveAt: number;
  readonly endAt: number;
  /** When Session Ended happened, on either side of Stream End. */
  readonly goneAt: number;
  readonly starving: readonly { readonly from: number; readonly to: number }[];
  /** Undefined: the channel does not record. */
  readonly recorded: { readonly from: number; readonly to: number } | undefined;
  /** Other things that happen to a live stream. */
  readonly incidents: readonly { readonly name: 'Ingest Bitrate' | 'Stream Takeover'; readonly at: number }[];
}

export interface History {
  readonly sessions: readonly TrueSession[];
  /** When nothing happens any more. */
  readonly endsAt: number;
}

export const channel = 'A';
export const fullEvery = 15_000;
export const starvingEvery = 5_000;

const between = (min: number, max: number) => fc.integer({ min, max });

/** Up to three sessions of 1 to 200 seconds with starvation, breaches and takeovers here and there; the last may still be live when the story ends. */
export function drawHistory(draw: GeneratorValue): History {
  const sessions: TrueSession[] = [];
  const count = draw(between, 1, 3);
  const recorded = draw(fc.boolean);
  let now = draw(between, 0, 20_000);
  for (let index = 0; index < count; index += 1) {
    const createdAt = now;
    const liveAt = createdAt + draw(between, 500, 9_000);
    const endAt = liveAt + draw(between, 1_000, 200_000);
    const starving: { from: number; to: number }[] = [];
    for (let from = liveAt + draw(between, 200, 60_000); from < endAt; ) {
      const to = Math.min(endAt, from + draw(between, 200, 40_000));
      starving.push({ from, to });
      from = to + draw(between, 200, 60_000);
    }
    sessions.push({
      stream: `s${index}`,
      createdAt,
      liveAt,
      endAt,
      goneAt: endAt + draw(between, -900, 900),
      starving,
      recorded: recorded ? { from: liveAt + draw(between, 100, 900), to: endAt + draw(between, 0, 1_400) } : undefined,
      incidents: Array.from({ length: draw(between, 0, 3) }, () => ({
        name: draw(fc.constantFrom<('Ingest Bitrate' | 'Stream Takeover')[]>, 'Ingest Bitrate', 'Stream Takeover'),
        at: draw(between, liveAt, endAt - 1),
      })),
    });
    now = Math.max(endAt, sessions[index]!.goneAt) + draw(between, 1_500, 60_000);
  }
  const last = sessions.at(-1)!;
  const cut = draw(fc.boolean) ? draw(between, last.liveAt + 1_000, last.endAt) : now;
  return { sessions, endsAt: cut };
}

export function healthAt({ starving }: TrueSession, at: number): StreamHealth {
  return starving.some(({ from, to }) => at >= from && at < to) ? 'STARVING' : 'HEALTHY';
}

export function liveAt({ sessions }: History, at: number): TrueSession | undefined {
  return sessions.find((session) => at >= session.liveAt && at < session.endAt);
}

/** The events of a history in the order in which they happened. */
export function eventsOf({ sessions, endsAt }: History): EventObservation[] {
  return sessions
    .flatMap(({ stream, createdAt, liveAt, endAt, goneAt, starving, recorded, incidents }) => [
      { name: 'Session Created', stream, at: createdAt },
      { name: 'Stream Start', stream, at: liveAt },
      ...starving.flatMap(({ from, to }) => [
        { name: 'Starvation Start', stream, at: from },
        // A stream that dies while it starves has no Starvation End.
        ...(to < endAt ? [{ name: 'Starvation End', stream, at: to }] : []),
      ]),
      ...incidents.map(({ name, at }) => ({ name, stream, at })),
      ...(recorded
        ? [
            { name: 'Recording Start', stream, at: recorded.from },
            { name: 'Recording End', stream, at: recorded.to },
          ]
        : []),
      { name: 'Session Ended', stream, at: goneAt },
      { name: 'Stream End', stream, at: endAt },
    ])
    .filter(({ at }) => at < endsAt)
    .toSorted((a, b) => a.at - b.at)
    .map(({ name, stream, at }) => event(name, { channel, stream, at, arrived: at + 300 }));
}

/** What a pass at this moment sees. The history stands still when it is over. */
function passAt(
  history: History,
  scope: PollObservation['scope'],
  at: number,
  fault: 'none' | 'broken' | 'shifted',
): PollObservation {
  const moment = Math.min(at, history.endsAt - 1);
  const session = liveAt(history, moment);
  const seen = session && (scope === 'all' || healthAt(session, moment) === 'STARVING') && fault === 'none';
  const streams = seen
    ? [
        snapshot(channel, session.stream, {
          health: healthAt(session, moment),
          viewers: session.liveAt % 97,
          started: session.liveAt,
        }),
      ]
    : [];
  return poll(scope, { at, took: 50, streams, complete: fault !== 'broken' });
}

/** Passes at their intervals up to `until`; some fail, and some miss a stream because a page shifted, but never two in a row. */
export function passesOf(history: History, until: number, draw?: GeneratorValue): PollObservation[] {
  const passes: PollObservation[] = [];
  let faulty = false;
  for (let at = 2_500; at < history.endsAt + 40_000; at += starvingEvery) {
    passes.push(passAt(history, 'starving', at, 'none'));
    if (at % fullEvery !== 2_500) continue;
    const fault: 'none' | 'broken' | 'shifted' =
      draw && !faulty
        ? draw(fc.constantFrom<('none' | 'broken' | 'shifted')[]>, 'none', 'none', 'none', 'broken', 'shifted')
        : 'none';
    faulty = fault !== 'none';
    passes.push(passAt(history, 'all', at + 100, fault));
  }
  // Nothing moves any more: a few passes stand for hours of them.
  for (let at = history.endsAt + 50_000; at < until; at += Math.max(20_000, (until - history.endsAt) / 10))
    passes.push(passAt(history, 'all', at, 'none'), passAt(history, 'starving', at + 100, 'none'));
  for (const at of [until, until + fullEvery, until + 2 * fullEvery])
    passes.push(passAt(history, 'all', at, 'none'), passAt(history, 'starving', at + 100, 'none'));
  return passes;
}

export interface Faults {
  readonly lost: boolean;
}

/** The events as a bad day delivers them: some twice, some late by minutes or hours, some never. */
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
