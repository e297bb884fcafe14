// Accepts metadata for channels, and reports what became of it. The API and the put_metadata job both use it. The drainer decides what is
// sent when.

import { createHash, randomBytes } from 'node:crypto';
import type { Lane } from '#domain/action.ts';
import { type ChannelArn, parseChannelArn } from '#domain/channel.ts';
import { AppError } from '#domain/errors.ts';
import type { BatchJob, HeadStart } from '#domain/job.ts';
import { notFound } from '#domain/not-found.ts';
import type { SharedState } from '#domain/shared-state.ts';
import type { Logger } from '#runtime/logger.ts';
import { currentTrace } from '#runtime/tracing.ts';
import type { Known } from './acceptance.ts';
import type { BatchProgress, NewItem, Skipped } from './batch.ts';
import { callSizes, emptyEnvelopeBytes, encodeItem, encodePlain, newItemId } from './envelope.ts';
import { Overtakes } from './head-start.ts';
import type { Outbox } from './outbox.ts';
import type { AnnounceBatch } from './ports.ts';
import { type IdempotencyKey, type OutboxItem, type StoredBatch, withFull } from './stored-batch.ts';
import { type Home, isElsewhere, resolveTargets, type Targets } from './targets.ts';

export interface MetadataServiceOptions {
  readonly outbox: Outbox;
  readonly state: SharedState;
  readonly sweeper: { sweep(): Promise<unknown> };
  /** Wakes this process's drains; other replicas are woken through Redis. */
  readonly nudge: (lane: Lane, channels?: readonly ChannelArn[]) => void;
  readonly announce: AnnounceBatch;
  readonly logger: Logger;
  /** Whether the local copy already knows who is live, and which tags channels have. */
  readonly fleetKnown: () => { readonly live: boolean; readonly tags: boolean };
  /** The shard's Region and account, where known. */
  readonly home: () => Home;
  readonly packing: 'on' | 'off';
  readonly defaultExpiresMs: number;
  /** PutMetadata calls per second that the shard may make, for estimates. */
  readonly accountCallsPerSecond: number;
  readonly channelCallsPerSecond: number;
}

export interface SubmitRequest {
  readonly targets: Targets;
  readonly items: readonly NewItem[];
  readonly lane: Lane;
  /** The same id again is the same batch. */
  readonly requestId?: string | undefined;
  /** Whether a repeat of the id must carry the same content (IDEMPOTENCY_CONFLICT). Default false. */
  readonly mustMatch?: boolean | undefined;
  /** Plans only, and accepts nothing. */
  readonly dryRun?: boolean | undefined;
  /** Channels that are left out, whichever target chose them. */
  readonly spare?: ((channelArn: string) => boolean) | undefined;
  /** Who sends it, for people. */
  readonly who?: string | undefined;
  /** The job that it comes from: it gets the outcome of the batch. */
  readonly job?: BatchJob | undefined;
  /** For a job that is not in its queue yet: accepted only if it overtakes nothing. */
  readonly headStart?: HeadStart | undefined;
  /** The batch that it was accepted as before. If Redis still has it, nothing is accepted. */
  readonly acceptedAs?: string | undefined;
}

export interface Submitted {
  /** Empty for a dry run. */
  readonly batchId: string;
  readonly channels: number;
  readonly items: number;
  readonly plannedCalls: number;
  readonly estimatedSeconds: number;
  /** Only for a dry run: UTF-8 bytes of metadata in all planned calls together, and in the largest of them. */
  readonly bytes?: { readonly total: number; readonly largestCall: number; readonly mostInCall: number } | undefined;
  readonly skipped: readonly Skipped[];
  /** Whether it was accepted before, under the same request id. */
  readonly repeated: boolean;
}

/** One channel's part of a batch. */
export interface PartRequest {
  readonly channelArn: string;
  /** The same key again is the same part. */
  readonly key: string;
  readonly payload: NewItem['payload'];
}

export interface SubmitPartsRequest
  extends Pick<SubmitRequest, 'lane' | 'who' | 'job' | 'headStart' | 'acceptedAs'>,
    Omit<NewItem, 'payload'> {
  /** No channel twice. */
  readonly parts: readonly PartRequest[];
}

/** What became of one part: `accepted` now, `repeated` before, or why not. */
export type PartState = 'accepted' | 'repeated' | 'queue_full' | 'other_account_or_region' | 'payload_too_large';

interface Plan {
  readonly channelArns: readonly ChannelArn[];
  readonly skipped: readonly Skipped[];
  readonly items: readonly OutboxItem[];
  /** Bytes of each call to one channel. */
  readonly callBytes: readonly number[];
}

type AcceptedBatch = Pick<
  StoredBatch,
  'batchId' | 'channels' | 'items' | 'callsPerChannel' | 'channelsBefore' | 'skipped'
>;

/** The most (item, channel) pairs accepted at once: they enter Redis in one step, and other commands wait for that step. */
const mostPairsPerBatch = 50_000;

/** If an urgent batch has at most this many channels, their permits are requested at once, before it is accepted. */
const mostHurried = 4;
/** Accepted batches that this process remembers, to report which of them a loss of Redis took; Redis keeps each one longer than that. */
const mostRemembered = 200;
const rememberedMs = 1_800_000;
/** Batches that are accepted within this time share an announcement; the most urgent goes first. */
const announceAfterMs = 250;

export class MetadataService {
  readonly #options: MetadataServiceOptions;
  #announcement: NodeJS.Timeout | undefined;
  /** Id → when it was accepted; the oldest first. */
  readonly #accepted = new Map<string, number>();

  constructor(options: MetadataServiceOptions) {
    this.#options = options;
  }

  /**
   * Accepts items for every targeted channel that has room, durably and in one step, or throws and changes nothing.
   * @throws AppError FLEET_UNKNOWN, PAYLOAD_TOO_LARGE, BATCH_TOO_LARGE, IDEMPOTENCY_CONFLICT, OUTBOX_FULL, REDIS_UNREACHABLE (unknown
   * whether it was accepted: repeat it with the same id)
   */
  async submit(request: SubmitRequest): Promise<Submitted> {
    const { outbox } = this.#options;
    const idempotency = request.dryRun ? undefined : idempotencyOf(request);
    const before = await this.#acceptedAs(request.acceptedAs);
    if (before) return this.#repeatOf({ outcome: 'repeated', batch: before });
    let plan: Plan;
    try {
      plan = this.#plan(request);
    } catch (error) {
      // A repeat gets the first answer, whoever is live by now.
      const known = idempotency && (await outbox.known(idempotency));
      if (known) return this.#repeatOf(known);
      throw error;
    }
    const { channelArns, skipped, callBytes, items } = plan;
    const callsPerChannel = callBytes.length;
    if (request.dryRun) {
      const { ready, later, leased } = (await outbox.depth()).channels;
      const channelsBefore = ready + later + leased;
      const batch = { batchId: '', channels: channelArns.length, items: items.length, callsPerChannel, channelsBefore };
      const bytes = {
        total: channelArns.length * callBytes.reduce((sum, each) => sum + each, 0),
        largestCall: Math.max(0, ...callBytes),
        mostInCall: outbox.maxBytes,
      };
      return { ...this.#submitted({ ...batch, skipped }, false), bytes };
    }
    const { lane, who = '', job, headStart } = request;
    const batchId = newBatchId();
    const trace = currentTrace();
    const batch = {
      batchId,
      callsPerChannel,
      skipped,
      lane,
      who,
      job,
      trace,
      channels: channelArns,
      items,
      idempotency,
      headStart,
    };
    // Not after the answer: the permit is requested now, and the claim follows while the acceptance is under way.
    if (lane === 'urgent') this.#options.nudge(lane, channelArns.length <= mostHurried ? channelArns : []);
    let acceptance = await outbox.accept(batch);
    for (let tries = 1; acceptance.outcome === 'id_taken' && tries < 5; tries += 1)
      acceptance = await outbox.accept({ ...batch, items: this.#encode(request.items) });
    switch (acceptance.outcome) {
      case 'id_taken':
        throw new AppError('INTERNAL', 'no free id for an item was found in five tries');
      case 'overtakes':
        throw new Overtakes();
      case 'full':
        throw this.#full(acceptance.scope, acceptance.waiting);
      case 'conflict':
      case 'repeated':
        return this.#repeatOf(acceptance);
      case 'accepted': {
        const { channels, channelsBefore, full } = acceptance;
        this.#remember(batchId);
        if (lane !== 'urgent') this.#options.nudge(lane);
        // No announcement for a batch that comes from a job: the job itself tells others, on its way through the queue.
        if (!job) this.#announce(batchId);
        const accepted = { batchId, channels, items: items.length, callsPerChannel, channelsBefore };
        return this.#submitted({ ...accepted, skipped: withFull(skipped, full) }, false);
      }
    }
  }

  /**
   * Accepts one item for each of many channels, durably and in one step. A part whose key was used before, or whose channel has no room,
   * is left out. Returns how each part stands, in their order; throws and changes nothing when the outbox has no room at all.
   * @throws AppError OUTBOX_FULL, REDIS_UNREACHABLE (unknown whether it was accepted: repeat it with the same keys)
   */
  async submitParts(
    request: SubmitPartsRequest,
  ): Promise<{ readonly batchId: string; readonly states: readonly PartState[] }> {
    const { outbox, home } = this.#options;
    const { parts, lane, who = '', job, key, expiresInMs, headStart } = request;
    const before = await this.#acceptedAs(request.acceptedAs);
    if (before) return { batchId: before.batchId, states: parts.map(() => 'repeated') };
    const states: PartState[] = [];
    /** Equal payloads are one item. */
    const groups = new Map<unknown, { item: OutboxItem; channels: ChannelArn[]; keys: string[]; places: number[] }>();
    const newItem = (payload: NewItem['payload']): NewItem => ({ payload, key, expiresInMs });
    for (const [place, part] of parts.entries()) {
      const parsed = parseChannelArn(part.channelArn);
      states[place] = 'other_account_or_region';
      if (!parsed || isElsewhere(parsed, home())) continue;
      const known = groups.get(part.payload);
      try {
        const group = known ?? { item: this.#encode([newItem(part.payload)])[0]!, channels: [], keys: [], places: [] };
        if (!known) groups.set(part.payload, group);
        group.channels.push(parsed.arn);
        group.keys.push(part.key);
        group.places.push(place);
        states[place] = 'accepted';
      } catch (error) {
        if (!(error instanceof AppError && error.code === 'PAYLOAD_TOO_LARGE')) throw error;
        states[place] = 'payload_too_large';
      }
    }
    const meant = [...groups.values()];
    const batchId = newBatchId();
    if (meant.length === 0) return { batchId, states };
    const channels = meant.flatMap((group) => group.channels);
    if (lane === 'urgent') this.#options.nudge(lane, channels.length <= mostHurried ? channels : []);
    const encoded = () => meant.map(({ item, channels, keys }) => ({ channels, keys, items: [item] }));
    const batch = { batchId, callsPerChannel: 1, skipped: [], lane, who, job, trace: currentTrace(), headStart };
    let acceptance = await outbox.acceptParts({ ...batch, groups: encoded() });
    for (let tries = 1; acceptance.outcome === 'id_taken' && tries < 5; tries += 1) {
      for (const [payload, group] of groups) group.item = this.#encode([newItem(payload as NewItem['payload'])])[0]!;
      acceptance = await outbox.acceptParts({ ...batch, groups: encoded() });
    }
    if (acceptance.outcome === 'id_taken')
      throw new AppError('INTERNAL', 'no free id for an item was found in five tries');
    if (acceptance.outcome === 'overtakes') throw new Overtakes();
    if (acceptance.outcome === 'full') throw this.#full(acceptance.scope, acceptance.waiting);
    const places = meant.flatMap((group) => group.places);
    for (const index of acceptance.full) states[places[index]!] = 'queue_full';
    for (const index of acceptance.repeated) states[places[index]!] = 'repeated';
    if (acceptance.channels > 0) this.#remember(batchId);
    if (acceptance.channels > 0 && lane !== 'urgent') this.#options.nudge(lane);
    return { batchId, states };
  }

  /**
   * The batch, or the part of one, that was accepted under each key; undefined where nothing was, or it is no longer kept.
   * @throws AppError REDIS_NOT_REPLICATED, REDIS_UNREACHABLE, REDIS_REFUSES
   */
  async acceptedUnder(keys: readonly string[]): Promise<readonly (string | undefined)[]> {
    const { outbox } = this.#options;
    const found = await outbox.acceptedUnder(keys);
    if (found.some((name) => name !== undefined)) await outbox.confirmAccepted();
    return found;
  }

  /** What became of the part that a key stands for; undefined when there is none, or it is no longer kept. */
  async part(key: string): Promise<BatchProgress | undefined> {
    const [name] = await this.#options.outbox.acceptedUnder([key]);
    return name === undefined ? undefined : this.#find(name);
  }

  /**
   * Batches that this process accepted lately and Redis no longer has: they were lost, since Redis keeps them longer than that. Each is
   * returned once. @throws AppError REDIS_UNREACHABLE, REDIS_REFUSES
   */
  async lostBatches(): Promise<readonly string[]> {
    const lost: string[] = [];
    for (const batchId of this.#accepted.keys())
      if (!(await this.#options.outbox.progress(batchId))) lost.push(batchId);
    for (const batchId of lost) this.#accepted.delete(batchId);
    return lost;
  }

  /** The batch, if Redis has not lost it. @throws as `acceptedUnder` */
  async #acceptedAs(batchId: string | undefined): Promise<StoredBatch | undefined> {
    const { outbox } = this.#options;
    const batch = batchId === undefined ? undefined : await outbox.progress(batchId);
    if (batch) await outbox.confirmAccepted();
    return batch;
  }

  #remember(batchId: string): void {
    const nowMs = this.#options.state.nowMs();
    this.#accepted.set(batchId, nowMs);
    for (const [oldest, atMs] of this.#accepted) {
      if (this.#accepted.size <= mostRemembered && nowMs - atMs <= rememberedMs) break;
      this.#accepted.delete(oldest);
    }
  }

  /** Makes no more announcements. */
  stop(): void {
    clearTimeout(this.#announcement);
  }

  /** @throws AppError NOT_FOUND when there is no such batch, or it finished too long ago. */
  async progress(batchId: string): Promise<BatchProgress> {
    const found = await this.#find(batchId);
    if (!found) throw notFound('batch', `there is no metadata batch ${batchId}; finished ones are kept for some hours`);
    return found;
  }

  /** The newest batches, newest first, at most `most` of the last 200; finished ones are kept for some hours. */
  async newest(most: number): Promise<readonly BatchProgress[]> {
    const ids = await this.#options.outbox.newest(most);
    const found = await Promise.all(ids.map((id) => this.#find(id)));
    return found.filter((batch) => batch !== undefined);
  }

  async #find(batchId: string): Promise<BatchProgress | undefined> {
    const found = await this.#options.outbox.progress(batchId);
    if (!found) return undefined;
    const { callsPerChannel, channelsBefore: _atFirst, job: _origin, ...progress } = found;
    const { pending } = progress.counts;
    const channelsLeft = Math.ceil(pending / Math.max(1, progress.items));
    return {
      ...progress,
      etaSeconds: pending === 0 ? undefined : this.#seconds(channelsLeft * callsPerChannel, callsPerChannel, 0),
    };
  }

  /** Cancels what has not been sent; calls under way are not cancelled. @throws AppError NOT_FOUND */
  async cancel(batchId: string): Promise<BatchProgress> {
    const { outbox, sweeper, logger } = this.#options;
    if (await outbox.cancel(batchId))
      await sweeper
        .sweep()
        .catch((error: unknown) => logger.warn({ err: error, batchId }, 'the sweep continues later'));
    return this.progress(batchId);
  }

  /** Plans who gets what. @throws AppError FLEET_UNKNOWN, PAYLOAD_TOO_LARGE, BATCH_TOO_LARGE */
  #plan({ targets, items: newItems, spare }: SubmitRequest): Plan {
    const { state, home } = this.#options;
    this.#ensureKnown(targets);
    const { channelArns, skipped } = resolveTargets(targets, state.view, { ...home(), spare });
    const items = this.#encode(newItems);
    const pairs = items.length * channelArns.length;
    if (pairs > mostPairsPerBatch)
      throw new AppError(
        'BATCH_TOO_LARGE',
        `${items.length} items for ${channelArns.length} channels are ${pairs} deliveries; at most ${mostPairsPerBatch} are accepted at once`,
      );
    return { channelArns, skipped, items, callBytes: this.#callSizes(items) };
  }

  /** Until the channels have been listed, “nobody” would be a false answer to who is live. @throws AppError FLEET_UNKNOWN */
  #ensureKnown({ live, tags }: Targets): void {
    const known = this.#options.fleetKnown();
    if ((known.live || !live) && (known.tags || !tags)) return;
    const missing = known.live ? 'the channels have not been listed yet' : 'no sweep has completed yet';
    throw new AppError('FLEET_UNKNOWN', `${missing}: name the channels, or send again in a moment`, {
      disposition: { kind: 'retry-after', delayMs: 5000 },
    });
  }

  #encode(items: readonly NewItem[]): OutboxItem[] {
    const { outbox, packing, state, defaultExpiresMs } = this.#options;
    const acceptedAtMs = state.nowMs();
    const mode = packing === 'on' ? 'packed' : 'plain';
    return items.map(({ payload, key, expiresInMs = defaultExpiresMs }, index) => {
      const id = newItemId();
      const text = mode === 'packed' ? encodeItem({ id, t: acceptedAtMs, payload }) : encodePlain(payload);
      const bytes = Buffer.byteLength(text) + (mode === 'packed' ? emptyEnvelopeBytes : 0);
      if (bytes > outbox.maxBytes)
        throw new AppError(
          'PAYLOAD_TOO_LARGE',
          `items[${index}].payload takes ${bytes} bytes on the wire${mode === 'packed' ? ' with its envelope' : ''}; at most ${outbox.maxBytes} fit into one call`,
          { details: { index, bytes, maxBytes: outbox.maxBytes } },
        );
      return { id, text, mode, key, acceptedAtMs, expiresInMs: Math.max(1, Math.round(expiresInMs)) };
    });
  }

  #callSizes(items: readonly OutboxItem[]): readonly number[] {
    const { packing, outbox } = this.#options;
    const sizes = items.map(({ text }) => Buffer.byteLength(text));
    return packing === 'off' ? sizes : callSizes(sizes, outbox.maxBytes);
  }

  #seconds(calls: number, callsPerChannel: number, callsBefore: number): number {
    const { accountCallsPerSecond, channelCallsPerSecond } = this.#options;
    if (calls === 0) return 0;
    const seconds = Math.max(
      (calls + callsBefore) / accountCallsPerSecond,
      Math.max(0, callsPerChannel - 1) / channelCallsPerSecond,
    );
    return Math.ceil(seconds * 10) / 10;
  }

  #full(scope: 'total' | 'channel', waiting: number): AppError {
    const { accountCallsPerSecond, channelCallsPerSecond } = this.#options;
    const rate = scope === 'total' ? accountCallsPerSecond : channelCallsPerSecond;
    // Until about a tenth of it has been sent.
    const delayMs = Math.min(60_000, Math.max(1000, (waiting / 10 / rate) * 1000));
    const where = scope === 'total' ? 'over all channels' : 'for each of these channels';
    return new AppError('OUTBOX_FULL', `${waiting} metadata items wait ${where}; no more are accepted now`, {
      details: { scope, waiting },
      disposition: { kind: 'retry-after', delayMs },
    });
  }

  /** @throws AppError IDEMPOTENCY_CONFLICT */
  #repeatOf(known: Known): Submitted {
    if (known.outcome === 'conflict')
      throw new AppError('IDEMPOTENCY_CONFLICT', 'this Idempotency-Key was used before with another request');
    return this.#submitted(known.batch, true);
  }

  #submitted({ callsPerChannel, channelsBefore, ...batch }: AcceptedBatch, repeated: boolean): Submitted {
    const { batchId, channels, items, skipped } = batch;
    const plannedCalls = channels * callsPerChannel;
    const estimatedSeconds = this.#seconds(plannedCalls, callsPerChannel, channelsBefore);
    return { batchId, channels, items, plannedCalls, estimatedSeconds, skipped, repeated };
  }

  #announce(batchId: string): void {
    const { announce, logger } = this.#options;
    // It is accepted, whether others hear of it now or find it a moment later.
    this.#announcement ??= setTimeout(() => {
      this.#announcement = undefined;
      announce(batchId).catch((error: unknown) =>
        logger.warn({ err: error, batchId }, 'other replicas could not be notified at once'),
      );
    }, announceAfterMs).unref();
  }
}

function newBatchId(): string {
  return `b-${randomBytes(12).toString('base64url')}`;
}

function idempotencyOf({ requestId, targets, items, lane, mustMatch }: SubmitRequest): IdempotencyKey | undefined {
  if (requestId === undefined) return undefined;
  const hash = () => createHash('sha256').update(canonical({ targets, items, lane })).digest('base64url');
  return { key: requestId, requestHash: mustMatch ? hash() : '' };
}

/** JSON with the members of every object in order, so that equal content has equal text. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
