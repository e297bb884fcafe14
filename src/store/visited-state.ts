// The shared state of a shard that this process does not carry: nothing of it is kept here. A question is put to an empty copy, which notes
// what it lacks; that is fetched from Redis, and the question is asked again until nothing is missing. So an answer costs what it reads,
// and there is no cost between answers.
//
// Writes are ordinary commits, computed on what they have read, and refused if that is not the newest. This process never creates such a
// state and never repairs one: the process that carries the shard does.
import { z } from 'zod';
import { AppError } from '#domain/errors.ts';
import type { SharedState, Transaction, TransactionOptions } from '#domain/shared-state.ts';
import type { Log } from '#domain/state-key.ts';
import { isControl } from '#domain/state-registry.ts';
import type { Redis } from '#runtime/redis.ts';
import type { RedisClock } from '#runtime/redis-clock.ts';
import type { Replication } from '#runtime/redis-replication.ts';
import { replyOf } from '#runtime/script-replies.ts';
import { commitScript, type Moved, refreshScript } from './commit-script.ts';
import { newHeadPrefix, newLineage, parseHead } from './head.ts';
import { DraftTransaction, isKey } from './local-copy.ts';
import { PartialCopy } from './partial-copy.ts';
import type { ReadEntry } from './read-all.ts';
import { readLog } from './read-log.ts';
import { StateCalls } from './state-calls.ts';

/** What a reader of a state may use. */
export type SeenState = Pick<SharedState, 'view' | 'nowMs' | 'readLog'>;

export interface VisitedStateOptions {
  readonly account: string;
  /** Role `store`. */
  readonly redis: Redis;
  /** Key prefix with a hash tag. */
  readonly prefix: string;
  readonly clock: RedisClock;
  readonly readEntry: ReadEntry;
  readonly logMaxAgeMs: (log: string) => number | undefined;
  readonly replication: Replication;
}

/** A copy, and its commit; undefined before the first read, empty if there is no state. */
interface Visit {
  readonly copy: PartialCopy;
  head: string | undefined;
}

/** Questions lead to questions: a record names others, which are read next. */
const mostRounds = 30;
const mostAttempts = 50;
const defaultDedupTtlMs = 6 * 3_600_000;
/** Fields that Redis looks at in one step. */
const fieldsPerStep = 2_000;
const keysPerStep = 1_000;

/** KEYS: the state. ARGV: cursor, then kinds. Answer: the next cursor, then keys and values in turn of entries of these kinds. */
const pickScript = `
local kinds = {}
for index = 3, #ARGV do kinds[ARGV[index]] = true end
local step = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
local answer, fields = {step[1]}, step[2]
for index = 1, #fields, 2 do
  if kinds[string.match(fields[index], '^([^/]*)/') or ''] then
    answer[#answer + 1] = fields[index]
    answer[#answer + 1] = fields[index + 1]
  end
end
return answer
`;
const pickReply = z.array(z.string()).min(1);

export class VisitedState {
  readonly #options: VisitedStateOptions;
  readonly #keys: { state: string; head: string; log: string; prefix: string };
  readonly #calls: StateCalls;

  constructor(options: VisitedStateOptions) {
    this.#options = options;
    const { redis, clock, prefix, account } = options;
    const failure = `the shared state of ${account} could not be read or written`;
    this.#calls = new StateCalls({ redis, clock, failure });
    this.#keys = { state: `${prefix}:state`, head: `${prefix}:state-head`, log: `${prefix}:state-log`, prefix };
  }

  nowMs(): number {
    return this.#options.clock.nowMs();
  }

  /**
   * Reads the current state. `look` runs again until everything that it asks for has been fetched: it must do nothing but read.
   * @throws AppError REDIS_UNREACHABLE, REDIS_REFUSES, STATE_TOO_NEW, and whatever `look` throws
   */
  async read<T>(look: (state: SeenState) => T | Promise<T>): Promise<T> {
    const visit: Visit = { copy: new PartialCopy(), head: undefined };
    const seen: SeenState = {
      view: visit.copy,
      nowMs: () => this.nowMs(),
      readLog: <E>(log: Log<E>, options: { limit: number; before?: string }) => this.#readLog(log, options),
    };
    // Its clock first: the answers are compared with it.
    await this.#fill(visit);
    for (let round = 0; round < mostRounds; round += 1) {
      const outcome = await outcomeOf(() => look(seen));
      if (!visit.copy.isShort) return outcome();
      await this.#fill(visit);
    }
    throw new AppError('INTERNAL', `a look at ${this.#options.account} asked for more in each of ${mostRounds} rounds`);
  }

  /**
   * Commits what a body writes, as SharedState does.
   * @throws AppError ACCOUNT_NOT_CARRIED: nobody has created a state; REDIS_…, STATE_CONTENDED, STATE_TOO_NEW, and whatever
   *   the body throws
   */
  async transact<T>(body: (tx: Transaction) => T, options: TransactionOptions = {}): Promise<T> {
    const { dedupIds = [], dedupTtlMs = defaultDedupTtlMs } = options;
    const { account, redis, logMaxAgeMs, replication } = this.#options;
    const visit: Visit = { copy: new PartialCopy(), head: undefined };
    let repeats: ReadonlySet<string> = new Set();
    await this.#fill(visit);
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      // Also if it existed a moment ago and is lost.
      if (visit.head === '')
        throw new AppError(
          'ACCOUNT_NOT_CARRIED',
          `the account ${account} has no state: until a process that carries it begins one, there is nothing to write to`,
        );
      const draft = new DraftTransaction({ base: visit.copy, nowMs: this.nowMs(), repeats });
      const outcome = await outcomeOf(() => body(draft));
      if (visit.copy.isShort) {
        await this.#fill(visit);
        continue;
      }
      const result = outcome();
      const { writes, appends } = draft;
      if (writes.size === 0 && appends.length === 0 && dedupIds.length === 0) return result;
      const head = parseHead(visit.head!);
      const answer = await this.#calls.script(() =>
        commitScript(redis, {
          ...this.#keys,
          expectedHead: head.text,
          newHead: newHeadPrefix(head.lineage ?? newLineage(), (head.number ?? 0) + 1),
          repair: false,
          writes,
          appends: appends.map((append) => ({ ...append, maxAgeMs: logMaxAgeMs(append.log) })),
          dedupIds: dedupIds.filter((id) => !repeats.has(id)),
          dedupTtlMs,
        }),
      );
      if (answer.outcome === 'committed') {
        await replication.written({ isPrecious: Array.from(writes.keys()).some(isControl) });
        return result;
      }
      if (answer.outcome === 'repeated') repeats = new Set([...repeats, ...answer.dedupIds]);
      else this.#follow(visit, answer);
    }
    throw new AppError(
      'STATE_CONTENDED',
      `the shared state of ${account} was changed by others ${mostAttempts} times in a row`,
    );
  }

  /** Fetches what the copy lacks, as of one commit. */
  async #fill(visit: Visit): Promise<void> {
    const { copy } = visit;
    visit.head ??= (await this.#changesSince('')).head;
    parseHead(visit.head);
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      const { kinds, keys } = copy.take();
      if (kinds.length > 0) await this.#pick(copy, kinds);
      for (let from = 0; from < keys.length; from += keysPerStep)
        await this.#look(copy, keys.slice(from, from + keysPerStep));
      if (kinds.length + keys.length === 0) return;
      // What was committed meanwhile may be in only a part of it.
      this.#follow(visit, await this.#changesSince(visit.head));
      if (!copy.isShort) return;
    }
    throw new AppError(
      'STATE_CONTENDED',
      `the shared state of ${this.#options.account} changes faster than it is read`,
    );
  }

  async #pick(copy: PartialCopy, kinds: readonly string[]): Promise<void> {
    const { redis, readEntry } = this.#options;
    for (let cursor = '0'; ; ) {
      const answer = await this.#calls.reach(() =>
        redis.eval(pickScript, 1, this.#keys.state, cursor, String(fieldsPerStep), ...kinds),
      );
      const [next, ...fields] = replyOf('pick', pickReply, answer);
      for (let index = 0; index + 1 < fields.length; index += 2) {
        const key = fields[index]!;
        if (isKey(key) && copy.holds(key)) copy.set(key, readEntry(key, fields[index + 1]!));
      }
      if (next === '0') return;
      cursor = next!;
    }
  }

  async #look(copy: PartialCopy, keys: readonly string[]): Promise<void> {
    const { redis, readEntry } = this.#options;
    const values = await this.#calls.reach(() => redis.hmget(this.#keys.state, ...keys));
    for (const [index, key] of keys.entries()) {
      const stored = values[index];
      if (stored !== null && stored !== undefined) copy.set(key, readEntry(key, stored));
    }
  }

  /** Moves to the head that an answer names. Whatever does not lead there from the copy is fetched again. */
  #follow(visit: Visit, moved: Moved): void {
    if (moved.head === visit.head) return;
    const { readEntry } = this.#options;
    const { changes } = moved;
    if (changes === undefined) visit.copy.forget();
    else
      for (const [key, value] of changes)
        if (visit.copy.holds(key)) visit.copy.set(key, value === null ? undefined : readEntry(key, value));
    visit.head = moved.head;
  }

  #readLog<T>(log: Log<T>, options: { limit: number; before?: string }): Promise<readonly { id: string; entry: T }[]> {
    const { redis, prefix, readEntry } = this.#options;
    return this.#calls.reach(() => readLog(redis, prefix, log, { ...options, readEntry }));
  }

  #changesSince(knownHead: string): Promise<Moved> {
    return this.#calls.script(() => refreshScript(this.#options.redis, { ...this.#keys, knownHead }));
  }
}

/** Calls a function now; the returned function returns its result, or throws its error. */
async function outcomeOf<T>(run: () => T | Promise<T>): Promise<() => T> {
  try {
    const value = await run();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
