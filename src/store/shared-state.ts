// The shared state in Redis: every replica works on a copy in memory and commits with one script.
//
// Invariant: a commit succeeds only if the copy it was computed on is the newest (`head` is the token of the last commit), so all
// commits of all replicas form one sequence, and each is computed from the one before. Whoever was slower gets what changed
// since, in the same answer, and runs its bodies again. A copy whose head is not in the log any more is loaded anew, beside the
// one that is being read: this covers long pauses, and a Redis that was restored to an older state.
import { randomUUID } from 'node:crypto';
import { AppError } from '#domain/errors.ts';
import type { SharedState, StateView, Transaction, TransactionOptions } from '#domain/shared-state.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { failureOf, type Redis } from '#runtime/redis.ts';
import { RedisClock } from '#runtime/redis-clock.ts';
import { commitScript, type Moved, refreshScript } from './commit-script.ts';
import { DraftTransaction, LocalCopy } from './local-copy.ts';

export interface RedisStateOptions {
  readonly redis: Redis;
  /** Key prefix with a hash tag: all keys must live in one slot. */
  readonly prefix: string;
  readonly metrics: Metrics;
  /** How long entries of a log are kept, and a log that nothing is added to; undefined: bounded by number only. */
  readonly logMaxAgeMs?: (log: string) => number | undefined;
  /** How many lost races a transaction survives before it gives up. */
  readonly maxAttempts?: number;
  /** The machine's own clock, to tell how far it is off (`clock.skew`); default: the system's. */
  readonly wallNow?: () => number;
}

const defaultClaimTtlMs = 6 * 3_600_000;

/** A transaction that waits for its commit. */
interface Waiting {
  readonly body: (tx: Transaction) => unknown;
  readonly claims: readonly string[];
  readonly claimTtlMs: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export class RedisState implements SharedState {
  readonly #redis: Redis;
  readonly #keys: { state: string; head: string; log: string; prefix: string };
  readonly #metrics: Metrics;
  readonly #maxAttempts: number;
  readonly #logMaxAgeMs: (log: string) => number | undefined;
  readonly #copy = new LocalCopy();
  /** Token of the commit that the copy stands at; undefined before the first load. */
  #head: string | undefined;
  /** When the copy was last known to be the newest (performance.now). */
  #newestAt = Number.NEGATIVE_INFINITY;
  readonly #clock: RedisClock;
  #waiting: Waiting[] = [];
  /** Whether a commit of all that waits is in line already. */
  #inLine = false;
  /** Commits at the latest then (performance.now) what may wait for another commit. */
  #latest: { readonly at: number; readonly timer: NodeJS.Timeout } | undefined;
  /** Commits and refreshes run one after another: they share the copy. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: RedisStateOptions) {
    const { redis, prefix, metrics, maxAttempts = 50, logMaxAgeMs = () => undefined, wallNow } = options;
    this.#clock = new RedisClock(wallNow === undefined ? {} : { wallNow });
    this.#redis = redis;
    this.#keys = { state: `${prefix}:state`, head: `${prefix}:state-head`, log: `${prefix}:state-log`, prefix };
    this.#metrics = metrics;
    this.#maxAttempts = maxAttempts;
    this.#logMaxAgeMs = logMaxAgeMs;
  }

  get view(): StateView {
    return this.#copy;
  }

  /** Redis's clock, measured by every commit and refresh. */
  get clock(): Pick<RedisClock, 'nowMs' | 'skew'> {
    return this.#clock;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  refresh({ maxAgeMs = 0 }: { readonly maxAgeMs?: number } = {}): Promise<void> {
    if (performance.now() - this.#newestAt <= maxAgeMs) return Promise.resolve();
    return this.#inTurn(() => this.#catchUp());
  }

  /** Tries a write: a server that was the primary before a failover still answers reads. @throws AppError REDIS_UNREACHABLE, REDIS_REFUSES */
  async probe(): Promise<void> {
    await this.#reach(() => this.#redis.set(`${this.#keys.prefix}:probe`, '1', 'PX', 60_000));
  }

  /** Transactions that wait for the one under way share the next commit. */
  transact<T>(body: (tx: Transaction) => T, options: TransactionOptions = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const { claims = [], claimTtlMs = defaultClaimTtlMs, withinMs = 0 } = options;
      this.#waiting.push({ body, claims, claimTtlMs, resolve: resolve as (value: unknown) => void, reject });
      this.#queueCommitWithin(withinMs);
    });
  }

  #queueCommitWithin(ms: number): void {
    if (ms === 0) return this.#queueCommit();
    const at = performance.now() + ms;
    if (this.#inLine || (this.#latest && this.#latest.at <= at)) return;
    clearTimeout(this.#latest?.timer);
    this.#latest = { at, timer: setTimeout(() => this.#queueCommit(), ms) };
  }

  #queueCommit(): void {
    clearTimeout(this.#latest?.timer);
    this.#latest = undefined;
    if (this.#inLine) return;
    this.#inLine = true;
    void this.#inTurn(() => this.#commitWaiting());
  }

  async readLog<T>(
    log: string,
    { limit, before }: { limit: number; before?: string },
  ): Promise<readonly { id: string; entry: T }[]> {
    const key = `${this.#keys.prefix}:log:${log}`;
    const end = before === undefined ? '+' : `(${before}`;
    const rows = await this.#reach(() => this.#redis.xrevrange(key, end, '-', 'COUNT', limit));
    return rows.map(([id, fields]) => ({ id, entry: JSON.parse(fields[1]!) as T }));
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(run);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** Settles everybody who waits; never rejects. */
  async #commitWaiting(): Promise<void> {
    const members = this.#waiting;
    this.#waiting = [];
    this.#inLine = false;
    try {
      for (const settle of await this.#commitGroup(members)) settle();
    } catch (error) {
      for (const { reject } of members) reject(error);
    }
  }

  /** Runs the bodies one after another on one draft and commits them together; gives what settles each of them. */
  async #commitGroup(members: readonly Waiting[]): Promise<(() => void)[]> {
    if (this.#head === undefined) await this.#catchUp();
    let repeats: ReadonlySet<string> = new Set();
    for (let attempt = 0; attempt < this.#maxAttempts; attempt += 1) {
      const group = runGroup(members, { base: this.#copy, nowMs: this.nowMs(), repeats });
      const { writes, appends } = group.draft;
      if (writes.size === 0 && appends.length === 0 && group.claims.length === 0) return group.settle;
      const head = randomUUID();
      const sentAt = performance.now();
      const answer = await this.#call(() =>
        commitScript(this.#redis, {
          ...this.#keys,
          expectedHead: this.#head ?? '',
          newHead: head,
          writes,
          appends: appends.map((append) => ({ ...append, maxAgeMs: this.#logMaxAgeMs(append.log) })),
          claims: group.claims,
          claimTtlMs: Math.max(...members.map(({ claimTtlMs }) => claimTtlMs)),
        }),
      );
      if (answer.outcome === 'committed') {
        for (const [key, value] of writes) this.#copy.set(key, value);
        this.#head = head;
        this.#newestAt = sentAt;
        this.#metrics.commits.inc({ outcome: 'committed' });
        return group.settle;
      }
      this.#metrics.commits.inc({ outcome: answer.outcome });
      if (answer.outcome === 'repeated') repeats = new Set([...repeats, ...answer.claims]);
      else await this.#apply(answer);
    }
    throw new AppError(
      'STATE_CONTENDED',
      `the shared state was changed by other replicas ${this.#maxAttempts} times in a row`,
    );
  }

  async #catchUp(): Promise<void> {
    const sentAt = performance.now();
    await this.#apply(await this.#changesSince(this.#head ?? ''));
    this.#newestAt = sentAt;
  }

  /** Brings the copy to the head that the answer names. */
  async #apply(answer: Pick<Moved, 'head' | 'changes'>): Promise<void> {
    if (!answer.changes) return this.#loadAll();
    writeAll(this.#copy, answer.changes);
    this.#head = answer.head;
  }

  /**
   * Reads the whole state in steps, and after each what was committed meanwhile; then the copy becomes it in one step. Begins
   * again only when the log did not reach back to the step before.
   */
  async #loadAll(): Promise<void> {
    for (;;) {
      const fresh = new LocalCopy();
      let head = (await this.#reach(() => this.#redis.get(this.#keys.head))) ?? '';
      let cursor: string | undefined = '0';
      while (cursor !== undefined) {
        const from: string = cursor;
        const [next, fields] = await this.#reach(() => this.#redis.hscan(this.#keys.state, from, 'COUNT', 2000));
        for (let index = 0; index < fields.length; index += 2)
          fresh.set(fields[index]!, JSON.parse(fields[index + 1]!));
        const since = await this.#changesSince(head);
        // Before the first commit there is no log.
        if (!since.changes && since.head !== head) break;
        writeAll(fresh, since.changes ?? []);
        head = since.head;
        cursor = next === '0' ? undefined : next;
      }
      if (cursor !== undefined) continue;
      this.#copy.become(fresh);
      this.#head = head;
      return;
    }
  }

  #changesSince(knownHead: string): Promise<Moved> {
    return this.#call(() => refreshScript(this.#redis, { ...this.#keys, knownHead }));
  }

  /** Runs a script, and learns Redis's clock from its answer. */
  #call<A extends { redisTimeMs: number }>(run: () => Promise<A>): Promise<A> {
    return this.#clock.measure(
      () => this.#reach(run),
      ({ redisTimeMs }) => redisTimeMs,
    );
  }

  async #reach<A>(run: () => Promise<A>): Promise<A> {
    try {
      return await run();
    } catch (error) {
      // A commit may or may not have happened: the head in Redis tells, so the next call must compare.
      throw failureOf(this.#redis, 'the shared state could not be read or written', error);
    }
  }
}

function writeAll(copy: LocalCopy, changes: NonNullable<Moved['changes']>): void {
  for (const [key, value] of changes) copy.set(key, value === null ? undefined : JSON.parse(value));
}

interface Group {
  /** The writes of all bodies that did not throw. */
  readonly draft: DraftTransaction;
  readonly claims: readonly string[];
  /** One for each member. */
  readonly settle: (() => void)[];
}

/** Each body sees what those before it wrote, and their claims as repeats; one that throws leaves no trace. */
function runGroup(
  members: readonly Waiting[],
  { base, nowMs, repeats }: { base: StateView; nowMs: number; repeats: ReadonlySet<string> },
): Group {
  const draft = new DraftTransaction({ base, nowMs, repeats });
  const claimed = new Set<string>();
  const settle = members.map(({ body, claims, resolve, reject }) => {
    const own = new DraftTransaction({
      base: draft,
      nowMs,
      repeats: claimed.size === 0 ? repeats : new Set([...repeats, ...claimed]),
    });
    try {
      const result = body(own);
      for (const [key, value] of own.writes) draft.writes.set(key, value);
      draft.appends.push(...own.appends);
      for (const claim of claims) if (!repeats.has(claim)) claimed.add(claim);
      return () => resolve(result);
    } catch (error) {
      return () => reject(error);
    }
  });
  return { draft, claims: [...claimed], settle };
}
