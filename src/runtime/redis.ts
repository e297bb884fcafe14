// Connections to Redis by role, and the names of keys.
import { AppError } from '#domain/errors.ts';
import type { Logger } from './logger.ts';
import type { RedisAccess } from './redis-access.ts';
import { Connection, type ConnectionOptions, type Redis, type RedisRole } from './redis-connection.ts';
import { RedisSite } from './redis-site.ts';
import { redisFailure, troubleText } from './redis-trouble.ts';
import { parseRedisUrl, type RedisAddress } from './redis-url.ts';
import { RedisWatch } from './redis-watch.ts';

export type { Redis, RedisRole } from './redis-connection.ts';

const optionsByRole: Record<RedisRole, ConnectionOptions> = {
  queue: { maxRetriesPerRequest: 0, enableOfflineQueue: false, autoResendUnfulfilledCommands: false },
  worker: { maxRetriesPerRequest: null },
  limiter: { maxRetriesPerRequest: 0, enableOfflineQueue: false, autoResendUnfulfilledCommands: false },
  store: { maxRetriesPerRequest: 0, enableOfflineQueue: false, autoResendUnfulfilledCommands: false },
};

/** Where the server is, and for which keys: in a cluster they determine the node. */
export interface RedisPlace {
  readonly url: string;
  /** `keyPrefix` of those keys; left out: any. */
  readonly prefix?: string;
  /** Credentials and certificates; default: those in the address. */
  readonly access?: RedisAccess | undefined;
}

export interface ConnectOptions extends RedisPlace {
  readonly role: RedisRole;
  readonly logger: Logger;
  /** Connections to one server report their trouble together; default: this one alone. */
  readonly watch?: RedisWatch;
  /** Connections for the same keys locate them together; default: this one alone. */
  readonly site?: RedisSite;
  /** How long a command may go unanswered before the connection counts as broken. Default 5 s. */
  readonly patienceMs?: () => number;
}

/**
 * A connection that reconnects by itself, with pauses that grow after each failure of any kind. It is ready only in the database
 * that the address names: if that cannot be selected, no command is ever sent.
 * @throws AppError REDIS_URL_INVALID
 */
export function connectRedis({
  role,
  logger,
  watch = new RedisWatch({ logger }),
  patienceMs = () => 5_000,
  ...place
}: ConnectOptions): Redis {
  const site = place.site ?? redisSite({ ...place, logger });
  const connection = new Connection(
    { ...optionsOf(site.address), ...optionsByRole[role], connectionName: `autopilot-${role}` },
    { site, role, watch, patienceMs },
  );
  return connection.begun();
}

/** What connections for the same keys share. @throws AppError REDIS_URL_INVALID */
export function redisSite({
  url,
  prefix = '{autopilot}',
  access,
  logger,
}: RedisPlace & { readonly logger: Logger }): RedisSite {
  return new RedisSite({ address: parseRedisUrl(url), prefix, access, logger });
}

/** The connector knows host and credentials; these values are only for messages. */
function optionsOf({ nodes: [{ host, port }], database, tls }: RedisAddress): ConnectionOptions {
  return {
    host,
    port,
    db: database,
    ...(tls ? { tls: {} } : {}),
  };
}

/** The error of a call over this connection, including what Redis said. */
export function failureOf(redis: Redis, what: string, cause: unknown): AppError {
  return redisFailure(what, cause, redis instanceof Connection ? redis.trouble : undefined);
}

/** Refusals that end by themselves, or when somebody frees memory or ends a script: a start waits for them. */
const passing = /^(?:LOADING|BUSY|MASTERDOWN|READONLY|OOM|MISCONF|NOREPLICAS|TRYAGAIN|ERR max number of clients)/;

/**
 * Tries an address once. Resolves if the server can be used, and also if it is away, which may be temporary.
 * @throws AppError REDIS_URL_INVALID, REDIS_UNUSABLE: a person must change something
 */
export async function assertRedisUsable({
  withinMs = 3_000,
  setting = 'REDIS_URL',
  logger,
  ...place
}: RedisPlace & {
  readonly logger: Logger;
  readonly withinMs?: number;
  /** What names it, for messages. */
  readonly setting?: string;
}): Promise<void> {
  const silent = logger.child({}, { level: 'silent' });
  const watch = new RedisWatch({ logger: silent });
  const redis = connectRedis({ ...place, role: 'store', logger: silent, watch });
  try {
    redis.connect().catch(() => undefined);
    await inTime(triedOnce(redis), withinMs);
    if (redis.status !== 'ready') throw new Error('not ready');
  } catch {
    const trouble = watch.trouble;
    if (trouble?.kind === 'refuses' && !passing.test(trouble.said))
      throw new AppError('REDIS_UNUSABLE', `${setting} cannot be used: ${troubleText(trouble)}`);
  } finally {
    redis.disconnect();
  }
}

/** Resolves when a connection is ready, or has failed for the first time; moving to another node is neither. */
export function triedOnce(redis: Redis): Promise<void> {
  const isFollowing = () => redis instanceof Connection && redis.isFollowing;
  if (redis.status === 'ready' || (redis.status === 'reconnecting' && !isFollowing())) return Promise.resolve();
  return new Promise((done) => {
    const end = () => {
      redis.off('ready', end);
      redis.off('close', onClose);
      done();
    };
    const onClose = () => {
      if (!isFollowing()) end();
    };
    redis.on('ready', end);
    redis.on('close', onClose);
  });
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
  // A server that hangs would never close its side.
  redis.stream?.destroy();
}

/** Every key of one deployment and shard starts with this; the braces keep them in one slot of a Redis Cluster. */
export function keyPrefix(namespace: string, shard: string): string {
  return `{${namespace}:${shard}}`;
}
