// The limiter of one account in one Region, over all replicas.
//
// INVARIANT. However long calls travel, the service never counts more than N of them in any trailing second, N being the operation's limit
// for the account, and for PutMetadata also for the channel. Why it holds: each limit has N slots, kept in Redis (ledger.ts). A call takes
// its slot before it is sent and keeps it until one second after its answer; it was counted somewhere in between. So there is at least one
// second between two counted calls of one slot, however long they travelled. Without an answer the slot is kept longer; if its holder dies,
// until its lease ends; if the ledger itself may have forgotten something, nothing is granted until every earlier call must be over.
//
// waiting-line.ts decides the order of waiters, because it must be settled at the moment of the grant. Bottleneck runs what was granted:
// bounded concurrency by operation, drain and stop. It never decides when a call may be sent.
import Bottleneck from 'bottleneck';
import { type Lane, lanes } from '#domain/action.ts';
import { AppError } from '#domain/errors.ts';
import type { Clock } from '#runtime/clock.ts';
import { codeOf, type Episode, loggedEpisode } from '#runtime/episode.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { isBeforeConnecting } from '#runtime/redis-trouble.ts';
import { Gate, type GateWaiter } from './gate.ts';
import { type Grant, type Release, type SlotLedger, strayMs, windowMs } from './ledger.ts';
import type { CallLimit, OperationName } from './limits.ts';
import { RoundTrip } from './round-trip.ts';
import { ThrottleEpisodes } from './throttle-episodes.ts';

export interface LimiterOptions {
  readonly shard: string;
  readonly ledger: SlotLedger;
  readonly limitOf: (operation: OperationName) => CallLimit;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly random: () => number;
  /** What calls do while Redis does not answer: wait until their deadlines, or fail, first within a second and later at once. */
  readonly onRedisDown: 'wait' | 'fail';
  /** The limit of every wait. Default 60 s. */
  readonly maxWaitMs?: number;
  /** Maximum number of calls of one operation that may wait in this process. Default 20,000. */
  readonly maxWaiting?: number;
}

export interface CallRequest {
  readonly operation: OperationName;
  /** The id of the channel, for operations that are limited per channel: its calls keep their order, one at a time. */
  readonly channel?: string;
  readonly lane: Lane;
  /** How long the call may wait for its permit; never longer than the limiter's own bound. */
  readonly waitMs?: number;
  /** Ends the wait; once a call was sent, its sender must end it. */
  readonly signal?: AbortSignal;
}

/** Sends the one call that the permit is for. */
export type Call<T> = (permit: Permit) => Promise<T>;

/** The state that determines how long the permit's slot is kept. */
type PermitState =
  | { readonly kind: 'granted' }
  | { readonly kind: 'sent'; readonly at: number }
  | { readonly kind: 'answered'; readonly sentAt: number; readonly at: number };

/** The permit came too late to be used, because this process was suspended. The call joins the line again. */
export class PermitLapsed extends Error {}

/** The right to one wire call. granted → sent → answered; a permit that ends in `granted` was never used. */
export class Permit {
  readonly #grant: Grant;
  readonly #sendAt: number;
  readonly #onSent: () => void;
  #state: PermitState = { kind: 'granted' };

  constructor(grant: Grant, earlierMs: number, onSent: () => void) {
    this.#grant = grant;
    this.#onSent = onSent;
    this.#sendAt = grant.sendAt - earlierMs;
  }

  get state(): PermitState {
    return this.#state;
  }

  get hasLapsed(): boolean {
    return performance.now() > this.#grant.lapsesAt;
  }

  /** @throws PermitLapsed if it is too late to send */
  check(): void {
    if (this.hasLapsed) throw new PermitLapsed('the permit was kept too long before it was used');
  }

  /**
   * Resolves this long before the call is to be sent, up to `togetherMs` earlier, or at once if that has passed: for callers that decide late
   * what to send. Permits for about the same time resolve together, so that their callers can share a round trip.
   * @returns in how many ms the call is to be sent
   */
  async untilBefore(ms: number, togetherMs: number, signal?: AbortSignal): Promise<number> {
    const leftMs = Math.floor((this.#sendAt - ms) / togetherMs) * togetherMs - performance.now();
    if (leftMs > 0 && !signal?.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, leftMs);
      signal?.addEventListener('abort', () => resolve(), { once: true });
      await promise;
      clearTimeout(timer);
    }
    if (signal?.aborted) throw interruption(signal);
    this.check();
    return Math.max(0, this.#sendAt - performance.now());
  }

  /** Resolves when the call is to be sent, and counts it as sent. Call it right before the wire. */
  async untilSend(signal?: AbortSignal): Promise<void> {
    // Timers count whole milliseconds and may fire early. A millisecond too late costs a thousandth of the quota; waiting out the last one
    // turn by turn would keep a core busy.
    for (let left = this.#sendAt - performance.now(); left > 0; left = this.#sendAt - performance.now())
      await new Promise((resolve) => setTimeout(resolve, Math.ceil(left)));
    if (signal?.aborted) throw interruption(signal);
    const at = performance.now();
    this.check();
    this.#state = { kind: 'sent', at };
    this.#onSent();
  }

  /** The first byte of the answer has arrived. */
  answered(): void {
    if (this.#state.kind === 'sent') this.#state = { kind: 'answered', sentAt: this.#state.at, at: performance.now() };
  }
}

/** The lanes of one operation: its gate, and Bottleneck running what the gate grants. */
interface LaneSet {
  readonly gate: Gate;
  readonly runner: Bottleneck;
  readonly limit: CallLimit;
  /** Turns that wait for a call. */
  readonly begun: Turn[];
  /** Begun at a time. */
  readonly mostBegun: number;
}

/**
 * A job of Bottleneck that runs one call after another until it is left. Bottleneck starts its jobs one by one, with several timers for
 * each: a daemon whose event loop is busy would start 30 in a second.
 */
class Turn {
  /** The next call, or that there will be none. */
  #next = Promise.withResolvers<(() => Promise<void>) | undefined>();
  #refused: ((error: unknown) => void) | undefined;

  constructor(runner: Bottleneck, lane: Lane) {
    const work = async () => {
      for (let call = await this.#next.promise; call; call = await this.#next.promise) {
        this.#next = Promise.withResolvers();
        await call();
      }
    };
    // Calls report their own errors; this is Bottleneck refusing to start the job.
    runner.schedule({ priority: priorities[lane] }, work).catch((error: unknown) => this.#refused?.(error));
  }

  /** Runs a call; the one before must have ended. */
  take<T>(call: () => Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#refused = reject;
    this.#next.resolve(() => call().then(resolve, reject));
    return promise;
  }

  leave(): void {
    this.#next.resolve(undefined);
  }
}

/** So many times the turns that begin together may wait for calls; more are left. */
const mostKept = 4;
const priorities: Readonly<Record<Lane, number>> = { urgent: 0, normal: 5, bulk: 9 };
/** This many channels throttled within this time count as a throttle of the account. */
const throttledTogether = { channels: 3, withinMs: 2000 };

export class Limiter {
  readonly #options: LimiterOptions;
  readonly #laneSets = new Map<OperationName, LaneSet>();
  readonly #roundTrip = new RoundTrip();
  readonly #throttledAt = new Map<string, number>();
  readonly #throttleEpisodes: ThrottleEpisodes;
  /** One for all operations: their ledger is one Redis. */
  readonly #outage: Episode;
  #stopped = false;

  constructor(options: LimiterOptions) {
    this.#options = options;
    this.#throttleEpisodes = new ThrottleEpisodes(options.logger);
    this.#outage = loggedEpisode({
      clock: options.clock,
      logger: options.logger,
      code: codeOf,
      began: 'Redis grants no permits; calls wait or fail, depending on limits.on_redis_down',
      ended: 'Redis grants permits again',
    });
  }

  /**
   * Waits for a permit, then asks `prepare` what to send, then runs it. If `prepare` returns undefined, nothing is left to send: the
   * permit is returned unused and the result is undefined.
   * @throws AppError LIMITER_* without a permit, INTERRUPTED at a stop; the signal's reason; whatever the call throws
   */
  run<T>(request: CallRequest, prepare: () => Call<T> | undefined): Promise<T | undefined> {
    const { operation, lane, signal } = request;
    const { maxWaitMs = 60_000 } = this.#options;
    if (signal?.aborted) return Promise.reject(interruption(signal));
    const laneSet = this.#laneSet(operation);
    const channel = laneSet.limit.perChannel === undefined ? undefined : request.channel;
    const since = performance.now();
    const waitMs = Math.min(maxWaitMs, request.waitMs ?? Number.POSITIVE_INFINITY);
    return new Promise((resolve, reject) => {
      let call: Call<T> | undefined;
      const settled = () => signal?.removeEventListener('abort', onAbort);
      const waiter: GateWaiter = {
        lane,
        channel,
        since,
        deadline: since + waitMs,
        failed: (error) => {
          settled();
          reject(error);
        },
        granted: (grant) => {
          const prepareOnce = () => (call ??= prepare());
          this.#use(laneSet, { waiter, grant, signal, operation }, prepareOnce).then(
            (result) => {
              settled();
              resolve(result);
            },
            (error: unknown) => {
              if (!(error instanceof PermitLapsed)) return waiter.failed(error);
              if (signal?.aborted) return waiter.failed(interruption(signal));
              laneSet.gate.rejoin(waiter);
            },
          );
        },
      };
      const onAbort = () => {
        if (laneSet.gate.leave(waiter)) waiter.failed(interruption(signal!));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      laneSet.gate.join(waiter);
    });
  }

  async #use<T>(
    laneSet: LaneSet,
    granted: {
      readonly waiter: GateWaiter;
      readonly grant: Grant;
      readonly signal: AbortSignal | undefined;
      readonly operation: OperationName;
    },
    prepare: () => Call<T> | undefined,
  ): Promise<T | undefined> {
    const { gate } = laneSet;
    const { grant, signal, operation } = granted;
    const { lane, channel, since } = granted.waiter;
    const { metrics, shard } = this.#options;
    const permit = new Permit(grant, this.#roundTrip.oneWayMs(performance.now()), () => gate.left('sent'));
    try {
      const call = prepare();
      if (!call) return undefined;
      metrics.ivsPermitWaitSeconds.observe({ shard, lane }, (performance.now() - since) / 1000);
      return await this.#inTurn(laneSet, lane, async () => {
        // Until here the caller may abort: nothing has been decided yet.
        if (signal?.aborted) throw interruption(signal);
        permit.check();
        return call(permit);
      });
    } finally {
      if (permit.state.kind === 'granted') gate.left(permit.hasLapsed ? 'lapsed' : 'unspent');
      else metrics.ivsPermits.inc({ shard, operation, lane });
      gate.ended(this.#release(permit.state, grant, channel));
    }
  }

  /** Runs a call in a turn that waits for one, and keeps the turn for the next call. When the last one is taken, a few more begin. */
  async #inTurn<T>({ begun, mostBegun, runner }: LaneSet, lane: Lane, call: () => Promise<T>): Promise<T> {
    const turn = begun.pop() ?? new Turn(runner, lane);
    if (begun.length === 0)
      setImmediate(() => {
        if (!this.#stopped && begun.length === 0)
          // The last one is taken next, so it is the one that Bottleneck starts first.
          for (let count = 0; count < mostBegun; count += 1) begun.unshift(new Turn(runner, lane));
      });
    try {
      return await turn.take(call);
    } finally {
      if (this.#stopped || begun.length >= mostKept * mostBegun) turn.leave();
      else begun.push(turn);
    }
  }

  #release(state: PermitState, { permit, epoch }: Grant, channel: string | undefined): Release {
    const now = performance.now();
    switch (state.kind) {
      case 'granted':
        return { permit, epoch, channel, endedAt: now, holdMs: 0 };
      case 'sent':
        return { permit, epoch, channel, endedAt: now, holdMs: windowMs + strayMs };
      case 'answered':
        this.#roundTrip.observe(state.at - state.sentAt, now);
        return { permit, epoch, channel, endedAt: state.at, holdMs: windowMs - this.#roundTrip.oneWayMs(now) };
    }
  }

  /**
   * The service throttled a call although it had a permit: others use the account, or AWS counts differently. Half of the slots in service
   * are taken out, in all replicas, and come back one by one.
   * @param scope what the refusal named; `unknown` counts for the channel, until several channels are throttled together
   */
  throttled(operation: OperationName, channel: string | undefined, scope: 'channel' | 'account' | 'unknown'): void {
    const { gate, limit } = this.#laneSet(operation);
    const now = performance.now();
    const hit = limit.perChannel === undefined || scope === 'account' ? undefined : channel;
    if (hit !== undefined) this.#throttledAt.set(hit, now);
    for (const [each, at] of this.#throttledAt)
      if (now - at > throttledTogether.withinMs) this.#throttledAt.delete(each);
    const together = this.#throttledAt.size >= throttledTogether.channels;
    const reach = hit === undefined || together ? 'account' : 'channel';
    gate.throttled({ channel: hit, account: reach === 'account' });
    const { metrics, shard } = this.#options;
    metrics.ivsThrottles.inc({ shard, operation, scope: reach });
    this.#throttleEpisodes.met({ operation, scope: reach, channelId: channel }, now);
  }

  /** Who waits here, by operation and lane, including those with no more waiters; ages in milliseconds. */
  waiting(): { operation: OperationName; lane: Lane; calls: number; oldestMs: number }[] {
    const now = performance.now();
    return [...this.#laneSets].flatMap(([operation, { gate }]) => {
      const waiters = [...gate.waiting];
      return lanes.map((lane) => {
        const since = waiters.filter((waiter) => waiter.lane === lane).map((waiter) => waiter.since);
        const oldest = since.reduce((first, each) => Math.min(first, each), now);
        return { operation, lane, calls: since.length, oldestMs: Math.round(now - oldest) };
      });
    });
  }

  /**
   * To be called now and then: logs which problems have ended, and contacts the ledger, so that a replica without calls also notices a
   * step of Redis's clock. It is no failure if Redis is away.
   */
  async probe(): Promise<void> {
    if (this.#stopped) return;
    this.#throttleEpisodes.settle(performance.now());
    await this.#laneSet('ListStreams').gate.probe();
  }

  /** Contacts the ledger, so that an empty one starts its waiting time now. It is no failure if Redis is away. */
  async start(): Promise<void> {
    await this.#options.ledger.connect();
    await this.#laneSet('ListStreams').gate.probe();
  }

  /** Fails all waiters (INTERRUPTED), lets sent calls end, and reports their answers. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const laneSets = [...this.#laneSets.values()];
    for (const { gate } of laneSets) gate.stop();
    await Promise.all(
      laneSets.map(async ({ gate, runner, begun }) => {
        for (const turn of begun.splice(0)) turn.leave();
        // Bottleneck rejects a second stop.
        await runner.stop({ dropWaitingJobs: false }).catch(() => undefined);
        await gate.flush();
      }),
    );
    this.#options.ledger.close();
  }

  #laneSet(operation: OperationName): LaneSet {
    const known = this.#laneSets.get(operation);
    if (known) return known;
    const { ledger, limitOf, random, onRedisDown, maxWaiting = 20_000, metrics, shard } = this.#options;
    const limit = limitOf(operation);
    const mostBegun = Math.min(8, Math.ceil(limit.perAccount / 20));
    const laneSet: LaneSet = {
      limit,
      begun: [],
      mostBegun,
      // Each call in flight has a slot, so a granted call never waits because of this bound.
      runner: new Bottleneck({ maxConcurrent: limit.perAccount + (mostKept + 1) * mostBegun }),
      gate: new Gate({
        operation,
        limit,
        ledger,
        random,
        onRedisDown,
        maxWaiting,
        oneWayMs: () => this.#roundTrip.oneWayMs(performance.now()),
        onExchange: () => {
          this.#outage.succeeded();
          metrics.ivsLedgerExchanges.inc({ shard });
        },
        onFailure: (error) => {
          // A start that has not connected yet is no outage.
          if (!isBeforeConnecting(error)) this.#outage.failed(error);
        },
      }),
    };
    if (this.#stopped) laneSet.gate.stop();
    this.#laneSets.set(operation, laneSet);
    return laneSet;
  }
}

/** The meaning of an abort for the caller: the daemon's own reason if it gave one. */
function interruption(signal: AbortSignal): AppError {
  if (signal.reason instanceof AppError) return signal.reason;
  return new AppError('INTERRUPTED', 'the call was interrupted before it was sent', { cause: signal.reason });
}
