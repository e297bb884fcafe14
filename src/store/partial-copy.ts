// The part of a shared state that was asked for: kinds and single entries. A question about anything else is noted, so that the data can be
// fetched and the question asked again.
import type { StateView } from '#domain/shared-state.ts';
import type { Index, Key, Kind } from '#domain/state-key.ts';
import { LocalCopy } from './local-copy.ts';

/** What is wanted and not held. */
export interface Wanted {
  readonly kinds: readonly string[];
  readonly keys: readonly string[];
}

/**
 * A view that answers as if what it does not hold did not exist, and notes the question: while `isShort` is true, nothing may be
 * concluded from its answers.
 */
export class PartialCopy implements StateView {
  #entries = new LocalCopy();
  readonly #kinds = new Set<string>();
  readonly #keys = new Set<string>();
  readonly #wantedKinds = new Set<string>();
  readonly #wantedKeys = new Set<string>();

  get isShort(): boolean {
    return this.#wantedKinds.size > 0 || this.#wantedKeys.size > 0;
  }

  /**
   * Returns everything that was asked for and is not held. It counts as held from now on, once `set` has been called for what exists of it.
   */
  take(): Wanted {
    const wanted = { kinds: [...this.#wantedKinds], keys: [...this.#wantedKeys] };
    for (const kind of wanted.kinds) this.#kinds.add(kind);
    for (const key of wanted.keys) this.#keys.add(key);
    this.#wantedKinds.clear();
    this.#wantedKeys.clear();
    return wanted;
  }

  /** Drops everything; what was held is wanted again. */
  forget(): void {
    for (const kind of this.#kinds) this.#wantedKinds.add(kind);
    for (const key of this.#keys) this.#wantedKeys.add(key);
    this.#kinds.clear();
    this.#keys.clear();
    this.#entries = new LocalCopy();
  }

  /** Whether an entry, if it exists, belongs to what is held. */
  holds(key: string): boolean {
    return this.#keys.has(key) || this.#kinds.has(kindOf(key));
  }

  /** Writes; undefined deletes. */
  set(key: string, value: unknown): void {
    this.#entries.set(key, value);
  }

  get<T>(key: Key<T>): T | undefined {
    if (!this.holds(key)) this.#wantedKeys.add(key);
    return this.#entries.get(key);
  }

  entries<T, Id extends string>(kind: Kind<T, Id>): Iterable<readonly [Id, T]> {
    this.#want(kind.name);
    return this.#entries.entries(kind);
  }

  count(kind: Kind<unknown>): number {
    this.#want(kind.name);
    return this.#entries.count(kind);
  }

  indexed<T, Id extends string>(index: Index<T, Id>, word: string): Iterable<readonly [Id, T]> {
    this.#want(index.of.name);
    return this.#entries.indexed(index, word);
  }

  #want(kind: string): void {
    if (!this.#kinds.has(kind)) this.#wantedKinds.add(kind);
  }
}

function kindOf(key: string): string {
  return key.slice(0, key.indexOf('/'));
}
