// The quota as the page shows it, from the limiters' readings. Its use in the last hour is in quota-hour.ts.
import type { QuotaSnapshot } from '#ivs/quota-snapshot.ts';
import type { LaneLine, QuotaStatus } from './status.ts';

const metadata = 'PutMetadata';

/** The ARNs of an account's known channels by their ids. */
export type ArnsOf = (shard: string, channelIds: readonly string[]) => ReadonlyMap<string, string>;

/** The current quota, over all accounts. */
export function quotaStatus(readings: readonly QuotaSnapshot[], arns: ArnsOf): QuotaStatus {
  const metadataLimit = sum(readings, (reading) => operationOf(reading, metadata)?.perAccount ?? 0);
  return {
    operations: readings.flatMap((reading) =>
      reading.operations.map(({ operation, perAccount, inUse, outOfService, slowedChannels }) => ({
        shard: reading.shard,
        operation,
        limit: perAccount,
        used: inUse,
        withheld: outOfService,
        slowedChannels,
        waiting: reading.waiting
          .filter((line) => line.operation === operation)
          .reduce((total, { calls }) => total + calls, 0),
      })),
    ),
    hottest: readings
      .flatMap((reading) => hottestOf(reading, arns))
      .toSorted((a, b) => b.used - a.used)
      .slice(0, 5),
    lanes: lanesOf(readings, metadataLimit),
  };
}

function operationOf(reading: QuotaSnapshot, name: string): QuotaSnapshot['operations'][number] | undefined {
  return reading.operations.find(({ operation }) => operation === name);
}

function hottestOf(reading: QuotaSnapshot, arns: ArnsOf): QuotaStatus['hottest'] {
  const operation = operationOf(reading, metadata);
  const limit = operation?.perChannel;
  if (limit === undefined) return [];
  const known = arns(
    reading.shard,
    operation!.hottest.map(({ channelId }) => channelId),
  );
  return operation!.hottest.map(({ channelId, inUse }) => ({
    channelId,
    arn: known.get(channelId),
    used: inUse,
    limit,
  }));
}

function lanesOf(readings: readonly QuotaSnapshot[], metadataLimit: number): LaneLine[] {
  return ['urgent', 'normal', 'bulk'].map((lane) => {
    const lines = readings.flatMap(({ waiting }) => waiting.filter((line) => line.lane === lane));
    const waiting = lines.reduce((total, { calls }) => total + calls, 0);
    if (waiting === 0) return { lane, waiting };
    return {
      lane,
      waiting,
      oldestMs: Math.max(...lines.map(({ oldestMs }) => oldestMs)),
      ...(metadataLimit > 0 ? { drainSeconds: Math.ceil(waiting / metadataLimit) } : {}),
    };
  });
}

function sum(readings: readonly QuotaSnapshot[], value: (reading: QuotaSnapshot) => number): number {
  return readings.reduce((total, reading) => total + value(reading), 0);
}
