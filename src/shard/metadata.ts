// The delivery half of a shard: the outbox of its channels, who drains and sweeps it, and the service that accepts batches into it. Built
// by shard.ts, which starts what its role has.
import type { Config } from '#config/load.ts';
import { isOnHold, isPaused } from '#domain/controls-in-force.ts';
import { durationMs } from '#domain/duration.ts';
import type { Home } from '#intake/home.ts';
import type { IvsClientPort } from '#ivs/client.ts';
import { limitsFrom } from '#ivs/limits.ts';
import { jobIdOf } from '#jobs/job-id.ts';
import type { Queues } from '#jobs/queues.ts';
import { Drainer } from '#metadata/drainer.ts';
import { Outbox } from '#metadata/outbox.ts';
import { MetadataService } from '#metadata/service.ts';
import { Sweeper } from '#metadata/sweeper.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import type { Redis } from '#runtime/redis.ts';
import { Replication } from '#runtime/redis-replication.ts';
import type { RedisState } from '#store/shared-state.ts';
import { fleetKnown } from '#streams/fleet.ts';
import { DeliveryRefusals } from './delivery-refusals.ts';
import { limitSettingsOf } from './settings.ts';

export interface MetadataOptions {
  readonly shard: string;
  /** As of the start. */
  readonly settings: Config['settings'];
  /** What all keys of the shard begin with. */
  readonly prefix: string;
  /** A connection to the shard's Redis. */
  readonly connect: (role: 'store' | 'worker') => Redis;
  readonly state: RedisState;
  readonly queues: Queues;
  readonly client: IvsClientPort;
  /** The account and Region of the shard, as far as they are known by now. */
  readonly home: () => Home;
  readonly clock: Clock;
  readonly random: () => number;
  /** A child for the shard. */
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface ShardMetadata {
  readonly outbox: Outbox;
  readonly drainer: Drainer;
  readonly sweeper: Sweeper;
  readonly service: MetadataService;
}

/** Makes the parts; none runs before it is started. */
export function createMetadata(options: MetadataOptions): ShardMetadata {
  const { shard, settings, prefix, connect, state, queues, client, home, clock, random, logger, metrics } = options;
  const { metadata, limits } = settings;
  const limitOf = limitsFrom(limitSettingsOf(settings))('PutMetadata');
  const redis = connect('store');
  const outbox = new Outbox({
    redis,
    replication: new Replication({ redis, prefix, replicas: settings.redis.wait_replicas, logger }),
    prefix,
    maxItemsPerChannel: metadata.max_items_per_channel,
    maxItemsTotal: metadata.max_items_total,
    maxBytes: metadata.max_bytes,
    metrics,
    sparedFor: (channelArn) =>
      isPaused(state.view) ? 'paused' : isOnHold(state.view, channelArn, state.nowMs()) ? 'held' : undefined,
  });
  const drainer = new Drainer({
    outbox,
    sender: client,
    subscriber: connect('worker'),
    clock,
    logger,
    metrics,
    random,
    refusals: new DeliveryRefusals({ state, logger, metrics, shard }),
    reconnectWindowMs: durationMs(metadata.reconnect_window),
    channelCallsPerSecond: limitOf.perChannel ?? 5,
    callTimeoutMs: durationMs(limits.request_timeout),
    // What a killed replica held is taken over after this long.
    leaseMs: durationMs(limits.request_timeout) * 2,
  });
  const sweeper = new Sweeper({ outbox, clock, logger, metrics, shard });
  const service = new MetadataService({
    outbox,
    state,
    sweeper,
    nudge: (lane, channels) => drainer.nudge(lane, channels),
    announce: (batchId) =>
      queues.add([{ jobId: jobIdOf('metadata', batchId), name: 'metadata-fanout', payload: { batchId } }]),
    logger,
    fleetKnown: () => fleetKnown(state.view),
    home,
    packing: metadata.packing,
    defaultExpiresMs: durationMs(metadata.default_expires),
    accountCallsPerSecond: limitOf.perAccount,
    channelCallsPerSecond: limitOf.perChannel ?? 5,
  });
  return { outbox, drainer, sweeper, service };
}
