// The process edge: environment, files, signals, exit code. Nothing else touches the process.

import { existsSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { tokenFiles } from '#api/tokens.ts';
import { accountsOf } from '#config/accounts.ts';
import { carriedAccounts, selectionOf } from '#config/carried.ts';
import { type Config, loadConfig } from '#config/load.ts';
import { formatProblem, type Problem } from '#config/problem.ts';
import { durationMs } from '#domain/duration.ts';
import { AppError, messageOf } from '#domain/errors.ts';
import type { ReplicaRole } from '#domain/replica.ts';
import { systemClock } from '#runtime/clock.ts';
import { processEgress, shownProxy } from '#runtime/egress.ts';
import { type EmbeddedRedis, startEmbeddedRedis } from '#runtime/embedded-redis.ts';
import { isEntry } from '#runtime/entry.ts';
import { tendHeap } from '#runtime/heap-growth.ts';
import type { LogLineOptions } from '#runtime/log-lines.ts';
import { createLogger, isLogLevel, type Logger, logLevels, Scrubber } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { keepTimeBy } from '#runtime/process-time.ts';
import { assertRedisUsable, keyPrefix } from '#runtime/redis.ts';
import { accessFromEnvironment } from '#runtime/redis-environment.ts';
import { redisOfUrl } from '#runtime/redis-servers.ts';
import { parseRedisUrl, redisAddressText } from '#runtime/redis-url.ts';
import { startTelemetry, type Telemetry } from '#runtime/telemetry.ts';
import { endOnUncaught } from '#runtime/uncaught.ts';
import { packageVersion } from '#runtime/version.ts';
import { redisServers, serversOf } from '#shard/redis-of.ts';
import { type App, createApp } from './app.ts';
import { watchConfig } from './config-watch.ts';

/** A signal to the process group arrives twice, from the group and from the launcher: that is one request to stop. */
const sameSignalMs = 1_000;

/** SIGHUPs in quick succession are one request to reload, delayed by at most `longestReloadWaitMs`. */
const reloadSettleMs = 200;
const longestReloadWaitMs = 1_400;

/** How long a stop may take before the configuration, which sets this limit, has been read. */
const windowBeforeConfigMs = 25_000;

export interface RunOptions {
  readonly role?: ReplicaRole;
  /** Pauses all automation from the start; AUTOPILOT_START_PAUSED does too. */
  readonly paused?: boolean;
  /** Does nothing until it is activated; AUTOPILOT_STANDBY does too. */
  readonly standby?: boolean;
  /** The accounts that this process carries, instead of AUTOPILOT_ACCOUNTS. */
  readonly accounts?: string;
}

/** Runs the daemon until a signal stops it; returns the exit code. */
export async function runDaemon(options: RunOptions = {}): Promise<number> {
  const { role = 'all', paused = false, standby = false, accounts } = options;
  using _heap = tendHeap();
  const env = process.env;
  const scrubber = new Scrubber();
  const level = env['LOG_LEVEL'] ?? 'info';
  const logger = createLogger({
    level: isLogLevel(level) ? level : 'info',
    scrubber,
    pretty: process.stdout.isTTY ? terminalLines(process.stdout, env) : undefined,
  });
  let redis: EmbeddedRedis | undefined;
  let app: App | undefined;
  let telemetry: Telemetry | undefined;
  using _uncaught = endOnUncaught((err) => {
    logger.fatal({ code: 'UNCAUGHT', err }, `uncaught: ${messageOf(err)}; the process ends`);
    redis?.abandon();
  });
  // Installed before anything starts, so that a signal during the start ends everything again.
  const edge = new ProcessEdge(logger, () => redis?.abandon());
  try {
    if (!isLogLevel(level)) {
      throw new AppError(
        'CONFIG_INVALID',
        `LOG_LEVEL must be one of ${logLevels.join(', ')}, not ${JSON.stringify(level)}`,
      );
    }
    const config = await readConfig(env);
    edge.windowMs = durationMs(config.settings.shutdown_window);
    readEgress(env, logger, scrubber);
    // Before our own Redis starts.
    const selection = selectionOf(accounts, env);
    const carried = carriedAccounts(accountsOf(config, env), selection);
    const redisUrl = env['REDIS_URL'] ?? (redis = await ownRedis(env, logger, scrubber, edge.stopping)).url;
    const access = redis
      ? undefined
      : await accessFromEnvironment({
          env,
          url: redisUrl,
          logger,
          onSecret: (secret, before) => {
            scrubber.hide(secret, 'Redis password');
            if (before !== undefined) scrubber.forget(before);
          },
        });
    const namespace = env['AUTOPILOT_NAMESPACE'] || 'autopilot';
    // Our own Redis has a different port each time.
    const mainRedis = redisOfUrl(redisUrl, access, redis ? 'data/redis' : undefined);
    const redisOf = redisServers(config, mainRedis, { logger, scrubber });
    for (const { server, account } of serversOf(carried, redisOf, mainRedis))
      await assertRedisUsable({ ...server, prefix: keyPrefix(namespace, account.name), logger });
    edge.stopping.throwIfAborted();
    const metrics = createMetrics();
    metrics.collectProcessMetrics();
    telemetry = await startTelemetry({ env, metrics, scrubber, logger, clock: systemClock, version: packageVersion });
    app = createApp({
      config,
      loadConfig: () => readConfig(env),
      redisUrl,
      redisAccess: access,
      redisAddress: mainRedis.noteAddress,
      redisOf,
      dataFolder: resolve(env['AUTOPILOT_DATA_DIR'] || 'data'),
      accounts: selection,
      startPaused: paused ? 'run --paused' : isOn(env, 'AUTOPILOT_START_PAUSED') ? 'AUTOPILOT_START_PAUSED' : undefined,
      standby: isOn(env, 'AUTOPILOT_STANDBY') || standby,
      namespace,
      role,
      env,
      scrubber,
      logger,
      metrics,
      clock: systemClock,
      random: Math.random,
    });
    const { state } = app.shards[0]!;
    using _time = keepTimeBy(() => state.nowMs());
    await runUntilStopped(app, config, edge, logger);
    return 0;
  } catch (error) {
    if (edge.stopping.aborted && error instanceof AppError && error.code === 'INTERRUPTED') return 0;
    report(logger, error);
    return 1;
  } finally {
    await app?.stop();
    await Promise.all([telemetry?.stop(), redis?.stop()]);
  }
}

async function runUntilStopped(app: App, config: Config, edge: ProcessEdge, logger: Logger): Promise<void> {
  const stopped = Promise.withResolvers<void>();
  edge.stopping.addEventListener('abort', () => void app.stop().then(stopped.resolve, stopped.reject));
  edge.onReload(() => void app.reload('SIGHUP').catch(() => undefined));
  await app.start();
  const watchers = [config.file, ...tokenFiles(process.env)].map((file) =>
    watchConfig({
      file,
      logger,
      onChange: () => void app.reloadIfChanged('file change').catch(() => undefined),
    }),
  );
  await stopped.promise;
  for (const watcher of watchers) watcher.close();
}

/** How log lines look if a person reads them. https://no-color.org */
function terminalLines(terminal: NodeJS.WriteStream, { NO_COLOR = '', LOG_LEVEL }: NodeJS.ProcessEnv): LogLineOptions {
  return { colour: NO_COLOR === '' && terminal.hasColors(), stacks: LOG_LEVEL === 'debug' || LOG_LEVEL === 'trace' };
}

/** Proxies and certificate authorities, set up before the first call. @throws AppError EGRESS_INVALID */
function readEgress(env: NodeJS.ProcessEnv, logger: Logger, scrubber: Scrubber): void {
  const { proxies, unreadable } = processEgress(env);
  for (const { url } of proxies)
    for (const password of [url.password, decodeURIComponent(url.password)]) scrubber.hide(password, 'proxy password');
  if (proxies.length > 0)
    logger.info(
      { proxies: proxies.map((proxy) => `${proxy.variable}=${shownProxy(proxy)}`) },
      'calls go through a proxy',
    );
  if (unreadable.length > 0)
    logger.warn({ code: 'CONFIG_SUSPECT', entries: unreadable }, 'entries of NO_PROXY that name no host are ignored');
}

/** @throws AppError CONFIG_INVALID */
function isOn(env: NodeJS.ProcessEnv, name: 'AUTOPILOT_START_PAUSED' | 'AUTOPILOT_STANDBY'): boolean {
  const value = env[name] ?? '';
  if (value === '1' || value === 'true') return true;
  if (value === '' || value === '0' || value === 'false') return false;
  throw new AppError('CONFIG_INVALID', `${name} must be 1 or 0, not ${JSON.stringify(value)}`);
}

function readConfig(env: NodeJS.ProcessEnv): Promise<Config> {
  const file = env['AUTOPILOT_CONFIG'] ?? join('config', 'autopilot.yaml');
  return loadConfig(file, { queueUrl: env['AUTOPILOT_QUEUE_URL'] });
}

/** Our own Redis with its data under data/, if a server program is available. */
async function ownRedis(
  env: NodeJS.ProcessEnv,
  logger: Logger,
  scrubber: Scrubber,
  signal: AbortSignal,
): Promise<EmbeddedRedis> {
  const program =
    env['AUTOPILOT_REDIS_SERVER'] ?? ['redis-server', 'valkey-server'].flatMap((name) => onPath(name, env)).at(0);
  if (env['AUTOPILOT_CONTAINER'] || program === undefined) {
    throw new AppError('REDIS_NOT_CONFIGURED', 'no Redis is configured: set REDIS_URL, for example redis://redis:6379');
  }
  const redis = await startEmbeddedRedis({ program, directory: resolve('data', 'redis'), signal });
  scrubber.hide(new URL(redis.url).password, 'Redis password');
  logger.info(
    { url: redisAddressText(parseRedisUrl(redis.url)), directory: 'data/redis', adopted: redis.adopted },
    'REDIS_URL is not set: running a Redis of our own, with an append-only file',
  );
  return redis;
}

function onPath(name: string, env: NodeJS.ProcessEnv): string[] {
  return (env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .filter((file) => existsSync(file));
}

/** The signals of the process. The first SIGTERM or SIGINT stops within the window, a later one exits at once; SIGHUP reloads. */
class ProcessEdge {
  readonly #stopping = new AbortController();
  readonly #logger: Logger;
  readonly #abandon: () => void;
  #stoppingSince: number | undefined;
  #windowMs = windowBeforeConfigMs;
  #deadline: NodeJS.Timeout | undefined;
  #reload: (() => void) | undefined;
  #reloadTimer: NodeJS.Timeout | undefined;
  #firstHangUpAt: number | undefined;

  /** `abandon` is the last, synchronous act of an exit that does not wait. */
  constructor(logger: Logger, abandon: () => void) {
    this.#logger = logger;
    this.#abandon = abandon;
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, (signal) => this.#stop(signal));
    // Without a listener SIGHUP would end the process. During the start there is nothing to do, because the configuration was just read.
    process.on('SIGHUP', () => this.#reloadSoon());
  }

  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  set windowMs(value: number) {
    this.#windowMs = value;
    if (this.#stoppingSince !== undefined) this.#arm();
  }

  onReload(reload: () => void): void {
    this.#reload = reload;
  }

  #reloadSoon(): void {
    const now = performance.now();
    this.#firstHangUpAt ??= now;
    clearTimeout(this.#reloadTimer);
    this.#reloadTimer = setTimeout(
      () => {
        this.#firstHangUpAt = undefined;
        if (!this.stopping.aborted) this.#reload?.();
      },
      Math.max(0, Math.min(reloadSettleMs, this.#firstHangUpAt + longestReloadWaitMs - now)),
    ).unref();
  }

  #stop(signal: NodeJS.Signals): void {
    if (this.#stoppingSince !== undefined) {
      if (performance.now() - this.#stoppingSince > sameSignalMs) this.#exit();
      return;
    }
    this.#stoppingSince = performance.now();
    this.#arm();
    this.#logger.info({ signal }, 'stopping; a second signal exits at once');
    this.#stopping.abort(new AppError('INTERRUPTED', `${signal}: the daemon stops`));
  }

  #arm(): void {
    clearTimeout(this.#deadline);
    const leftMs = this.#windowMs - (performance.now() - (this.#stoppingSince ?? 0));
    this.#deadline = setTimeout(
      () => {
        this.#logger.fatal(
          { code: 'STOP_TIMED_OUT', windowMs: this.#windowMs },
          'not stopped within the shutdown window: exiting',
        );
        this.#exit();
      },
      Math.max(0, leftMs),
    ).unref();
  }

  #exit(): never {
    this.#abandon();
    process.exit(1);
  }
}

/** The problems of a configuration get one line each; any other error is logged as the reason why the daemon cannot run. */
function report(logger: Logger, error: unknown): void {
  const code = error instanceof AppError ? error.code : 'START_FAILED';
  const problems =
    error instanceof AppError ? (error.details['problems'] as readonly Problem[] | undefined) : undefined;
  for (const problem of problems ?? []) logger.error({ code }, formatProblem(problem));
  logger.fatal({ code, err: error }, 'the daemon cannot run');
}

// Exits explicitly, because a connection that still waits for Redis must not keep a stopped daemon alive.
if (isEntry(process.argv[1], import.meta.filename)) process.exit(await runDaemon());
