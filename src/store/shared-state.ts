// The shared state in Redis: every replica works on a copy in memory and commits with one script.
//
// Invariant: a commit succeeds only if the copy it was computed on is the newest (`head` is the token of the last commit), so all
// commits of all replicas form one sequence, and each is computed from the one before. Whoever was slower gets what changed
// since, in the same answer, and runs its bodies again, unless they have read nothing of what changed. A copy whose head is not in the log any more is loaded anew, beside the
// one that is being read.
//
// A copy never becomes a state that does not go on from it (continuity.ts): an emptied, older or damaged one is repaired first, with
// what the copy knows, in one commit before any other. Until that has succeeded the copy stays, and every call fails.
import { AppError } from '#domain/errors.ts';
import type { Insisted, SharedState, StateView, Transaction, TransactionOptions } from '#domain/shared-state.ts';
import type { Key, Log } from '#domain/state-key.ts';
import type { LossKeeper, Repair, StateLoss } from '#domain/state-loss.ts';
import { isControl, notes } from '#domain/state-registry.ts';
import type { Metrics } from '#runtime/metrics.ts';
import type { Redis } from '#runtime/redis.ts';
import { RedisClock } from '#runtime/redis-clock.ts';
import type { Replication } from '#runtime/redis-replication.ts';
import { currentTrace } from '#runtime/tracing.ts';
import type { Moved } from './commit-script.ts';
import { continuityOf } from './continuity.ts';
import { type Group, runGroup, type Waiting } from './group.ts';
import { type Head, newLineage, parseHead } from './head.ts';
import { DraftTransaction, LocalCopy } from './local-copy.ts';
import { isBefore, KnownHeads, lossAtStart, lossOfCopy } from './loss.ts';
import { type Found, type ReadEntry, writeAll } from './read-all.ts';
import { ReadSet } from './read-set.ts';
import type { StateNoteFile } from './state-note.ts';
import { defaultDedupTtlMs, StoredState } from './stored-state.ts';

export interface RedisStateOptions {
  readonly redis: Redis;
  /** Key prefix with a hash tag: all keys must live in one slot. */
  readonly prefix: string;
  readonly metrics: Metrics;
  /** How long entries of a log are kept, and a log that nothing is added to; undefined: bounded by number only. */
  readonly logMaxAgeMs?: (log: string) => number | undefined;
  /** How many lost races a transaction survives before it gives up. */
  readonly maxAttempts?: number;
  /** Reads a stored entry: its value, or undefined for one that is set aside. Default: any JSON. */
  readonly readEntry?: ReadEntry;
  /** The machine's own clock, to tell how far it is off (`clock.skew`); default: the system's. */
  readonly wallNow?: () => number;
  /** Waits for Redis's replicas after each commit; left out: nothing waits. */
  readonly replication?: Replication | undefined;
  /** What is done about a loss; left out: a state that is not the one that was known is taken as it is (tools, tests). */
  readonly losses?: LossKeeper | undefined;
  /** The file beside the process. */
  readonly note?: StateNoteFile | undefined;
  /** `on_empty_state`: undefined pauses where something says that there had been a state. */
  readonly onEmptyState?: 'pause' | 'start' | undefined;
}

export class RedisState implements SharedState {
  readonly #stored: StoredState;
  readonly #metrics: Metrics;
  readonly #maxAttempts: number;
  readonly #losses: LossKeeper | undefined;
  readonly #replication: Replication | undefined;
  readonly #note: StateNoteFile | undefined;
  readonly #onEmptyState: 'pause' | 'start' | undefined;
  readonly #startedAt = performance.now();
  readonly #readEntry: ReadEntry;
  readonly #copy = new LocalCopy();
  /** The commit that the copy stands at; undefined before the first load. */
  #head: Head | undefined;
  readonly #knownHeads = new KnownHeads();
  /** Set while a newer version's state is there. */
  #refused: AppError | undefined;
  /** Number of the commit that the note tells of. */
  #noted: string | undefined;
  #noting: Promise<void> | undefined;
  /** When the copy was last known to be the newest (performance.now). */
  #newestAt = Number.NEGATIVE_INFINITY;
  readonly #clock: RedisClock;
  #waiting: Waiting[] = [];
  /** What is insisted on and not written yet, by key. */
  readonly #insisted = new Map<string, Waiting>();
  /** Whether a commit of all that waits is in line already. */
  #inLine = false;
  /** Commits at the latest then (performance.now) what may wait for another commit. */
  #latest: { readonly at: number; readonly timer: NodeJS.Timeout } | undefined;
  /** Commits and refreshes run one after another: they share the copy. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: RedisStateOptions) {
    const { redis, prefix, metrics, maxAttempts = 50, logMaxAgeMs = () => undefined, wallNow } = options;
    this.#clock = new RedisClock(wallNow === undefined ? {} : { wallNow });
    this.#readEntry = options.readEntry ?? ((_key, stored) => JSON.parse(stored) as unknown);
    this.#stored = new StoredState({ redis, prefix, clock: this.#clock, logMaxAgeMs, readEntry: this.#readEntry });
    this.#losses = options.losses;
    this.#replication = options.replication;
    this.#note = options.note;
    this.#onEmptyState = options.onEmptyState;
    this.#metrics = metrics;
    this.#maxAttempts = maxAttempts;
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

  /** Tries a write: a server that was the primary before a failover still answers reads. @throws AppError REDIS_UNREACHABLE, REDIS_REFUSES, REDIS_NOT_REPLICATED, STATE_TOO_NEW */
  async probe(): Promise<void> {
    if (this.#refused) throw this.#refused;
    await this.#stored.probe();
    await this.#replication?.unchanged(true);
  }

  /** Transactions that wait for the one under way share the next commit. */
  transact<T>(body: (tx: Transaction) => T, options: TransactionOptions = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const { dedupIds = [], dedupTtlMs = defaultDedupTtlMs, withinMs = 0, trace = currentTrace() } = options;
      this.#waiting.push({ body, dedupIds, dedupTtlMs, trace, resolve: resolve as (value: unknown) => void, reject });
      this.#queueCommitWithin(withinMs);
    });
  }

  insist<V, T>(key: Key<V>, value: NoInfer<V>, body: (tx: Transaction) => T): Insisted<T> {
    const written = new Promise<T>((resolve, reject) => {
      this.#insisted.set(key, {
        body,
        dedupIds: [],
        dedupTtlMs: defaultDedupTtlMs,
        resolve: resolve as (value: unknown) => void,
        reject,
      });
    });
    written.catch(() => undefined);
    this.#copy.insisted.set(key, value);
    this.#queueCommit();
    return { written };
  }

  withdraw(key: Key<unknown>): boolean {
    this.#copy.insisted.delete(key);
    return this.#insisted.delete(key);
  }

  get unwritten(): readonly string[] {
    return [...this.#insisted.keys()];
  }

  /** The moment that the copy shows, by the shared clock; undefined before the first load. */
  get asOfMs(): number | undefined {
    if (this.#newestAt === Number.NEGATIVE_INFINITY) return undefined;
    return this.#clock.timeOf(this.#newestAt);
  }

  /** Redis's clock at the newest commit that is known; undefined before the first load. */
  get headAtMs(): number | undefined {
    return this.#head?.atMs;
  }

  /**
   * Writes down beside the process which state it knows, if that has changed. While a note is being written, it is that one's end that
   * this waits for.
   * @throws the file system's error
   */
  writeNote(): Promise<void> {
    this.#noting ??= this.#writeNote().finally(() => (this.#noting = undefined));
    return this.#noting;
  }

  async #writeNote(): Promise<void> {
    const { lineage, number, atMs, text } = this.#head ?? {};
    if (!this.#note || lineage === undefined || number === undefined || atMs === undefined) return;
    if (this.#noted === text) return;
    await this.#note.write({
      lineage,
      number,
      atMs,
      controlsAtMs: this.#losses?.controlsAtMs(this.#copy.committed) ?? 0,
    });
    this.#noted = text;
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

  readLog<T>(log: Log<T>, options: { limit: number; before?: string }): Promise<readonly { id: string; entry: T }[]> {
    return this.#stored.readLog(log, options);
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(run);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** Settles everybody who waits; never rejects. */
  async #commitWaiting(): Promise<void> {
    const insisted = [...this.#insisted];
    const members = [...insisted.map(([, waiting]) => waiting), ...this.#waiting];
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#inLine = false;
    try {
      const settles = await this.#commitGroup(members);
      for (const [key, one] of insisted) {
        if (this.#insisted.get(key) !== one) continue;
        this.#insisted.delete(key);
        this.#copy.insisted.delete(key);
      }
      for (const settle of settles) settle();
    } catch (error) {
      // What is insisted on goes with the next commit, whenever Redis is back.
      for (const { reject } of waiting) reject(error);
    }
  }

  /** Runs the bodies one after another on one draft and commits them together; returns what settles each of them. */
  async #commitGroup(members: readonly Waiting[]): Promise<(() => void)[]> {
    if (this.#head === undefined) await this.#catchUp();
    if (members.length === 0) return [];
    let repeats: ReadonlySet<string> = new Set();
    let computed: { readonly group: Group; readonly reads: ReadSet } | undefined;
    for (let attempt = 0; attempt < this.#maxAttempts; attempt += 1) {
      computed ??= this.#compute(members, repeats);
      const { group, reads } = computed;
      const { writes, appends } = group.draft;
      if (writes.size === 0 && appends.length === 0 && group.dedupIds.length === 0) {
        // What was asked for again is there, and must not be answered for before the replicas have it.
        await this.#replication?.unchanged(repeats.size > 0);
        return group.settle;
      }
      const sentAt = performance.now();
      const answer = await this.#stored.commit(group.draft, {
        onto: this.#head!,
        dedupIds: group.dedupIds,
        dedupTtlMs: Math.max(...members.map(({ dedupTtlMs }) => dedupTtlMs)),
      });
      if (answer.outcome === 'committed') {
        for (const [key, value] of writes) this.#copy.set(key, value);
        this.#standAt(parseHead(answer.head));
        this.#newestAt = sentAt;
        this.#metrics.commits.inc({ outcome: 'committed' });
        await this.#replication?.written({ isPrecious: Array.from(writes.keys()).some(isControl) });
        return group.settle;
      }
      this.#metrics.commits.inc({ outcome: answer.outcome });
      if (answer.outcome === 'repeated') repeats = new Set([...repeats, ...answer.dedupIds]);
      const isStill =
        answer.outcome === 'moved' &&
        (await this.#take(answer)) === 'followed' &&
        !reads.includesAny(answer.changes!.map(([key]) => key));
      if (!isStill) computed = undefined;
    }
    throw new AppError(
      'STATE_CONTENDED',
      `the shared state was changed by other replicas ${this.#maxAttempts} times in a row`,
    );
  }

  #compute(members: readonly Waiting[], repeats: ReadonlySet<string>): { group: Group; reads: ReadSet } {
    const reads = new ReadSet(this.#copy.committed);
    return { group: runGroup(members, { base: reads, nowMs: this.nowMs(), repeats }), reads };
  }

  async #catchUp(): Promise<void> {
    const sentAt = performance.now();
    const observed = await this.#stored.changesSince(this.#head?.text ?? '');
    await this.#take(observed);
    this.#newestAt = sentAt;
    if (this.#insisted.size > 0) this.#queueCommit();
  }

  /** Takes what Redis has into the copy; remembers for /readyz that a newer version's state is refused. */
  async #take(observed: Moved): Promise<'followed' | 'other'> {
    try {
      const how = this.#head ? await this.#apply(observed) : await this.#open(observed).then(() => 'other' as const);
      this.#refused = undefined;
      return how;
    } catch (error) {
      if (error instanceof AppError && error.code === 'STATE_TOO_NEW') this.#refused = error;
      throw error;
    }
  }

  /**
   * Brings the copy to the head that the answer names; what does not go on from the copy is repaired first. Returns `followed` where the
   * changes of the answer were all that it took. @throws AppError STATE_TOO_NEW
   */
  async #apply(observed: Moved): Promise<'followed' | 'other'> {
    const known = this.#head!;
    const continuity = continuityOf(known, observed);
    if (continuity === 'continuous' && observed.changes) {
      const head = parseHead(observed.head);
      writeAll(this.#copy, observed.changes, this.#readEntry);
      // A head of the version before tells no number: it is counted along.
      const number = known.number === undefined ? undefined : known.number + observed.commits;
      this.#standAt(head.number === undefined ? { ...head, number } : head);
      return 'followed';
    }
    const losses = this.#losses;
    const found = await this.#stored.readAll();
    if (losses && continuity !== 'continuous') {
      const isLoss = continuity !== 'unproven';
      if (isLoss || losses.lacks(found.copy, this.#copy.committed, this.nowMs())) {
        await this.#repair(found, await this.#lossOfCopy(isLoss ? continuity : 'rolled_back', observed));
        return 'other';
      }
    }
    if (found.head === undefined) await this.#begin(found);
    else {
      this.#copy.become(found.copy);
      this.#standAt(found.head);
    }
    return 'other';
  }

  /** The first load: an empty state begins, one that is less than what the note or Redis's other keys tell of is repaired. */
  async #open(observed: Moved): Promise<void> {
    // Before the state: another process may write the note of a newer one at any moment.
    const note = this.#note?.read();
    const found = await this.#stored.readAll();
    const startedAtMs = observed.redisTimeMs - (performance.now() - this.#startedAt);
    const trace = found.head === undefined && found.copy.size === 0 ? await this.#stored.trace(startedAtMs) : undefined;
    const loss =
      this.#losses &&
      lossAtStart(found, {
        note,
        trace,
        onEmptyState: this.#onEmptyState,
        controlsAtMs: this.#losses.controlsAtMs(found.copy),
      });
    if (loss) return this.#repair(found, loss);
    if (found.head === undefined) return this.#begin(found);
    this.#copy.become(found.copy);
    this.#standAt(found.head);
  }

  /** Begins a state where there is none. */
  async #begin(found: Found): Promise<void> {
    const draft = new DraftTransaction({ base: found.copy, nowMs: this.nowMs(), repeats: new Set() });
    draft.set(notes.lineage, { former: [] });
    const answer = await this.#stored.commit(draft, { onto: undefined, repair: true });
    if (answer.outcome !== 'committed') {
      // Somebody was quicker.
      if (answer.outcome === 'moved') await this.#open(answer);
      return;
    }
    for (const [key, value] of draft.writes) found.copy.set(key, value);
    this.#copy.become(found.copy);
    this.#standAt(parseHead(answer.head));
  }

  async #lossOfCopy(kind: StateLoss['kind'], { head }: Moved): Promise<StateLoss> {
    const shared = this.#knownHeads.newestOf([head, ...(await this.#stored.loggedHeads())]);
    return lossOfCopy(kind, { view: this.#copy.committed, head: this.#head!, shared });
  }

  /** Goes on from what is left, with what is known: one commit, under a new lineage, which tells the other replicas of it. */
  async #repair(found: Found, noticed: StateLoss): Promise<void> {
    const losses = this.#losses!;
    const known = this.#head;
    for (let attempt = 0, now = found; attempt < this.#maxAttempts; attempt += 1, now = await this.#stored.readAll()) {
      const draft = new DraftTransaction({ base: now.copy, nowMs: this.nowMs(), repeats: new Set() });
      const loss = { ...noticed, missingIsLost: noticed.hasCopy && known !== undefined && isBefore(known, now) };
      const repair: Repair = losses.repair(draft, loss);
      const former = draft.get(notes.lineage)?.former ?? [];
      const lineages = [now.head?.lineage, loss.lineage].filter((one) => one !== undefined);
      draft.set(notes.lineage, {
        former: [...new Set([...former, ...lineages])].slice(-50),
        repairedAtMs: draft.nowMs,
      });
      const number = Math.max(this.#head?.number ?? 0, now.head?.number ?? 0);
      const answer = await this.#stored.commit(draft, { onto: now.head, repair: true, number, lineage: newLineage() });
      if (answer.outcome === 'moved' && !loss.hasCopy && now.head === undefined) {
        // Another replica was quicker: it may have repaired the loss, or begun the first state of all.
        this.#metrics.commits.inc({ outcome: 'moved' });
        return this.#open(answer);
      }
      if (answer.outcome !== 'committed') continue;
      for (const [key, value] of draft.writes) now.copy.set(key, value);
      this.#copy.become(now.copy);
      this.#standAt(parseHead(answer.head));
      losses.onRepaired(loss, repair);
      return;
    }
    throw new AppError(
      'STATE_CONTENDED',
      `a loss of the shared state could not be repaired in ${this.#maxAttempts} tries`,
    );
  }

  #standAt(head: Head): void {
    this.#head = head;
    this.#knownHeads.add(head);
  }
}
