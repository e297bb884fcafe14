// Sends what waits in the outbox: leases channels, at most a window of them at a time, and drains each independently.
//
// For one channel: claimed → waits for a permit → takes what is there at that moment → call → records the answer → again, or returned. The
// wait is outside of any job, so a channel that its own rate blocks delays no other: there is room for far more channels than the account's
// rate can serve. One drain per channel across all replicas: the lease is in Redis, is renewed while the channel is drained, and is checked
// again in the step that decides what is sent.
import type { Lane } from '#domain/action.ts';
import { lanes } from '#domain/action.ts';
import type { ChannelArn } from '#domain/channel.ts';
import { AppError } from '#domain/errors.ts';
import { backoffMs } from '#runtime/backoff.ts';
import { Bell } from '#runtime/bell.ts';
import { type Clock, sleepOrAbort } from '#runtime/clock.ts';
import { Gather } from '#runtime/gather.ts';
import type { Service } from '#runtime/lifecycle.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import type { Redis } from '#runtime/redis.ts';
import { RedisChannel } from '#runtime/redis-channel.ts';
import { tracePort } from '#runtime/tracing.ts';
import { callResultOf, unsureOf } from './call-result.ts';
import type { EndedCall, Outbox, Recorded } from './outbox.ts';
import { nextChoiceAt } from './pace.ts';
import type { CallResult, Parcel } from './parcel.ts';
import type { DeliveryWatch, MetadataSender } from './ports.ts';

export interface DrainerOptions {
  readonly outbox: Outbox;
  readonly sender: MetadataSender;
  /** Receives wake-ups from other replicas; a connection of its own, since it does nothing else. Whoever made it closes it. */
  readonly subscriber: Redis;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly random: () => number;
  /** Is notified of calls that no retry can help, and of calls that delivered. Never throws. */
  readonly refusals?: DeliveryWatch;
  /** How long items of a channel wait when it is not broadcasting. */
  readonly reconnectWindowMs: number;
  /** Calls per second that one channel may get; calls that are not urgent are spread over the second. Default 5. */
  readonly channelCallsPerSecond?: number;
  /** Channels drained at the same time; urgent ones may add a quarter. Default 256. */
  readonly maxChannels?: number;
  /** Default 12 s; must be longer than a call may take. */
  readonly leaseMs?: number;
  /** The longest that a call may take; nothing is sent if the lease would end earlier. Default 5 s. */
  readonly callTimeoutMs?: number;
}

/** One channel's drain. */
interface Drain {
  readonly channelArn: ChannelArn;
  lane: Lane;
  lease: Lease | undefined;
  /** Settled by the claim that leases the channel; nothing is sent before. */
  readonly claimed: Promise<unknown>;
  /** No permit is requested earlier (performance.now), unless the items are urgent. */
  pacedUntil: number;
  /** What was chosen when the channel was claimed, and until when that choice is still fresh (performance.now). */
  chosen: { readonly parcel: Parcel; readonly until: number } | undefined;
  /** Set while it waits for a permit; aborting it starts the wait again. */
  wait: AbortController | undefined;
}

/** How a call ended. */
interface Ended {
  readonly parcel: Parcel | undefined;
  readonly result: CallResult;
  readonly unsure?: string | undefined;
}

interface Lease {
  readonly token: string;
  /** performance.now. */
  until: number;
}

/** A drain that began while its channel was still being claimed. */
interface Expected {
  readonly drain: Drain;
  readonly settle: () => void;
}

const expired = new Error('everything in the call has expired');

/** Looks for work at least this often, in case a wake-up is lost. */
const idlePollMs = 250;
/** For this long after a claim, what it chose is as good as a new choice. */
const freshMs = 10;
/** A choice may be made this much earlier than at the last moment; urgent items are chosen at once. */
const takeWithinMs = 3;
/** An answer may be recorded this much later. A crash repeats the calls that were not recorded. */
const recordWithinMs = 25;
/** … but not longer than this share of the time between two calls of a channel: the next one follows from the record. */
const recordWithinShare = 1 / 8;
/** Between two claims, unless something urgent waits: what arrives meanwhile is claimed together. */
const claimGapMs = 5;

/** States: new → running → stopped. */
export class Drainer implements Service {
  readonly name = 'metadata drains';
  readonly #options: Required<Omit<DrainerOptions, 'refusals'>> & Pick<DrainerOptions, 'refusals'>;
  /** The drains of leased channels. */
  readonly #leased = new Map<ChannelArn, Drain>();
  /** The drains of channels that the next claim should lease: they request their permits while the claim is under way. */
  #expected = new Map<ChannelArn, Expected>();
  readonly #running = new Set<Promise<void>>();
  /** Until when returned channels are paced: one that is soon claimed again keeps its pace. */
  readonly #pacedUntil = new Map<ChannelArn, number>();
  readonly #stop = new AbortController();
  readonly #bell = new Bell();
  readonly #urgentBell = new Bell();
  #claimsFail = false;
  /** The last claim used all the room there was: more channels may be ready than any wake-up says. */
  #moreReady = false;
  /** The most urgent lane in which something has arrived since the waits were last checked. */
  #upgradeTo: Lane = 'bulk';
  /** Logged once, until an answer is recorded again. */
  #recordFails = false;
  #loop: Promise<unknown> | undefined;
  readonly #wakes: RedisChannel;
  /** What several channels ask of the outbox at almost the same moment becomes one call. */
  readonly #takes: Gather<readonly [ChannelArn, string], Parcel | 'empty' | 'lost'>;
  readonly #records: Gather<EndedCall, Recorded>;

  constructor(options: DrainerOptions) {
    this.#options = { channelCallsPerSecond: 5, maxChannels: 256, leaseMs: 12_000, callTimeoutMs: 5000, ...options };
    const { outbox, subscriber, logger } = options;
    this.#wakes = new RedisChannel({
      redis: subscriber,
      name: outbox.wakeChannel,
      onMessage: (message) => {
        const lane = outbox.wokenLane(message);
        if (lane) this.nudge(lane);
      },
      onRefused: (error) => {
        if (!this.#stop.signal.aborted) logger.warn({ err: error }, 'wake-ups from other replicas cannot be received');
      },
    });
    this.#takes = new Gather({ withinMs: takeWithinMs, most: 32, run: (leases) => outbox.takeAll(leases) });
    const recordMs = Math.min(recordWithinMs, (1000 / this.#options.channelCallsPerSecond) * recordWithinShare);
    this.#records = new Gather({ withinMs: recordMs, most: 64, run: (calls) => outbox.recordAll(calls) });
  }

  /** Channels leased at the moment. */
  get size(): number {
    return this.#leased.size;
  }

  async start(): Promise<void> {
    if (this.#loop || this.#stop.signal.aborted) return;
    this.#wakes.start();
    this.#loop = Promise.all([this.#claimLoop(), this.#renewLoop()]);
  }

  /** Something waits, as far as this process knows: look for it now. `channels`: where, if that is known and urgent. */
  nudge(lane: Lane, channels: readonly ChannelArn[] = []): void {
    // A drain that waits for a permit with less urgent items may have got more urgent ones.
    if (isBefore(lane, this.#upgradeTo)) this.#upgradeTo = lane;
    for (const channelArn of channels) this.#expect(channelArn, lane);
    if (lane === 'urgent') this.#urgentBell.ring();
    this.#bell.ring();
  }

  /** Returns waiting channels to the outbox, and lets calls that were sent finish. */
  async stop(): Promise<void> {
    this.#stop.abort(new AppError('INTERRUPTED', 'the daemon stops'));
    await this.#wakes.stop();
    this.#urgentBell.ring();
    this.#bell.ring();
    for (const { wait } of this.#leased.values()) wait?.abort(this.#stop.signal.reason);
    for (const { drain } of this.#expected.values()) drain.wait?.abort(this.#stop.signal.reason);
    await this.#loop;
    this.#settle(this.#expected);
    await Promise.all(this.#running);
  }

  async #claimLoop(): Promise<void> {
    const { signal } = this.#stop;
    const { clock, logger, random } = this.#options;
    for (let failures = 0; !signal.aborted; ) {
      try {
        await this.#claim();
        if (this.#upgradeTo !== 'bulk') await this.#upgradeWaits();
        failures = 0;
        this.#claimsFail = false;
        const claimedAt = performance.now();
        await this.#bell.wait(idlePollMs);
        await this.#urgentBell.wait(claimedAt + claimGapMs - performance.now());
      } catch (error) {
        if (failures === 0 && !signal.aborted) logger.warn({ err: error }, 'metadata waits: the outbox cannot be read');
        await sleepOrAbort(clock, backoffMs({ baseMs: 100, maxMs: 2000 }, failures, random), signal);
        failures += 1;
        this.#claimsFail = true;
      }
    }
  }

  async #claim(): Promise<void> {
    const { outbox, maxChannels, leaseMs } = this.#options;
    this.#bell.reset();
    this.#urgentBell.reset();
    const expected = this.#expected;
    this.#expected = new Map();
    const room = Math.max(0, maxChannels - this.#leased.size);
    const urgentRoom = Math.max(0, Math.ceil(maxChannels * 1.25) - this.#leased.size - room);
    this.#moreReady = true;
    const askedAt = performance.now();
    try {
      if (room + urgentRoom === 0) return;
      const { token, channels, found } = await outbox.claim({ leaseMs, room, urgentRoom });
      this.#moreReady = found >= room;
      for (const { channelArn, lane, parcel } of channels) {
        const known = expected.get(channelArn)?.drain;
        const drain = known ?? this.#newDrain(channelArn, lane, Promise.resolve());
        drain.lease = { token, until: askedAt + leaseMs };
        // If this answer is handled late, the choice does not stay fresh for longer.
        drain.chosen = parcel && { parcel, until: Math.min(performance.now(), askedAt + 10 * freshMs) + freshMs };
        if (isBefore(drain.lane, lane)) drain.wait?.abort(new Error('less urgent things wait for this channel'));
        drain.lane = lane;
        this.#leased.set(channelArn, drain);
        if (!known) this.#begin(drain);
      }
    } finally {
      this.#settle(expected);
    }
  }

  /** Lets them continue with their lease; those that got none, or must stop, no longer wait for a permit. */
  #settle(expected: ReadonlyMap<ChannelArn, Expected>): void {
    for (const { drain, settle } of expected.values()) {
      if (!drain.lease || this.#stop.signal.aborted) drain.wait?.abort(new Error('the channel is not ours'));
      settle();
    }
  }

  #expect(channelArn: ChannelArn, lane: Lane): void {
    // Without a claim nothing would ever settle it: a replica that drains nothing (role `api`), or that cannot claim now.
    if (!this.#loop || this.#claimsFail || this.#stop.signal.aborted) return;
    if (this.#leased.has(channelArn) || this.#expected.has(channelArn)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const drain = this.#newDrain(channelArn, lane, promise);
    this.#expected.set(channelArn, { drain, settle: resolve });
    this.#begin(drain);
  }

  #newDrain(channelArn: ChannelArn, lane: Lane, claimed: Promise<unknown>): Drain {
    const pacedUntil = this.#pacedUntil.get(channelArn) ?? Number.NEGATIVE_INFINITY;
    return { channelArn, lane, claimed, pacedUntil, lease: undefined, chosen: undefined, wait: undefined };
  }

  #begin(drain: Drain): void {
    const { channelArn } = drain;
    // The caller that happened to wake it is not the origin of what it sends.
    const running = tracePort
      .outside(() => this.#drain(drain))
      .then((inLine) => {
        this.#running.delete(running);
        if (!drain.lease) return;
        if (this.#leased.get(channelArn) === drain) this.#leased.delete(channelArn);
        this.#pacedUntil.set(channelArn, drain.pacedUntil);
        // Each claim is a round trip, so several are claimed at a time, and none if there is nothing to claim.
        if (inLine) this.#moreReady = true;
        if (this.#moreReady && this.#leased.size <= this.#options.maxChannels * 0.9) this.#bell.ring();
      });
    this.#running.add(running);
  }

  /** Drains that wait for a permit in a less urgent lane than their first item now has start to wait again, in the more urgent lane. */
  async #upgradeWaits(): Promise<void> {
    const to = this.#upgradeTo;
    this.#upgradeTo = 'bulk';
    const waiting = [...this.#leased.values()].filter(({ wait, lane }) => wait && isBefore(to, lane));
    let heads: readonly (Lane | undefined)[];
    try {
      heads = await this.#options.outbox.headLanes(waiting.map(({ channelArn }) => channelArn));
    } catch (error) {
      if (isBefore(to, this.#upgradeTo)) this.#upgradeTo = to;
      throw error;
    }
    for (const [index, drain] of waiting.entries()) {
      const head = heads[index];
      if (head === undefined || !isBefore(head, drain.lane)) continue;
      drain.lane = head;
      drain.wait?.abort(new Error('more urgent things wait for this channel'));
    }
  }

  /** Never rejects. Returns whether something may be ready that has to be claimed again. */
  async #drain(drain: Drain): Promise<boolean> {
    for (;;) {
      const call = await this.#call(drain);
      await drain.claimed;
      if (call === 'over' || !drain.lease) return true;
      if (call === 'again') continue;
      // What it chose and did not send is taken back there.
      drain.chosen = undefined;
      const { lane, inLine } = await this.#record(drain, drain.lease, call);
      if (lane === undefined) return inLine;
      drain.lane = lane;
    }
  }

  /** One call. `over`: the channel is not ours, or no longer; `again`: nothing was sent, wait again. */
  async #call(drain: Drain): Promise<Ended | 'over' | 'again'> {
    const { sender, clock, logger, random, reconnectWindowMs } = this.#options;
    const { channelArn } = drain;
    const wait = new AbortController();
    drain.wait = wait;
    let parcel: Parcel | undefined;
    let over = false;
    let taking: { readonly takenAt: number; readonly dueAt: number } | undefined;
    let expiry: NodeJS.Timeout | undefined;
    // Until it is certain that the channel is ours, the wait can be ended.
    const onGranted = () => {
      if (drain.lease) drain.wait = undefined;
    };
    try {
      if (this.#stop.signal.aborted) throw this.#stop.signal.reason;
      // Spread over the second, so that what arrives meanwhile shares the next call instead of waiting for the next second.
      const pauseMs = drain.pacedUntil - performance.now();
      if (pauseMs > 0 && drain.lane !== 'urgent') await clock.sleep(pauseMs, wait.signal);
      const sent = await sender.putMetadataWhenGranted(
        channelArn,
        { lane: drain.lane, signal: wait.signal, onGranted },
        async (leadMs) => {
          const dueAt = performance.now() + leadMs;
          await drain.claimed;
          if (wait.signal.aborted || this.#stop.signal.aborted) return undefined;
          drain.wait = undefined;
          const taken = await this.#take(drain);
          over = taken === 'over';
          if (taken === 'over' || taken === 'too late') return undefined;
          parcel = taken;
          const takenAt = performance.now();
          taking = { takenAt, dueAt };
          // A call whose items nobody wants any longer is ended, however long it may still take.
          expiry = setTimeout(() => wait.abort(expired), Math.max(0, taken.expiresAt - takenAt));
          return { metadata: taken.metadata, follows: taken.follows };
        },
      );
      if (over) return 'over';
      if (wait.signal.aborted && !parcel && !this.#stop.signal.aborted) return 'again';
      if (sent) this.#options.refusals?.delivered(channelArn);
      return { parcel, result: sent ? { kind: 'delivered' } : { kind: 'back' } };
    } catch (error) {
      if (this.#stop.signal.aborted && !parcel) return { parcel, result: { kind: 'back' } };
      if (wait.signal.aborted && !parcel) return 'again';
      const result = callResultOf(error, { reconnectWindowMs, random: random() });
      logger.debug({ channelArn, err: error, result: result.kind }, 'metadata was not delivered');
      if (result.kind === 'failed') this.#options.refusals?.refused(channelArn, error);
      return { parcel, result, unsure: unsureOf(error) };
    } finally {
      clearTimeout(expiry);
      drain.wait = undefined;
      if (taking)
        drain.pacedUntil = nextChoiceAt({ ...taking, endedAt: performance.now() }, this.#options.channelCallsPerSecond);
    }
  }

  /** What goes into the next call; `over`: nothing, or the channel is not ours. */
  async #take(drain: Drain): Promise<Parcel | 'over' | 'too late'> {
    const { lease, chosen, channelArn } = drain;
    drain.chosen = undefined;
    if (!lease) return 'over';
    // A process that was paused must not send what another replica may be sending by now.
    if (lease.until - performance.now() < this.#options.callTimeoutMs) return 'too late';
    if (chosen && chosen.until > performance.now()) return chosen.parcel;
    const taken = await this.#takes.ask([channelArn, lease.token], drain.lane === 'urgent');
    return typeof taken === 'string' ? 'over' : taken;
  }

  /** Records the answer, however long Redis takes to come back; during a stop for at most a second. */
  async #record(
    drain: Drain,
    lease: Lease,
    { parcel, result, unsure }: Ended,
  ): Promise<{ lane: Lane | undefined; inLine: boolean }> {
    const { clock, logger, metrics, random } = this.#options;
    const { signal } = this.#stop;
    const giveUpAt = () => (signal.aborted ? 5 : Number.POSITIVE_INFINITY);
    for (let failures = 0; failures <= giveUpAt(); failures += 1) {
      try {
        const { lane, inLine, nowMs } = await this.#records.ask({
          channelArn: drain.channelArn,
          token: lease.token,
          ids: parcel?.ids ?? [],
          keep: !signal.aborted && this.#leased.size <= this.#options.maxChannels,
          result,
          unsure,
        });
        this.#recordFails = false;
        if (result.kind === 'delivered')
          for (const acceptedAtMs of parcel?.acceptedAtMs ?? [])
            metrics.metadataAgeSeconds.observe({ lane: drain.lane }, Math.max(0, nowMs - acceptedAtMs) / 1000);
        return { lane, inLine };
      } catch (error) {
        if (!this.#recordFails) logger.warn({ err: error }, 'the outcome of metadata cannot be recorded; trying again');
        this.#recordFails = true;
        // What is not recorded is sent again, with the same ids, when the lease has ended.
        await clock.sleep(backoffMs({ baseMs: 50, maxMs: 1000 }, signal.aborted ? 2 : failures, random));
      }
    }
    return { lane: undefined, inLine: false };
  }

  async #renewLoop(): Promise<void> {
    const { signal } = this.#stop;
    const { outbox, clock, leaseMs } = this.#options;
    while (!signal.aborted) {
      await sleepOrAbort(clock, leaseMs / 4, signal);
      for (const [channelArn, until] of this.#pacedUntil)
        if (until < performance.now()) this.#pacedUntil.delete(channelArn);
      const leased = [...this.#leased.values()].flatMap(({ channelArn, lease }) =>
        lease ? [{ channelArn, lease }] : [],
      );
      if (leased.length === 0 || signal.aborted) continue;
      const askedAt = performance.now();
      try {
        const lost = new Set(
          await outbox.renew(
            leaseMs,
            leased.map(({ channelArn, lease }) => [channelArn, lease.token]),
          ),
        );
        for (const { channelArn, lease } of leased) if (!lost.has(channelArn)) lease.until = askedAt + leaseMs;
      } catch {
        // The claim loop logs that Redis is away; a lease that ends is noticed before anything is sent.
      }
    }
  }
}

function isBefore(lane: Lane, other: Lane): boolean {
  return lanes.indexOf(lane) < lanes.indexOf(other);
}
