// The shared state in a real Redis under a virtual clock. Redis counts ages by its own clock, so every time to live is converted to the
// real time in which that much virtual time passes.
import type { Transaction, TransactionOptions } from '#domain/shared-state.ts';
import { RedisState, type RedisStateOptions } from '#store/shared-state.ts';

/** For dedup ids, unless specified otherwise. */
export const dedupTtlMs = 6 * 3_600_000;
/** The duration of a virtual minute, until it is known. */
const guessedRate = 2 / 60_000;

/** The virtual clock, and how fast it runs. */
export class VirtualClock {
  #nowMs: number;
  /** Which virtual time was reached when, in order. */
  readonly #marks: { readonly virtualMs: number; readonly realMs: number }[] = [];

  constructor(startMs: number) {
    this.#nowMs = startMs;
    this.#mark();
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  advanceTo(virtualMs: number): void {
    this.#nowMs = virtualMs;
    this.#mark();
  }

  /** How long the last stretch of virtual time took, and so about how long the next will take. */
  realMsOf(virtualMs: number): number {
    const last = this.#marks.at(-1)!;
    const since = this.#marks[this.#indexAt(last.virtualMs - virtualMs)]!;
    const passedMs = last.virtualMs - since.virtualMs;
    // At first, compiling code takes most of the time.
    const rate = passedMs < 3_600_000 ? guessedRate : (last.realMs - since.realMs) / passedMs;
    return Math.max(1, rate * virtualMs);
  }

  #mark(): void {
    this.#marks.push({ virtualMs: this.#nowMs, realMs: performance.now() });
  }

  /** The newest mark at or before a moment; the first when there is none. */
  #indexAt(virtualMs: number): number {
    let [low, high] = [0, this.#marks.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#marks[middle]!.virtualMs <= virtualMs) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

export class VirtualState extends RedisState {
  readonly #clock: VirtualClock;

  constructor({ clock, logMaxAgeMs, ...options }: RedisStateOptions & { readonly clock: VirtualClock }) {
    super({
      ...options,
      logMaxAgeMs: (log) => {
        const maxAgeMs = logMaxAgeMs?.(log);
        return maxAgeMs === undefined ? undefined : clock.realMsOf(maxAgeMs);
      },
    });
    this.#clock = clock;
  }

  override nowMs(): number {
    return this.#clock.nowMs;
  }

  /** Commits at once: no virtual time passes while a transaction waits for another. */
  override transact<T>(body: (tx: Transaction) => T, options: TransactionOptions = {}): Promise<T> {
    const ttlMs = this.#clock.realMsOf(options.dedupTtlMs ?? dedupTtlMs);
    return super.transact(body, { dedupIds: options.dedupIds ?? [], dedupTtlMs: Math.round(ttlMs) });
  }
}
