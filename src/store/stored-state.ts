// The state as it lies in Redis: its keys, and what is read and written of them, each in one step. Which copy of it is the newest, and
// who commits when, is shared-state.ts's matter.
import type { Log } from '#domain/state-key.ts';
import type { Redis } from '#runtime/redis.ts';
import type { RedisClock } from '#runtime/redis-clock.ts';
import { commitScript, type Moved, refreshScript } from './commit-script.ts';
import { type Head, newHeadPrefix, newLineage } from './head.ts';
import type { DraftTransaction } from './local-copy.ts';
import { findTrace } from './loss.ts';
import { type Found, headOfRow, type ReadEntry, readAll } from './read-all.ts';
import { readLog } from './read-log.ts';
import { StateCalls } from './state-calls.ts';

export interface StoredStateOptions {
  readonly redis: Redis;
  /** With a hash tag: all keys must live in one slot. */
  readonly prefix: string;
  /** Learns Redis's time from every answer of a script. */
  readonly clock: RedisClock;
  readonly logMaxAgeMs: (log: string) => number | undefined;
  readonly readEntry: ReadEntry;
}

export interface CommitOptions {
  /** The commit that this one is to follow; undefined: there is no state yet. */
  readonly onto: Head | undefined;
  readonly dedupIds?: readonly string[];
  readonly dedupTtlMs?: number;
  readonly repair?: boolean;
  readonly number?: number;
  readonly lineage?: string;
}

/** How long the id of an event or a request is remembered. */
export const defaultDedupTtlMs = 6 * 3_600_000;

/** Every method throws AppError REDIS_UNREACHABLE or REDIS_REFUSES. */
export class StoredState {
  readonly #options: StoredStateOptions;
  readonly #keys: { state: string; head: string; log: string; prefix: string };
  readonly #calls: StateCalls;

  constructor(options: StoredStateOptions) {
    const { redis, clock, prefix } = options;
    this.#options = options;
    // After a failed commit the head in Redis tells whether it happened, so the next call must compare.
    this.#calls = new StateCalls({ redis, clock, failure: 'the shared state could not be read or written' });
    this.#keys = { state: `${prefix}:state`, head: `${prefix}:state-head`, log: `${prefix}:state-log`, prefix };
  }

  /** Writes what a draft holds if `onto` is still the newest commit; else answers with what came since. */
  commit({ writes, appends }: DraftTransaction, options: CommitOptions) {
    const { redis, logMaxAgeMs } = this.#options;
    const { onto, dedupIds = [], dedupTtlMs = defaultDedupTtlMs, repair = false } = options;
    const { number = onto?.number ?? 0, lineage = onto?.lineage ?? newLineage() } = options;
    return this.#calls.script(() =>
      commitScript(redis, {
        ...this.#keys,
        expectedHead: onto?.text ?? '',
        newHead: newHeadPrefix(lineage, number + 1),
        repair,
        writes,
        appends: appends.map((append) => ({ ...append, maxAgeMs: logMaxAgeMs(append.log) })),
        dedupIds,
        dedupTtlMs,
      }),
    );
  }

  /** What was committed after a head that is known; the empty head is before all of them. */
  changesSince(knownHead: string): Promise<Moved> {
    return this.#calls.script(() => refreshScript(this.#options.redis, { ...this.#keys, knownHead }));
  }

  /** All entries, at the newest head. */
  readAll(): Promise<Found> {
    const { redis, readEntry } = this.#options;
    return readAll({
      head: async () => (await this.#calls.reach(() => redis.get(this.#keys.head))) ?? '',
      scan: (cursor) => this.#calls.reach(() => redis.hscan(this.#keys.state, cursor, 'COUNT', 2000)),
      changesSince: (head) => this.changesSince(head),
      readEntry,
    });
  }

  /** The heads of those commits that are still in the log of commits. */
  async loggedHeads(): Promise<readonly string[]> {
    const rows = await this.#calls.reach(() => this.#options.redis.lrange(this.#keys.log, 0, -1));
    return rows.map(headOfRow);
  }

  /** What else in Redis tells that there had been a state, before the process started. */
  trace(startedAtMs: number) {
    return this.#calls.reach(() => findTrace(this.#options.redis, this.#keys.prefix, startedAtMs));
  }

  /** The newest entries of a log, or those before one of them. */
  readLog<T>(log: Log<T>, options: { limit: number; before?: string }): Promise<readonly { id: string; entry: T }[]> {
    const { redis, readEntry } = this.#options;
    return this.#calls.reach(() => readLog(redis, this.#keys.prefix, log, { ...options, readEntry }));
  }

  /** Writes what nobody reads. */
  async probe(): Promise<void> {
    await this.#calls.reach(() => this.#options.redis.set(`${this.#keys.prefix}:probe`, '1', 'PX', 60_000));
  }
}
