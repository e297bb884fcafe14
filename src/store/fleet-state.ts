// Several shards' states as one, for the API and the operator's verbs: reads see all of them, writes go to each.
// Ids that matter are ARNs, so a hold or a silence that another shard also carries is without effect there.
import type { SharedState, StateView, Transaction, TransactionOptions } from '#domain/shared-state.ts';

/** One state for the whole fleet; the state itself when there is only one shard. */
export function fleetState(states: readonly [SharedState, ...SharedState[]]): SharedState {
  return states.length === 1 ? states[0] : new FleetState(states);
}

class FleetState implements SharedState {
  readonly #states: readonly [SharedState, ...SharedState[]];
  readonly view: StateView;

  constructor(states: readonly [SharedState, ...SharedState[]]) {
    this.#states = states;
    this.view = new FleetView(states);
  }

  nowMs(): number {
    return this.#states[0].nowMs();
  }

  async refresh(options?: { readonly maxAgeMs?: number }): Promise<void> {
    await Promise.all(this.#states.map((state) => state.refresh(options)));
  }

  /** Runs the body on every shard; gives the first shard's result. */
  async transact<T>(body: (tx: Transaction) => T, options?: TransactionOptions): Promise<T> {
    const [first, ...others] = this.#states;
    const result = await first.transact(body, options);
    for (const state of others) await state.transact(body, options);
    return result;
  }

  async readLog<T>(
    log: string,
    options: { limit: number; before?: string },
  ): Promise<readonly { id: string; entry: T }[]> {
    const rows = await Promise.all(this.#states.map((state) => state.readLog<T>(log, options)));
    return rows
      .flat()
      .toSorted((a, b) => compareIds(b.id, a.id))
      .slice(0, options.limit);
  }
}

class FleetView implements StateView {
  readonly #states: readonly SharedState[];

  constructor(states: readonly SharedState[]) {
    this.#states = states;
  }

  get<T>(key: string): T | undefined {
    for (const { view } of this.#states) {
      const value = view.get<T>(key);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  *entries<T>(kind: string): Iterable<readonly [string, T]> {
    const seen = new Set<string>();
    for (const { view } of this.#states) {
      for (const [id, value] of view.entries<T>(kind)) {
        if (seen.has(id)) continue;
        seen.add(id);
        yield [id, value];
      }
    }
  }

  count(kind: string): number {
    return new Set(this.#states.flatMap(({ view }) => Array.from(view.entries(kind), ([id]) => id))).size;
  }
}

/** Ids of log entries are `<ms>-<sequence>`. */
function compareIds(a: string, b: string): number {
  const [aMs = 0, aSequence = 0] = a.split('-').map(Number);
  const [bMs = 0, bSequence = 0] = b.split('-').map(Number);
  return aMs - bMs || aSequence - bSequence;
}
