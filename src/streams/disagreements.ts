// Counts how often polls said otherwise than events: the measure of what events alone would have got wrong. Kept in the shared
// state, so that every replica shows the same figure.
import type { StateView, Transaction } from '#domain/shared-state.ts';
import type { StreamChange } from '#domain/stream-record.ts';
import { keys } from './keys.ts';
import type { SessionInput } from './reduce.ts';

/** `ended`: a poll closed what no event had ended; `health`: a poll corrected a health that rested on an event. */
export interface Disagreements {
  readonly ended: number;
  readonly health: number;
}

export function disagreementsOf(view: StateView): Disagreements {
  return view.get<Disagreements>(keys.disagreements) ?? { ended: 0, health: 0 };
}

/** Notes when what a poll said overturned what events had said. */
export function noteDisagreement(tx: Transaction, { kind }: SessionInput, changes: readonly StreamChange[]): void {
  if (changes.length === 0 || kind === 'event') return;
  let { ended, health } = disagreementsOf(tx);
  const known = ended + health;
  for (const change of changes) {
    if (change.kind !== 'stream' || !change.before) continue;
    const { before, after } = change;
    if (before.state === 'live' && after.state === 'ended' && kind === 'missed' && !after.basis.sessionEndedMs)
      ended += 1;
    else if (after.state === 'live' && before.health !== after.health && before.evidence['health']?.source === 'event')
      health += 1;
  }
  if (ended + health !== known) tx.set(keys.disagreements, { ended, health });
}
