// The shared state of a shard and the watch over it: what is checked when it is read, what is done about a loss, and the pause with which
// a daemon may start. Built by shard.ts.
import type { Config } from '#config/load.ts';
import type { ReplicaRole } from '#domain/replica.ts';
import { pauses } from '#domain/state-registry.ts';
import { pause } from '#rules/controls.ts';
import type { AwsClock } from '#runtime/aws-clock.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import type { Redis } from '#runtime/redis.ts';
import { Replication } from '#runtime/redis-replication.ts';
import type { RedisServer } from '#runtime/redis-servers.ts';
import { RedisState } from '#store/shared-state.ts';
import { stateNoteFile } from '#store/state-note.ts';
import { lossKeeper } from './loss-keeper.ts';
import { logMaxAgeMs } from './settings.ts';
import { StoredRecords } from './stored-records.ts';
import { StateWatch } from './watch-state.ts';

export interface StateOptions {
  readonly shard: string;
  readonly config: () => Config;
  /** What all keys of the shard begin with. */
  readonly prefix: string;
  readonly redis: RedisServer;
  /** A connection of the role `store` to it. */
  readonly connect: () => Redis;
  /** Where the state's file is; undefined: nowhere. */
  readonly dataFolder?: string | undefined;
  /** Who asked that all automation be paused from the start; undefined: nobody. */
  readonly startPaused?: string | undefined;
  readonly role: ReplicaRole;
  /** Of this process, among the replicas. */
  readonly replicaId: string;
  readonly awsClock: AwsClock;
  readonly clock: Clock;
  /** A child for the shard. */
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Batches of metadata that were accepted and are gone; asked after a loss. */
  readonly lostBatches: () => Promise<readonly string[]>;
}

export interface ShardState {
  readonly state: RedisState;
  readonly watch: StateWatch;
  /** The connection of both. */
  readonly store: Redis;
}

/** Makes both; nothing is read before the state's first refresh. */
export function createState(options: StateOptions): ShardState {
  const { shard, config, prefix, redis, dataFolder, startPaused, clock, logger, metrics } = options;
  const { settings } = config();
  const store = options.connect();
  const records = new StoredRecords({ shard, logger, metrics });
  const state: RedisState = new RedisState({
    redis: store,
    prefix,
    metrics,
    wallNow: () => clock.now(),
    logMaxAgeMs: (log) => logMaxAgeMs(config().settings, log),
    readEntry: (key, stored) => records.read(key, stored),
    replication: new Replication({ redis: store, prefix, replicas: settings.redis.wait_replicas, logger }),
    losses: lossKeeper({
      shard,
      logger,
      metrics,
      witness: () => ({ state, lostBatches: options.lostBatches }),
    }),
    note: dataFolder === undefined ? undefined : stateNoteFile(dataFolder, redis.noteAddress, prefix),
    onEmptyState: settings.on_empty_state,
  });
  const watch = new StateWatch({
    awsClock: options.awsClock,
    shard,
    role: options.role,
    state,
    redis: store,
    prefix,
    configHash: () => config().hash,
    id: options.replicaId,
    clock,
    logger,
    metrics,
  });
  if (startPaused !== undefined) {
    const by = { who: startPaused, reason: 'started paused' };
    state.insist(pauses.asked, { ...by, sinceMs: state.nowMs() }, (tx) => pause(tx, by));
  }
  return { state, watch, store };
}
