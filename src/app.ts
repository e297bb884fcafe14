// Puts the daemon together: the shards, the API over them, and their life in common. Nothing here touches the process.

import { createApi } from '#api/api.ts';
import { type ApiEnvironment, readTokens, sameTokens } from '#api/tokens.ts';
import { accountsOf } from '#config/accounts.ts';
import { lintConfig } from '#config/lint.ts';
import type { Config } from '#config/load.ts';
import { formatProblem } from '#config/problem.ts';
import { secretTextsOf } from '#config/secret-texts.ts';
import type { Control } from '#domain/control.ts';
import { durationMs } from '#domain/duration.ts';
import { AppError, messageOf } from '#domain/errors.ts';
import { ObservationRecorder } from '#journal/recorder.ts';
import { controlsInForce } from '#rules/controls.ts';
import type { Clock } from '#runtime/clock.ts';
import { TeardownStack } from '#runtime/lifecycle.ts';
import type { Logger, Scrubber } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { readRedisFacts, redisProblems } from '#runtime/redis-check.ts';
import { SharedRun } from '#runtime/shared-run.ts';
import type { AwsOptions } from '#shard/aws-access.ts';
import { ShardDirectory } from '#shard/directory.ts';
import { FileAuthority } from '#shard/file-authority.ts';
import { type ReplicaRole, Shard } from '#shard/shard.ts';
import type { ConfigInForce } from './config-in-force.ts';
import type { Committed } from './pipeline.ts';

export { type ReplicaRole, replicaRoles } from '#shard/shard.ts';

export interface AppOptions {
  readonly config: Config;
  /** Reads the configuration again. @throws AppError CONFIG_NOT_FOUND, CONFIG_INVALID */
  readonly loadConfig: () => Promise<Config>;
  readonly redisUrl: string;
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
  let inForce: ConfigInForce = {
    config: options.config,
    loadedAtMs: clock.now(),
    triedAtMs: clock.now(),
    needRestart: [],
    error: undefined,
  };
  const config = () => inForce.config;
  noteConfig(metrics, logger, inForce);
  hideSecrets(options.config, scrubber);

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
        redisAddress: options.redisAddress,
        dataFolder: options.dataFolder,
        startPaused: options.startPaused,
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
  const hasApi = role === 'all' || role === 'api' || env['AUTOPILOT_HTTP_PORT'] !== undefined;
  const readItsTokens = () => (hasApi ? readTokens(env, scrubber) : []);
  let tokens = readItsTokens();
  const api = hasApi
    ? createApi({
        shards: directory,
        files,
        inForce: () => inForce,
        reload,
        onControl: (control) => recorder?.recordControl(control),
        env: apiEnvironment(env),
        tokens,
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
  const reloads = new SharedRun(applyReload);

  function reload(why: string): Promise<ConfigInForce> {
    return reloads.ask(why);
  }

  async function applyReload(why: string): Promise<ConfigInForce> {
    try {
      const next = await options.loadConfig();
      const nextTokens = readItsTokens();
      hideSecrets(next, scrubber);
      const needRestart = settingsThatNeedRestart(options.config, next);
      const nowMs = clock.now();
      inForce = { config: next, loadedAtMs: nowMs, triedAtMs: nowMs, needRestart, error: undefined };
      for (const shard of shards) shard.pipeline.useRuleset(next.ruleset);
      if (!sameTokens(tokens, nextTokens)) logger.info({ tokens: nextTokens.map(({ name }) => name) }, 'tokens loaded');
      tokens = nextTokens;
      api?.server.useTokens(tokens);
      noteConfig(metrics, logger, inForce);
      logger.info(
        { why, configHash: next.hash, rules: next.ruleset.rules.length, needRestart },
        'configuration loaded',
      );
      return inForce;
    } catch (error) {
      inForce = { ...inForce, triedAtMs: clock.now(), error: messageOf(error) };
      metrics.configLoads.inc({ outcome: 'refused' });
      metrics.configLastAttempt.set({ outcome: 'refused' }, inForce.triedAtMs / 1000);
      logger.error(
        { why, err: error, configHash: inForce.config.hash },
        'the new configuration is not valid; the one in force stays',
      );
      throw error;
    }
  }

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
      const { ruleset, hash } = inForce.config;
      const modes = Object.fromEntries(
        ['enforce', 'dry_run', 'off'].map((mode) => [mode, ruleset.rules.filter((rule) => rule.mode === mode).length]),
      );
      logger.info(
        { role, shards: shards.map(({ name }) => name), rules: modes, configHash: hash },
        'ivs-autopilot runs',
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
    async reloadIfChanged(why) {
      const found = await options
        .loadConfig()
        .then(({ hash }) => ({ hash, tokens: readItsTokens(), error: undefined }))
        .catch((error: unknown) => ({ hash: inForce.config.hash, tokens, error: messageOf(error) }));
      // The same mistake again is no news; a file that was put back is.
      const isSame =
        found.error === inForce.error && found.hash === inForce.config.hash && sameTokens(found.tokens, tokens);
      if (!isSame) await reload(why);
    },
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

/** Settings that are read once, at the start. */
function settingsThatNeedRestart(atStart: Config, now: Config): string[] {
  const once = ['accounts', 'limits', 'metadata', 'http', 'shutdown_window', 'worker_concurrency'] as const;
  const differs = (of: (config: Config) => unknown) => JSON.stringify(of(atStart)) !== JSON.stringify(of(now));
  return [
    ...once.filter((key) => differs(({ settings }) => settings[key])),
    ...(differs(({ settings }) => settings.events.queue_url) ? ['events.queue_url'] : []),
  ];
}

/** Before anything is logged of a configuration, and for good: what was in force may still be in a job. */
function hideSecrets(config: Config, scrubber: Scrubber): void {
  for (const text of secretTextsOf(config)) scrubber.hide(text, 'webhook URL');
}

function noteConfig(metrics: Metrics, logger: Logger, { config, loadedAtMs }: ConfigInForce): void {
  metrics.configLoads.inc({ outcome: 'loaded' });
  metrics.configLastAttempt.set({ outcome: 'loaded' }, loadedAtMs / 1000);
  metrics.configLastLoad.reset();
  metrics.configLastLoad.set({ hash: config.hash }, loadedAtMs / 1000);
  for (const finding of lintConfig(config)) logger.warn({ code: 'CONFIG_SUSPECT' }, formatProblem(finding));
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
