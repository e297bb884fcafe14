// A loss of the shared state, as whoever has a copy (or finds traces) sees it. src/store detects it; src/rules/state-loss.ts says what
// is written again and whether automation pauses.
import type { StateView, Transaction } from './shared-state.ts';
import { notes } from './state-registry.ts';

/**
 * - `emptied`: nothing is left, or somebody began a new state since.
 * - `rolled_back`: an older state is back.
 * - `damaged`: single keys or fields are missing.
 */
export type StateLossKind = 'emptied' | 'rolled_back' | 'damaged';

export interface StateLoss {
  readonly kind: StateLossKind;
  /** In plain words, for log, alert and audit: how it was noticed. */
  readonly evidence: string;
  /** What this replica knew before; empty when no copy survived. */
  readonly known: StateView;
  /** The lineage that was known; undefined: none. */
  readonly lineage: string | undefined;
  /** Whether `known` is a living replica's copy. */
  readonly hasCopy: boolean;
  /** Time of the newest commit known of, by Redis's clock; undefined: not known. */
  readonly knownAtMs: number | undefined;
  /** Time between the commit that Redis has gone back to and the newest known; undefined: it cannot be told. */
  readonly lostMs: number | undefined;
  /** Commits after that one; undefined: it cannot be told. */
  readonly lostCommits: number | undefined;
  /**
   * Whether what `known` has and Redis lacks was lost for certain: what Redis holds is nothing, another state, or an earlier moment of
   * `known`. False: somebody has committed since, and may have done or taken back what is missing.
   */
  readonly missingIsLost: boolean;
  /** When the controls were last changed, as far as a note outside of Redis tells; undefined: no such note. */
  readonly controlsAtMs: number | undefined;
  /** What `on_empty_state` says about a state without a copy; undefined: it was not empty. */
  readonly onEmpty: 'pause' | 'start' | undefined;
}

/**
 * So long after a repair nothing acts for a rule: the replica that noticed first may be behind one that knows of more holds, and adds
 * them at its next look.
 */
export const settleAfterRepairMs = 2_000;

/** When all replicas have had their say after the last repair, by Redis's clock; in the past where there was none. */
export function settledAfterRepairMs(view: StateView): number {
  const repairedAtMs = view.get(notes.lineage)?.repairedAtMs;
  return repairedAtMs === undefined ? Number.NEGATIVE_INFINITY : repairedAtMs + settleAfterRepairMs;
}

/** What is done about a loss; the rules' side of the store. Bodies run in the transaction that repairs the state. */
export interface LossKeeper {
  /** Whether `found` lacks a safety control that `known` has and nobody took back. */
  lacks(found: StateView, known: StateView, nowMs: number): boolean;
  /** When a safety control was last changed, for the note outside of Redis. */
  controlsAtMs(view: StateView): number;
  /** Writes what is known again; pauses unless nothing can have gone wrong. Returns what it did. */
  repair(tx: Transaction, loss: StateLoss): Repair;
  /** Told after the commit. */
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
  /** Keys of controls that were written or taken back again. */
  readonly restored: readonly string[];
  /** What was known, is missing, and is not written again; counted by kind, at least so many. Undefined: it cannot be told. */
  readonly lost: readonly LostItems[] | undefined;
  readonly paused: boolean;
}
