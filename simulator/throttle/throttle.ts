// Decides whether a call is counted or refused. Keeps one Rate per operation, and one per channel if the quota table has a channel column;
// channels that have been quiet for a second are dropped, so 10,000 of them cost nothing.

import { CALL_RATES, type CallRate, type OperationName } from './quotas.ts';
import { type Rate, SlidingWindow, TokenBucket } from './rate.ts';

export type Enforcement = 'sliding-window' | 'token-bucket' | 'off';

/** Which limit refused a call, and its size. */
export interface Refusal {
  readonly scope: 'channel' | 'account';
  readonly limit: number;
}

const SWEEP_EVERY = 5_000;

/** Counts calls against the quotas; `now` is passed in so that a virtual clock works. */
export class Throttle {
  #enforcement: Enforcement;
  readonly #quotas: Readonly<Record<string, CallRate>>;
  readonly #accounts = new Map<string, Rate>();
  readonly #channels = new Map<string, Rate>();
  #untilSweep = SWEEP_EVERY;

  constructor(enforcement: Enforcement, overrides: Partial<Readonly<Record<OperationName, CallRate>>> = {}) {
    this.#enforcement = enforcement;
    this.#quotas = { ...CALL_RATES, ...overrides };
  }

  get enforcement(): Enforcement {
    return this.#enforcement;
  }

  /** Switches the algorithm and drops what was counted. */
  use(enforcement: Enforcement): void {
    this.#enforcement = enforcement;
    this.#accounts.clear();
    this.#channels.clear();
  }

  /** Counts the call and returns undefined, or counts nothing and returns the limit that refused it. */
  admit(operation: OperationName, channelArn: string | undefined, now: number): Refusal | undefined {
    const quota = this.#quotas[operation];
    if (this.#enforcement === 'off' || quota === undefined) return undefined;
    const account = this.#rate(this.#accounts, operation, quota.account);
    const channel =
      quota.channel === undefined || channelArn === undefined
        ? undefined
        : this.#rate(this.#channels, `${operation} ${channelArn}`, quota.channel);
    if (quota.channel !== undefined && channel?.allows(now) === false) {
      return { scope: 'channel', limit: quota.channel };
    }
    if (!account.allows(now)) return { scope: 'account', limit: quota.account };
    channel?.count(now);
    account.count(now);
    if (channel !== undefined && --this.#untilSweep <= 0) this.#sweep(now);
    return undefined;
  }

  #rate(rates: Map<string, Rate>, key: string, limit: number): Rate {
    const known = rates.get(key);
    if (known !== undefined) return known;
    const made = this.#enforcement === 'token-bucket' ? new TokenBucket(limit) : new SlidingWindow(limit);
    rates.set(key, made);
    return made;
  }

  #sweep(now: number): void {
    this.#untilSweep = SWEEP_EVERY;
    for (const [key, rate] of this.#channels) if (rate.idle(now)) this.#channels.delete(key);
  }
}
