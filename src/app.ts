// Puts the daemon together: the shards, the API over them, and their life in common. Nothing here touches the process.

import { createApi } from '#api/api.ts';
import { type ApiEnvironment, readTokens } from '#api/tokens.ts';
import { accountsOf } from '#config/accounts.ts';
import type { ConfigInForce } from '#config/in-force.ts';
import type { Config } from '#config/load.ts';
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
import type { AwsOptions } from '#shard/aws-access.ts';
import { ShardDirectory } from '#shard/directory.ts';
import { FileAuthority } from '#shard/file-authority.ts';
import { Shard } from '#shard/shard.ts';
import { ConfigKeeper } from './config-in-force.ts';
import type { Committed } from './pipeline.ts';

export interface AppOptions {
  readonly config: Config;
  /** Reads the configuration again. @throws AppError CONFIG_NOT_FOUND, CONFIG_INVALID */
  readonly loadConfig: () => Promise<Config>;
  readonly redisUrl: string;
  /** Credentials and certificates; default: what the URL says. */
  readonly redisAccess?: RedisAccess | undefined;
  readonly role: ReplicaRole;
  /** The environment: tokens, address of the API, Region, AWS endpoints. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly scrubber: Scrubber;
  /** Instead of what the environment says. */
  readonly aws?: AwsOptions;
  /** First part of every key in Redis. */
  readonly namespace?: string;
  /** What the file about the state goes by, where `redisUrl` changes from start to start. */
  readonly redisAddress?: string | undefined;
  /** Where the file about the state is; left out: nowhere. */
  readonly dataFolder?: string | undefined;
  /** Who asked that all automation be paused from the start. */
  readonly startPaused?: string | undefined;
  /** `run --standby`: does nothing until it is activated. */
  readonly standby?: boolean | undefined;
  readonly emptyLedgerPatienceMs?: number;
  readonly onCommitted?: (committed: Committed) => void;
}

export interface App {
  readonly shards: readonly Shard[];
  /** The API's address; only after `start`, and not for roles without one. */
  readonly url: string | undefined;
  start(): Promise<void>;
  /** Within the shutdown window; may be called at any time, and again. */
  stop(): Promise<void>;
  /** Reads the configuration again; with any mistake the one in force stays. @throws AppError CONFIG_… */
  reload(why: string): Promise<ConfigInForce>;
  /** Does nothing while the configuration is the same. */
  reloadIfChanged(why: string): Promise<void>;
}

/** Builds the daemon; nothing runs before `start`. @throws AppError CONFIG_INVALID */
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

  const aws = options.aws ?? awsFromEnvironment(env);
  const windowMs = durationMs(options.config.settings.shutdown_window);
  const graceMs = Math.max(1_000, windowMs - 8_000);
  const graceOver = new AbortController();
  const recorder = createRecorder(options, {
    // As the observations have it, which are played beside the commands.
    now: () => shards[0]!.state.nowMs(),
    inForce: () => shards.flatMap(({ state }) => controlsInForce(state.view, state.nowMs())),
  });
  const files = new FileAuthority({ config, env });
  const shards = accountsOf(options.config, env).map(
    (account): Shard =>
      new Shard({
        account,
        directory: () => directory,
        files,
        config,
        redisUrl,
        redisAccess: options.redisAccess,
        redisAddress: options.redisAddress,
        dataFolder: options.dataFolder,
        startPaused: options.startPaused,
        standby: options.standby,
        namespace: options.namespace ?? 'autopilot',
        role,
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
  const directory = new ShardDirectory(shards as [Shard, ...Shard[]]);
  const api = hasApi
    ? createApi({
        shards: directory,
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
  let stopped: Promise<void> | undefined;

  return {
    shards,
    get url() {
      return api?.server.url;
    },
    async start() {
      try {
        const shardStacks = shards.map(() => new TeardownStack({ clock, logger }));
        // Side by side, so that the window does not have to hold the sum of them.
        stack.defer('shards', windowMs, async () => {
          const leftMs = deadline - clock.monotonic();
          shardFailures.push(...(await Promise.all(shardStacks.map((each) => each.close(leftMs)))).flat());
        });
        for (const [index, shard] of shards.entries()) await shard.start(shardStacks[index]!, graceMs);
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
        { role, shards: shards.map(({ name }) => name), rules: modes, configHash: hash },
        shards.some((shard) => shard.standsBy)
          ? 'ivs-autopilot stands by: it does nothing until `ivs-autopilot activate`'
          : 'ivs-autopilot runs',
      );
    },
    stop() {
      stopped ??= (async () => {
        api?.server.announceStop();
        const startedAt = clock.monotonic();
        // Whatever peer is dawdling by then: no call outlives it, so that the rest of the stop has its time.
        const grace = setTimeout(() => graceOver.abort(new AppError('INTERRUPTED', 'the daemon stops')), graceMs);
        // The rest of the window is for the process edge: the log, a Redis of our own.
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

/** The SDK reads its endpoint variables itself; only for SQS it would still go to the host in the queue's URL. */
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
    // Redis is away: its connection says so, and /readyz.
  }
}

/** Where AUTOPILOT_RECORD names a file, everything observed and every command to all automation is written to it, for `ivs-autopilot replay`. */
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
    onError: (error) => logger.warn({ err: error, file }, 'observations cannot be recorded; everything else goes on'),
  });
}
