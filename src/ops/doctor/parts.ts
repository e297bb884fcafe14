// Combines the checks that need connections, account by account, and closes the connections at the end.

import { detailTypesOf } from '#config/detail-types.ts';
import type { Config } from '#config/load.ts';
import { durationMs } from '#domain/duration.ts';
import { errorCatalog } from '#domain/error-catalog.ts';
import { AppError } from '#domain/errors.ts';
import { isLoopbackHost } from '#domain/network.ts';
import { queueOf } from '#domain/queue-url.ts';
import type { LimitSettings } from '#ivs/limits.ts';
import { createIvsShard, type IvsShard } from '#ivs/shard.ts';
import { systemClock } from '#runtime/clock.ts';
import { createLogger, type Logger, Scrubber } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { connectRedis, keyPrefix, type Redis, triedOnce } from '#runtime/redis.ts';
import type { RedisAccess } from '#runtime/redis-access.ts';
import { RedisClock } from '#runtime/redis-clock.ts';
import { accessFromEnvironment } from '#runtime/redis-environment.ts';
import { redisOfFile } from '#runtime/redis-servers.ts';
import { actionUses } from '../config-uses.ts';
import { type EventPathClients, eventPathClients } from '../event-path-aws.ts';
import { operationsFor } from '../permissions.ts';
import { type AccountsFound, accountCheck } from './account.ts';
import { type Check, red, skipped } from './check.ts';
import { deliveryChecks, deliveryPlaces } from './delivery.ts';
import type { DoctorAccount } from './doctor-account.ts';
import { type EventPathOptions, eventPathChecks } from './event-path.ts';
import { permissionCheck } from './permissions.ts';
import { redisChecks } from './redis.ts';

export { daemonChecks } from './daemon.ts';

export interface DoctorOptions {
  readonly config: Config;
  /** Empty: AWS is not checked. */
  readonly accounts: readonly DoctorAccount[];
  readonly limits: LimitSettings;
  /** Undefined: none is configured. An error: why it cannot be used. */
  readonly redis: { readonly url: string; readonly access: RedisAccess } | AppError | undefined;
  readonly namespace: string;
  /** Says where calls to AWS go, as it does to the SDK. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Limit for a server that accepts the connection but does not answer. */
const connectWithinMs = 3_000;

/** `nowMs` returns the time as the daemons see it, once the clock was checked. */
export function doctorParts(options: DoctorOptions): { checks: Check[]; nowMs(): number } & Disposable {
  const { config, accounts, env } = options;
  const logger = createLogger({ level: 'silent', scrubber: new Scrubber() });
  const closing: (() => void)[] = [];
  const checks: Check[] = [];
  const clock = new RedisClock();

  // One for each account: in a cluster their keys may be on different nodes, and some accounts have their own Redis.
  const connections = connectionsTo(options, logger, checks);
  const redis = connections.find(({ ofFile }) => ofFile === undefined)?.redis;
  const shards = new Map(
    accounts.flatMap((account) => {
      const own = connections.find(({ account: name }) => name === account.name)?.redis;
      return own ? [[account.name, { redis: own, shard: shardOf(options, account, own) }] as const] : [];
    }),
  );
  if (connections.length > 0) {
    const all = connections.map((connection) => connection.redis);
    closing.push(() => {
      for (const connection of all) connection.disconnect();
    });
    checks.push({
      name: 'Redis',
      // Connects first, so that the later checks succeed or fail at once. A new limiter also grants nothing for a while, and that time
      // passes meanwhile.
      run: async (signal) => {
        for (const connection of all) connection.connect().catch(() => undefined);
        await Promise.race([Promise.all(all.map(triedOnce)), systemClock.sleep(connectWithinMs, signal)]);
        const ready = Array.from(shards.values()).filter((each) => each.redis.status === 'ready');
        await Promise.all(ready.map(({ shard }) => shard.start()));
        return [];
      },
    });
    if (redis)
      checks.push(...redisChecks(redis, `${keyPrefix(options.namespace, connections[0]!.account)}:doctor`, clock));
    for (const { redis: own, account, ofFile } of connections)
      if (ofFile !== undefined)
        checks.push(
          ...redisChecks(own, `${keyPrefix(options.namespace, account)}:doctor`, new RedisClock(), ofFile).map(
            (check) => ({
              ...check,
              account,
            }),
          ),
        );
  }
  const found: AccountsFound = new Map();
  const newer = detailTypesOf(config.ruleset);
  const places = deliveryPlaces(actionUses(config.ruleset));
  for (const account of accounts) {
    const clients = eventPathClients(account);
    closing.push(() => clients[Symbol.dispose]());
    const setting =
      config.settings.accounts === undefined ? 'AUTOPILOT_QUEUE_URL' : `queue_url of the account ${account.name}`;
    const ofAccount = [
      accountCheck(account, found),
      ...queueChecks(account, clients, closing, { setting, newer, isLocal: (service) => isLocal(env, service) }),
      ...deliveryChecks(account, places),
      permissionsOf(config, account, shards.get(account.name), found),
    ];
    checks.push(...ofAccount.map((check) => ({ ...check, account: account.name })));
  }
  return {
    checks,
    nowMs: () => clock.nowMs(),
    [Symbol.dispose]() {
      for (const close of closing) close();
    },
  };
}

/** Whether calls to this service go to this machine. */
function isLocal(env: DoctorOptions['env'], service: string): boolean {
  const url = URL.parse(env[`AWS_ENDPOINT_URL_${service}`] || env['AWS_ENDPOINT_URL'] || '');
  return url !== null && isLoopbackHost(url.hostname.replace(/^\[(.*)\]$/, '$1'));
}

/** For a queue that several accounts share, only the account that reads it checks it, like in the daemon. */
function queueChecks(
  account: DoctorAccount,
  clients: EventPathClients,
  closing: (() => void)[],
  asked: Pick<EventPathOptions, 'setting' | 'newer' | 'isLocal'>,
): Check[] {
  const { queue_url: queueUrl, region, sharedQueue } = account;
  if (!sharedQueue) return eventPathChecks({ clients, queueUrl, region, ...asked });
  if (!sharedQueue.isReader)
    return [
      { name: 'Event queue', run: async () => skipped(`its events come by a queue of several accounts: ${queueUrl}`) },
    ];
  let own = { clients, region };
  if (!sharedQueue.isOwner) {
    const ofQueue = queueOf(queueUrl!)?.region ?? region;
    const itself = eventPathClients({ region: ofQueue });
    closing.push(() => itself[Symbol.dispose]());
    own = { clients: itself, region: ofQueue };
  }
  // The rule that fills it is on its own bus, to which other accounts forward.
  return eventPathChecks({ ...own, queueUrl, ...asked }).filter(({ name }) => name !== 'Event rule');
}

/** The address of Redis and how to connect; or why it cannot be used. */
export async function doctorRedis(
  env: Readonly<Record<string, string | undefined>>,
  url: string,
): Promise<NonNullable<DoctorOptions['redis']>> {
  const logger = createLogger({ level: 'silent', scrubber: new Scrubber() });
  try {
    return { url, access: await accessFromEnvironment({ env, url, logger, onSecret: () => undefined }) };
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

interface AccountConnection {
  readonly account: string;
  readonly redis: Redis;
  /** The setting with its address; undefined: REDIS_URL. */
  readonly ofFile: string | undefined;
}

/** An unusable address is one red line, and everything that needs no Redis is still checked. */
function connectionsTo(
  { config, redis, accounts, namespace }: DoctorOptions,
  logger: Logger,
  checks: Check[],
): readonly AccountConnection[] {
  const refused = ({ code, message }: AppError, account?: string) => {
    const check: Check = { name: 'Redis', run: async () => red(message, errorCatalog[code].remedy) };
    checks.push(account === undefined ? check : { ...check, account });
    return [];
  };
  const entries: readonly Pick<DoctorAccount, 'name' | 'redis_url_file'>[] =
    accounts.length === 0 ? [{ name: 'main' }] : accounts;
  if (redis instanceof AppError) refused(redis);
  return entries.flatMap(({ name, redis_url_file: path }): readonly AccountConnection[] => {
    const prefix = keyPrefix(namespace, name);
    const connect = (place: { readonly url: string; readonly access?: RedisAccess | undefined }, ofFile?: string) => [
      { account: name, redis: connectRedis({ ...place, prefix, role: 'limiter', logger }), ofFile },
    ];
    if (path === undefined) return redis === undefined || redis instanceof AppError ? [] : connect(redis);
    const index = config.settings.accounts?.findIndex((account) => account.name === name);
    const setting = `accounts[${index}].redis_url_file (${name})`;
    try {
      return connect(redisOfFile({ path, setting, logger, onSecret: () => undefined }), setting);
    } catch (error) {
      if (error instanceof AppError) return refused(error, name);
      throw error;
    }
  });
}

function shardOf({ config, limits, namespace }: DoctorOptions, account: DoctorAccount, redis: Redis): IvsShard {
  const { name, region, credentials } = account;
  return createIvsShard({
    name,
    region,
    redis,
    keyPrefix: keyPrefix(namespace, name),
    limits,
    ...(credentials === undefined ? {} : { credentials }),
    onRedisDown: 'fail',
    requestTimeoutMs: durationMs(config.settings.limits.request_timeout),
    clock: systemClock,
    logger: createLogger({ level: 'silent', scrubber: new Scrubber() }),
    metrics: createMetrics(),
    random: Math.random,
  });
}

/** Checked through the limiter that the daemon shares, so that the checks exceed no quota. */
function permissionsOf(
  { ruleset }: Config,
  { name, region }: DoctorAccount,
  limited: { readonly redis: Redis; readonly shard: IvsShard } | undefined,
  found: AccountsFound,
): Check {
  return {
    name: 'Permission',
    async run(signal) {
      if (limited?.redis.status !== 'ready')
        return skipped('not checked: every call goes through the limiter, which needs Redis');
      const { shard } = limited;
      try {
        const known = found.get(name);
        if (known === undefined) return skipped('not checked: the account is unknown');
        const operations = operationsFor(actionUses(ruleset));
        const asked = permissionCheck({ client: shard.client, operations, region, account: known.id });
        return await asked.run(signal);
      } finally {
        await shard.stop();
      }
    },
  };
}
