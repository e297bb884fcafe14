// Whether what Redis holds continues the copy that a replica has: the pure part of noticing a loss.
import { type Head, parseHead } from './head.ts';

/** What Redis says about its state. */
export interface Observed {
  /** Empty: there is none. */
  readonly head: string;
  /** Fields of the state's hash. */
  readonly fields: number;
  /** Entries of the list of commits. */
  readonly logged: number;
  /** Whether the given head is in the list of commits, or is the newest. */
  readonly found: boolean;
}

/**
 * - `continuous`: Redis has all that the copy has.
 * - `unproven`: the copy's commit is too old to be in the list. There is no sign of a loss.
 * - else a loss.
 */
export type Continuity = 'continuous' | 'unproven' | 'emptied' | 'rolled_back' | 'damaged';

/** Compares a copy's head with what Redis has now. @throws AppError STATE_TOO_NEW */
export function continuityOf(known: Head, observed: Observed): Continuity {
  if (observed.head === '') return observed.fields === 0 ? 'emptied' : 'damaged';
  const now = parseHead(observed.head);
  // A field that somebody added by hand is not a loss.
  if (now.fields !== undefined && observed.fields < now.fields) return 'damaged';
  if (observed.found) return 'continuous';
  if (now.number === undefined || known.number === undefined) return 'unproven';
  if (known.lineage !== undefined && now.lineage !== known.lineage) return 'emptied';
  // The list holds the newest commits without a gap: a commit of ours that is recent enough would be in it.
  const ahead = now.number - known.number;
  return ahead <= 0 || ahead < observed.logged ? 'rolled_back' : 'unproven';
}
