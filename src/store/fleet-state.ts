// The states of several shards as one, for the API and for operator actions: reads see all of them, writes go to each. What is kept under a
// channel's ARN is read only in the state of the shard that owns the channel.
import type { Insisted, SharedState, StateView, Transaction, TransactionOptions } from '#domain/shared-state.ts';
import type { Index, Key, Kind, Log } from '#domain/state-key.ts';

/** The state of the shard that owns a channel; undefined for a channel that none owns. */
export type OwnerOf = (channelArn: string) => SharedState | undefined;

/** One state for the whole fleet; the state itself when there is only one shard. */
export function fleetState(states: readonly [SharedState, ...SharedState[]], ownerOf: OwnerOf): SharedState {
  return states.length === 1 ? states[0] : new FleetState(states, ownerOf);
}

class FleetState implements SharedState {
  readonly #states: readonly [SharedState, ...SharedState[]];
  readonly view: StateView;

  constructor(states: readonly [SharedState, ...SharedState[]], ownerOf: OwnerOf) {
    this.#states = states;
    this.view = new FleetView(states, ownerOf);
  }

  nowMs(): number {
    return this.#states[0].nowMs();
  }

  async refresh(options?: { readonly maxAgeMs?: number }): Promise<void> {
    await Promise.all(this.#states.map((state) => state.refresh(options)));
  }

  /** Runs the body on every shard; returns the first shard's result. */
  async transact<T>(body: (tx: Transaction) => T, options?: TransactionOptions): Promise<T> {
    const [first, ...others] = this.#states;
    const result = await first.transact(body, options);
    for (const state of others) await state.transact(body, options);
    return result;
  }

  /** On every shard; resolves when all have it. */
  insist<V, T>(key: Key<V>, value: NoInfer<V>, body: (tx: Transaction) => T): Insisted<T> {
    const [first, ...others] = this.#states.map((state) => state.insist(key, value, body).written);
    return { written: Promise.all(others).then(() => first!) };
  }

  withdraw(key: Key<unknown>): boolean {
    return this.#states.map((state) => state.withdraw(key)).includes(true);
  }

  get unwritten(): readonly string[] {
    return [...new Set(this.#states.flatMap(({ unwritten }) => unwritten))];
  }

  async readLog<T>(
    log: Log<T>,
    options: { limit: number; before?: string },
  ): Promise<readonly { id: string; entry: T }[]> {
    const rows = await Promise.all(this.#states.map((state) => state.readLog(log, options)));
    return rows
      .flat()
      .toSorted((a, b) => compareIds(b.id, a.id))
      .slice(0, options.limit);
  }
}

class FleetView implements StateView {
  readonly #states: readonly SharedState[];
  readonly #ownerOf: OwnerOf;

  constructor(states: readonly SharedState[], ownerOf: OwnerOf) {
    this.#states = states;
    this.#ownerOf = ownerOf;
  }

  get<T>(key: Key<T>): T | undefined {
    const owner = this.#ownerOf(key.slice(key.indexOf('/') + 1));
    if (owner) return owner.view.get(key);
    for (const { view } of this.#states) {
      const value = view.get(key);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  entries<T, Id extends string>(kind: Kind<T, Id>): Iterable<readonly [Id, T]> {
    return this.#all((view) => view.entries(kind));
  }

  indexed<T, Id extends string>(index: Index<T, Id>, word: string): Iterable<readonly [Id, T]> {
    return this.#all((view) => view.indexed(index, word));
  }

  *#all<T, Id extends string>(read: (view: StateView) => Iterable<readonly [Id, T]>): Iterable<readonly [Id, T]> {
    const seen = new Set<Id>();
    for (const state of this.#states) {
      for (const [id, value] of read(state.view)) {
        if (seen.has(id) || (this.#ownerOf(id) ?? state) !== state) continue;
        seen.add(id);
        yield [id, value];
      }
    }
  }

  count(kind: Kind<unknown>): number {
    return Array.from(this.entries(kind)).length;
  }
}

/** Ids of log entries are `<ms>-<sequence>`. */
export function compareIds(a: string, b: string): number {
  const [aMs = 0, aSequence = 0] = a.split('-').map(Number);
  const [bMs = 0, bSequence = 0] = b.split('-').map(Number);
  return aMs - bMs || aSequence - bSequence;
}
