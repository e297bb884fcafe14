// The quota as an operator sees it: what all replicas use, which calls wait here, what is out of service.
import { AppError, messageOf } from '#domain/errors.ts';
import type { Metrics } from '#runtime/metrics.ts';
import type { Redis } from '#runtime/redis.ts';
import type { SlotLedger } from './ledger.ts';
import type { Limiter } from './limiter.ts';
import { type CallLimit, type OperationName, operationNames } from './limits.ts';

export interface OperationQuota {
  readonly operation: OperationName;
  readonly perAccount: number;
  readonly perChannel: number | undefined;
  /** Permits in use: calls in flight, or answered within the last second, over all replicas. */
  readonly inUse: number;
  /** Slots of the account withheld after throttling. */
  readonly outOfService: number;
  /** Calls that could be sent at once. */
  readonly headroom: number;
  /** Permits granted since the ledger began; some came back unused. */
  readonly granted: number;
  /** Calls sent since the ledger began that have ended. */
  readonly calls: number;
  /** Throttled calls since the ledger began, and how long ago the last one was. */
  readonly throttles: number;
  readonly sinceThrottleMs: number | undefined;
  /** Channels with slots of their own withheld after throttling. */
  readonly slowedChannels: number;
  /** The ten that have been slowed down for longest. */
  readonly slowed: readonly { readonly channelId: string; readonly forMs: number }[];
  /** The channels with most permits in use, at most ten. */
  readonly hottest: readonly { readonly channelId: string; readonly inUse: number }[];
}

export interface QuotaSnapshot {
  readonly shard: string;
  readonly accountId: string | undefined;
  readonly region: string;
  readonly at: string;
  /** Only operations that were used since the ledger began. Over all replicas. */
  readonly operations: readonly OperationQuota[];
  /** Of this replica. */
  readonly waiting: readonly WaitingCalls[];
  /** Milliseconds since any replica was last throttled. */
  readonly sinceThrottleMs: number | undefined;
  /** Above 0: the ledger is new and nothing is granted for this long. */
  readonly fenceMs: number;
}

type WaitingCalls = ReturnType<Limiter['waiting']>[number];

export interface QuotaSnapshotSources {
  readonly shard: string;
  readonly accountId: string | undefined;
  readonly region: string;
  readonly redis: Redis;
  readonly ledger: SlotLedger;
  readonly limiter: Limiter;
  readonly limitOf: (operation: OperationName) => CallLimit;
  readonly metrics: Metrics;
}

/**
 * Reads the ledger, counts, and sets the gauges.
 * @throws AppError LIMITER_UNAVAILABLE if Redis does not answer; its details, and the gauges, still say which calls wait
 */
export async function takeQuotaSnapshot(sources: QuotaSnapshotSources): Promise<QuotaSnapshot> {
  const { shard, accountId, region, limiter, limitOf, metrics } = sources;
  const waiting = waitingCalls(sources);
  await limiter.probe();
  const { nowUs, state, slots, slowed } = await readLedger(sources).catch((error: unknown) => {
    const message = `the ledger of permits cannot be read (${messageOf(error)}): check Redis`;
    throw new AppError('LIMITER_UNAVAILABLE', message, { cause: error, details: { shard, waiting } });
  });
  const number = (field: string) => Number(state[field] ?? 0);
  const sinceMs = (us: number) => (us === 0 ? undefined : Math.max(0, Math.round((nowUs - us) / 1000)));
  const operations = operationNames.flatMap((operation, i) => {
    const members = slots[i] ?? [];
    const outOfService = members.filter((member) => member.startsWith('~')).length;
    const inUse = members.length - outOfService;
    const slow = slowed[i] ?? [];
    metrics.ivsSlotsInUse.set({ shard, operation }, inUse);
    metrics.ivsSlotsOutOfService.set({ shard, operation }, outOfService);
    const { perAccount, perChannel } = limitOf(operation);
    if (perChannel !== undefined) metrics.ivsSlowedChannels.set({ shard, operation }, slow.length);
    const granted = number(`${operation}:granted`);
    if (granted === 0 && members.length === 0) return [];
    const quota: OperationQuota = {
      operation,
      perAccount,
      perChannel,
      inUse,
      outOfService,
      headroom: Math.max(0, perAccount - members.length),
      granted,
      calls: number(`${operation}:calls`),
      throttles: number(`${operation}:throttles`),
      sinceThrottleMs: sinceMs(number(`${operation}:throttled`)),
      slowedChannels: slow.length,
      slowed: slow
        .map(({ channelId, untilUs }) => ({ channelId, forMs: Math.ceil((untilUs - nowUs) / 1000) }))
        .slice(0, 10),
      hottest: hottest(members),
    };
    return [quota];
  });
  return {
    shard,
    accountId,
    region,
    at: new Date(Math.floor(nowUs / 1000)).toISOString(),
    operations,
    waiting,
    sinceThrottleMs: sinceMs(Math.max(0, ...operationNames.map((operation) => number(`${operation}:throttled`)))),
    fenceMs: Math.max(0, Math.ceil((number('fence') - nowUs) / 1000)),
  };
}

/** Who waits here; sets the gauges too, including those that are back at zero. */
function waitingCalls({ shard, limiter, metrics }: QuotaSnapshotSources): WaitingCalls[] {
  const lines = limiter.waiting();
  for (const { operation, lane, calls, oldestMs } of lines) {
    metrics.ivsCallsWaiting.set({ shard, operation, lane }, calls);
    metrics.ivsOldestWaitSeconds.set({ shard, operation, lane }, oldestMs / 1000);
  }
  return lines.filter(({ calls }) => calls > 0);
}

interface LedgerContent {
  /** Redis's own clock. */
  readonly nowUs: number;
  readonly state: Readonly<Record<string, string>>;
  /** Members by operation, in the order of `operationNames`. */
  readonly slots: readonly (readonly string[])[];
  /** Also by operation, the longest first. */
  readonly slowed: readonly (readonly { readonly channelId: string; readonly untilUs: number }[])[];
}

async function readLedger({ redis, ledger }: QuotaSnapshotSources): Promise<LedgerContent> {
  const [seconds, microseconds] = await redis.time();
  const nowUs = Number(seconds) * 1_000_000 + Number(microseconds);
  const state = await redis.hgetall(ledger.stateKey);
  const epoch = state['epoch'] ?? '';
  const pipeline = redis.pipeline();
  for (const operation of operationNames)
    pipeline
      .zrangebyscore(ledger.slotsKey(operation, epoch), `(${nowUs}`, '+inf')
      .zrevrangebyscore(ledger.slowedKey(operation, epoch), '+inf', `(${nowUs}`, 'WITHSCORES');
  const answers = ((await pipeline.exec()) ?? []).map(([error, members]) => {
    if (error) throw error;
    return members as string[];
  });
  return {
    nowUs,
    state,
    slots: answers.filter((_, i) => i % 2 === 0),
    slowed: answers
      .filter((_, i) => i % 2 === 1)
      .map((pairs) =>
        pairs.flatMap((channelId, i) => (i % 2 === 0 ? [{ channelId, untilUs: Number(pairs[i + 1]) }] : [])),
      ),
  };
}

/** A permit's name ends with its channel, so the busiest channels can be found without a second index. */
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
