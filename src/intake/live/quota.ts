// The quota as the page shows it, out of the limiters' readings. What was used of it in the last hour is in quota-hour.ts.
import type { QuotaReading } from '#intake/http/routes/quota.ts';
import type { LaneLine, QuotaStatus } from './status.ts';

const metadata = 'PutMetadata';

/** The quota of now, over all accounts. */
export function quotaStatus(readings: readonly QuotaReading[]): QuotaStatus {
  const metadataLimit = sum(readings, (reading) => operationOf(reading, metadata)?.perAccount ?? 0);
  return {
    operations: readings.flatMap((reading) =>
      reading.operations.map(({ operation, perAccount, inUse, outOfService }) => ({
        shard: reading.shard,
        operation,
        limit: perAccount,
        used: inUse,
        withheld: outOfService,
        waiting: reading.waiting
          .filter((line) => line.operation === operation)
          .reduce((total, { calls }) => total + calls, 0),
      })),
    ),
    hottest: readings
      .flatMap((reading) => hottestOf(reading))
      .toSorted((a, b) => b.used - a.used)
      .slice(0, 5),
    lanes: lanesOf(readings, metadataLimit),
  };
}

function operationOf(reading: QuotaReading, name: string): QuotaReading['operations'][number] | undefined {
  return reading.operations.find(({ operation }) => operation === name);
}

function hottestOf(reading: QuotaReading): { arn: string; used: number; limit: number }[] {
  const operation = operationOf(reading, metadata);
  if (operation?.perChannel === undefined) return [];
  const prefix = `arn:aws:ivs:${reading.region}:${reading.accountId ?? ''}:channel/`;
  return operation.hottest.map(({ channelId, inUse }) => ({
    arn: prefix + channelId,
    used: inUse,
    limit: operation.perChannel ?? 0,
  }));
}

function lanesOf(readings: readonly QuotaReading[], metadataLimit: number): LaneLine[] {
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

function sum(readings: readonly QuotaReading[], value: (reading: QuotaReading) => number): number {
  return readings.reduce((total, reading) => total + value(reading), 0);
}
