// The copy of the shared state in this process: a two-level map, and the transaction that collects writes over it.
import type { JobRequest } from '#domain/job.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';
import type { Index, Key, Kind, Log } from '#domain/state-key.ts';
import { kinds } from '#domain/state-registry.ts';
import type { Traceparent } from '#domain/trace.ts';

/**
 * Keys are `<kind>/<id>`; the kind is what stands before the first slash. What this replica has decided already, and Redis has not taken
 * yet, overlays the copy: readers see it, transactions compute on what is `committed`.
 */
export class LocalCopy implements StateView {
  #kinds = new Map<string, Map<string, unknown>>();
  /** By key; used only by `get`. */
  readonly insisted = new Map<string, unknown>();
  /** The copy without this overlay. */
  readonly committed: StateView = {
    get: (key) => this.#read(key),
    entries: (kind) => this.entries(kind),
    count: (kind) => this.count(kind),
    indexed: (index, word) => this.indexed(index, word),
  };
  /** By kind: the entries that each index finds. Built when an index is first used. */
  #indexes = new Map<string, Map<AnyIndex, Map<string, Set<string>>>>();

  get<T>(key: Key<T>): T | undefined {
    return this.insisted.has(key) ? (this.insisted.get(key) as T) : this.#read<T>(key);
  }

  #read<T>(key: Key<T>): T | undefined {
    const [kind, id] = splitKey(key);
    return this.#kinds.get(kind)?.get(id) as T | undefined;
  }

  entries<T, Id extends string>({ name }: Kind<T, Id>): Iterable<readonly [Id, T]> {
    return (this.#kinds.get(name) ?? none) as ReadonlyMap<Id, T>;
  }

  count({ name }: Kind<unknown>): number {
    return this.#kinds.get(name)?.size ?? 0;
  }

  *indexed<T, Id extends string>(index: Index<T, Id>, word: string): Iterable<readonly [Id, T]> {
    const ids = this.#found(index as AnyIndex).get(word);
    if (!ids) return;
    const values = this.#kinds.get(index.of.name) as ReadonlyMap<string, T>;
    for (const id of ids) yield [id as Id, values.get(id)!];
  }

  #found(index: AnyIndex): Map<string, Set<string>> {
    const { name } = index.of;
    let known = this.#indexes.get(name);
    if (!known) this.#indexes.set(name, (known = new Map()));
    let found = known.get(index);
    if (found) return found;
    known.set(index, (found = new Map()));
    for (const [id, value] of this.#kinds.get(name) ?? none) note(found, index.under(value), id);
    return found;
  }

  /** Number of entries of all kinds. */
  get size(): number {
    let size = 0;
    for (const entries of this.#kinds.values()) size += entries.size;
    return size;
  }

  /** Writes; undefined deletes. */
  set(key: string, value: unknown): void {
    const [kind, id] = splitKey(key);
    let entries = this.#kinds.get(kind);
    const before = entries?.get(id);
    for (const [index, found] of this.#indexes.get(kind) ?? []) {
      if (before !== undefined) forget(found, index.under(before), id);
      if (value !== undefined) note(found, index.under(value), id);
    }
    if (value === undefined) {
      entries?.delete(id);
      return;
    }
    if (!entries) this.#kinds.set(kind, (entries = new Map()));
    entries.set(id, value);
  }

  /** Takes over the content of another copy in one step: a reader sees the old content or the new. */
  become(other: LocalCopy): void {
    this.#kinds = other.#kinds;
    this.#indexes = other.#indexes;
  }
}

type AnyIndex = Index<unknown>;

function note(found: Map<string, Set<string>>, words: readonly string[], id: string): void {
  for (const word of words) {
    const ids = found.get(word);
    if (ids) ids.add(id);
    else found.set(word, new Set([id]));
  }
}

function forget(found: Map<string, Set<string>>, words: readonly string[], id: string): void {
  for (const word of words) {
    const ids = found.get(word);
    ids?.delete(id);
    if (ids?.size === 0) found.delete(word);
  }
}

/** One run of a transaction's body: reads see its own writes, and nothing outside changes. */
export class DraftTransaction implements Transaction {
  readonly nowMs: number;
  /** key → value, or undefined for a deletion. */
  readonly writes = new Map<string, unknown>();
  readonly appends: { log: string; entry: unknown; maxEntries: number }[] = [];
  readonly #base: StateView;
  /** The kinds of what was written: nearly every walk and count is of another one. */
  readonly #kinds = new Set<string>();
  readonly #repeats: ReadonlySet<string>;
  readonly #trace: Traceparent | undefined;

  constructor({
    base,
    nowMs,
    repeats,
    trace,
  }: {
    base: StateView;
    nowMs: number;
    repeats: ReadonlySet<string>;
    trace?: Traceparent | undefined;
  }) {
    this.#base = base;
    this.nowMs = nowMs;
    this.#repeats = repeats;
    this.#trace = trace;
  }

  get<T>(key: Key<T>): T | undefined {
    return this.writes.has(key) ? (this.writes.get(key) as T | undefined) : this.#base.get(key);
  }

  /**
   * Sees what was written before the first entry is taken. A kind without writes, which is nearly every kind, costs no more than a walk
   * over it.
   */
  entries<T, Id extends string>(kind: Kind<T, Id>): Iterable<readonly [Id, T]> {
    const written = this.#written(kind);
    const base = this.#base.entries(kind);
    return written.size === 0 ? base : overlaid(base, written);
  }

  /** As `entries`. */
  indexed<T, Id extends string>(index: Index<T, Id>, word: string): Iterable<readonly [Id, T]> {
    const written = this.#written(index.of);
    const base = this.#base.indexed(index, word);
    if (written.size === 0) return base;
    return overlaid(base, written, (value) => index.under(value).includes(word));
  }

  #written<T, Id extends string>(kind: Kind<T, Id>): ReadonlyMap<Id, T | undefined> {
    const written = new Map<Id, T | undefined>();
    if (!this.#kinds.has(kind.name)) return written;
    for (const [key, value] of this.writes) {
      const [writtenKind, id] = splitKey(key);
      if (writtenKind === kind.name) written.set(id as Id, value as T | undefined);
    }
    return written;
  }

  count(kind: Kind<unknown>): number {
    let count = this.#base.count(kind);
    if (!this.#kinds.has(kind.name)) return count;
    for (const [key, value] of this.writes) {
      if (splitKey(key)[0] !== kind.name) continue;
      const existed = this.#base.get(key as Key<unknown>) !== undefined;
      if (existed && value === undefined) count -= 1;
      if (!existed && value !== undefined) count += 1;
    }
    return count;
  }

  set<T>(key: Key<T>, value: NoInfer<T>): void {
    if (value === undefined) throw new TypeError(`cannot set ${key} to undefined: delete it`);
    this.#write(key, value);
  }

  delete(key: Key<unknown>): void {
    this.#write(key, undefined);
  }

  /** Takes over what a later transaction has written. */
  join({ writes, appends }: DraftTransaction): void {
    for (const [key, value] of writes) this.#write(key, value);
    this.appends.push(...appends);
  }

  isRepeat(dedupId: string): boolean {
    return this.#repeats.has(dedupId);
  }

  append<T>(log: Log<T>, entry: NoInfer<T>, maxEntries: number): void {
    this.appends.push({ log, entry, maxEntries });
  }

  enqueue(job: JobRequest): void {
    const isTold = this.#trace === undefined || job.payload['follows'] !== undefined;
    const traced = isTold ? job : { ...job, payload: { ...job.payload, follows: [this.#trace] } };
    this.#write(kinds.job.of(job.jobId), traced);
  }

  #write(key: string, value: unknown): void {
    this.#kinds.add(splitKey(key)[0]);
    this.writes.set(key, value);
  }
}

const none: ReadonlyMap<string, unknown> = new Map();

function* overlaid<T, Id>(
  base: Iterable<readonly [Id, T]>,
  written: ReadonlyMap<Id, T | undefined>,
  isWanted: (value: T) => boolean = () => true,
): Iterable<readonly [Id, T]> {
  for (const entry of base) if (!written.has(entry[0])) yield entry;
  for (const [id, value] of written) if (value !== undefined && isWanted(value)) yield [id, value];
}

/** Whether a text can be a key of the shared state. */
export function isKey(text: string): boolean {
  return text.indexOf('/') >= 1;
}

function splitKey(key: string): [kind: string, id: string] {
  const slash = key.indexOf('/');
  if (slash < 1) throw new TypeError(`not a key of the shared state: ${key}`);
  return [key.slice(0, slash), key.slice(slash + 1)];
}
