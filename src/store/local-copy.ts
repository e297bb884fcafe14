// The copy of the shared state in this process: a two-level map, and the transaction that collects writes over it.
import type { JobRequest } from '#domain/job.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';

/**
 * Keys are `<kind>/<id>`; the kind is what stands before the first slash. What this replica insists on, and Redis has not taken yet,
 * lies over the copy: readers see it, transactions compute on what is `committed`.
 */
export class LocalCopy implements StateView {
  #kinds = new Map<string, Map<string, unknown>>();
  /** By key; read by `get` alone. */
  readonly insisted = new Map<string, unknown>();
  /** The copy without what is insisted on. */
  readonly committed: StateView = {
    get: <T>(key: string) => this.#read<T>(key),
    entries: (kind) => this.entries(kind),
    count: (kind) => this.count(kind),
  };

  get<T>(key: string): T | undefined {
    return this.insisted.has(key) ? (this.insisted.get(key) as T) : this.#read<T>(key);
  }

  #read<T>(key: string): T | undefined {
    const [kind, id] = splitKey(key);
    return this.#kinds.get(kind)?.get(id) as T | undefined;
  }

  entries<T>(kind: string): Iterable<readonly [string, T]> {
    return (this.#kinds.get(kind) ?? none) as ReadonlyMap<string, T>;
  }

  count(kind: string): number {
    return this.#kinds.get(kind)?.size ?? 0;
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
    if (value === undefined) {
      this.#kinds.get(kind)?.delete(id);
      return;
    }
    let entries = this.#kinds.get(kind);
    if (!entries) this.#kinds.set(kind, (entries = new Map()));
    entries.set(id, value);
  }

  /** Holds what the other one holds, from one moment to the next: whoever reads sees the old content or the new. */
  become(other: LocalCopy): void {
    this.#kinds = other.#kinds;
  }
}

/** Prefix of the entries that hold jobs on their way to the queue. */
export const pendingJobKind = 'job';

/** One run of a transaction's body: reads see its own writes, nothing is changed outside of it. */
export class DraftTransaction implements Transaction {
  readonly nowMs: number;
  /** key → value, or undefined for a deletion. */
  readonly writes = new Map<string, unknown>();
  readonly appends: { log: string; entry: unknown; maxEntries: number }[] = [];
  readonly #base: StateView;
  readonly #repeats: ReadonlySet<string>;

  constructor({ base, nowMs, repeats }: { base: StateView; nowMs: number; repeats: ReadonlySet<string> }) {
    this.#base = base;
    this.nowMs = nowMs;
    this.#repeats = repeats;
  }

  get<T>(key: string): T | undefined {
    return this.writes.has(key) ? (this.writes.get(key) as T | undefined) : this.#base.get<T>(key);
  }

  /** Of what was written before the first is taken; what is not written, which is nearly all, costs no more than to walk over it. */
  entries<T>(kind: string): Iterable<readonly [string, T]> {
    const written = new Map<string, T | undefined>();
    for (const [key, value] of this.writes) {
      const [writtenKind, id] = splitKey(key);
      if (writtenKind === kind) written.set(id, value as T | undefined);
    }
    const base = this.#base.entries<T>(kind);
    return written.size === 0 ? base : overlaid(base, written);
  }

  count(kind: string): number {
    let count = this.#base.count(kind);
    for (const [key, value] of this.writes) {
      if (splitKey(key)[0] !== kind) continue;
      const existed = this.#base.get(key) !== undefined;
      if (existed && value === undefined) count -= 1;
      if (!existed && value !== undefined) count += 1;
    }
    return count;
  }

  set(key: string, value: unknown): void {
    if (value === undefined) throw new TypeError(`cannot set ${key} to undefined: delete it`);
    this.writes.set(key, value);
  }

  delete(key: string): void {
    this.writes.set(key, undefined);
  }

  isRepeat(dedupId: string): boolean {
    return this.#repeats.has(dedupId);
  }

  append(log: string, entry: unknown, maxEntries: number): void {
    this.appends.push({ log, entry, maxEntries });
  }

  enqueue(job: JobRequest): void {
    this.writes.set(`${pendingJobKind}/${job.jobId}`, job);
  }
}

const none: ReadonlyMap<string, unknown> = new Map();

function* overlaid<T>(
  base: Iterable<readonly [string, T]>,
  written: ReadonlyMap<string, T | undefined>,
): Iterable<readonly [string, T]> {
  for (const entry of base) if (!written.has(entry[0])) yield entry;
  for (const [id, value] of written) if (value !== undefined) yield [id, value];
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
