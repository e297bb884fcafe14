// The two ways in which a service can enforce "N calls per second". Both answer "may one more be counted now?", and count it only when told
// to: a call that another limit refuses must not take a slot here.

/** One limit of one thing (an account's operation, or a channel). Times are milliseconds and never go backwards. */
export interface Rate {
  allows(now: number): boolean;
  count(now: number): void;
  /** True if dropping this object would change no answer. */
  idle(now: number): boolean;
}

const SECOND = 1000;

/** Never more than `limit` counted in any trailing second: remembers only the last `limit` times. */
export class SlidingWindow implements Rate {
  readonly #times: Float64Array;
  #oldest = 0;

  constructor(limit: number) {
    this.#times = new Float64Array(limit).fill(Number.NEGATIVE_INFINITY);
  }

  allows(now: number): boolean {
    return this.#times[this.#oldest]! <= now - SECOND;
  }

  count(now: number): void {
    this.#times[this.#oldest] = now;
    this.#oldest = (this.#oldest + 1) % this.#times.length;
  }

  idle(now: number): boolean {
    const newest = (this.#oldest + this.#times.length - 1) % this.#times.length;
    return this.#times[newest]! <= now - SECOND;
  }
}

/** A bucket of `limit` tokens, refilled continuously at `limit` per second; it starts full. */
export class TokenBucket implements Rate {
  readonly #limit: number;
  #tokens: number;
  #at = Number.NEGATIVE_INFINITY;

  constructor(limit: number) {
    this.#limit = limit;
    this.#tokens = limit;
  }

  allows(now: number): boolean {
    // The tolerance absorbs the rounding of many small refills; it is far below one call.
    return this.#level(now) >= 1 - 1e-9;
  }

  count(now: number): void {
    this.#tokens = Math.max(0, this.#level(now) - 1);
    this.#at = now;
  }

  idle(now: number): boolean {
    return this.#level(now) >= this.#limit;
  }

  #level(now: number): number {
    if (this.#at === Number.NEGATIVE_INFINITY) return this.#tokens;
    return Math.min(this.#limit, this.#tokens + ((now - this.#at) * this.#limit) / SECOND);
  }
}
