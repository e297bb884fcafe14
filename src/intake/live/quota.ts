// The quota as the page shows it, out of the limiters' readings; and an hour of PutMetadata, from how many permits were granted.
import type { QuotaReading } from '#intake/http/routes/quota.ts';
import type { LaneLine, QuotaStatus } from './status.ts';

const bucketMs = 15_000;
const buckets = 240;
const metadata = 'PutMetadata';

/** Reads all shards' quotas; remembers an hour. One for each process. */
export class QuotaWatch {
  readonly #quotas: readonly (() => Promise<QuotaReading>)[];
  readonly #throttles: () => number;
  readonly #history: [atMs: number, perSecond: number][] = [];
  #last: { atMs: number; granted: number } | undefined;

  constructor({ quotas, throttles }: { quotas: readonly (() => Promise<QuotaReading>)[]; throttles: () => number }) {
    this.#quotas = quotas;
    this.#throttles = throttles;
  }

  /** The quota of now. Call it at least every 15 s, so that the hour has no holes. */
  async read(nowMs: number): Promise<QuotaStatus> {
    const readings = await Promise.all(this.#quotas.map((read) => read()));
    this.#remember(readings, nowMs);
    const metadataLimit = sum(readings, (reading) => operationOf(reading, metadata)?.perAccount ?? 0);
    return {
      operations: readings.flatMap((reading) =>
        reading.operations.map(({ operation, perAccount, inUse }) => ({
          shard: reading.shard,
          operation,
          limit: perAccount,
          used: inUse,
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
      throttles: this.#throttles(),
      history: [...this.#history],
    };
  }

  #remember(readings: readonly QuotaReading[], nowMs: number): void {
    const granted = sum(readings, (reading) => operationOf(reading, metadata)?.granted ?? 0);
    const last = this.#last;
    if (last && nowMs - last.atMs < bucketMs) return;
    this.#last = { atMs: nowMs, granted };
    // A ledger that began anew counts from zero.
    if (!last || granted < last.granted) return;
    this.#history.push([nowMs, Math.round((granted - last.granted) / ((nowMs - last.atMs) / 1000))]);
    if (this.#history.length > buckets) this.#history.shift();
  }
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
