// The simulator's only source of time. One class serves three uses: real time (rate 1), a hand-moved virtual clock
// (rate 0, moved by `advance`), and a fast evening (rate 10). Waiting on the wire (latency faults) is always real time.

/** A scheduled call that can still be cancelled. */
export interface Timer {
  cancel(): void;
}

/** What the simulator's parts need from a clock: epoch milliseconds with a fraction, and timers in that same time. */
export interface Clock {
  now(): number;
  schedule(delayMs: number, run: () => void): Timer;
}

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

const before = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

const wallNow = (): number => performance.timeOrigin + performance.now();

/** setTimeout accepts at most this many milliseconds; a longer wait is split. */
const LONGEST_WAIT_MS = 2_000_000_000;

/** A clock that runs at `rate` simulated milliseconds for each real one and can be moved forward by hand, never back. */
export class SimulatedClock implements Clock {
  #rate: number;
  #base: number;
  #wallBase = wallNow();
  #pinned: number | undefined;
  #order = 0;
  #alarm: NodeJS.Timeout | undefined;
  #closed = false;
  readonly #heap: Entry[] = [];

  constructor(options: { readonly startAt?: number | undefined; readonly rate?: number | undefined } = {}) {
    this.#rate = options.rate ?? 1;
    this.#base = options.startAt ?? this.#wallBase;
  }

  get rate(): number {
    return this.#rate;
  }

  now(): number {
    return this.#pinned ?? this.#base + (wallNow() - this.#wallBase) * this.#rate;
  }

  /** Runs `run` once, `delayMs` of simulated time from now; entries of one instant run in the order they were made. */
  schedule(delayMs: number, run: () => void): Timer {
    const entry: Entry = { at: this.now() + Math.max(0, delayMs), order: this.#order++, run, cancelled: false };
    this.#push(entry);
    if (this.#heap[0] === entry) this.#arm();
    return {
      cancel: () => {
        entry.cancelled = true;
      },
    };
  }

  /** Moves time forward, running every timer that becomes due on the way at its own time. */
  advance(ms: number): void {
    const target = this.now() + Math.max(0, ms);
    this.#runDue(target);
    this.#rebase(target);
    this.#arm();
  }

  /** Changes the speed from now on: 0 stops time, 1 is real time. */
  setRate(rate: number): void {
    this.#rebase(this.now());
    this.#rate = rate;
    this.#arm();
  }

  /** Drops every timer; the clock stays readable. */
  close(): void {
    this.#closed = true;
    this.#heap.length = 0;
    clearTimeout(this.#alarm);
  }

  #rebase(now: number): void {
    this.#base = now;
    this.#wallBase = wallNow();
  }

  #runDue(until: number): void {
    const outer = this.#pinned;
    try {
      for (let head = this.#heap[0]; head !== undefined && head.at <= until; head = this.#heap[0]) {
        this.#pop();
        if (head.cancelled) continue;
        this.#pinned = Math.max(head.at, outer ?? head.at);
        head.run();
      }
    } finally {
      this.#pinned = outer;
    }
  }

  #arm(): void {
    clearTimeout(this.#alarm);
    const head = this.#heap[0];
    if (head === undefined || this.#rate === 0 || this.#closed || this.#pinned !== undefined) return;
    const waitMs = Math.min(LONGEST_WAIT_MS, Math.max(0, Math.ceil((head.at - this.now()) / this.#rate)));
    this.#alarm = setTimeout(() => {
      this.#runDue(this.now());
      this.#arm();
    }, waitMs);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(entry, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}
