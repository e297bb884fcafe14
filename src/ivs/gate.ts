// One operation's gate: asks the ledger for permits on behalf of the waiting line, and reports the end of used ones in the same round trip.
// When idle, it holds no timer. limiter.ts uses the permits.
//
// States: idle → exchanging → (sleeping until there may be a slot →) exchanging … → idle; away while Redis does not answer.
import { AppError, messageOf } from '#domain/errors.ts';
import { backoffMs } from '#runtime/backoff.ts';
import type { ExchangeReply, Grant, Release, SlotLedger, ThrottleNotice } from './ledger.ts';
import type { CallLimit, OperationName } from './limits.ts';
import { type Candidate, type Waiter, WaitingLine } from './waiting-line.ts';

/** A waiter at the gate; exactly one of the two methods is called, once. */
export interface GateWaiter extends Waiter {
  granted(grant: Grant): void;
  failed(error: unknown): void;
}

export interface GateOptions {
  readonly operation: OperationName;
  readonly limit: CallLimit;
  readonly ledger: SlotLedger;
  readonly random: () => number;
  readonly onRedisDown: 'wait' | 'fail';
  readonly maxWaiting: number;
  /** How much earlier than the look-ahead this replica may get a slot: the latency to the service. */
  readonly oneWayMs: () => number;
  readonly onExchange: (reply: ExchangeReply) => void;
  readonly onFailure: (error: unknown) => void;
}

/** A permit can be requested this long before its slot is free, so that the latency to Redis and preparing the request cost no quota. */
const lookAheadMs = 60;
/** Time between two calls on slots that were idle: spreads what would be a burst, now and in the seconds that follow. */
const gapMs = 3;
/** Maximum number of permits that are granted but not sent yet. A process without enough CPU, which lets permits lapse, takes fewer. */
const mostInHand = 12;
/** While more than this share of them is in hand, no more are asked for: one round trip then brings several. */
const enoughInHand = 2 / 3;
/** Ended permits are reported with the next request for permits, or after this long. */
const reportAfterMs = 50;
/**
 * Another replica may return a permit unused, or may not have reported an answer yet, so ask again sooner than the ledger says: after as
 * long as a few calls of the operation take at its rate, within these bounds.
 */
const accountWaitMs = { calls: 3, least: 100, most: 500 };
const longestChannelWaitMs = 250;
/** With `limits.on_redis_down: fail`, a shorter outage is waited out, and so is an answer that takes less than this. */
export const failAfterMs = 1000;

export class Gate {
  readonly #options: GateOptions;
  readonly #longestAccountWaitMs: number;
  readonly #line = new WaitingLine<GateWaiter>();
  #releases: Release[] = [];
  #throttles: ThrottleNotice[] = [];
  #inHand = 0;
  #room = mostInHand;
  #exchanging: Promise<void> | undefined;
  /** performance.now() before which the account has no slot, or the fence is up. */
  #closedUntil = 0;
  #wakeAt = Number.POSITIVE_INFINITY;
  #wakeTimer: NodeJS.Timeout | undefined;
  #wakesNow = false;
  /** An urgent call has joined that the ledger does not know about yet. */
  #urgentJoined = false;
  #sweepAt = Number.POSITIVE_INFINITY;
  #sweepTimer: NodeJS.Timeout | undefined;
  /** Since when Redis does not answer: from the first unanswered request. */
  #away: { since: number; lastAt: number; attempt: number; error: unknown } | undefined;
  #giveUpTimer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: GateOptions) {
    this.#options = options;
    const { calls, least, most } = accountWaitMs;
    this.#longestAccountWaitMs = Math.max(least, Math.min(most, (calls * 1000) / options.limit.perAccount));
  }

  get waitingCalls(): number {
    return this.#line.size;
  }

  get waiting(): Iterable<GateWaiter> {
    return this.#line;
  }

  /** One round trip that requests no permits. */
  async probe(): Promise<void> {
    await (this.#exchanging ??= this.#exchange([]).finally(() => {
      this.#exchanging = undefined;
      this.#plan();
    }));
  }

  /** Joins the line. Fails the waiter at once if the line is full, or the gate is stopped or known to be unusable. */
  join(waiter: GateWaiter): void {
    const { operation, maxWaiting, onRedisDown } = this.#options;
    if (this.#stopped) return waiter.failed(stopping());
    if (this.#line.size >= maxWaiting) {
      const message = `${maxWaiting} calls of ${operation} wait already: send more slowly`;
      return waiter.failed(new AppError('LIMITER_FULL', message, { details: { operation, waiting: maxWaiting } }));
    }
    const now = performance.now();
    if (onRedisDown === 'fail' && this.#away && this.#isGone(this.#away, now)) {
      // Nobody waits for it, but this is how the return of Redis is noticed.
      if (now - this.#away.lastAt > 100) void this.probe();
      return waiter.failed(unavailable(operation, this.#away.error));
    }
    this.#line.add(waiter);
    this.#sweepBy(waiter.deadline);
    // An urgent call is announced to Redis even while the account has no slot, so that others yield.
    if (waiter.lane === 'urgent') {
      this.#urgentJoined = true;
      this.#wakeNow();
    } else if (this.#hasRoom) this.#wakeIn(Math.max(0, this.#closedUntil - now));
  }

  /** Returns to the front of its queue, because its last permit was not used. */
  rejoin(waiter: GateWaiter): void {
    if (this.#stopped) return waiter.failed(stopping());
    this.#line.addFirst(waiter);
    this.#sweepBy(waiter.deadline);
    this.#wakeIn(0);
  }

  /** Leaves the line; false if it was no longer in it. */
  leave(waiter: GateWaiter): boolean {
    const wasIn = this.#line.remove(waiter);
    this.#rest();
    return wasIn;
  }

  /** A granted call was sent, or its permit was dropped: another permit may be taken. */
  left(how: 'sent' | 'unspent' | 'lapsed'): void {
    this.#inHand -= 1;
    if (how === 'sent') this.#room = Math.min(mostInHand, this.#room + 0.25);
    else if (how === 'lapsed') this.#room = Math.max(1, this.#room / 2);
    if (this.#line.size > 0 && this.#hasRoom) this.#wakeIn(Math.max(0, this.#closedUntil - performance.now()));
  }

  /** Where there is none, a permit in hand will make some when it is used. An urgent call takes the first. */
  get #hasRoom(): boolean {
    const room = Math.floor(this.#room);
    return this.#inHand <= room * enoughInHand || (this.#inHand < room && this.#line.isUrgent);
  }

  /** A permit ends. The channel may have its next call. */
  ended(release: Release): void {
    this.#releases.push(release);
    if (release.channel !== undefined) this.#line.landed(release.channel);
    this.#wakeIn(this.#line.size > 0 && this.#hasRoom && performance.now() >= this.#closedUntil ? 0 : reportAfterMs);
  }

  /** The service throttled a call. */
  throttled(notice: ThrottleNotice): void {
    this.#throttles.push(notice);
    this.#wakeIn(0);
  }

  /** Fails all waiters; call `flush` afterwards to send outstanding reports. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#giveUpTimer);
    this.#failAll(stopping());
  }

  /** Sends the last reports. Never rejects: an unreported permit ends with its lease. */
  async flush(): Promise<void> {
    await this.#exchanging;
    if (this.#releases.length > 0 && !this.#away) await this.#exchange([]);
    clearTimeout(this.#wakeTimer);
    clearTimeout(this.#sweepTimer);
    clearTimeout(this.#giveUpTimer);
  }

  /** Away for too long to wait. After a while without a request, the next call tries again itself. */
  #isGone({ since, lastAt }: { since: number; lastAt: number }, now: number): boolean {
    return now - since >= failAfterMs && now - lastAt < 2 * failAfterMs;
  }

  #wakeIn(ms: number): void {
    const at = performance.now() + ms;
    if (at >= this.#wakeAt) return;
    this.#wakeAt = at;
    clearTimeout(this.#wakeTimer);
    // Several joins in one tick share a round trip.
    this.#wakeTimer = setTimeout(() => this.#turn(), ms);
  }

  /** Without the millisecond that a timer takes at least; joins that follow from one event still share a round trip. */
  #wakeNow(): void {
    if (this.#wakesNow) return;
    this.#wakesNow = true;
    process.nextTick(() => {
      this.#wakesNow = false;
      this.#turn();
    });
  }

  #turn(): void {
    clearTimeout(this.#wakeTimer);
    this.#wakeAt = Number.POSITIVE_INFINITY;
    if (this.#exchanging) return;
    this.#urgentJoined = false;
    const now = performance.now();
    const nextChannelAt = this.#line.unblock(now);
    const urgentOnly = now < this.#closedUntil;
    const candidates = this.#line.candidates(Math.floor(this.#room) - this.#inHand);
    const asks = urgentOnly && candidates[0]?.lane !== 'urgent' ? [] : candidates;
    if (asks.length === 0 && this.#releases.length === 0 && this.#throttles.length === 0) {
      if (candidates.length > 0) this.#wakeIn(this.#closedUntil - now);
      else if (nextChannelAt !== undefined) this.#wakeIn(nextChannelAt - now);
      return;
    }
    this.#exchanging = this.#exchange(asks).finally(() => {
      this.#exchanging = undefined;
      if (!this.#stopped) this.#plan();
    });
  }

  /** Nobody waits, so no deadline needs a timer. */
  #rest(): void {
    if (this.#line.size > 0) return;
    clearTimeout(this.#sweepTimer);
    this.#sweepAt = Number.POSITIVE_INFINITY;
  }

  /** After an exchange: decides when the next one is. */
  #plan(): void {
    this.#rest();
    const now = performance.now();
    if (this.#away) {
      if (this.#line.size > 0 || this.#releases.length > 0)
        this.#wakeIn(backoffMs({ baseMs: 100, maxMs: 1000 }, this.#away.attempt, this.#options.random));
      return;
    }
    if (this.#urgentJoined) return this.#wakeNow();
    const nextChannelAt = this.#line.unblock(now);
    if (this.#hasRoom && this.#line.candidates(1).length > 0) this.#wakeIn(Math.max(0, this.#closedUntil - now));
    else if (nextChannelAt !== undefined) this.#wakeIn(nextChannelAt - now);
    if (this.#releases.length > 0) this.#wakeIn(reportAfterMs);
    if (this.#throttles.length > 0) this.#wakeIn(0);
  }

  async #exchange(asks: readonly Candidate[]): Promise<void> {
    const { ledger, limit, operation, oneWayMs, random } = this.#options;
    const releases = this.#releases;
    const throttles = this.#throttles;
    this.#releases = [];
    this.#throttles = [];
    const askedAt = performance.now();
    try {
      const request = {
        operation,
        perAccount: limit.perAccount,
        perChannel: limit.perChannel,
        lookAheadMs: lookAheadMs + oneWayMs(),
        gapMs: limit.perChannel === undefined ? 0 : gapMs,
        wants: asks.map(({ channel }) => channel),
        urgent: asks.filter(({ lane }) => lane === 'urgent').length,
        releases,
        throttles,
      };
      const reply = await ledger.exchange(request, (late) => {
        for (const [i, grant] of late.entries()) this.#unspent(grant, asks[i]?.channel);
      });
      this.#isBack();
      const now = performance.now();
      for (const [position, grant] of reply.grants) this.#hand(grant, asks[position]!);
      for (const [position, waitMs] of reply.channelWaitsMs) {
        const wait = Math.max(1, Math.min(waitMs - lookAheadMs - oneWayMs(), longestChannelWaitMs));
        this.#line.block(asks[position]!.channel!, now + wait);
      }
      if (reply.fenceMs > 0) this.#closedUntil = now + reply.fenceMs + 1;
      else if (reply.accountWaitMs > 0) {
        // A little after the first slot is free: then there are several, and replicas take turns.
        const wait = reply.accountWaitMs - oneWayMs() - lookAheadMs * (0.4 + 0.5 * random());
        this.#closedUntil = now + Math.max(2, Math.min(wait, this.#longestAccountWaitMs));
      } else if (asks.length > 0 || releases.some(({ holdMs }) => holdMs === 0)) this.#closedUntil = 0;
      this.#options.onExchange(reply);
    } catch (error) {
      // Reported again later; a release that is older than its lease no longer has an effect.
      this.#releases.unshift(...releases.filter(({ endedAt }) => performance.now() - endedAt < 10_000));
      this.#throttles.unshift(...throttles);
      const now = performance.now();
      const { since, attempt } = this.#away ?? { since: askedAt, attempt: -1 };
      this.#away = { since, lastAt: now, attempt: attempt + 1, error };
      this.#options.onFailure(error);
      if (this.#options.onRedisDown === 'fail' && !this.#stopped) this.#giveUpIn(since + failAfterMs - now);
    }
  }

  #isBack(): void {
    this.#away = undefined;
    clearTimeout(this.#giveUpTimer);
    this.#giveUpTimer = undefined;
  }

  /** Nobody waits longer than this, even while a request hangs. */
  #giveUpIn(ms: number): void {
    this.#giveUpTimer ??= setTimeout(
      () => {
        this.#giveUpTimer = undefined;
        if (this.#away) this.#failAll(unavailable(this.#options.operation, this.#away.error));
      },
      Math.max(0, ms),
    );
  }

  #hand(grant: Grant, ask: Candidate): void {
    const waiter = this.#stopped ? undefined : this.#line.take(ask);
    if (!waiter) return this.#unspent(grant, ask.channel);
    if (ask.channel !== undefined) this.#line.departed(ask.channel);
    this.#inHand += 1;
    waiter.granted(grant);
  }

  #unspent({ permit, epoch }: Grant, channel: string | undefined): void {
    this.#releases.push({ permit, epoch, channel, endedAt: performance.now(), holdMs: 0 });
    this.#wakeIn(reportAfterMs);
  }

  #failAll(error: AppError): void {
    for (const waiter of this.#line) if (this.#line.remove(waiter)) waiter.failed(error);
  }

  /** One timer for all deadlines. */
  #sweepBy(deadline: number): void {
    if (deadline >= this.#sweepAt) return;
    this.#sweepAt = deadline;
    clearTimeout(this.#sweepTimer);
    this.#sweepTimer = setTimeout(() => this.#sweep(), Math.max(1, Math.ceil(deadline - performance.now())));
  }

  #sweep(): void {
    const { operation } = this.#options;
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const waiter of this.#line) {
      if (waiter.deadline > now) next = Math.min(next, waiter.deadline);
      else if (this.#line.remove(waiter)) {
        const waitedMs = Math.round(now - waiter.since);
        const message = `${operation} waited ${waitedMs} ms for a permit, until its deadline${this.#away ? `; ${messageOf(this.#away.error)}` : ''}`;
        const details = { operation, lane: waiter.lane, waitedMs };
        waiter.failed(new AppError('LIMITER_DEADLINE', message, { cause: this.#away?.error, details }));
      }
    }
    this.#sweepAt = Number.POSITIVE_INFINITY;
    // Deadlines close to each other are handled together.
    if (next !== Number.POSITIVE_INFINITY) this.#sweepBy(Math.max(next, now + 20));
  }
}

const stopping = () => new AppError('INTERRUPTED', 'the daemon stops: the call was not sent and returns to its caller');

const unavailable = (operation: OperationName, cause: unknown) =>
  new AppError(
    'LIMITER_UNAVAILABLE',
    `no permit for ${operation}, and limits.on_redis_down is "fail": ${messageOf(cause)}`,
    { cause, details: { operation } },
  );
