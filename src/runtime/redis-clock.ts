// Redis's clock, as far as this process knows it: the one clock in every comparison of moments that replicas share. It is carried
// forward by the process's monotonic clock, so that no step of the machine's own clock moves it.
import { systemClock } from './clock.ts';

export interface RedisClockOptions {
  /** The machine's own clock, epoch ms: believed until Redis has answered, and what `skew` compares. */
  readonly wallNow?: () => number;
  /** Milliseconds that only go forward; default performance.now. */
  readonly monotonic?: () => number;
}

/** How far the machine's own clock is from Redis's. */
export interface ClockSkew {
  /** Own clock minus Redis's: positive when ours is ahead. */
  readonly ms: number;
  /** The true difference is within so much of `ms`: half of the round trip that measured it. */
  readonly uncertaintyMs: number;
}

/** Measures (Redis's clock − monotonic clock) from exchanges whose answer carries Redis's time; the shortest one lately counts. */
export class RedisClock {
  readonly #wallNow: () => number;
  readonly #monotonic: () => number;
  #offset: { readonly ms: number; readonly roundTripMs: number };

  constructor({ wallNow = () => systemClock.now(), monotonic = () => performance.now() }: RedisClockOptions = {}) {
    this.#wallNow = wallNow;
    this.#monotonic = monotonic;
    this.#offset = { ms: wallNow() - monotonic(), roundTripMs: Number.POSITIVE_INFINITY };
  }

  /** Epoch ms by Redis's clock; by the machine's own, carried forward, while Redis has never answered. */
  nowMs(): number {
    return Math.round(this.#monotonic() + this.#offset.ms);
  }

  /** Undefined while Redis has never answered. */
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
    // A slow answer that is further off than its round trip explains (and Redis's whole milliseconds) tells of a clock that was set.
    const isSet = Math.abs(ms - last.ms) > roundTripMs + 1;
    if (isSet || roundTripMs <= last.roundTripMs * 1.05 + 0.1) this.#offset = { ms, roundTripMs };
    // An old measurement fades: the two clocks drift apart.
    else this.#offset = { ...last, roundTripMs: last.roundTripMs * 1.02 };
  }
}
