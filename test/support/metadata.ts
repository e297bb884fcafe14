// A shard's metadata parts with a sender that keeps what it was given: for tests that need no IVS.
import pino from 'pino';
import type { Lane } from '#domain/action.ts';
import type { ChannelArn } from '#domain/channel.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { Drainer, type DrainerOptions } from '#metadata/drainer.ts';
import { Outbox, type OutboxOptions } from '#metadata/outbox.ts';
import type { MetadataSender } from '#metadata/ports.ts';
import { MetadataService, type MetadataServiceOptions } from '#metadata/service.ts';
import { Sweeper } from '#metadata/sweeper.ts';
import { systemClock } from '#runtime/clock.ts';
import { createMetrics, type Metrics } from '#runtime/metrics.ts';
import { MemoryState } from '#src/store/memory-state.ts';
import type { RedisScope } from './redis.ts';

/** The ARN of the channel with this name. */
export function channelArn(name: string): ChannelArn {
  return `arn:aws:ivs:us-west-2:111122223333:channel/${name}` as ChannelArn;
}

export interface SentCall {
  readonly channelArn: ChannelArn;
  readonly lane: Lane;
  readonly metadata: string;
  readonly items: readonly { id: string; t: number; d: unknown }[];
  readonly atMs: number;
}

/** Answers every call after it was built; `answer` may wait, or throw what IVS would. */
export class FakeSender implements MetadataSender {
  readonly calls: SentCall[] = [];
  /** Resolves when the permit is granted. */
  permit: (channelArn: ChannelArn, signal: AbortSignal) => Promise<void> = () => Promise.resolve();
  /** Called between the grant and the choice of what is sent. */
  moment: (channelArn: ChannelArn) => Promise<void> = () => Promise.resolve();
  answer: (call: SentCall) => Promise<void> = () => Promise.resolve();

  readonly putMetadataWhenGranted: MetadataSender['putMetadataWhenGranted'] = async (
    channelArn,
    { lane, signal, onGranted },
    build,
  ) => {
    const aborted = new Promise<never>((_, reject) => {
      if (signal.aborted) reject(signal.reason as Error);
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
    aborted.catch(() => undefined);
    await Promise.race([this.permit(channelArn, signal), aborted]);
    onGranted();
    await Promise.race([this.moment(channelArn), aborted]);
    const built = await build(0);
    if (!built) return undefined;
    const call = { channelArn, lane, metadata: built.metadata, items: itemsOf(built.metadata), atMs: Date.now() };
    this.calls.push(call);
    await this.answer(call);
    return built;
  };

  /** Payloads that reached a channel, in order, including repeats. */
  payloads(arn: ChannelArn): unknown[] {
    return this.calls.filter((call) => call.channelArn === arn).flatMap(({ items }) => items.map(({ d }) => d));
  }
}

function itemsOf(metadata: string): SentCall['items'] {
  try {
    const parsed = JSON.parse(metadata) as { v?: number; items?: SentCall['items'] };
    return parsed.v === 1 && parsed.items ? parsed.items : [];
  } catch {
    return [];
  }
}

export interface MetadataParts {
  readonly outbox: Outbox;
  readonly service: MetadataService;
  readonly drainer: Drainer;
  readonly sweeper: Sweeper;
  readonly state: SharedState;
  readonly metrics: Metrics;
}

export interface MetadataPartsOptions {
  readonly scope: RedisScope;
  readonly sender: MetadataSender;
  readonly state?: SharedState;
  readonly outbox?: Partial<OutboxOptions>;
  readonly drainer?: Partial<DrainerOptions>;
  readonly service?: Partial<MetadataServiceOptions>;
}

/** The parts of one replica, not started. */
export function metadataParts({ scope, sender, ...options }: MetadataPartsOptions): MetadataParts {
  const logger = pino({ level: 'silent' });
  const metrics = createMetrics();
  const state = options.state ?? new MemoryState({ now: () => Date.now() });
  const outbox = new Outbox({
    // As in production: what was on its way when the connection broke fails, and is never sent again automatically.
    redis: scope.connect({ maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false }),
    prefix: scope.prefix,
    maxItemsPerChannel: 1000,
    maxItemsTotal: 500_000,
    maxBytes: 1024,
    metrics,
    ...options.outbox,
  });
  const drainer = new Drainer({
    outbox,
    sender,
    subscriber: scope.connect(),
    clock: systemClock,
    logger,
    metrics,
    random: () => 0,
    reconnectWindowMs: 0,
    channelCallsPerSecond: 1000,
    ...options.drainer,
  });
  const sweeper = new Sweeper({ outbox, clock: systemClock, logger, metrics, shard: 'main', intervalMs: 50 });
  const service = new MetadataService({
    outbox,
    state,
    sweeper,
    nudge: (lane, channels) => drainer.nudge(lane, channels),
    announce: () => Promise.resolve(),
    logger,
    fleetKnown: () => ({ live: true, tags: true }),
    home: () => ({ region: 'us-west-2', account: '111122223333' }),
    packing: 'on',
    defaultExpiresMs: 300_000,
    accountCallsPerSecond: 155,
    channelCallsPerSecond: 5,
    ...options.service,
  });
  return { outbox, service, drainer, sweeper, state, metrics };
}
