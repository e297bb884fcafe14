// The quota as an operator sees it: what is used of it over all replicas, who waits here, what is out of service.
import { AppError, messageOf } from '#domain/errors.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Metrics } from '#runtime/metrics.ts';
import type { Redis } from '#runtime/redis.ts';
import type { SlotLedger } from './ledger.ts';
import type { Limiter } from './limiter.ts';
import { type CallLimit, type OperationName, operationNames } from './limits.ts';
import { type Lane, lanes } from './waiting-line.ts';

export interface OperationQuota {
  readonly operation: OperationName;
  readonly perAccount: number;
  readonly perChannel: number | undefined;
  /** Permits in use: calls in flight, or answered within the last second, over all replicas. */
  readonly inUse: number;
  /** Slots withheld after throttling. */
  readonly outOfService: number;
  /** Calls that could be sent at once. */
  readonly headroom: number;
  /** Permits ever granted since the ledger began. */
  readonly granted: number;
  /** The channels with most permits in use, at most ten. */
  readonly hottest: readonly { readonly channelId: string; readonly inUse: number }[];
}

export interface QuotaSnapshot {
  readonly shard: string;
  readonly accountId: string | undefined;
  readonly region: string;
  readonly at: string;
  /** Only operations that were used lately. */
  readonly operations: readonly OperationQuota[];
  /** Of this replica. */
  readonly waiting: readonly { operation: OperationName; lane: Lane; calls: number; oldestMs: number }[];
  /** Milliseconds since this replica was last throttled. */
  readonly sinceThrottleMs: number | undefined;
  /** Above 0: the ledger is new and nothing is granted for so long. */
  readonly fenceMs: number;
}

export interface QuotaSnapshotSources {
  readonly shard: string;
  readonly accountId: string | undefined;
  readonly region: string;
  readonly redis: Redis;
  readonly ledger: SlotLedger;
  readonly limiter: Limiter;
  readonly limitOf: (operation: OperationName) => CallLimit;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

/** Reads the ledger, counts, and sets the gauges. @throws AppError LIMITER_UNAVAILABLE when Redis does not answer. */
export async function takeQuotaSnapshot(sources: QuotaSnapshotSources): Promise<QuotaSnapshot> {
  const { shard, accountId, region, redis, ledger, limiter, limitOf, metrics, clock } = sources;
  let state: Record<string, string>;
  let nowUs: number;
  let members: [Error | null, unknown][];
  try {
    const [seconds, microseconds] = await redis.time();
    nowUs = Number(seconds) * 1_000_000 + Number(microseconds);
    state = await redis.hgetall(ledger.stateKey);
    const epoch = state['epoch'] ?? '';
    const pipeline = redis.pipeline();
    for (const operation of operationNames)
      pipeline.zrangebyscore(ledger.slotsKey(operation, epoch), `(${nowUs}`, '+inf');
    members = (await pipeline.exec()) ?? [];
  } catch (error) {
    throw new AppError(
      'LIMITER_UNAVAILABLE',
      `the ledger of permits cannot be read (${messageOf(error)}): check Redis`,
      {
        cause: error,
      },
    );
  }
  const operations = operationNames.flatMap((operation, i) => {
    const slots = (members[i]?.[1] as string[] | null) ?? [];
    const granted = Number(state[`${operation}:granted`] ?? 0);
    metrics.ivsSlotsInUse.set({ shard, operation }, 0);
    metrics.ivsSlotsOutOfService.set({ shard, operation }, 0);
    if (granted === 0 && slots.length === 0) return [];
    const outOfService = slots.filter((member) => member.startsWith('~')).length;
    const inUse = slots.length - outOfService;
    metrics.ivsSlotsInUse.set({ shard, operation }, inUse);
    metrics.ivsSlotsOutOfService.set({ shard, operation }, outOfService);
    const { perAccount, perChannel } = limitOf(operation);
    const headroom = Math.max(0, perAccount - slots.length);
    return [{ operation, perAccount, perChannel, inUse, outOfService, headroom, granted, hottest: hottest(slots) }];
  });
  const waiting = limiter.waiting();
  for (const { operation } of operations)
    for (const lane of lanes) metrics.ivsCallsWaiting.set({ shard, operation, lane }, 0);
  for (const { operation, lane, calls } of waiting) metrics.ivsCallsWaiting.set({ shard, operation, lane }, calls);
  return {
    shard,
    accountId,
    region,
    at: new Date(clock.now()).toISOString(),
    operations,
    waiting,
    sinceThrottleMs: limiter.sinceThrottleMs(),
    fenceMs: Math.max(0, Math.ceil((Number(state['fence'] ?? 0) - nowUs) / 1000)),
  };
}

/** A permit's name ends with its channel: no second index is needed to find the hottest. */
function hottest(members: readonly string[]): OperationQuota['hottest'] {
  const counts = new Map<string, number>();
  for (const member of members) {
    const channelId = member.split('/')[1];
    if (channelId !== undefined) counts.set(channelId, (counts.get(channelId) ?? 0) + 1);
  }
  return [...counts]
    .map(([channelId, inUse]) => ({ channelId, inUse }))
    .sort((a, b) => b.inUse - a.inUse || (a.channelId < b.channelId ? -1 : 1))
    .slice(0, 10);
}
