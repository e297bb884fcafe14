// Who waits for a permit of one operation, and who is next: lanes, channels in turn, order within a channel. No clock of its own, no
// timers, no I/O; a channel without waiters leaves nothing behind.
import { type Lane, lanes } from '#domain/action.ts';

/** A lower lane is served once after it was passed over this often. */
const patience: Readonly<Record<Lane, number>> = { urgent: 0, normal: 4, bulk: 16 };

/** One waiting call. */
export interface Waiter {
  readonly lane: Lane;
  /** The channel's id; calls of one channel keep their order and are not in flight together. */
  readonly channel: string | undefined;
  /** performance.now() at which it arrived. */
  readonly since: number;
  /** performance.now() at which it stops waiting. */
  readonly deadline: number;
}

/** A channel's queue in one lane; operations without channels have one nameless queue in each lane. */
interface Queue<W> {
  readonly lane: Lane;
  readonly channel: string | undefined;
  readonly waiters: Set<W>;
}

/** A place whose turn it may be: the front of a queue. */
export interface Candidate {
  readonly lane: Lane;
  readonly channel: string | undefined;
}

/**
 * A queue is in its lane's ring while somebody waits in it, unless its channel is held: by a call in flight, or until a time because its
 * own slots are in use. Queues of held channels are kept aside, so that the search for candidates never visits them.
 */
export class WaitingLine<W extends Waiter> {
  readonly #queues = new Map<string, Queue<W>>();
  readonly #rings: Record<Lane, Set<Queue<W>>> = { urgent: new Set(), normal: new Set(), bulk: new Set() };
  readonly #passed: Record<Lane, number> = { urgent: 0, normal: 0, bulk: 0 };
  readonly #inFlight = new Set<string>();
  readonly #blockedUntil = new Map<string, number>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Whether an urgent call waits whose channel is free. */
  get isUrgent(): boolean {
    return this.#rings.urgent.size > 0;
  }

  add(waiter: W): void {
    this.#queueOf(waiter, true)!.waiters.add(waiter);
    this.#size += 1;
    this.#place(waiter.lane, waiter.channel);
  }

  /** Puts a waiter back in front of its queue, because its permit was not used. */
  addFirst(waiter: W): void {
    const queue = this.#queueOf(waiter, true)!;
    const others = [...queue.waiters];
    queue.waiters.clear();
    for (const each of [waiter, ...others]) queue.waiters.add(each);
    this.#size += 1;
    this.#place(waiter.lane, waiter.channel);
  }

  /** Removes a waiter, wherever it is. */
  remove(waiter: W): boolean {
    const queue = this.#queueOf(waiter, false);
    if (!queue?.waiters.delete(waiter)) return false;
    this.#size -= 1;
    this.#dropIfEmpty(queue);
    return true;
  }

  /** Up to `count` fronts of queues, most wanted first, each channel at most once. */
  candidates(count: number): Candidate[] {
    const found: Candidate[] = [];
    const channels = new Set<string>();
    const rings = { urgent: this.#fronts('urgent'), normal: this.#fronts('normal'), bulk: this.#fronts('bulk') };
    const passed = { ...this.#passed };
    const open = new Set<Lane>(lanes.filter((lane) => this.#rings[lane].size > 0));
    while (found.length < count && open.size > 0) {
      const lane = this.#laneInTurn(open, passed);
      const next = rings[lane].next();
      if (next.done) {
        open.delete(lane);
        continue;
      }
      const { channel } = next.value;
      if (channel !== undefined && channels.has(channel)) continue;
      if (channel !== undefined) channels.add(channel);
      found.push({ lane, channel });
      this.#count(lane, open, passed);
    }
    // Urgent ones come first even if it is a lower lane's turn, because the ledger must know how many there are.
    return [...found.filter(({ lane }) => lane === 'urgent'), ...found.filter(({ lane }) => lane !== 'urgent')];
  }

  /** Removes and returns the waiter in front of a candidate's queue; its channel goes to the end of the ring. */
  take({ lane, channel }: Candidate): W | undefined {
    const queue = this.#queues.get(keyOf(lane, channel));
    const [waiter] = queue?.waiters ?? [];
    if (!queue || !waiter) return undefined;
    this.#count(lane, new Set(lanes.filter((each) => this.#rings[each].size > 0)), this.#passed);
    queue.waiters.delete(waiter);
    this.#size -= 1;
    if (this.#rings[lane].delete(queue) && queue.waiters.size > 0) this.#rings[lane].add(queue);
    this.#dropIfEmpty(queue);
    return waiter;
  }

  /** The channel has a call in flight: none of its waiters is a candidate until `landed`. */
  departed(channel: string): void {
    this.#inFlight.add(channel);
    this.#aside(channel);
  }

  landed(channel: string): void {
    this.#inFlight.delete(channel);
    this.#back(channel);
  }

  /** The channel's own slots are in use until then (any clock, the same as in `unblock`). */
  block(channel: string, until: number): void {
    this.#blockedUntil.set(channel, until);
    this.#aside(channel);
  }

  /** Readmits what has waited long enough; returns the time of the next one, or undefined if nothing is blocked. */
  unblock(now: number): number | undefined {
    let next: number | undefined;
    // Always few: a blocked channel must have used its five slots within the last second, out of the account's 155.
    for (const [channel, until] of this.#blockedUntil) {
      if (until > now) {
        next = Math.min(next ?? until, until);
        continue;
      }
      this.#blockedUntil.delete(channel);
      this.#back(channel);
    }
    return next;
  }

  /** All waiters, by queue. */
  *[Symbol.iterator](): IterableIterator<W> {
    for (const queue of this.#queues.values()) yield* queue.waiters;
  }

  /** The queues of a lane in turn. Without channels the single queue is the whole lane, and its waiters may go together. */
  *#fronts(lane: Lane): IterableIterator<Queue<W>> {
    for (const queue of this.#rings[lane]) {
      for (let left = queue.channel === undefined ? queue.waiters.size : 1; left > 0; left -= 1) yield queue;
    }
  }

  #laneInTurn(open: ReadonlySet<Lane>, passed: Readonly<Record<Lane, number>>): Lane {
    const waiting = lanes.filter((lane) => open.has(lane));
    return waiting.findLast((lane) => lane !== waiting[0] && passed[lane] >= patience[lane]) ?? waiting[0]!;
  }

  #count(served: Lane, open: ReadonlySet<Lane>, passed: Record<Lane, number>): void {
    for (const lane of open) if (lane !== served && lanes.indexOf(lane) > lanes.indexOf(served)) passed[lane] += 1;
    passed[served] = 0;
  }

  #queueOf({ lane, channel }: Candidate, make: boolean): Queue<W> | undefined {
    const key = keyOf(lane, channel);
    let queue = this.#queues.get(key);
    if (!queue && make) {
      queue = { lane, channel, waiters: new Set() };
      this.#queues.set(key, queue);
    }
    return queue;
  }

  #place(lane: Lane, channel: string | undefined): void {
    const queue = this.#queues.get(keyOf(lane, channel));
    if (!queue || (channel !== undefined && (this.#inFlight.has(channel) || this.#blockedUntil.has(channel)))) return;
    this.#rings[lane].add(queue);
  }

  #aside(channel: string): void {
    for (const lane of lanes) {
      const queue = this.#queues.get(keyOf(lane, channel));
      if (queue) this.#rings[lane].delete(queue);
    }
  }

  #back(channel: string): void {
    for (const lane of lanes) this.#place(lane, channel);
  }

  #dropIfEmpty(queue: Queue<W>): void {
    if (queue.waiters.size > 0) return;
    this.#rings[queue.lane].delete(queue);
    this.#queues.delete(keyOf(queue.lane, queue.channel));
  }
}

const keyOf = (lane: Lane, channel: string | undefined) => `${lane} ${channel ?? ''}`;
