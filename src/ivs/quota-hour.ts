// An hour of quota, kept in the shared state whether or not anybody reads it: a small sample of each account every ten seconds, by
// whichever replica comes first. So every replica shows the same hour, even right after its start. The current limits are in quota.ts.
import type { QuotaSample } from '#domain/log-entries.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { logs } from '#domain/state-registry.ts';
import { type Clock, sleepOrAbort } from '#runtime/clock.ts';
import type { Service } from '#runtime/lifecycle.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import type { QuotaSnapshot } from './quota-snapshot.ts';

const sampleMs = 10_000;
const hourMs = 3_600_000;
/** A longer hole between two samples is shown as a hole, because nothing is known about it. */
const longestStepMs = 3.5 * sampleMs;
/** An hour of samples (360), and as many notes of throttled calls, which are rare. */
const keptEntries = 720;

/** The last hour over all accounts. */
export interface QuotaHour {
  /** End of the last step, epoch ms. */
  readonly endMs: number;
  readonly stepMs: number;
  /** PutMetadata calls per second in each step, oldest first; null if unknown. */
  readonly perSecond: readonly (number | null)[];
  /** Throttled calls, over all replicas. */
  readonly throttled: number;
}

export interface QuotaSamplerOptions {
  /** The account's name. */
  readonly shard: string;
  readonly state: SharedState;
  /** Reads the account's ledger, which also keeps the gauges of the quota up to date. Rejects while Redis is away. */
  readonly quota: () => Promise<Pick<QuotaSnapshot, 'operations'>>;
  readonly metrics: Pick<Metrics, 'ivsThrottles'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Takes the samples of one account while the process runs. */
export class QuotaSampler implements Service {
  readonly name = 'quota-sampler';
  readonly #options: QuotaSamplerOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #throttlesNoted = 0;

  constructor(options: QuotaSamplerOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, logger } = this.#options;
    const { signal } = this.#stopping;
    for (let failed = false; !signal.aborted; ) {
      try {
        await this.sample();
        failed = false;
      } catch (error) {
        if (!failed && !signal.aborted) logger.warn({ err: error }, 'the use of the quota cannot be recorded');
        failed = true;
      }
      await sleepOrAbort(clock, sampleMs, signal);
    }
  }

  /** Writes one sample unless another replica has done so for this step. @throws AppError while Redis is away */
  async sample(): Promise<void> {
    const { shard, state, quota, metrics } = this.#options;
    const [{ operations }, { values }] = await Promise.all([quota(), metrics.ivsThrottles.get()]);
    const calls = operations.find(({ operation }) => operation === 'PutMetadata')?.calls ?? 0;
    // Of this replica, since its start.
    const throttles = values.reduce((sum, { labels, value }) => sum + (labels['shard'] === shard ? value : 0), 0);
    const throttled = throttles - this.#throttlesNoted;
    const dedupId = `${logs.quotaHour}:${Math.floor(state.nowMs() / sampleMs)}`;
    await state.transact(
      (tx) => {
        const sampled = tx.isRepeat(dedupId);
        if (sampled && throttled === 0) return;
        const entry: QuotaSample = {
          shard,
          atMs: tx.nowMs,
          ...(sampled ? {} : { calls }),
          ...(throttled > 0 ? { throttled } : {}),
        };
        tx.append(logs.quotaHour, entry, keptEntries);
      },
      { dedupIds: [dedupId], dedupTtlMs: 6 * sampleMs },
    );
    this.#throttlesNoted = throttles;
  }
}

/** Reads the hour of all accounts that share this state. @throws AppError while Redis is away */
export async function readQuotaHour(state: SharedState, accounts: number): Promise<QuotaHour> {
  const rows = await state.readLog(logs.quotaHour, { limit: keptEntries * accounts });
  return quotaHour(
    rows.map(({ entry }) => entry),
    state.nowMs(),
  );
}

/** Rates from samples in any order. A step without a sample belongs to the next one; a long hole stays a hole. */
export function quotaHour(samples: readonly QuotaSample[], nowMs: number): QuotaHour {
  const endMs = Math.floor(nowMs / sampleMs) * sampleMs;
  const steps = hourMs / sampleMs;
  const perSecond: (number | null)[] = Array.from({ length: steps }, () => null);
  const recent = samples.filter(({ atMs }) => atMs > endMs - hourMs).toSorted((a, b) => a.atMs - b.atMs);
  const last = new Map<string, { readonly atMs: number; readonly calls: number }>();
  for (const { shard, atMs, calls } of recent) {
    if (calls === undefined) continue;
    const before = last.get(shard);
    last.set(shard, { atMs, calls });
    if (!before || atMs - before.atMs > longestStepMs || atMs <= before.atMs) continue;
    // A ledger that began again counts from zero.
    const more = calls >= before.calls ? calls - before.calls : calls;
    const rate = more / ((atMs - before.atMs) / 1000);
    const stepOf = (ms: number) => steps - 1 - Math.floor((endMs - ms) / sampleMs);
    for (let step = Math.max(0, stepOf(before.atMs) + 1); step <= Math.min(steps - 1, stepOf(atMs)); step += 1)
      perSecond[step] = (perSecond[step] ?? 0) + rate;
  }
  return {
    endMs,
    stepMs: sampleMs,
    perSecond: perSecond.map((rate) => (rate === null ? null : Math.round(rate * 10) / 10)),
    throttled: recent.reduce((sum, { throttled = 0 }) => sum + throttled, 0),
  };
}
