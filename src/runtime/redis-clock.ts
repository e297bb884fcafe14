// Redis's clock, as this process knows it: the one clock for every comparison of times that replicas share. Between exchanges the process's
// monotonic clock carries it forward, so that a jump of the machine's own clock does not move it.
import { systemClock } from './clock.ts';

export interface RedisClockOptions {
  /** The machine's own clock, epoch ms: used until Redis has answered, and what `skew` compares. */
  readonly wallNow?: () => number;
  /** Milliseconds that only move forward; default performance.now. */
  readonly monotonic?: () => number;
}

/** The difference between the machine's own clock and Redis's. */
export interface ClockSkew {
  /** Own clock minus Redis's: positive when ours is ahead. */
  readonly ms: number;
  /** The true difference is within this much of `ms`: half of the round trip that measured it. */
  readonly uncertaintyMs: number;
}

/** Measures (Redis's clock − monotonic clock) in exchanges whose answer contains Redis's time; the shortest recent one counts. */
export class RedisClock {
  readonly #wallNow: () => number;
  readonly #monotonic: () => number;
  #offset: { readonly ms: number; readonly roundTripMs: number };

  constructor({ wallNow = () => systemClock.now(), monotonic = () => performance.now() }: RedisClockOptions = {}) {
    this.#wallNow = wallNow;
    this.#monotonic = monotonic;
    this.#offset = { ms: wallNow() - monotonic(), roundTripMs: Number.POSITIVE_INFINITY };
  }

  /** Epoch ms by Redis's clock; until Redis has answered, by the machine's own, carried forward. */
  nowMs(): number {
    return this.timeOf(this.#monotonic());
  }

  /** The same for another reading of the monotonic clock. */
  timeOf(monotonicMs: number): number {
    return Math.round(monotonicMs + this.#offset.ms);
  }

  /** Undefined until Redis has answered. */
  skew(): ClockSkew | undefined {
    const { ms, roundTripMs } = this.#offset;
    if (roundTripMs === Number.POSITIVE_INFINITY) return undefined;
    return { ms: this.#wallNow() - (this.#monotonic() + ms), uncertaintyMs: roundTripMs / 2 };
  }

  /** Runs an exchange with Redis and learns from its answer. */
  async measure<A>(run: () => Promise<A>, redisTimeMs: (answer: A) => number): Promise<A> {
    const sentAt = this.#monotonic();
    const answer = await run();
    this.#learn(redisTimeMs(answer), sentAt, this.#monotonic());
    return answer;
  }

  #learn(redisTimeMs: number, sentAt: number, answeredAt: number): void {
    const roundTripMs = answeredAt - sentAt;
    const ms = redisTimeMs - (sentAt + roundTripMs / 2);
    const last = this.#offset;
    // A slow answer that is further off than its round trip (and Redis's whole milliseconds) explains means that a clock was set.
    const isSet = Math.abs(ms - last.ms) > roundTripMs + 1;
    if (isSet || roundTripMs <= last.roundTripMs * 1.05 + 0.1) this.#offset = { ms, roundTripMs };
    // An old measurement loses weight: the two clocks drift apart.
    else this.#offset = { ...last, roundTripMs: last.roundTripMs * 1.02 };
  }
}
