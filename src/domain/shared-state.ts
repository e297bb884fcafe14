// The port to the state that all replicas share. src/store/shared-state.ts keeps it in Redis, memory-state.ts in memory for virtual time.
import type { JobRequest } from './job.ts';
import type { Index, Key, Kind, Log } from './state-key.ts';
import type { Traceparent } from './trace.ts';

/** A read-only view of the shared state. Keys and kinds are in state-registry.ts; values are plain JSON, never mutated. */
export interface StateView {
  get<T>(key: Key<T>): T | undefined;
  /** Every entry of one kind, in no order. */
  entries<T, Id extends string>(kind: Kind<T, Id>): Iterable<readonly [id: Id, value: T]>;
  count(kind: Kind<unknown>): number;
  /** Entries that an index lists under a word, in no order. Costs as much as it finds, however much there is. */
  indexed<T, Id extends string>(index: Index<T, Id>, word: string): Iterable<readonly [id: Id, value: T]>;
}

/**
 * One transaction: reads see its own writes; all of it is committed in one step, or nothing. The body must be synchronous and must not
 * touch anything else, because it runs again if another replica was quicker.
 */
export interface Transaction extends StateView {
  /** The time of the commit by the clock that all replicas share, epoch ms. */
  readonly nowMs: number;
  set<T>(key: Key<T>, value: NoInfer<T>): void;
  delete(key: Key<unknown>): void;
  /** Whether any replica has used this dedup id (an event's id …) before. Only ids named in the options may be asked for. */
  isRepeat(dedupId: string): boolean;
  /** Adds to an append-only log; the oldest entries beyond `maxEntries` are removed. */
  append<T>(log: Log<T>, entry: NoInfer<T>, maxEntries: number): void;
  /** The job reaches its queue if, and only if, this transaction is committed, even if the process dies right after. */
  enqueue(job: JobRequest): void;
}

export interface TransactionOptions {
  /** Ids that must take effect once; remembered for `dedupTtlMs` from the commit. */
  readonly dedupIds?: readonly string[];
  readonly dedupTtlMs?: number;
  /**
   * How long the commit may wait for another one that it can join. For work that is not urgent, so that it needs no round trip of its own
   * while much is committed anyway. Default 0.
   */
  readonly withinMs?: number;
  /** Its place in a trace, which its jobs follow from unless they name their own. Default: the caller's place */
  readonly trace?: Traceparent | undefined;
}

export interface Insisted<T> {
  /** Resolves with what the body returned, once it is committed; stays pending while Redis is away. */
  readonly written: Promise<T>;
}

export interface SharedState {
  /** The local copy, as of the last commit or refresh of this replica. */
  readonly view: StateView;
  /** The clock that all replicas share, epoch ms. */
  nowMs(): number;
  /** Reads what other replicas have written, unless that was done, or something was committed, within the last `maxAgeMs` (default 0). */
  refresh(options?: { readonly maxAgeMs?: number }): Promise<void>;
  transact<T>(body: (tx: Transaction) => T, options?: TransactionOptions): Promise<T>;
  /**
   * Makes a value true in this replica's view at once, and for all replicas with its next commit, ahead of everything else, however long
   * Redis is away. For values that must apply here although no other replica can learn of them (a pause). A later value replaces an
   * earlier one of the same key.
   */
  insist<V, T>(key: Key<V>, value: NoInfer<V>, body: (tx: Transaction) => T): Insisted<T>;
  /** Withdraws a value of `insist` that is not written yet. Returns whether there was one. */
  withdraw(key: Key<unknown>): boolean;
  /** Keys of values that are insisted on and not written yet: no other replica knows them. */
  readonly unwritten: readonly string[];
  /** The newest entries of a log, newest first; `before` continues from an earlier answer's last id. */
  readLog<T>(log: Log<T>, options: { limit: number; before?: string }): Promise<readonly { id: string; entry: T }[]>;
}
