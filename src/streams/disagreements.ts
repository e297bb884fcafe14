// Counts how often polls contradicted events: a measure of what events alone would have got wrong. Kept in the shared
// state, so that every replica shows the same figure.
import type { StateView, Transaction } from '#domain/shared-state.ts';
import { kinds, notes } from '#domain/state-registry.ts';
import type { Disagreements, KeptDisagreements } from '#domain/stream-memory.ts';
import type { StreamChange, StreamRecord } from '#domain/stream-record.ts';
import { gapOf } from './gaps.ts';
import type { SessionInput } from './session-record.ts';

const keptMinutes = 60;
/** A start without an event for this long counts as lost. */
const eventGraceMs = 5 * 60_000;

export function disagreementsOf(view: StateView): Disagreements {
  const { started, ended, health } = keptOf(view);
  return { started, ended, health };
}

/** How many consecutive sessions polls found and no event reported, although the queue is read: the event path may be broken. */
export function unheardSessions(view: StateView): number {
  return keptOf(view).unheard;
}

/** Those of the last hour, to the minute. */
export function disagreementsLastHour(view: StateView, nowMs: number): number {
  return recent(keptOf(view), minuteOf(nowMs)).reduce((sum, [, count]) => sum + count, 0);
}

/** Records when a poll overturned what events had said. */
export function noteDisagreement(tx: Transaction, { kind }: SessionInput, changes: readonly StreamChange[]): void {
  if (changes.length === 0 || kind === 'event') return;
  let { ended, health } = keptOf(tx);
  for (const change of changes) {
    if (change.kind !== 'stream' || !change.before) continue;
    const { before, after } = change;
    if (kind === 'missed' && before.state === 'live' && after.state === 'ended' && eventsSayLive(before)) ended += 1;
    else if (after.state === 'live' && before.health !== after.health && eventsSayHealth(before)) health += 1;
  }
  keep(tx, { ended, health });
}

/**
 * Checks, once for each session, whether an event reported it in time. It looks at the sessions that began in the time that has
 * become old enough since the last sweep. Without a queue, or while it lags, nothing can be said.
 */
export function noteUnheard(tx: Transaction, lastPassMs: number, passMs: number): void {
  const read = tx.get(notes.queueRead);
  if (!read || (read.lagMs ?? 0) > eventGraceMs || gapOf(tx, 'events')) return;
  const fromMs = Math.max(lastPassMs - eventGraceMs, tx.get(notes.watchedSince) ?? passMs);
  const beganMs = ({ basis }: StreamRecord) => basis.startPollMs ?? 0;
  const due = Array.from(tx.entries(kinds.stream), ([, record]) => record)
    .filter((record) => beganMs(record) > fromMs && beganMs(record) <= passMs - eventGraceMs)
    .toSorted((a, b) => beganMs(a) - beganMs(b));
  let { started, unheard } = keptOf(tx);
  for (const { basis, timeline } of due) {
    if (basis.startEventMs === undefined && basis.createdMs === undefined) started += 1;
    unheard = timeline.some(({ source }) => source === 'event') ? 0 : unheard + 1;
  }
  keep(tx, { started, unheard });
}

/** Stores what changed, and the minute of what was added. */
function keep(tx: Transaction, found: Partial<KeptDisagreements>): void {
  const kept = keptOf(tx);
  const next = { ...kept, ...found };
  const more = next.started + next.ended + next.health - kept.started - kept.ended - kept.health;
  if (more === 0 && next.unheard === kept.unheard) return;
  const now = minuteOf(tx.nowMs);
  const before = recent(kept, now);
  const last = before.at(-1);
  const count = last?.[0] === now ? last[1] + more : more;
  const earlier = last?.[0] === now ? before.slice(0, -1) : before;
  const minutes = count === 0 ? before : [...earlier, [now, count] as const];
  tx.set(notes.disagreements, { ...next, minutes });
}

/** An event began it, perhaps after a poll had, and none reported its end. */
function eventsSayLive({ basis, evidence }: StreamRecord): boolean {
  if (basis.sessionEndedMs !== undefined || basis.recordingEndedMs !== undefined) return false;
  return basis.startEventMs !== undefined || evidence['state']?.source === 'event';
}

// The start of a stream is evidence for its health too, without a statement about it.
function eventsSayHealth({ health, evidence }: StreamRecord): boolean {
  return health !== 'UNKNOWN' && evidence['health']?.source === 'event';
}

function keptOf(view: StateView): KeptDisagreements {
  return { started: 0, ended: 0, health: 0, unheard: 0, ...view.get(notes.disagreements) };
}

function recent({ minutes = [] }: KeptDisagreements, nowMinute: number): NonNullable<KeptDisagreements['minutes']> {
  return minutes.filter(([minute]) => minute > nowMinute - keptMinutes);
}

function minuteOf(ms: number): number {
  return Math.floor(ms / 60_000);
}
