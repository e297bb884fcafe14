// One (account, Region): its client, its limiter, and their readings for others. Shards share nothing, so the throughput of several is the
// sum of theirs.

import { randomBytes } from 'node:crypto';
import type { IvsClientConfig } from '@aws-sdk/client-ivs';
import type { AwsClock } from '#runtime/aws-clock.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Service } from '#runtime/lifecycle.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import type { Redis } from '#runtime/redis.ts';
import { createIvsClient, type IvsClientPort } from './client.ts';
import { failAfterMs } from './gate.ts';
import { SlotLedger } from './ledger.ts';
import { Limiter } from './limiter.ts';
import { type LimitSettings, limitsFrom, operationNames } from './limits.ts';
import { type QuotaSnapshot, takeQuotaSnapshot } from './quota-snapshot.ts';

export interface IvsShardOptions {
  /** The account's name in the configuration; a label in logs and metrics. */
  readonly name: string;
  /** Twelve digits, if known. */
  readonly accountId?: string;
  readonly region: string;
  /** A connection with the role `limiter`; it belongs to the caller. */
  readonly redis: Redis;
  /** Used by this account and Region alone, with a hash tag: see `keyPrefix` in runtime/redis.ts. */
  readonly keyPrefix: string;
  readonly limits?: LimitSettings;
  readonly endpoint?: string;
  readonly credentials?: NonNullable<IvsClientConfig['credentials']>;
  readonly onRedisDown: 'wait' | 'fail';
  readonly requestTimeoutMs: number;
  /**
   * How long an empty ledger grants nothing. Default: requestTimeoutMs + 1.5 s, after which every call of a replica that still runs has
   * ended. It may be shorter only if nobody else can be calling (in a test or a demo).
   */
  readonly emptyLedgerPatienceMs?: number;
  readonly maxWaitMs?: number;
  /** Ends every running call. */
  readonly until?: AbortSignal | undefined;
  /** Receives the date of every answer. */
  readonly awsClock?: AwsClock | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly random: () => number;
}

export interface IvsShard extends Service {
  readonly accountId: string | undefined;
  readonly region: string;
  readonly client: IvsClientPort;
  readonly limiter: Limiter;
  /** What `GET /v1/quota` shows of this shard; also sets the gauges. @throws AppError LIMITER_UNAVAILABLE if Redis is away */
  quotaSnapshot(): Promise<QuotaSnapshot>;
}

/** Builds a shard; nothing is connected or sent before `start` or the first call. */
export function createIvsShard(options: IvsShardOptions): IvsShard {
  const { name, accountId, region, redis, clock, metrics, requestTimeoutMs } = options;
  const logger = options.logger.child({ stage: 'ivs', shard: name });
  const limitOf = limitsFrom(options.limits ?? {});
  const ledger = new SlotLedger({
    redis,
    keyPrefix: options.keyPrefix,
    replica: randomBytes(4).toString('hex'),
    requestTimeoutMs,
    ...(options.emptyLedgerPatienceMs === undefined ? {} : { patienceMs: options.emptyLedgerPatienceMs }),
    ...(options.onRedisDown === 'fail' ? { answerWithinMs: failAfterMs } : {}),
    onFence: (waitMs) => {
      metrics.ivsLedgerFences.inc({ shard: name });
      logger.warn({ waitMs }, 'the ledger of call permits is new; no calls until every earlier one must be over');
    },
  });
  const limiter = new Limiter({
    shard: name,
    ledger,
    limitOf,
    clock,
    logger,
    metrics,
    random: options.random,
    onRedisDown: options.onRedisDown,
    ...(options.maxWaitMs === undefined ? {} : { maxWaitMs: options.maxWaitMs }),
  });
  const sdk = createIvsClient({
    shard: name,
    limiter,
    metrics,
    region,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    requestTimeoutMs,
    until: options.until,
    awsClock: options.awsClock,
    maxSockets: operationNames.reduce((sum, operation) => sum + limitOf(operation).perAccount, 0),
  });
  return {
    name: `ivs ${name}`,
    accountId,
    region,
    client: sdk.client,
    limiter,
    // Starts the waiting time of an empty ledger before the first call needs a permit. It is no failed start if Redis is away.
    start: () => limiter.start(),
    async stop() {
      await limiter.stop();
      sdk.destroy();
    },
    quotaSnapshot: () =>
      takeQuotaSnapshot({ shard: name, accountId, region, redis, ledger, limiter, limitOf, metrics }),
  };
}
