// The durable queues of all channels of one shard, in Redis: typed doors to the scripts. Keys and invariants: outbox-lua.ts.

import { randomBytes } from 'node:crypto';
import { type Lane, lanes } from '#domain/action.ts';
import type { ChannelArn } from '#domain/channel.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { failureOf, type Redis } from '#runtime/redis.ts';
import type { Replication } from '#runtime/redis-replication.ts';
import { replyOf } from '#runtime/script-replies.ts';
import { acceptScript } from './accept-script.ts';
import {
  type Acceptance,
  type AcceptanceLimits,
  type AcceptedBatch,
  acceptArguments,
  type Known,
} from './acceptance.ts';
import type { Outcome } from './batch.ts';
import { claimScript, lanesScript, recordScript, renewScript, takeScript } from './drain-scripts.ts';
import { emptyEnvelopeBytes } from './envelope.ts';
import {
  acceptReply,
  cancelPartReply,
  cancelReply,
  channelsReply,
  claimedReply,
  claimReply,
  countsReply,
  type DueItem,
  dueItems,
  dueReply,
  lanesReply,
  pairsOf,
  recordReply,
  takeReply,
  turnReply,
} from './outbox-replies.ts';
import { argumentsOf, type CallResult, type Parcel, parcelOf } from './parcel.ts';
import {
  fieldsOf,
  type OutboxGroup,
  type OutboxParts,
  type PartEnd,
  type PartsAcceptance,
  partBatch,
  partEnd,
  partName,
  splitPart,
} from './parts.ts';
import { runScript, type Script } from './script.ts';
import { type IdempotencyKey, type OutboxBatch, type StoredBatch, storedBatch, withFull } from './stored-batch.ts';
import { cancelPartScript, cancelScript, dueScript, sweepScript, turnScript } from './sweep-scripts.ts';

export interface OutboxOptions extends AcceptanceLimits {
  /** A connection of the role `store`. */
  readonly redis: Redis;
  /** Waits for Redis's replicas before a batch counts as accepted; left out: nothing waits. */
  readonly replication?: Replication | undefined;
  /** The shard's key prefix. */
  readonly prefix: string;
  /** Most UTF-8 bytes of one call. */
  readonly maxBytes: number;
  readonly metrics: Metrics;
  /**
   * Why rules must keep their hands off a channel by now: `paused`, `held`. What they sent before is then cancelled, what people sent
   * goes. Default: nowhere.
   */
  readonly sparedFor?: (channelArn: ChannelArn) => string | undefined;
}

export interface ClaimedChannel {
  readonly channelArn: ChannelArn;
  readonly lane: Lane;
  /** What goes into its next call, if that was chosen already: it is marked as being sent. */
  readonly parcel: Parcel | undefined;
}

/** A call that ended, and who made it. */
export interface EndedCall {
  readonly channelArn: ChannelArn;
  /** Of the lease. */
  readonly token: string;
  readonly ids: readonly string[];
  /** Whether the holder would go on with the channel. */
  readonly keep: boolean;
  readonly result: CallResult;
  /** Why it is not known whether the call had its effect: an item that expired in it ends, with this reason. */
  readonly unsure?: string | undefined;
}

export interface Recorded {
  readonly lane: Lane | undefined;
  readonly inLine: boolean;
  readonly nowMs: number;
}

/** Of so many urgent channels a claim chooses what to send too: a few go at once, and each costs the claim time. */
const chosenAtOnce = 8;

export interface Depth {
  readonly items: number;
  readonly channels: { readonly ready: number; readonly later: number; readonly leased: number };
}

export class Outbox {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #options: OutboxOptions;
  /** Tells the wake-ups and leases of this process from others', whatever Redis may have lost. */
  readonly #origin = randomBytes(9).toString('base64url');
  #claims = 0;

  constructor(options: OutboxOptions) {
    this.#redis = options.redis;
    this.#prefix = `${options.prefix}:md`;
    this.#options = options;
  }

  /** Where drains of all replicas are told that something waits. */
  get wakeChannel(): string {
    return `${this.#prefix}:wake`;
  }

  get maxBytes(): number {
    return this.#options.maxBytes;
  }

  /**
   * Accepts a batch for every channel that has room, in one step, and tells the drains of other replicas; changes nothing unless it
   * answers `accepted`.
   */
  async accept(batch: OutboxBatch): Promise<Acceptance> {
    const { channels, items } = batch;
    const accepted = await this.#accept(batch, [{ channels, items, keys: [] }]);
    const answer = replyOf('accept', acceptReply, accepted);
    if (answer[0] === 'accepted') await this.#options.replication?.written();
    else await this.#options.replication?.unchanged(answer[0] === 'repeated');
    switch (answer[0]) {
      case 'accepted': {
        const [, counts, channels, channelsBefore, full, ...examples] = answer;
        this.#count(counts);
        this.#options.metrics.metadataAccepted.inc({ lane: batch.lane }, channels * items.length);
        for (const { reason, count } of withFull(batch.skipped, { count: full, examples }))
          this.#options.metrics.metadataSkipped.inc({ reason }, count);
        return { outcome: 'accepted', channels, channelsBefore, full: { count: full, examples } };
      }
      case 'repeated':
        return { outcome: 'repeated', batch: storedBatch(answer[1], pairsOf(answer[2])) };
      case 'conflict':
      case 'id_taken':
      case 'overtakes':
        return { outcome: answer[0] };
      case 'full':
        return { outcome: 'full', scope: answer[1], waiting: answer[2] };
      case 'parts':
        throw new TypeError('a batch without parts was answered with parts');
    }
  }

  /**
   * Accepts a batch with parts in one step, for every channel that has room and whose key was not used before; changes nothing unless
   * it answers `accepted`.
   */
  async acceptParts(batch: OutboxParts): Promise<PartsAcceptance> {
    const { groups } = batch;
    const answer = replyOf('accept', acceptReply, await this.#accept({ ...batch, idempotency: undefined }, groups));
    if (answer[0] === 'parts') await this.#options.replication?.written();
    switch (answer[0]) {
      case 'parts': {
        const [, counts, channels, full, repeated] = answer;
        this.#count(counts);
        this.#options.metrics.metadataAccepted.inc({ lane: batch.lane }, channels);
        if (full.length > 0) this.#options.metrics.metadataSkipped.inc({ reason: 'queue_full' }, full.length);
        const asIndex = (place: number) => place - 1;
        return { outcome: 'accepted', channels, full: full.map(asIndex), repeated: repeated.map(asIndex) };
      }
      case 'full':
        return { outcome: 'full', scope: answer[1], waiting: answer[2] };
      case 'id_taken':
      case 'overtakes':
        return { outcome: answer[0] };
      case 'accepted':
      case 'repeated':
      case 'conflict':
        throw new TypeError(`a batch with parts was answered with ${answer[0]}`);
    }
  }

  #accept(batch: AcceptedBatch, groups: readonly OutboxGroup[]): Promise<unknown> {
    return this.#run(acceptScript, acceptArguments(batch, groups, this.#options, this.#origin));
  }

  /** Returns what an idempotency key stands for; undefined: it is new. */
  async known({ key, requestHash }: IdempotencyKey): Promise<Known | undefined> {
    const [hash, batchId] = await this.#guard(() => this.#redis.hmget(`${this.#prefix}:idem:${key}`, 'hash', 'batch'));
    const batch = batchId ? await this.progress(batchId) : undefined;
    if (!batch) return undefined;
    if (requestHash !== '' && requestHash !== hash) return { outcome: 'conflict' };
    await this.confirmAccepted();
    return { outcome: 'repeated', batch };
  }

  /** Leases channels in which something waits: `room` by lane and turn, and `urgentRoom` more if they are urgent. */
  async claim(options: { readonly leaseMs: number; readonly room: number; readonly urgentRoom: number }): Promise<{
    readonly token: string;
    readonly channels: readonly ClaimedChannel[];
    /** With those in which nothing was left to send. */
    readonly found: number;
  }> {
    this.#claims += 1;
    const token = `${this.#origin}.${this.#claims}`;
    const claimed = await this.#run(claimScript, [
      options.leaseMs,
      options.room,
      options.urgentRoom,
      token,
      chosenAtOnce,
      this.#options.maxBytes,
      emptyEnvelopeBytes,
    ]);
    const [counts, found, ...rest] = replyOf('claim', claimReply, claimed);
    this.#count(counts);
    const channels: ClaimedChannel[] = [];
    for (let index = 0; index < rest.length; index += 3) {
      const [channelArn, lane, parcel] = replyOf('claim', claimedReply, rest.slice(index, index + 3));
      // Chosen without asking whether rules may act: it is chosen again where they may not.
      const mayAct = this.#options.sparedFor?.(channelArn as ChannelArn) === undefined;
      const chosen = parcel.length === 0 || !mayAct ? undefined : parcelOf(parcel);
      channels.push({ channelArn: channelArn as ChannelArn, lane: laneAt(lane), parcel: chosen });
    }
    return { token, channels, found };
  }

  /** Chooses what goes into the next call and writes down that it is being sent. `lost`: somebody else holds the channel. */
  async take(channelArn: ChannelArn, token: string): Promise<Parcel | 'empty' | 'lost'> {
    return (await this.takeAll([[channelArn, token]]))[0]!;
  }

  /** The same for some channels, each with the token of its lease, in one step. */
  async takeAll(
    leases: readonly (readonly [channelArn: ChannelArn, token: string])[],
  ): Promise<readonly (Parcel | 'empty' | 'lost')[]> {
    const taken = await this.#run(takeScript, [
      this.#options.maxBytes,
      emptyEnvelopeBytes,
      ...leases.flatMap(([channelArn, token]) => [channelArn, token, this.#options.sparedFor?.(channelArn) ?? '']),
    ]);
    const [counts, ...answers] = replyOf('take', takeReply, taken);
    this.#count(counts);
    return answers.map((answer) =>
      answer.length === 0
        ? 'empty'
        : answer[0] === 'lost'
          ? 'lost'
          : parcelOf(answer as Parameters<typeof parcelOf>[0]),
    );
  }

  /**
   * Records how a call ended. `lane` is set if the holder keeps the channel, since more waits and nobody else is in line;
   * `inLine` says that the channel was put back in line, since others are.
   */
  async record(
    channelArn: ChannelArn,
    token: string,
    call: Omit<EndedCall, 'channelArn' | 'token'>,
  ): Promise<Recorded> {
    return (await this.recordAll([{ channelArn, token, ...call }]))[0]!;
  }

  /** The same for some calls, in one step. */
  async recordAll(calls: readonly EndedCall[]): Promise<readonly Recorded[]> {
    const recorded = await this.#run(
      recordScript,
      calls.flatMap(({ channelArn, token, keep, ids, unsure = '', result }) => {
        const rest = argumentsOf(result);
        const unused = Array.from({ length: 5 - rest.length }, () => '');
        return [channelArn, token, keep ? 1 : 0, ids.join(' '), unsure, result.kind, ...rest, ...unused];
      }),
    );
    const [counts, nowMs, ...places] = replyOf('record', recordReply, recorded);
    this.#count(counts);
    return places.map((place) => ({ lane: place > 0 ? laneAt(place - 1) : undefined, inLine: place < 0, nowMs }));
  }

  /** Prolongs leases; returns the channels that are not ours any more. */
  async renew(leaseMs: number, leases: readonly (readonly [ChannelArn, string])[]): Promise<readonly ChannelArn[]> {
    const lost = await this.#run(renewScript, [leaseMs, ...leases.flat()]);
    return replyOf('renew', channelsReply, lost) as ChannelArn[];
  }

  /** The lane of what is first in each channel's queue. */
  async headLanes(channels: readonly ChannelArn[]): Promise<readonly (Lane | undefined)[]> {
    if (channels.length === 0) return [];
    const answer = replyOf('lanes', lanesReply, await this.#run(lanesScript, channels));
    return answer.map((lane) => (lane < 0 ? undefined : laneAt(lane)));
  }

  /** What became of a batch, or of one part of it, so far; undefined when there is none (any more). */
  async progress(batchId: string): Promise<StoredBatch | undefined> {
    const [whole, part] = splitPart(batchId);
    const [batch, end] = await this.#guard(() =>
      this.#inOneTrip([
        ['hgetall', `${this.#prefix}:b:${whole}`],
        ...(part === undefined ? [] : [['hget', `${this.#prefix}:ends:${whole}`, part]]),
      ]),
    );
    const fields = fieldsOf(batch);
    if (fields['total'] === undefined || (part !== undefined && typeof end !== 'string')) return undefined;
    const stored = storedBatch(whole, fields);
    return part === undefined ? stored : partBatch(stored, part, partEnd(String(end)));
  }

  /** What each key stands for, a batch or a part of one, by the name under which `progress` and `cancel` know it; undefined: nothing (any more). */
  async acceptedUnder(keys: readonly string[]): Promise<readonly (string | undefined)[]> {
    const found = await this.#guard(() =>
      this.#inOneTrip(keys.map((key) => ['hmget', `${this.#prefix}:idem:${key}`, 'batch', 'part'])),
    );
    return found.map((fields) => {
      const [batchId, part] = fields as readonly (string | null)[];
      return batchId ? (part ? partName(batchId, part) : batchId) : undefined;
    });
  }

  /**
   * Waits for Redis's replicas as an acceptance does, before what `acceptedUnder` found is answered for.
   * @throws AppError REDIS_NOT_REPLICATED, REDIS_UNREACHABLE, REDIS_REFUSES
   */
  async confirmAccepted(): Promise<void> {
    await this.#options.replication?.unchanged(true);
  }

  /** How each part of a batch stands, by channel id. */
  async ends(batchId: string): Promise<ReadonlyMap<string, PartEnd>> {
    const fields = await this.#guard(() => this.#redis.hgetall(`${this.#prefix}:ends:${batchId}`));
    return new Map(Object.entries(fields).map(([part, end]) => [part, partEnd(end)]));
  }

  /** Ids of the newest batches, newest first; those that finished long ago may be gone already. */
  newest(most: number): Promise<readonly string[]> {
    return this.#guard(() => this.#redis.zrevrange(`${this.#prefix}:batches`, 0, most - 1));
  }

  /** Finished batches that come from a job and were not forgotten yet, the oldest first. */
  ended(most: number): Promise<readonly string[]> {
    return this.#guard(() => this.#redis.lrange(`${this.#prefix}:ended`, 0, most - 1));
  }

  /** They are written down where they came from. */
  async forgetEnded(ids: readonly string[]): Promise<void> {
    if (ids.length > 0)
      await this.#guard(() => this.#inOneTrip(ids.map((id) => ['lrem', `${this.#prefix}:ended`, '1', id])));
  }

  /** Marks what a batch has not sent as cancelled, and a sweep ends it; a part of one ends at once. False when there is no such thing. */
  async cancel(batchId: string): Promise<boolean> {
    const [whole, part] = splitPart(batchId);
    if (part === undefined) return replyOf('cancel', cancelReply, await this.#run(cancelScript, [whole])) === 1;
    const [found, counts] = replyOf('cancel', cancelPartReply, await this.#run(cancelPartScript, [whole, part]));
    this.#count(counts);
    return found === 1;
  }

  /** Items that are to be ended without being sent. */
  async due(most: number): Promise<readonly DueItem[]> {
    return dueItems(replyOf('due', dueReply, await this.#run(dueScript, [most])));
  }

  /**
   * Begins a turn of the sweep in one round trip: takes the right to it for `ms`, unless another replica has it.
   * @returns what is due, undefined without that right; and how much waits
   */
  async sweepTurn(
    ms: number,
    most: number,
  ): Promise<{ readonly due: readonly DueItem[] | undefined; readonly depth: Depth }> {
    const [isOurs, due, items, ready, later, leased] = replyOf(
      'turn',
      turnReply,
      await this.#run(turnScript, [ms, most]),
    );
    return { due: isOurs === 1 ? dueItems(due) : undefined, depth: { items, channels: { ready, later, leased } } };
  }

  /** Ends due items on these channels. Returns how many (item, channel) pairs ended. */
  async sweep(channels: readonly string[], ids: readonly string[]): Promise<number> {
    const counts = replyOf('sweep', countsReply, await this.#run(sweepScript, [channels.join(' '), ids.join(' ')]));
    this.#count(counts);
    return counts.reduce<number>((sum, value, index) => sum + (index % 2 === 1 ? Number(value) : 0), 0);
  }

  /** All channels in which something waits, in portions; one that moves meanwhile may be missed. */
  async *waitingChannels(portion: number): AsyncIterable<readonly string[]> {
    for (const name of ['ready', 'later', 'held']) {
      let cursor = '0';
      do {
        const [next, members] = await this.#guard(() =>
          this.#redis.zscan(`${this.#prefix}:${name}`, cursor, 'COUNT', portion),
        );
        const channels = members.filter((_, index) => index % 2 === 0);
        if (channels.length > 0) yield channels;
        cursor = next;
      } while (cursor !== '0');
    }
  }

  /** How much waits: items over all channels, and channels by what they wait for. */
  async depth(): Promise<Depth> {
    const [items, ready, later, leased] = await this.#guard(() =>
      this.#inOneTrip([
        ['get', `${this.#prefix}:total`],
        ['zcard', `${this.#prefix}:ready`],
        ['zcard', `${this.#prefix}:later`],
        ['zcard', `${this.#prefix}:held`],
      ]),
    );
    const channels = { ready: Number(ready), later: Number(later), leased: Number(leased) };
    return { items: Number(items ?? 0), channels };
  }

  /** What was published on the wake channel by another process: the lane in which something waits. */
  wokenLane(message: string): Lane | undefined {
    const [lane, origin] = message.split(' ');
    return origin === this.#origin ? undefined : lanes.find((candidate) => candidate === lane);
  }

  #run(script: Script, args: readonly (string | number)[]): Promise<unknown> {
    return runScript(this.#redis, script, this.#prefix, args);
  }

  async #inOneTrip(commands: string[][]): Promise<unknown[]> {
    const answers = (await this.#redis.pipeline(commands).exec()) ?? [];
    return answers.map(([error, value]) => {
      if (error) throw error;
      return value;
    });
  }

  async #guard<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw failureOf(this.#redis, 'the outbox of metadata could not be read', error);
    }
  }

  #count(counts: readonly unknown[]): void {
    for (let index = 0; index < counts.length; index += 2)
      this.#options.metrics.metadataItems.inc({ outcome: counts[index] as Outcome }, Number(counts[index + 1]));
  }
}

function laneAt(index: number): Lane {
  return lanes[index] ?? 'bulk';
}
