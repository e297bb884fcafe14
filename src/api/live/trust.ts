// What can be trusted, and how far: the age of each source, and how often the sources disagreed.

import { formatDuration } from '#domain/duration.ts';
import type { DataSource } from '#domain/observation.ts';
import type { OldPictureOf } from '#domain/picture.ts';
import type { StateView } from '#domain/shared-state.ts';
import { notes as stateNotes } from '#domain/state-registry.ts';
import type { Disagreements } from '#domain/stream-memory.ts';
import { disagreementsLastHour, disagreementsOf, unheardSessions } from '#streams/disagreements.ts';
import { gapOf, silentSinceMs } from '#streams/gaps.ts';
import type { LiveSources } from './sources.ts';
import type { LiveStatus, TrustLine } from './status.ts';

function viewsOf({ views, state }: LiveSources): readonly StateView[] {
  return views ?? [state.view];
}

interface Told extends Disagreements {
  readonly lastHour: number;
}

function disagreements(sources: LiveSources, nowMs: number): Told {
  const views = viewsOf(sources);
  const sum = (of: (view: StateView) => number) => views.reduce((total, view) => total + of(view), 0);
  return {
    started: sum((view) => disagreementsOf(view).started),
    ended: sum((view) => disagreementsOf(view).ended),
    health: sum((view) => disagreementsOf(view).health),
    lastHour: sum((view) => disagreementsLastHour(view, nowMs)),
  };
}

/** The lag of the queue is unknown while it cannot be read. */
function eventLag(sources: LiveSources): number | undefined {
  const notes = viewsOf(sources).map((view) => (gapOf(view, 'events') ? undefined : view.get(stateNotes.queueRead)));
  const known = notes.flatMap((note) => note?.lagMs ?? []);
  return known.length === 0 ? undefined : Math.max(...known);
}

/** The oldest of several accounts; undefined if one has none at all. */
function oldest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((ms) => ms !== undefined);
  return known.length < times.length ? undefined : Math.min(...known);
}

/** How Redis does. */
interface RedisSigns {
  readonly redisLatencyMs?: number | undefined;
  readonly picture?: OldPictureOf | undefined;
}

/** The part of the status about trust. */
export function trustOf(
  sources: LiveSources,
  { nowMs, ...redis }: { readonly nowMs: number } & RedisSigns,
): Pick<LiveStatus, 'trust' | 'disagreements' | 'disagreementsLastHour' | 'eventLagMs'> {
  const told = disagreements(sources, nowMs);
  const eventLagMs = sources.events && eventLag(sources);
  return {
    trust: trustLines(sources, { nowMs, told, eventLagMs, ...redis }),
    disagreements: { started: told.started, ended: told.ended, health: told.health },
    disagreementsLastHour: told.lastHour,
    ...(eventLagMs === undefined ? {} : { eventLagMs }),
  };
}

/** How late the last events arrived, in words. */
function lagText(lagMs: number | undefined): string {
  if (lagMs === undefined) return 'lag –';
  return lagMs < 1_000 ? 'lag below 1 s' : `lag ${formatDuration(Math.round(lagMs / 1_000) * 1_000)}`;
}

/** Single events are lost now and then; this many sessions in a row without one are no coincidence. The alert uses the same number. */
const manyUnheard = 5;

function unheardText(sessions: number): string {
  return sessions < manyUnheard ? '' : `none came of the last ${sessions} sessions; `;
}

function trustLines(
  sources: LiveSources,
  {
    nowMs,
    told,
    eventLagMs,
    ...redis
  }: { readonly nowMs: number; readonly told: Told; readonly eventLagMs: number | undefined } & RedisSigns,
): TrustLine[] {
  const views = viewsOf(sources);
  const sweeps = views.map((view) => view.get(stateNotes.sweep('all')));
  const polledMs = oldest(sweeps.map((sweep) => sweep?.finishedAtMs));
  // An account without a queue never reads one.
  const reads = views.flatMap((view) => view.get(stateNotes.queueRead)?.atMs ?? []);
  const readMs = reads.length === 0 ? undefined : Math.min(...reads);
  const events = sources.events?.();
  const unheard = Math.max(...views.map(unheardSessions));
  const silentAfterMs = sources.silentAfterMs();
  const isSilent = (view: StateView, source: DataSource) =>
    gapOf(view, source) !== undefined ||
    silentSinceMs(view, source, {
      nowMs,
      pollSilentAfterMs: silentAfterMs.poll,
      eventsSilentAfterMs: view.get(stateNotes.queueRead) === undefined ? undefined : silentAfterMs.events,
    }) !== undefined;
  const age = (source: DataSource, atMs: number | undefined): TrustLine['state'] =>
    views.some((view) => isSilent(view, source)) ? 'stale' : atMs === undefined ? 'unknown' : 'ok';
  return [
    {
      name: 'Poll',
      state: age('poll', polledMs),
      text: polledMs === undefined ? 'no complete sweep yet' : 'last complete sweep',
      atMs: polledMs,
    },
    {
      name: 'Events',
      state: !events ? 'unknown' : unheard >= manyUnheard ? 'stale' : age('events', readMs),
      text: !events
        ? 'no event queue configured'
        : `${events.waiting === undefined ? 'the number of waiting messages is unknown' : `${events.waiting} waiting`}, ${lagText(eventLagMs)}; ${unheardText(unheard)}queue read`,
      atMs: readMs,
    },
    redisLine(redis),
    deadLetterLine(events),
    {
      name: 'Disagreements',
      state: 'ok',
      text: `polls overruled events ${told.lastHour === 1 ? 'once' : `${told.lastHour} times`} in the last hour (ever: ${told.started} starts, ${told.ended} ends, ${told.health} health changes)`,
    },
  ];
}

function redisLine({ redisLatencyMs, picture }: RedisSigns): TrustLine {
  const name = 'Redis';
  if (picture)
    return {
      name,
      state: 'stale',
      text: { away: 'does not answer', refuses: 'refuses', unread: 'holds a state that cannot be read' }[picture.kind],
    };
  if (redisLatencyMs === undefined) return { name, state: 'unknown', text: 'not measured' };
  if (!Number.isFinite(redisLatencyMs)) return { name, state: 'stale', text: 'does not answer' };
  return { name, state: 'ok', text: `answers in ${redisLatencyMs.toFixed(1)} ms` };
}

function deadLetterLine(events: ReturnType<NonNullable<LiveSources['events']>> | undefined): TrustLine {
  const name = 'Dead letters';
  if (events?.redrives === false)
    return {
      name,
      state: 'stale',
      text: 'the event queue has no redrive policy: unreadable messages come back until they expire',
    };
  const waiting = events?.deadLetters;
  if (waiting === undefined) return { name, state: 'unknown', text: 'not measured' };
  return { name, state: waiting === 0 ? 'ok' : 'stale', text: `${waiting} in the dead-letter queue` };
}
