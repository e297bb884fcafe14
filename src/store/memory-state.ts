// The shared state in memory, for virtual time: rule tests, replays, property tests.
import type { Insisted, SharedState, StateView, Transaction, TransactionOptions } from '#domain/shared-state.ts';
import type { Key, Log } from '#domain/state-key.ts';
import { DraftTransaction, LocalCopy } from './local-copy.ts';

/** One process's state with a clock of its own. Dedup ids never expire. */
export class MemoryState implements SharedState {
  readonly #copy = new LocalCopy();
  readonly #dedupIds = new Set<string>();
  readonly #logs = new Map<string, { id: string; entry: unknown }[]>();
  readonly #now: () => number;
  #appended = 0;

  constructor({ now }: { now: () => number }) {
    this.#now = now;
  }

  get view(): StateView {
    return this.#copy;
  }

  nowMs(): number {
    return this.#now();
  }

  async refresh(): Promise<void> {}

  async transact<T>(body: (tx: Transaction) => T, { dedupIds = [], trace }: TransactionOptions = {}): Promise<T> {
    const repeats = new Set(dedupIds.filter((dedupId) => this.#dedupIds.has(dedupId)));
    const tx = new DraftTransaction({ base: this.#copy, nowMs: this.#now(), repeats, trace });
    const result = body(tx);
    for (const [key, value] of tx.writes) this.#copy.set(key, value);
    for (const dedupId of dedupIds) this.#dedupIds.add(dedupId);
    for (const { log, entry, maxEntries } of tx.appends) {
      const entries = this.#logs.get(log) ?? [];
      this.#appended += 1;
      entries.push({ id: `${this.#now()}-${this.#appended}`, entry });
      this.#logs.set(log, entries.slice(-maxEntries));
    }
    return result;
  }

  insist<V, T>(_key: Key<V>, _value: NoInfer<V>, body: (tx: Transaction) => T): Insisted<T> {
    return { written: this.transact(body) };
  }

  readonly unwritten: readonly string[] = [];

  withdraw(): boolean {
    return false;
  }

  async readLog<T>(
    log: Log<T>,
    { limit, before }: { limit: number; before?: string },
  ): Promise<readonly { id: string; entry: T }[]> {
    const entries = (this.#logs.get(log) ?? []).toReversed() as { id: string; entry: T }[];
    const from = before === undefined ? 0 : entries.findIndex(({ id }) => id === before) + 1;
    return entries.slice(from, from + limit);
  }
}
