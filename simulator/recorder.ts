// The record: every call the simulator answered, when it was counted and how it ended, and all metadata and revocations it accepted. All
// are bounded rings, so a soak can run for days. Independent of HTTP.

/** One call as the service saw it. */
export interface CallRecord {
  readonly seq: number;
  /** Simulated epoch milliseconds, with a fraction, at which the call met its quota. */
  readonly at: number;
  readonly operation: string;
  readonly channelArn?: string;
  /** `ok`, or the name of the error shape, or `ConnectionReset` for a request that was cut before it took effect. */
  readonly outcome: string;
  readonly status: number;
  /** Set when a fault touched the call, e.g. `lost-answer`: it took effect though the caller heard nothing. */
  readonly fault?: string;
  readonly requestId: string;
}

/** One accepted PutMetadata. */
export interface CueRecord {
  readonly seq: number;
  readonly at: number;
  readonly channelArn: string;
  readonly streamId: string;
  readonly metadata: string;
}

/** One accepted revocation of a viewer's sessions. */
export interface RevocationRecord {
  readonly seq: number;
  readonly at: number;
  readonly channelArn: string;
  readonly viewerId: string;
  /** Sessions begun with tokens up to this version were ended. */
  readonly version: number;
}

/** Which records to return; every named field must be equal. `afterSeq` leaves out what was read already. */
export interface CallFilter {
  readonly operation?: string | undefined;
  readonly channelArn?: string | undefined;
  readonly outcome?: string | undefined;
  readonly afterSeq?: number | undefined;
  readonly limit?: number | undefined;
}

/** The newest `capacity` items, oldest first when read. */
export class Ring<T extends { readonly seq: number }> {
  readonly #capacity: number;
  readonly #items: T[] = [];
  #added = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** How many were ever added; the next item's sequence number is one more. */
  get added(): number {
    return this.#added;
  }

  add(item: T): void {
    if (this.#items.length < this.#capacity) this.#items.push(item);
    else this.#items[this.#added % this.#capacity] = item;
    this.#added++;
  }

  /** Items that newer ones displaced. */
  get lost(): number {
    return this.#added - this.#items.length;
  }

  *since(seq: number): Generator<T> {
    const first = Math.max(this.lost, seq);
    for (let at = first; at < this.#added; at++) yield this.#items[at % this.#capacity]!;
  }

  clear(): void {
    this.#items.length = 0;
    this.#added = 0;
  }
}

interface Waiter {
  readonly filter: CallFilter;
  readonly resolve: (call: CallRecord | undefined) => void;
}

const matches = (call: CallRecord, filter: CallFilter): boolean =>
  (filter.operation === undefined || call.operation === filter.operation) &&
  (filter.channelArn === undefined || call.channelArn === filter.channelArn) &&
  (filter.outcome === undefined || call.outcome === filter.outcome) &&
  (filter.afterSeq === undefined || call.seq > filter.afterSeq);

/** Keeps calls and cues; lets a test wait for the call it expects. */
export class Recorder {
  readonly #calls: Ring<CallRecord>;
  readonly #cues: Ring<CueRecord>;
  readonly #revocations: Ring<RevocationRecord>;
  readonly #waiters = new Set<Waiter>();

  constructor(capacity: { readonly calls: number; readonly cues: number }) {
    this.#calls = new Ring(capacity.calls);
    this.#cues = new Ring(capacity.cues);
    this.#revocations = new Ring(capacity.cues);
  }

  /** Sequence number of the newest call; 0 before the first. */
  get lastSeq(): number {
    return this.#calls.added;
  }

  /** Calls that no longer fit into the record. */
  get lostCalls(): number {
    return this.#calls.lost;
  }

  call(record: Omit<CallRecord, 'seq'>): void {
    const call: CallRecord = { seq: this.#calls.added + 1, ...record };
    this.#calls.add(call);
    for (const waiter of this.#waiters) if (matches(call, waiter.filter)) this.#settle(waiter, call);
  }

  cue(record: Omit<CueRecord, 'seq'>): void {
    this.#cues.add({ seq: this.#cues.added + 1, ...record });
  }

  revocation(record: Omit<RevocationRecord, 'seq'>): void {
    this.#revocations.add({ seq: this.#revocations.added + 1, ...record });
  }

  calls(filter: CallFilter = {}): CallRecord[] {
    const found: CallRecord[] = [];
    for (const call of this.#calls.since(filter.afterSeq ?? 0)) {
      if (matches(call, filter)) found.push(call);
      if (found.length === filter.limit) break;
    }
    return found;
  }

  cues(channelArn?: string, afterSeq = 0): CueRecord[] {
    return [...this.#cues.since(afterSeq)].filter((cue) => channelArn === undefined || cue.channelArn === channelArn);
  }

  revocations(channelArn?: string, afterSeq = 0): RevocationRecord[] {
    const records = [...this.#revocations.since(afterSeq)];
    return records.filter((record) => channelArn === undefined || record.channelArn === channelArn);
  }

  /** The first recorded call that matches, or the next one to come; undefined if `timeoutMs` of real time pass first. */
  waitFor(filter: CallFilter, timeoutMs: number): Promise<CallRecord | undefined> {
    const known = this.calls({ ...filter, limit: 1 })[0];
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle(waiter, undefined), timeoutMs);
      const waiter: Waiter = {
        filter,
        resolve: (call) => {
          clearTimeout(timer);
          resolve(call);
        },
      };
      this.#waiters.add(waiter);
    });
  }

  clear(): void {
    this.#calls.clear();
    this.#cues.clear();
    this.#revocations.clear();
  }

  /** Releases every waiter with undefined. */
  close(): void {
    for (const waiter of this.#waiters) this.#settle(waiter, undefined);
  }

  #settle(waiter: Waiter, call: CallRecord | undefined): void {
    this.#waiters.delete(waiter);
    waiter.resolve(call);
  }
}
