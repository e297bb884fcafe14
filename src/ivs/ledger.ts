// The slot ledger of one shard, as one replica sees it: requests permits from Redis, reports ended ones, and notices if Redis is another
// server, or its clock stepped. limiter.ts decides what is requested, and in which order.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { AppError, messageOf } from '#domain/errors.ts';
import { failureOf, type Redis } from '#runtime/redis.ts';
import { replyOf } from '#runtime/script-replies.ts';
import { ledgerScript, type ScriptClock, slotsLiveMs } from './ledger-script.ts';
import type { OperationName } from './limits.ts';

/** How long a counted call uses the quota: "calls per second", in its strictest reading. */
export const windowMs = 1000;

/** Ends one permit. `holdMs` 0: it was never sent; otherwise its slot is free `holdMs` after the end, `endedAt` (performance.now). */
export interface Release {
  readonly permit: string;
  readonly epoch: string;
  readonly channel: string | undefined;
  readonly endedAt: number;
  readonly holdMs: number;
}

/** The service throttled a call: half of the slots in service are taken out, and come back one by one. */
export interface ThrottleNotice {
  /** The channel whose slots are affected, besides or instead of the account's. */
  readonly channel: string | undefined;
  /** Whether the account's slots are affected. */
  readonly account: boolean;
}

export interface ExchangeRequest {
  readonly operation: OperationName;
  readonly perAccount: number;
  readonly perChannel: number | undefined;
  readonly lookAheadMs: number;
  readonly gapMs: number;
  /** One entry for each wanted permit, the most wanted first: the channel's id, or undefined for operations without one. */
  readonly wants: readonly (string | undefined)[];
  /** How many of the first wants are urgent. */
  readonly urgent: number;
  readonly releases: readonly Release[];
  readonly throttles: readonly ThrottleNotice[];
}

/** A right to one wire call. Instants are performance.now() of this process. */
export interface Grant {
  readonly permit: string;
  readonly epoch: string;
  /** Not to be sent before this. */
  readonly sendAt: number;
  /** Not to be sent after this, because the lease would not cover it. */
  readonly lapsesAt: number;
}

export interface ExchangeReply {
  /** By position of the want. */
  readonly grants: ReadonlyMap<number, Grant>;
  /** By position: for how long all of this channel's own slots are in use. */
  readonly channelWaitsMs: ReadonlyMap<number, number>;
  /** For how long all of the account's slots are in use; 0 if the account was not the limit. */
  readonly accountWaitMs: number;
  /** Above 0: nothing is granted for this long, because the ledger is new. */
  readonly fenceMs: number;
  readonly slotsInUse: number;
}

export interface LedgerOptions {
  readonly redis: Redis;
  /** Prefix of every key; with a hash tag for Redis Cluster. */
  readonly keyPrefix: string;
  /** Short and different for every process, so that permits cannot be confused. */
  readonly replica: string;
  readonly requestTimeoutMs: number;
  /** How long an empty ledger grants nothing. Default: the longest life of a permit and its request, plus a window. */
  readonly patienceMs?: number;
  /** An exchange without an answer by then counts as failed; if Redis answers later, its permits are returned. Default 1.5 s. */
  readonly answerWithinMs?: number;
  readonly onFence?: (waitMs: number) => void;
  readonly scriptClock?: ScriptClock;
  /** A monotonic clock in milliseconds; default performance.now. Goes with `scriptClock` in tests. */
  readonly monotonic?: () => number;
}

/** A call without an answer may be counted later, so its slot is kept one second longer. */
export const strayMs = 1000;
/** How long a permit may be kept before sending; if it takes longer, the process was suspended. */
export const mayLieMs = 500;
/** The estimate of Redis's clock is used for at most this long: enough for the latency to Redis, harmless if this host was suspended. */
const believedMs = 5;
/** How far Redis's clock may be from where our monotonic clock expects it, beyond the uncertainty of the round trip. */
const stepToleranceMs = 20;
/** Clocks are slewed by at most this. */
const driftPerMs = 0.001;

interface ScriptReply {
  readonly epoch: string;
  readonly nowMs: number;
  readonly fenceMs: number;
  readonly accountWaitMs: number;
  readonly sendAfterUs: readonly number[];
  readonly waitsUs: readonly number[];
  readonly slotsInUse: number;
}

/** The estimate of (Redis's clock − our monotonic clock): it lies between low and high. */
interface ClockBounds {
  readonly low: number;
  readonly high: number;
  readonly at: number;
}

const ledgerReply = z.tuple([
  z.string().min(1),
  z.string().regex(/^\d+$/),
  z.number(),
  z.number(),
  z.array(z.number()),
  z.array(z.number()),
  z.number(),
]);

export class SlotLedger {
  readonly #options: LedgerOptions;
  readonly #script: { text: string; sha: string };
  readonly #patienceMs: number;
  readonly #leaseMs: number;
  readonly #now: () => number;
  #serial = 0;
  /** Counts connections: a reply to a request on an earlier connection is not trusted. */
  #connection = 0;
  #runId: Promise<string> | undefined;
  #epoch = '';
  #bounds: ClockBounds | undefined;
  readonly #onClose = () => {
    this.#connection += 1;
    this.#runId = undefined;
  };

  constructor(options: LedgerOptions) {
    this.#options = options;
    const text = ledgerScript(options.scriptClock ?? { kind: 'redis' });
    this.#script = { text, sha: createHash('sha1').update(text).digest('hex') };
    this.#now = options.monotonic ?? (() => performance.now());
    this.#patienceMs = options.patienceMs ?? mayLieMs + options.requestTimeoutMs + windowMs;
    this.#leaseMs = mayLieMs + options.requestTimeoutMs + strayMs + windowMs;
    if (!(options.requestTimeoutMs > 0 && this.#leaseMs < slotsLiveMs))
      throw new RangeError(`no lease covers a request timeout of ${options.requestTimeoutMs} ms`);
    options.redis.on('close', this.#onClose);
  }

  /** The epoch in force, '' before the first exchange. Releases of another epoch need not be sent. */
  get epoch(): string {
    return this.#epoch;
  }

  /** Opens the connection if it is not open yet; does not report that Redis is away. */
  async connect(): Promise<void> {
    const { redis } = this.#options;
    if (redis.status === 'wait') await redis.connect().catch(() => undefined);
  }

  /** Stops using the connection, which belongs to the caller. */
  close(): void {
    this.#options.redis.off('close', this.#onClose);
  }

  /** The key of an operation's slots in this epoch, or of one channel's. */
  slotsKey(operation: OperationName, epoch = this.#epoch, channel?: string): string {
    const key = `${this.#options.keyPrefix}:slots:${epoch}:${operation}`;
    return channel === undefined ? key : `${key}:${channel}`;
  }

  /** The key of the operation's channels that have slots out of service: by id, with the time (µs) when all are back. */
  slowedKey(operation: OperationName, epoch = this.#epoch): string {
    return `${this.#options.keyPrefix}:slowed:${epoch}:${operation}`;
  }

  get stateKey(): string {
    return `${this.#options.keyPrefix}:ledger`;
  }

  /**
   * One round trip: ends permits, and requests new ones.
   * @param onLate gets grants that arrive after this call failed by its time limit; they are unused
   * @throws AppError LIMITER_UNAVAILABLE if Redis does not answer; then nothing was granted, as far as is known
   */
  async exchange(request: ExchangeRequest, onLate: (grants: Grant[]) => void): Promise<ExchangeReply> {
    // Tried a second time if the epoch has changed, because it is part of the keys' names. Further attempts would cause a storm of fences.
    for (let attempt = 0; ; attempt += 1) {
      const askedAt = this.#now();
      const permits = request.wants.map(
        (channel) =>
          `${this.#options.replica}${(this.#serial++).toString(36)}${channel === undefined ? '' : `/${channel}`}`,
      );
      const epoch = this.#epoch;
      const connection = this.#connection;
      const toGrants = (reply: ScriptReply, answeredAt: number) => {
        const grants = new Map<number, Grant>();
        for (const [position, after] of reply.sendAfterUs.entries()) {
          if (after < 0) continue;
          const sendAt = answeredAt + after / 1000;
          // The answer took a while to arrive, so calls may be sent earlier, as far as the estimate of Redis's clock allows.
          const earlier = Math.max(0, Math.min(believedMs, (this.#bounds?.low ?? 0) - (reply.nowMs - answeredAt)));
          grants.set(position, {
            permit: permits[position]!,
            epoch,
            sendAt: sendAt - earlier,
            lapsesAt: askedAt + mayLieMs,
          });
        }
        return grants;
      };
      const asked = this.#run(request, epoch, permits, false);
      const reply = await this.#inTime(asked, (late) => {
        if (connection === this.#connection) onLate([...toGrants(late, this.#now()).values()]);
      });
      const answeredAt = this.#now();
      if (connection !== this.#connection) throw unavailable(new Error('the connection was lost meanwhile'));
      const isNew = reply.epoch !== epoch;
      this.#epoch = reply.epoch;
      if (this.#clockStepped(reply, isNew, askedAt, answeredAt)) {
        const question = { ...request, wants: [], releases: [], throttles: [] };
        const fenced = await this.#inTime(this.#run(question, reply.epoch, [], true), () => undefined);
        this.#epoch = fenced.epoch;
        this.#options.onFence?.(fenced.fenceMs);
        return { ...nothing, fenceMs: Math.max(1, fenced.fenceMs) };
      }
      if (isNew && reply.fenceMs > 0) this.#options.onFence?.(reply.fenceMs);
      if (isNew && reply.fenceMs === 0 && attempt === 0) continue;
      return {
        grants: toGrants(reply, answeredAt),
        channelWaitsMs: new Map(
          [...reply.waitsUs.entries()].filter(([, us]) => us > 0).map(([i, us]) => [i, us / 1000]),
        ),
        accountWaitMs: reply.accountWaitMs,
        fenceMs: reply.fenceMs,
        slotsInUse: reply.slotsInUse,
      };
    }
  }

  async #run(request: ExchangeRequest, epoch: string, permits: string[], stepped: boolean): Promise<ScriptReply> {
    const { redis } = this.#options;
    const slotsIndex = 2;
    const keys = [this.stateKey, this.slotsKey(request.operation, epoch)];
    const keyIndex = new Map<string, number>();
    const indexOf = (channel: string | undefined) => {
      if (channel === undefined) return 0;
      let index = keyIndex.get(channel);
      if (index === undefined) {
        index = keys.push(this.slotsKey(request.operation, epoch, channel));
        keyIndex.set(channel, index);
      }
      return index;
    };
    let slowedIndex: number | undefined;
    const slowedKey = () => (slowedIndex ??= keys.push(this.slowedKey(request.operation, epoch)));
    try {
      const run = await this.#serverRun();
      const now = this.#now();
      const bounds = this.#bounds;
      const input = JSON.stringify({
        op: request.operation,
        run,
        epoch,
        stepped,
        patience: this.#patienceMs * 1000,
        lease: this.#leaseMs * 1000,
        lookahead: Math.round(request.lookAheadMs * 1000),
        gap: Math.round(request.gapMs * 1000),
        limit: request.perAccount,
        channelLimit: request.perChannel ?? 0,
        urgent: request.urgent,
        wants: request.wants.map(indexOf),
        permits,
        releases: request.releases
          .filter((release) => release.epoch === epoch)
          .map((release) => ({
            permit: release.permit,
            channel: indexOf(release.channel),
            // The age is too short by the latency to Redis, so a slot is never freed early.
            age: release.holdMs === 0 ? 0 : Math.floor((now - release.endedAt) * 1000),
            at: bounds
              ? Math.ceil((release.endedAt + bounds.high + (now - bounds.at) * driftPerMs) * 1000)
              : Number.MAX_SAFE_INTEGER,
            hold: Math.ceil(release.holdMs * 1000),
          })),
        throttles: request.throttles.map(({ channel, account }) => {
          const cut = (index: number, limit: number) => ({ key: index, limit, step: Math.round(20_000_000 / limit) });
          const perChannel = request.perChannel ?? request.perAccount;
          return {
            cuts: [
              ...(channel === undefined
                ? []
                : [{ ...cut(indexOf(channel), perChannel), channel, slowed: slowedKey() }]),
              ...(account ? [cut(slotsIndex, request.perAccount)] : []),
            ],
          };
        }),
      });
      const reply = replyOf('ledger', ledgerReply, await this.#evaluate(redis, keys, input));
      return {
        epoch: reply[0],
        nowMs: Number(reply[1]) / 1000,
        fenceMs: Math.ceil(reply[2] / 1000),
        accountWaitMs: reply[3] / 1000,
        sendAfterUs: reply[4],
        waitsUs: reply[5],
        slotsInUse: reply[6],
      };
    } catch (error) {
      throw unavailable(failureOf(redis, 'its script', error));
    }
  }

  async #evaluate(redis: Redis, keys: string[], input: string): Promise<unknown> {
    try {
      return await redis.evalsha(this.#script.sha, keys.length, ...keys, input);
    } catch (error) {
      if (!messageOf(error).includes('NOSCRIPT')) throw error;
      return redis.eval(this.#script.text, keys.length, ...keys, input);
    }
  }

  /** The id of the server process behind this connection: another process may have lost the ledger. */
  #serverRun(): Promise<string> {
    if (this.#runId) return this.#runId;
    const asked = this.#options.redis.info('server').then(
      (info) => /^run_id:(\S+)/m.exec(info)?.[1] ?? 'unnamed',
      (error: unknown) => {
        // A user who may not call INFO (as with `-@dangerous`) has to do without the id.
        if (/^NOPERM\b/.test(messageOf(error))) return 'unnamed';
        throw error;
      },
    );
    this.#runId = asked;
    asked.catch(() => {
      if (this.#runId === asked) this.#runId = undefined;
    });
    return asked;
  }

  async #inTime(asked: Promise<ScriptReply>, onLate: (reply: ScriptReply) => void): Promise<ScriptReply> {
    const { answerWithinMs = 1500 } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    let late = false;
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        late = true;
        // A connection without an answer for this long may be dead without any error.
        this.#options.redis.disconnect(true);
        reject(unavailable(new Error(`no answer within ${answerWithinMs} ms`)));
      }, answerWithinMs);
    });
    asked.then(
      (reply) => late && onLate(reply),
      () => undefined,
    );
    try {
      return await Promise.race([asked, limit]);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Every exchange bounds the difference of the two clocks: Redis read its clock between our request and the answer. If the bounds of two
   * exchanges do not overlap, one of the clocks stepped. A slow answer only widens the bounds: it is no step.
   */
  #clockStepped(reply: ScriptReply, isNew: boolean, askedAt: number, answeredAt: number): boolean {
    const known = this.#bounds;
    const seen = { low: reply.nowMs - answeredAt, high: reply.nowMs - askedAt, at: answeredAt };
    const drift = known ? (answeredAt - known.at) * driftPerMs : 0;
    // A step back only keeps slots longer than needed; from one second on, the script itself starts a new epoch.
    const meets = known && seen.low <= known.high + drift && seen.high >= known.low - drift;
    this.#bounds = meets
      ? { low: Math.max(seen.low, known.low - drift), high: Math.min(seen.high, known.high + drift), at: answeredAt }
      : seen;
    const stepMs = known ? seen.low - (known.high + drift) : 0;
    if (stepMs <= stepToleranceMs) return false;
    // An epoch that is new to us and began after our last request already answers the step: another replica noticed it first.
    const sinceKnownMs = known ? answeredAt - known.at : 0;
    return !isNew || reply.nowMs - Number(reply.epoch) / 1000 > sinceKnownMs + stepToleranceMs;
  }
}

const nothing: ExchangeReply = {
  grants: new Map(),
  channelWaitsMs: new Map(),
  accountWaitMs: 0,
  fenceMs: 0,
  slotsInUse: 0,
};

function unavailable(cause: unknown): AppError {
  if (cause instanceof AppError && cause.code === 'LIMITER_UNAVAILABLE') return cause;
  return new AppError(
    'LIMITER_UNAVAILABLE',
    `the ledger of call permits in Redis cannot be used (${messageOf(cause)}): no call is sent without a permit; check Redis`,
    { cause },
  );
}
