// Assembles the daemon: the shards, the API over them, and their common life cycle. Nothing here touches the process.

import { createApi } from '#api/api.ts';
import { type ApiEnvironment, readTokens } from '#api/tokens.ts';
import { accountsOf } from '#config/accounts.ts';
import { type AccountSelection, carriedAccounts, selectionOf } from '#config/carried.ts';
import type { ConfigInForce } from '#config/in-force.ts';
import type { Config } from '#config/load.ts';
import type { AccountSettings } from '#config/settings.ts';
import type { Control } from '#domain/control.ts';
import { durationMs } from '#domain/duration.ts';
import { AppError } from '#domain/errors.ts';
import type { ReplicaRole } from '#domain/replica.ts';
import { ruleModes } from '#domain/rule.ts';
import { ObservationRecorder } from '#journal/recorder.ts';
import { controlsInForce } from '#rules/controls.ts';
import type { Clock } from '#runtime/clock.ts';
import { TeardownStack } from '#runtime/lifecycle.ts';
import type { Logger, Scrubber } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import type { RedisAccess } from '#runtime/redis-access.ts';
import { readRedisFacts, redisProblems } from '#runtime/redis-check.ts';
import { redisOfUrl } from '#runtime/redis-servers.ts';
import { inTurns } from '#runtime/turns.ts';
import type { AwsOptions } from '#shard/aws-access.ts';
import { type CarrierPace, CarrierWatch } from '#shard/carrier-watch.ts';
import { ShardDirectory } from '#shard/directory.ts';
import { DistantShard } from '#shard/distant.ts';
import { FileAuthority } from '#shard/file-authority.ts';
import { RedisConnections } from '#shard/redis-connections.ts';
import { type RedisOf, redisServers } from '#shard/redis-of.ts';
import { Shard } from '#shard/shard.ts';
import { newReplicaId } from '#shard/watch-state.ts';
import { fleetPrefix } from '#store/carriers.ts';
import { ConfigKeeper } from './config-in-force.ts';
import type { Committed } from './pipeline.ts';

export interface AppOptions {
  readonly config: Config;
  /** Reads the configuration again. @throws AppError CONFIG_NOT_FOUND, CONFIG_INVALID */
  readonly loadConfig: () => Promise<Config>;
  readonly redisUrl: string;
  /** Credentials and certificates; default: from the URL. */
  readonly redisAccess?: RedisAccess | undefined;
  /** The Redis of each account; default: from the configuration. */
  readonly redisOf?: RedisOf;
  readonly role: ReplicaRole;
  /** The environment: tokens, address of the API, Region, AWS endpoints. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly scrubber: Scrubber;
  /** Used instead of the environment. */
  readonly aws?: AwsOptions;
  /** First part of every key in Redis. */
  readonly namespace?: string;
  /** Identifies the Redis in the file about the state, if `redisUrl` changes from start to start. */
  readonly redisAddress?: string | undefined;
  /** Folder of the file about the state; undefined: there is no such file. */
  readonly dataFolder?: string | undefined;
  /** The accounts that this process carries; default: AUTOPILOT_ACCOUNTS, else all. */
  readonly accounts?: AccountSelection | undefined;
  /** Who requested that all automation be paused from the start. */
  readonly startPaused?: string | undefined;
  /** `run --standby`: does nothing until it is activated. */
  readonly standby?: boolean | undefined;
  readonly emptyLedgerPatienceMs?: number;
  /** Only in tests: how soon it is reported that nobody carries an account. */
  readonly carrierPace?: CarrierPace;
  readonly onCommitted?: (committed: Committed) => void;
}

export interface App {
  /** The accounts that this process carries. */
  readonly shards: readonly Shard[];
  /** The accounts that it does not carry. */
  readonly elsewhere: readonly DistantShard[];
  /** The API's address; only after `start`, and not for roles without one. */
  readonly url: string | undefined;
  start(): Promise<void>;
  /** Stops within the shutdown window; may be called at any time, and repeatedly. */
  stop(): Promise<void>;
  /** Reads the configuration again; with any mistake the current one stays in force. @throws AppError CONFIG_… */
  reload(why: string): Promise<ConfigInForce>;
  /** Does nothing while the configuration is the same. */
  reloadIfChanged(why: string): Promise<void>;
}

/** Builds the daemon; nothing runs before `start`. @throws AppError CONFIG_INVALID, ACCOUNTS_INVALID, REDIS_URL_INVALID */
export function createApp(options: AppOptions): App {
  const { clock, logger, metrics, scrubber, role, env, random, redisUrl } = options;
  const hasApi = role === 'all' || role === 'api' || env['AUTOPILOT_HTTP_PORT'] !== undefined;
  const keeper = new ConfigKeeper({
    config: options.config,
    loadConfig: options.loadConfig,
    readTokens: () => (hasApi ? readTokens(env, scrubber) : []),
    apply: ({ ruleset }, tokens) => {
      for (const shard of shards) shard.pipeline.useRuleset(ruleset);
      api?.server.useTokens(tokens);
    },
    clock,
    logger,
    metrics,
    scrubber,
  });
  const config = () => keeper.inForce.config;
  const reload = (why: string) => keeper.reload(why);

  let stopped: Promise<void> | undefined;
  const aws = options.aws ?? awsFromEnvironment(env);
  const windowMs = durationMs(options.config.settings.shutdown_window);
  const graceMs = Math.max(1_000, windowMs - 8_000);
  const graceOver = new AbortController();
  const recorder = createRecorder(options, {
    // The same clock as that of the observations, because a replay merges them with the commands.
    now: () => shards[0]!.state.nowMs(),
    inForce: () => shards.flatMap(({ state }) => controlsInForce(state.view, state.nowMs())),
  });
  const files = new FileAuthority({ config, env });
  const accounts = accountsOf(options.config, env);
  const carried = carriedAccounts(accounts, options.accounts ?? selectionOf(undefined, env));
  const namespace = options.namespace ?? 'autopilot';
  const replicaId = newReplicaId();
  const mainRedis = redisOfUrl(redisUrl, options.redisAccess, options.redisAddress);
  const redisOf = options.redisOf ?? redisServers(options.config, mainRedis, { logger, scrubber });
  const shards = carried.map(
    (account): Shard =>
      new Shard({
        account,
        directory: () => directory,
        files,
        config,
        redis: redisOf(account),
        dataFolder: options.dataFolder,
        startPaused: options.startPaused,
        standby: options.standby,
        namespace,
        role,
        replicaId,
        aws,
        clock,
        random,
        logger,
        metrics,
        scrubber,
        emptyLedgerPatienceMs: options.emptyLedgerPatienceMs,
        graceOver: graceOver.signal,
        onCommitted: (committed) => {
          for (const observation of committed.observations) recorder?.record(observation);
          options.onCommitted?.(committed);
        },
      }),
  );
  const turns = new Map(accounts.map(({ redis_url_file: file }) => [file, inTurns()]));
  const elsewhere = accounts
    .filter((account) => !carried.includes(account))
    .map(
      (account) =>
        new DistantShard({
          account,
          config,
          redis: () => redisOf(account),
          namespace,
          logger,
          metrics,
          // A server that does not answer delays only the reads of its own accounts.
          inTurn: turns.get(account.redis_url_file)!,
        }),
    );
  const fleet =
    accounts.length === 1
      ? undefined
      : fleetWatch(options, {
          namespace,
          replicaId,
          accounts,
          carried,
          standsBy: () => shards.some((shard) => shard.standsBy),
          nowMs: () => shards[0]!.state.nowMs(),
          closing: () => stopped !== undefined,
        });
  const directory = new ShardDirectory<Shard, DistantShard>(shards as [Shard, ...Shard[]], {
    shards: elsewhere,
    carriersOf: (name) => fleet?.watch.carriersOf(name) ?? '',
  });
  const api = hasApi
    ? createApi({
        shards: directory,
        carried: fleet && (() => fleet.watch.carried),
        files,
        inForce: () => keeper.inForce,
        standby: options.standby === true,
        reload,
        onControl: (control) => recorder?.recordControl(control),
        env: apiEnvironment(env),
        tokens: keeper.tokens,
        clock,
        logger,
        metrics,
        scrubber,
      })
    : undefined;

  const stack = new TeardownStack({ clock, logger });
  const shardFailures: Error[] = [];
  let deadline = Number.POSITIVE_INFINITY;

  return {
    shards,
    elsewhere,
    get url() {
      return api?.server.url;
    },
    async start() {
      try {
        const shardStacks = shards.map(() => new TeardownStack({ clock, logger }));
        // In parallel, so that the window need not cover their sum.
        stack.defer('shards', windowMs, async () => {
          const leftMs = deadline - clock.monotonic();
          shardFailures.push(...(await Promise.all(shardStacks.map((each) => each.close(leftMs)))).flat());
        });
        // One after another at each server, so that a server that does not answer delays only its own accounts.
        const starts = Map.groupBy(shards.entries(), ([, { redis }]) => redis.address);
        await Promise.all(
          Array.from(starts.values(), async (ofServer) => {
            for (const [index, shard] of ofServer) await shard.start(shardStacks[index]!, graceMs);
          }),
        );
        stack.defer('accounts that others carry', 2_000, async () => {
          await Promise.all(elsewhere.map((shard) => shard.close()));
          await fleet?.connections.close();
        });
        if (fleet) await stack.start(fleet.watch, 2_000);
        for (const shard of shards) void warnOfUnsafeRedis(shard, logger);
        if (api) for (const service of api.services) await stack.start(service, 3_000);
      } catch (error) {
        const onPurpose = stopped !== undefined;
        await this.stop();
        if (onPurpose) return;
        throw error;
      }
      const { ruleset, hash } = config();
      const modes = Object.fromEntries(
        ruleModes.map((mode) => [mode, ruleset.rules.filter((rule) => rule.mode === mode).length]),
      );
      logger.info(
        {
          role,
          shards: shards.map(({ name }) => name),
          ...(elsewhere.length === 0 ? {} : { elsewhere: elsewhere.length }),
          rules: modes,
          configHash: hash,
        },
        shards.some((shard) => shard.standsBy)
          ? 'ivs-autopilot stands by: it does nothing until `ivs-autopilot activate`'
          : 'ivs-autopilot runs',
      );
    },
    stop() {
      stopped ??= (async () => {
        api?.server.announceStop();
        const startedAt = clock.monotonic();
        // Ends calls to slow peers by then, so that the rest of the stop has enough time.
        const grace = setTimeout(() => graceOver.abort(new AppError('INTERRUPTED', 'the daemon stops')), graceMs);
        // The rest of the window is for the process edge: the log, and our own Redis if there is one.
        const closeMs = Math.max(500, windowMs - 2_000);
        deadline = startedAt + closeMs;
        const failures = [...(await stack.close(closeMs)), ...shardFailures];
        clearTimeout(grace);
        await recorder?.flush();
        logger.info(
          { tookMs: Math.round(clock.monotonic() - startedAt), failures: failures.length },
          'ivs-autopilot stopped',
        );
      })();
      return stopped;
    },
    reload,
    reloadIfChanged: (why) => keeper.reloadIfChanged(why),
  };
}

/** Watches who carries what, over its own connection, because in a cluster its key is in another slot than any account's. */
function fleetWatch(
  { redisUrl: url, redisAccess: access, role, clock, random, logger, metrics, carrierPace: pace }: AppOptions,
  fleet: {
    readonly namespace: string;
    readonly replicaId: string;
    readonly accounts: readonly AccountSettings[];
    readonly carried: readonly AccountSettings[];
    readonly standsBy: () => boolean;
    readonly nowMs: () => number;
    readonly closing: () => boolean;
  },
): { readonly watch: CarrierWatch; readonly connections: RedisConnections } {
  const { namespace, replicaId: id, standsBy, nowMs, closing } = fleet;
  const connections = new RedisConnections({ url, prefix: fleetPrefix(namespace), access, logger, closing });
  const redis = connections.connect('store');
  const names = (accounts: readonly AccountSettings[]) => accounts.map(({ name }) => name);
  const accounts = { accounts: names(fleet.accounts), own: names(fleet.carried) };
  const process = { namespace, id, role, standsBy, ...accounts };
  const watch = new CarrierWatch({ redis, ...process, nowMs, clock, logger, metrics, random, pace });
  return { watch, connections };
}

/** The SDK reads its endpoint variables itself, except for SQS, where it would still call the host in the queue's URL. */
function awsFromEnvironment(env: AppOptions['env']): AwsOptions {
  return { sqsEndpoint: env['AWS_ENDPOINT_URL_SQS'] ?? env['AWS_ENDPOINT_URL'] };
}

function apiEnvironment(env: AppOptions['env']): ApiEnvironment {
  const port = env['AUTOPILOT_HTTP_PORT'] ?? '8080';
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new AppError(
      'CONFIG_INVALID',
      `AUTOPILOT_HTTP_PORT must be a port number from 0 to 65535, not ${JSON.stringify(port)}`,
    );
  }
  return { host: env['AUTOPILOT_HTTP_HOST'] ?? '127.0.0.1', port: Number(port) };
}

async function warnOfUnsafeRedis(shard: Shard, logger: Logger): Promise<void> {
  try {
    for (const problem of redisProblems(await readRedisFacts(shard.store)))
      logger.warn({ code: 'REDIS_UNSAFE' }, problem);
  } catch {
    // Redis is away: its connection and /readyz report that.
  }
}

/** If AUTOPILOT_RECORD names a file, records all observations and all commands to automation in it, for `ivs-autopilot replay`. */
function createRecorder(
  { env, logger }: AppOptions,
  { now, inForce }: { readonly now: () => number; readonly inForce: () => readonly Control[] },
): ObservationRecorder | undefined {
  const file = env['AUTOPILOT_RECORD'];
  if (!file) return undefined;
  return new ObservationRecorder({
    file,
    now,
    inForce,
    onError: (error) => logger.warn({ err: error, file }, 'observations cannot be recorded; everything else continues'),
  });
}
