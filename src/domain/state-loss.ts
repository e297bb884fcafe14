// A loss of the shared state, as seen by a replica that has a copy or finds traces. src/store detects it; src/rules/state-loss.ts decides
// what is restored and whether automation pauses.
import type { StateView, Transaction } from './shared-state.ts';
import { notes } from './state-registry.ts';

/**
 * - `emptied`: nothing is left, or somebody has begun a new state since.
 * - `rolled_back`: an older state is back.
 * - `damaged`: single keys or fields are missing.
 */
export type StateLossKind = 'emptied' | 'rolled_back' | 'damaged';

export interface StateLoss {
  readonly kind: StateLossKind;
  /** How it was noticed, in plain words for log, alert and audit. */
  readonly evidence: string;
  /** What this replica knew before; empty if no copy survived. */
  readonly known: StateView;
  /** The lineage that was known; undefined: none. */
  readonly lineage: string | undefined;
  /** Whether `known` is the copy of a living replica. */
  readonly hasCopy: boolean;
  /** Time of the newest known commit, by Redis's clock; undefined: unknown. */
  readonly knownAtMs: number | undefined;
  /** Time between the commit that Redis has gone back to and the newest known one; undefined: unknown. */
  readonly lostMs: number | undefined;
  /** Number of commits after that one; undefined: unknown. */
  readonly lostCommits: number | undefined;
  /**
   * Whether the entries that `known` has and Redis lacks were certainly lost: Redis has no state, another state, or an earlier moment of
   * `known`. False: somebody has committed since, and may have removed or completed what is missing.
   */
  readonly missingIsLost: boolean;
  /** When the controls were last changed, according to a note outside of Redis; undefined: there is no such note. */
  readonly controlsAtMs: number | undefined;
  /** The setting `on_empty_state`, for an empty state without a copy; undefined: it was not empty. */
  readonly onEmpty: 'pause' | 'start' | undefined;
}

/**
 * No action of a rule runs for this long after a repair: the replica that noticed first may know fewer holds than another one, which adds
 * its own when it next reads the state.
 */
export const settleAfterRepairMs = 2_000;

/** When every replica has had time to add to the last repair, by Redis's clock; in the past if there was no repair. */
export function settledAfterRepairMs(view: StateView): number {
  const repairedAtMs = view.get(notes.lineage)?.repairedAtMs;
  return repairedAtMs === undefined ? Number.NEGATIVE_INFINITY : repairedAtMs + settleAfterRepairMs;
}

/** What the rules do about a loss, for the store. Bodies run in the transaction that repairs the state. */
export interface LossKeeper {
  /** Whether `found` lacks a safety control that `known` has and nobody ended. */
  lacks(found: StateView, known: StateView, nowMs: number): boolean;
  /** When a safety control was last changed, for the note outside of Redis. */
  controlsAtMs(view: StateView): number;
  /** Restores what is known; pauses unless nothing can have gone wrong. Returns what it did. */
  repair(tx: Transaction, loss: StateLoss): Repair;
  /** Called after the commit. */
  onRepaired(loss: StateLoss, repair: Repair): void;
}

/** Lost entries of one kind. */
export interface LostItems {
  /** In plain words, for this count: `deferred actions`. */
  readonly what: string;
  readonly count: number;
  /** What some of them are about: a rule, a channel, an action. */
  readonly names: readonly string[];
}

export interface Repair {
  /** Keys of controls that were restored or ended again. */
  readonly restored: readonly string[];
  /** Known entries that are missing and were not restored, counted by kind; the counts are minimums. Undefined: unknown. */
  readonly lost: readonly LostItems[] | undefined;
  readonly paused: boolean;
}
