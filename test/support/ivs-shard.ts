// A shard of the limited client against a simulator, with short times, for tests of one process.
import { SlotLedger } from '#ivs/ledger.ts';
import { createIvsShard, type IvsShard, type IvsShardOptions } from '#ivs/shard.ts';
import { systemClock } from '#runtime/clock.ts';
import { connectRedis, disconnectRedis, type Redis } from '#runtime/redis.ts';
import { type SimulatorHandle, startSimulator } from '#simulator/server.ts';
import type { SimulatorOptions } from '#simulator/settings.ts';
import { quietLogger, seededRandom, testMetrics } from './quiet.ts';
import { type RedisScope, redisScope } from './redis.ts';

/** Starts the ledger of permits of an account, so that the next caller of IVS does not wait for an empty ledger. */
export async function beginLedger(redis: Redis, keyPrefix: string): Promise<void> {
  const ledger = new SlotLedger({ redis, keyPrefix, replica: 'test', requestTimeoutMs: 500, patienceMs: 0 });
  const nothing = { lookAheadMs: 0, gapMs: 0, wants: [], urgent: 0, releases: [], throttles: [] };
  await ledger.exchange(
    { operation: 'ListStreams', perAccount: 5, perChannel: undefined, ...nothing },
    () => undefined,
  );
  ledger.close();
}

export interface ShardScope extends AsyncDisposable {
  readonly simulator: SimulatorHandle;
  readonly scope: RedisScope;
  readonly shard: IvsShard;
  readonly metrics: ReturnType<typeof testMetrics>;
  /** ARNs of live channels. */
  readonly channels: readonly string[];
  /** One more replica of the same shard. */
  replica(overrides?: Partial<IvsShardOptions>): Promise<IvsShard>;
}

/** Starts a simulator with `live` channels on air, and one replica. Use with `await using`. */
export async function shardScope(
  live = 1,
  overrides: Partial<IvsShardOptions> & { redisUrl?: string } = {},
  simulatorOptions: SimulatorOptions = {},
): Promise<ShardScope> {
  const scope = await redisScope();
  const simulator = await startSimulator({
    enforcement: 'sliding-window',
    quotas: { channels: 10_000, concurrentStreams: 10_000 },
    ...simulatorOptions,
  });
  const made = live > 0 ? await simulator.control.createChannels(live) : [];
  const channels = made.map(({ arn }) => arn);
  if (live > 0) await simulator.control.goLive(channels);
  const metrics = testMetrics();
  const closing: (() => Promise<void>)[] = [];
  const { redisUrl = scope.url, ...shardOverrides } = overrides;

  const replica = async (more: Partial<IvsShardOptions> = {}): Promise<IvsShard> => {
    const redis = connectRedis({ url: redisUrl, role: 'limiter', logger: quietLogger() });
    const shard = createIvsShard({
      name: 'main',
      region: 'us-west-2',
      redis,
      keyPrefix: scope.prefix,
      endpoint: simulator.url,
      // Any will do: the simulator does not check signatures.
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      onRedisDown: 'wait',
      // As in the daemon: a busy machine is not mistaken for a silent peer, and a lost permit comes back soon.
      requestTimeoutMs: 5_000,
      emptyLedgerPatienceMs: 0,
      clock: systemClock,
      logger: quietLogger(),
      metrics,
      random: seededRandom(7),
      ...shardOverrides,
      ...more,
    });
    closing.push(async () => {
      await shard.stop();
      await disconnectRedis(redis);
    });
    await shard.start();
    return shard;
  };
  return {
    simulator,
    scope,
    shard: await replica(),
    metrics,
    channels,
    replica,
    async [Symbol.asyncDispose]() {
      await Promise.all(closing.map((close) => close()));
      await simulator.close();
      await scope[Symbol.asyncDispose]();
    },
  };
}
