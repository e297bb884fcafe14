// A shared state in memory that several replicas use and that can be lost: emptied, set back, or damaged. Each replica has a copy of what
// it saw last; the first one after a loss repairs the state from its copy, as src/store does with Redis.
import type { Insisted, SharedState, StateView, Transaction, TransactionOptions } from '#domain/shared-state.ts';
import type { Key } from '#domain/state-key.ts';
import type { StateLossKind } from '#domain/state-loss.ts';
import { notes } from '#domain/state-registry.ts';
import { repairState } from '#rules/state-loss.ts';
import { DraftTransaction, LocalCopy } from '#store/local-copy.ts';

interface Content {
  readonly entries: Map<string, unknown>;
  readonly dedupIds: Set<string>;
  readonly atMs: number;
}

export interface Loss {
  readonly kind: StateLossKind;
  /** For a rollback. */
  readonly lostMs?: number;
}

/** The store; `nowMs` is the clock that all replicas share. */
export class ForgetfulStore {
  readonly now: () => number;
  #content: Content;
  #copy = new LocalCopy();
  #lineage = 0;
  #loss: (Loss & { readonly atMs: number }) | undefined;
  #backups: Content[] = [];

  constructor(now: () => number) {
    this.now = now;
    this.#content = { entries: new Map(), dedupIds: new Set(), atMs: now() };
  }

  get view(): StateView {
    return this.#copy;
  }

  get lineage(): number {
    return this.#lineage;
  }

  get loss(): (Loss & { readonly atMs: number }) | undefined {
    return this.#loss;
  }

  commit({ writes }: DraftTransaction, dedupIds: readonly string[]): void {
    for (const [key, value] of writes) {
      this.#copy.set(key, value);
      if (value === undefined) this.#content.entries.delete(key);
      else this.#content.entries.set(key, value);
    }
    for (const dedupId of dedupIds) this.#content.dedupIds.add(dedupId);
  }

  isTaken(dedupId: string): boolean {
    return this.#content.dedupIds.has(dedupId);
  }

  /** Keeps the present content for a later rollback; the newest `most` are kept. */
  backUp(most: number): void {
    const { entries, dedupIds } = this.#content;
    this.#backups.push({ entries: new Map(entries), dedupIds: new Set(dedupIds), atMs: this.now() });
    if (this.#backups.length > most) this.#backups.shift();
  }

  backups(): readonly number[] {
    return this.#backups.map(({ atMs }) => atMs);
  }

  /** What was backed up then, for inspection. */
  viewOf(atMs: number): StateView {
    return copyOf(this.#backups.find((backup) => backup.atMs === atMs)!.entries);
  }

  empty(): void {
    this.#become({ entries: new Map(), dedupIds: new Set(), atMs: this.now() }, { kind: 'emptied' });
  }

  /** Restores the file of that moment. */
  rollBack(atMs: number): void {
    const { entries, dedupIds } = this.#backups.find((backup) => backup.atMs === atMs)!;
    const content = { entries: new Map(entries), dedupIds: new Set(dedupIds), atMs };
    this.#become(content, { kind: 'rolled_back', lostMs: this.now() - atMs });
  }

  /** Deletes single keys. */
  damage(keys: readonly string[]): void {
    const { entries, dedupIds } = this.#content;
    const left = new Map(entries);
    for (const key of keys) left.delete(key);
    this.#become({ entries: left, dedupIds, atMs: this.now() }, { kind: 'damaged' });
  }

  /** The earlier copy stays unchanged for those that have it. */
  #become(content: Content, loss: Loss): void {
    this.#content = content;
    this.#copy = copyOf(content.entries);
    this.#lineage += 1;
    this.#loss = { ...loss, atMs: this.now() };
    this.#backups = [];
  }
}

function copyOf(entries: ReadonlyMap<string, unknown>): LocalCopy {
  const copy = new LocalCopy();
  for (const [key, value] of entries) copy.set(key, value);
  return copy;
}

/** One replica's view of it. */
export class ForgetfulReplica implements SharedState {
  readonly #store: ForgetfulStore;
  #lineage: number;
  /** What this replica saw last; undefined: it has just started. */
  #known: StateView | undefined;
  repairs = 0;

  constructor(store: ForgetfulStore) {
    this.#store = store;
    this.#lineage = store.lineage;
    this.#known = undefined;
  }

  get view(): StateView {
    return this.#store.view;
  }

  nowMs(): number {
    return this.#store.now();
  }

  /** It was behind when the state was lost: it knows only what existed at that read. */
  wasBehind(view: StateView): void {
    this.#known = view;
  }

  async refresh(): Promise<void> {
    this.#mend();
  }

  async transact<T>(body: (tx: Transaction) => T, { dedupIds = [] }: TransactionOptions = {}): Promise<T> {
    this.#mend();
    const repeats = new Set(dedupIds.filter((id) => this.#store.isTaken(id)));
    const tx = this.#draft(repeats);
    const result = body(tx);
    this.#store.commit(tx, dedupIds);
    return result;
  }

  insist<V, T>(_key: Key<V>, _value: NoInfer<V>, body: (tx: Transaction) => T): Insisted<T> {
    return { written: this.transact(body) };
  }

  readonly unwritten: readonly string[] = [];

  withdraw(): boolean {
    return false;
  }

  async readLog(): Promise<readonly []> {
    return [];
  }

  #draft(repeats: ReadonlySet<string> = new Set()): DraftTransaction {
    return new DraftTransaction({ base: this.#store.view, nowMs: this.#store.now(), repeats });
  }

  /** One commit, before all others. */
  #mend(): void {
    const { lineage, loss } = this.#store;
    if (lineage !== this.#lineage && loss) {
      const tx = this.#draft();
      repairState(tx, {
        kind: loss.kind,
        evidence: `virtual loss ${lineage}`,
        known: this.#known ?? new LocalCopy(),
        lineage: `${this.#lineage}`,
        hasCopy: this.#known !== undefined,
        knownAtMs: loss.atMs,
        lostMs: loss.lostMs,
        lostCommits: undefined,
        missingIsLost: false,
        controlsAtMs: undefined,
        onEmpty: loss.kind === 'emptied' && this.#known === undefined ? 'pause' : undefined,
      });
      const former = tx.get(notes.lineage)?.former ?? [];
      tx.set(notes.lineage, {
        former: [...new Set([...former, `${this.#lineage}`])],
        repairedAtMs: tx.nowMs,
      });
      this.#store.commit(tx, []);
      this.#lineage = lineage;
      this.repairs += 1;
    }
    this.#known = this.#store.view;
  }
}
