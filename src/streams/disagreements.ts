// Counts how often polls said otherwise than events: the measure of what events alone would have got wrong. Kept in the shared
// state, so that every replica shows the same figure.
import type { StateView, Transaction } from '#domain/shared-state.ts';
import type { StreamChange, StreamRecord } from '#domain/stream-record.ts';
import { keys } from './keys.ts';
import type { SessionInput } from './reduce.ts';

/** `ended`: a poll closed what no event had ended; `health`: a poll corrected a health that rested on an event. */
export interface Disagreements {
  readonly ended: number;
  readonly health: number;
}

interface Kept extends Disagreements {
  /** Counts by the minute of the shared clock in which they were noted, oldest first; an hour of them. */
  readonly minutes?: readonly (readonly [minute: number, count: number])[];
}

const keptMinutes = 60;

export function disagreementsOf(view: StateView): Disagreements {
  const { ended, health } = keptOf(view);
  return { ended, health };
}

/** Those of the last hour, to the minute. */
export function disagreementsLastHour(view: StateView, nowMs: number): number {
  return recent(keptOf(view), minuteOf(nowMs)).reduce((sum, [, count]) => sum + count, 0);
}

/** Notes when what a poll said overturned what events had said. */
export function noteDisagreement(tx: Transaction, { kind }: SessionInput, changes: readonly StreamChange[]): void {
  if (changes.length === 0 || kind === 'event') return;
  const kept = keptOf(tx);
  let { ended, health } = kept;
  const known = ended + health;
  for (const change of changes) {
    if (change.kind !== 'stream' || !change.before) continue;
    const { before, after } = change;
    if (kind === 'missed' && before.state === 'live' && after.state === 'ended' && eventsSayLive(before)) ended += 1;
    else if (after.state === 'live' && before.health !== after.health && eventsSayHealth(before)) health += 1;
  }
  const more = ended + health - known;
  if (more === 0) return;
  const now = minuteOf(tx.nowMs);
  const before = recent(kept, now);
  const last = before.at(-1);
  const minutes =
    last?.[0] === now ? [...before.slice(0, -1), [now, last[1] + more] as const] : [...before, [now, more] as const];
  tx.set(keys.disagreements, { ended, health, minutes } satisfies Kept);
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
  return view.get<Kept>(keys.disagreements) ?? { ended: 0, health: 0 };
}

function recent({ minutes = [] }: Kept, nowMinute: number): NonNullable<Kept['minutes']> {
  return minutes.filter(([minute]) => minute > nowMinute - keptMinutes);
}

function minuteOf(ms: number): number {
  return Math.floor(ms / 60_000);
}
