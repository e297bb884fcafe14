// Counts how often polls said otherwise than events: the measure of what events alone would have got wrong. Kept in the shared
// state, so that every replica shows the same figure.
import type { StateView, Transaction } from '#domain/shared-state.ts';
import type { StreamChange, StreamRecord } from '#domain/stream-record.ts';
import { gapOf } from './gaps.ts';
import { keys, type QueueNote } from './keys.ts';
import type { SessionInput } from './reduce.ts';

/**
 * `started`: a poll found what no event had begun, even minutes later; `ended`: a poll closed what no event had ended; `health`: a
 * poll corrected a health that rested on an event.
 */
export interface Disagreements {
  readonly started: number;
  readonly ended: number;
  readonly health: number;
}

interface Kept extends Disagreements {
  /** Sessions in a row of which no event told anything. */
  readonly unheard: number;
  /** Counts by the minute of the shared clock in which they were noted, oldest first; an hour of them. */
  readonly minutes?: readonly (readonly [minute: number, count: number])[];
}

const keptMinutes = 60;
/** An event of a start that did not come for so long is taken as lost. */
const eventGraceMs = 5 * 60_000;

export function disagreementsOf(view: StateView): Disagreements {
  const { started, ended, health } = keptOf(view);
  return { started, ended, health };
}

/** How many sessions in a row polls found and no event told of, although the queue is read: the way of the events may be cut. */
export function unheardSessions(view: StateView): number {
  return keptOf(view).unheard;
}

/** Those of the last hour, to the minute. */
export function disagreementsLastHour(view: StateView, nowMs: number): number {
  return recent(keptOf(view), minuteOf(nowMs)).reduce((sum, [, count]) => sum + count, 0);
}

/** Notes when what a poll said overturned what events had said. */
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
 * Looks, once for each session, whether an event told of it by the time it should have: of those that began in the time that has
 * become old enough since the pass before. Without a queue, or while it lags, nothing can be said.
 */
export function noteUnheard(tx: Transaction, lastPassMs: number, passMs: number): void {
  const read = tx.get<QueueNote>(keys.queueRead);
  if (!read || (read.lagMs ?? 0) > eventGraceMs || gapOf(tx, 'events')) return;
  const fromMs = Math.max(lastPassMs - eventGraceMs, tx.get<number>(keys.watchedSince) ?? passMs);
  const beganMs = ({ basis }: StreamRecord) => basis.startPollMs ?? 0;
  const due = Array.from(tx.entries<StreamRecord>('stream'), ([, record]) => record)
    .filter((record) => beganMs(record) > fromMs && beganMs(record) <= passMs - eventGraceMs)
    .toSorted((a, b) => beganMs(a) - beganMs(b));
  let { started, unheard } = keptOf(tx);
  for (const { basis, timeline } of due) {
    if (basis.startEventMs === undefined && basis.createdMs === undefined) started += 1;
    unheard = timeline.some(({ source }) => source === 'event') ? 0 : unheard + 1;
  }
  keep(tx, { started, unheard });
}

/** Keeps what changed, and notes the minute of what was added. */
function keep(tx: Transaction, found: Partial<Kept>): void {
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
  tx.set(keys.disagreements, { ...next, minutes } satisfies Kept);
}

/** An event began it, perhaps after a poll had, and none said that it is over. */
function eventsSayLive({ basis, evidence }: StreamRecord): boolean {
  if (basis.sessionEndedMs !== undefined || basis.recordingEndedMs !== undefined) return false;
  return basis.startEventMs !== undefined || evidence['state']?.source === 'event';
}

// The start of a stream is evidence for its health too, and says nothing of it.
function eventsSayHealth({ health, evidence }: StreamRecord): boolean {
  return health !== 'UNKNOWN' && evidence['health']?.source === 'event';
}

function keptOf(view: StateView): Kept {
  return { started: 0, ended: 0, health: 0, unheard: 0, ...view.get<Partial<Kept>>(keys.disagreements) };
}

function recent({ minutes = [] }: Kept, nowMinute: number): NonNullable<Kept['minutes']> {
  return minutes.filter(([minute]) => minute > nowMinute - keptMinutes);
}

function minuteOf(ms: number): number {
  return Math.floor(ms / 60_000);
}
