// What a transaction has read of the copy that it was computed on. If another replica's commit changed none of it, computing again would
// give the same result, so the draft stays valid.
import type { StateView } from '#domain/shared-state.ts';
import type { Index, Key, Kind } from '#domain/state-key.ts';

/** A view that notes what is read. Entries, counts and indexes stand for their whole kind: what does not exist yet counts too. */
export class ReadSet implements StateView {
  readonly #base: StateView;
  /** The copy does not change while a transaction runs, so what is read again is found here. */
  readonly #read = new Map<string, unknown>();
  readonly #kinds = new Set<string>();

  constructor(base: StateView) {
    this.#base = base;
  }

  get<T>(key: Key<T>): T | undefined {
    const known = this.#read.get(key);
    if (known !== undefined || this.#read.has(key)) return known as T | undefined;
    const value = this.#base.get(key);
    this.#read.set(key, value);
    return value;
  }

  entries<T, Id extends string>(kind: Kind<T, Id>): Iterable<readonly [Id, T]> {
    this.#kinds.add(kind.name);
    return this.#base.entries(kind);
  }

  count(kind: Kind<unknown>): number {
    this.#kinds.add(kind.name);
    return this.#base.count(kind);
  }

  indexed<T, Id extends string>(index: Index<T, Id>, word: string): Iterable<readonly [Id, T]> {
    this.#kinds.add(index.of.name);
    return this.#base.indexed(index, word);
  }

  /** Whether any of these keys was read. */
  includesAny(keys: readonly string[]): boolean {
    return keys.some((key) => this.#read.has(key) || this.#kinds.has(key.slice(0, key.indexOf('/'))));
  }
}
