// Connections to Redis by role, and the names of keys. The sole importer of ioredis' constructor.
import { createHash } from 'node:crypto';
import { Redis as Client, type Command, type RedisOptions } from 'ioredis';
import { AppError } from '#domain/errors.ts';
import { backoffMs } from './backoff.ts';
import type { Logger } from './logger.ts';
import { breakWhenSilent } from './redis-silence.ts';
import { type RedisTrouble, RedisWatch, redisFailure, troubleFrom, troubleText } from './redis-trouble.ts';
import { parseRedisUrl, type RedisAddress } from './redis-url.ts';

export type Redis = Client;

/**
 * - `queue`: producers (BullMQ Queue): fails fast while Redis is away.
 * - `worker`: BullMQ Worker and QueueEvents: blocks, waits for Redis for ever.
 * - `limiter`, `store`: scripts with an answer that somebody waits for: fails fast.
 */
export type RedisRole = 'queue' | 'worker' | 'limiter' | 'store';

type Options = Omit<RedisOptions, 'replyMapping'>;

const optionsByRole: Record<RedisRole, Options> = {
  queue: { maxRetriesPerRequest: 0, enableOfflineQueue: false, autoResendUnfulfilledCommands: false },
  worker: { maxRetriesPerRequest: null },
  limiter: { maxRetriesPerRequest: 0, enableOfflineQueue: false, autoResendUnfulfilledCommands: false },
  store: { maxRetriesPerRequest: 0, enableOfflineQueue: false, autoResendUnfulfilledCommands: false },
};

/** Between tries to connect: a server that is away is found again soon; one that refuses is asked seldom. */
const reconnect = { away: { baseMs: 100, maxMs: 2_000 }, refuses: { baseMs: 100, maxMs: 10_000 } };
/** Before a worker is told that its command was refused: it asks again at once. */
const refusedAgain = { baseMs: 100, maxMs: 2_000 };
/** A connection that was well for so long begins with short pauses again. */
const wellMs = 10_000;
/** How long a refused command counts that is not sent again. */
const refusedMs = 60_000;

export interface ConnectOptions {
  readonly url: string;
  readonly role: RedisRole;
  readonly logger: Logger;
  /** Connections to one server tell their troubles together; default: this one by itself. */
  readonly watch?: RedisWatch;
  /** How long a command may go unanswered before the connection counts as broken. Default 5 s. */
  readonly patienceMs?: () => number;
}

/**
 * A connection that reconnects by itself, with pauses that grow after every kind of failure. It is ready only in the database
 * that the address names: where that cannot be selected, no command is ever sent.
 * @throws AppError REDIS_URL_INVALID
 */
export function connectRedis({
  url,
  role,
  logger,
  watch = new RedisWatch({ logger }),
  patienceMs = () => 5_000,
}: ConnectOptions): Redis {
  const connection = new Connection(
    { ...optionsOf(parseRedisUrl(url)), ...optionsByRole[role], connectionName: `autopilot-${role}` },
    { role, watch, patienceMs },
  );
  return connection.begun();
}

function optionsOf({ host, port, username, password, database, tls }: RedisAddress): Options {
  return {
    host,
    port,
    db: database,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
  };
}

/** The error of a call over this connection, with what Redis said. */
export function failureOf(redis: Redis, what: string, cause: unknown): AppError {
  return redisFailure(what, cause, redis instanceof Connection ? redis.trouble : undefined);
}

interface Setup {
  readonly role: RedisRole;
  readonly watch: RedisWatch;
  readonly patienceMs: () => number;
}

/** Commands that a server may forbid without being of less use. */
const optional = new Set(['config', 'info', 'client']);

class Connection extends Client {
  readonly #setup: Setup;
  /** What was refused in the handshake under way. */
  #handshake: RedisTrouble | undefined;
  /** What was refused in the last handshake, until one succeeds. */
  #unusable: RedisTrouble | undefined;
  #away: RedisTrouble | undefined;
  /** Commands that were refused last time they were sent. */
  readonly #refused = new Map<string, { trouble: RedisTrouble; times: number; at: number }>();
  #forgetting: NodeJS.Timeout | undefined;
  #closes = 0;
  #readySince: number | undefined;
  /** Refusals that are delayed, so that whoever asks again at once does so with pauses. */
  readonly #delayed = new Map<NodeJS.Timeout, () => void>();

  constructor(options: Options, setup: Setup) {
    super({ ...options, lazyConnect: true, retryStrategy: () => this.#pauseMs(), reconnectOnError: isReadOnly });
    this.#setup = setup;
    // Where a connection decides whether what the server tells of itself will do; public only in the class of connectors.
    (this as unknown as { connector: { check(info: unknown): boolean } }).connector.check = (info) => this.#suits(info);
    // As a property: its type in the class refers to itself, and cannot be overridden.
    Object.defineProperty(this, 'duplicate', {
      value: (other?: Options) => this.#duplicate(other),
      configurable: true,
      writable: true,
    });
    breakWhenSilent(this, setup.patienceMs);
    this.on('connect', () => (this.#handshake = undefined));
    this.on('error', (error: Error) => this.#failed(error));
    this.on('ready', () => {
      this.#readySince = performance.now();
      this.#away = undefined;
      this.#unusable = undefined;
      this.#tell();
    });
    this.on('close', () => {
      const isOld = this.#readySince !== undefined && performance.now() - this.#readySince > wellMs;
      this.#closes = isOld && this.#refused.size === 0 ? 1 : this.#closes + 1;
      this.#readySince = undefined;
      if (this.#refused.size === 0) this.#away ??= closed;
      for (const [timer, release] of this.#delayed) {
        clearTimeout(timer);
        release();
      }
      this.#delayed.clear();
    });
    this.on('end', () => {
      clearTimeout(this.#forgetting);
      setup.watch.forget(this);
    });
  }

  /** What keeps it from working now. */
  get trouble(): RedisTrouble | undefined {
    const [refused] = this.#refused.values();
    return this.#unusable ?? this.#away ?? refused?.trouble ?? (this.status === 'connect' ? notReady : undefined);
  }

  /** BullMQ duplicates a worker's connection, and gives up for good on one whose own first `connect` call fails. */
  begun(): this {
    if (this.#setup.role === 'worker') this.connect().catch(() => undefined);
    return this;
  }

  #duplicate(other: Options = {}): Client {
    return new Connection({ ...this.options, ...other }, this.#setup).begun();
  }

  override sendCommand(command: Command, stream?: Parameters<Client['sendCommand']>[1]): unknown {
    const answer = super.sendCommand(command, stream);
    if (this.#refused.size > 0)
      command.promise.then(
        () => this.#accepted(nameOf(command)),
        () => undefined,
      );
    return answer;
  }

  /** Called for every refusal that is no part of the handshake. */
  override handleReconnection(error: Error, item: Parameters<Client['handleReconnection']>[1]): void {
    const times = this.#refuses(error, item.command as unknown as Command);
    const handOn = () => super.handleReconnection(error, item);
    if (this.#setup.role !== 'worker' || times < 2) return handOn();
    const timer = setTimeout(
      () => {
        this.#delayed.delete(timer);
        handOn();
      },
      backoffMs(refusedAgain, times - 2, Math.random),
    );
    this.#delayed.set(timer, handOn);
  }

  /** Returns how often in a row this command was refused. */
  #refuses(error: Error, command: Command): number {
    const name = nameOf(command);
    const times = (this.#refused.get(name)?.times ?? 0) + 1;
    const trouble = troubleFrom(error);
    // Scripts are sent in full when the server does not know them.
    const isNews = isOfServer(trouble) && (command.name !== 'evalsha' || trouble.code !== 'NOSCRIPT' || times > 2);
    if (optional.has(command.name)) return times;
    this.#refused.set(name, { trouble, times, at: performance.now() });
    this.#forgetting ??= setTimeout(() => this.#forget(), refusedMs).unref();
    if (isNews) this.#setup.watch.troubled(this, trouble, this.#setup.role);
    return times;
  }

  /** What nobody asks for any more is no trouble. */
  #forget(): void {
    this.#forgetting = undefined;
    const sinceAt = performance.now() - refusedMs;
    for (const [name, { at }] of this.#refused) if (at <= sinceAt) this.#refused.delete(name);
    if (this.#refused.size > 0) this.#forgetting = setTimeout(() => this.#forget(), refusedMs).unref();
    this.#tell();
  }

  #accepted(name: string): void {
    if (this.#refused.size === 0) return;
    this.#refused.delete(name);
    this.#tell();
  }

  #failed(error: Error): void {
    const trouble = troubleFrom(error);
    if (trouble.kind === 'refuses') this.#handshake = this.#unusable = trouble;
    else this.#away = trouble;
    this.#setup.watch.troubled(this, trouble, this.#setup.role);
  }

  #tell(): void {
    if (this.trouble === undefined) this.#setup.watch.well(this);
  }

  #suits(info: unknown): boolean {
    const misfit = this.#handshake ?? misfitOf(info);
    if (misfit === undefined) return true;
    this.#unusable = misfit;
    this.#setup.watch.troubled(this, misfit, this.#setup.role);
    return false;
  }

  #pauseMs(): number {
    const refuses = this.#unusable !== undefined || this.#refused.size > 0;
    return backoffMs(refuses ? reconnect.refuses : reconnect.away, this.#closes - 1, Math.random);
  }
}

const closed: RedisTrouble = { kind: 'away', code: 'CLOSED', said: 'the connection was closed' };

const notReady: RedisTrouble = {
  kind: 'away',
  code: 'CONNECTING',
  said: 'the connection stands, and the server is not ready (it may be loading its data)',
};

/** A script by its hash, any other command by its name. */
function nameOf({ name, args }: Command): string {
  if (name === 'evalsha') return `script ${String(args[0])}`;
  return name === 'eval' ? `script ${createHash('sha1').update(String(args[0])).digest('hex')}` : name;
}

/** After a failover the old primary is read-only: the address leads to the new one. */
function isReadOnly({ message }: Error): boolean {
  return /\bREADONLY\b/.test(message);
}

/** What keeps a server from doing its part; not what one command causes, nor that a failover ended a blocking one. */
function isOfServer({ code }: RedisTrouble): boolean {
  return !['BUSYGROUP', 'BUSYKEY', 'UNBLOCKED'].includes(code);
}

/** @param info what INFO tells, as ioredis reads it; empty where the user may not ask. */
function misfitOf(info: unknown): RedisTrouble | undefined {
  const { redis_mode: mode, cluster_enabled: isCluster } = (info ?? {}) as Record<string, string | undefined>;
  if (mode === 'sentinel')
    return {
      kind: 'refuses',
      code: 'SENTINEL',
      said: 'the server is a sentinel, which this version cannot use: give the address of the primary',
    };
  if (mode === 'cluster' || isCluster === '1')
    return {
      kind: 'refuses',
      code: 'CLUSTER',
      said: 'the server is a node of a cluster, which this version cannot use: give the address of a server without cluster mode',
    };
  return undefined;
}

/** Refusals that pass by themselves, or when somebody frees memory or ends a script: a start waits for them. */
const passing = /^(?:LOADING|BUSY|MASTERDOWN|READONLY|OOM|MISCONF|NOREPLICAS|TRYAGAIN|ERR max number of clients)/;

/**
 * Tries an address once. Resolves when the server can be used, and when it is away: that may pass.
 * @throws AppError REDIS_URL_INVALID, REDIS_UNUSABLE: a person must change something
 */
export async function assertRedisUsable({
  url,
  logger,
  withinMs = 3_000,
}: Pick<ConnectOptions, 'url' | 'logger'> & { readonly withinMs?: number }): Promise<void> {
  const watch = new RedisWatch({ logger: logger.child({}, { level: 'silent' }) });
  const redis = connectRedis({ url, role: 'store', logger, watch });
  try {
    await inTime(redis.connect(), withinMs);
  } catch {
    const trouble = watch.trouble;
    if (trouble?.kind === 'refuses' && !passing.test(trouble.said))
      throw new AppError('REDIS_UNUSABLE', `REDIS_URL cannot be used: ${troubleText(trouble)}`);
  } finally {
    redis.disconnect();
  }
}

/** @throws Error when it takes longer. */
async function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Ends a connection; never rejects, and never waits for a server that is away. */
export async function disconnectRedis(redis: Redis): Promise<void> {
  if (redis.status === 'ready')
    await Promise.race([redis.quit().catch(() => undefined), new Promise((done) => setTimeout(done, 500))]);
  redis.disconnect();
  // A server that hangs would never end its side.
  redis.stream?.destroy();
}

/** Every key of one deployment and shard starts with this; braces keep them in one slot of a Redis Cluster. */
export function keyPrefix(namespace: string, shard: string): string {
  return `{${namespace}:${shard}}`;
}
