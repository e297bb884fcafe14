// Work that nothing triggers: intents of channels that are offline already, stuck rotations, running bulk actions, old leases, and the
// gauges. Every replica runs it; one replica's commit shows the others that nothing is left to do.
import { intentKinds } from '#domain/action-memory.ts';
import { dropOldAdBreaks } from '#domain/ad-break-line.ts';
import type { SharedState, StateView, Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import type { FlushPorts } from '#notify/groups.ts';
import { type Clock, sleepOrAbort } from '#runtime/clock.ts';
import type { Service } from '#runtime/lifecycle.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { dropOldAlerts } from './alerts.ts';
import { bulkPending, feedBulks } from './bulk.ts';
import { flushGroups } from './groups.ts';
import { mayBeReleased, sweepIntents } from './intents.ts';
import { keyAges, sweepRotations } from './key-record.ts';
import { dropOldLeases } from './lease.ts';
import { dropOldProgress } from './receivers.ts';
import { dropOldRetirements } from './retire-recording-configuration.ts';

export interface UpkeepOptions {
  /** Label of its gauges. */
  readonly shard: string;
  readonly state: SharedState;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Signals that committed jobs wait for the relay. */
  readonly nudge: () => void;
  readonly groups: FlushPorts;
  readonly intervalMs?: number;
}

/** One round, within a transaction. */
export function upkeep(tx: Transaction): void {
  sweepIntents(tx);
  sweepRotations(tx);
  feedBulks(tx);
  dropOldLeases(tx);
  dropOldRetirements(tx);
  dropOldAlerts(tx);
  dropOldAdBreaks(tx);
  dropOldProgress(tx);
  for (const [path, { untilMs }] of tx.entries(kinds.delivered))
    if (untilMs !== undefined && untilMs < tx.nowMs) tx.delete(kinds.delivered.of(path));
}

/** Whether a round may find something to do now or soon, so that virtual time runs no useless rounds. */
export function needsUpkeep(view: StateView): boolean {
  const intents = [...view.entries(kinds.intent)];
  const records = [...view.entries(kinds.key)];
  return (
    view.count(kinds.bulkItem) > 0 ||
    intents.some(([, intent]) => mayBeReleased(view, intent)) ||
    records.some(([, { finishedAtMs, job }]) => finishedAtMs === undefined && job !== undefined)
  );
}

export class ActionUpkeep implements Service {
  readonly name = 'action-upkeep';
  readonly #options: Required<UpkeepOptions>;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  /** When it last walked over all keys, by the monotonic clock. */
  #keysMeasuredAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: UpkeepOptions) {
    this.#options = { intervalMs: 1_000, ...options };
  }

  async start(): Promise<void> {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async runOnce(): Promise<void> {
    const { state, nudge, groups } = this.#options;
    await state.transact((tx) => {
      upkeep(tx);
      flushGroups(tx, groups);
    });
    if (state.view.count(kinds.job) > 0) nudge();
    this.#measure();
  }

  async #run(): Promise<void> {
    const { clock, logger, intervalMs } = this.#options;
    const { signal } = this.#stopping;
    for (let failing = false; !signal.aborted; await sleepOrAbort(clock, intervalMs, signal)) {
      try {
        await this.runOnce();
        failing = false;
      } catch (error) {
        if (!failing) logger.warn({ err: error }, 'the upkeep of actions could not run; it tries again');
        failing = true;
      }
    }
  }

  #measure(): void {
    const { state, metrics, shard, clock } = this.#options;
    const { view } = state;
    const intents = [...view.entries(kinds.intent)].map(([, intent]) => intent.kind);
    for (const kind of intentKinds)
      metrics.intents.set({ shard, action: kind }, intents.filter((each) => each === kind).length);
    metrics.bulkPending.set({ shard }, bulkPending(view));
    if (clock.monotonic() - this.#keysMeasuredAtMs < keysEveryMs) return;
    this.#keysMeasuredAtMs = clock.monotonic();
    const nowMs = state.nowMs();
    const agesMs = keyAges(view).map(({ sinceMs }) => nowMs - sinceMs);
    for (const [age, fromMs, toMs] of ageClasses)
      metrics.streamKeys.set({ shard, age }, agesMs.filter((ms) => ms >= fromMs && ms < toMs).length);
    metrics.streamKeyAgeMax.set({ shard }, Math.max(0, ...agesMs) / 1000);
  }
}

/** Ages are shown in days, and a fleet has thousands of keys. */
const keysEveryMs = 60_000;
const day = 86_400_000;
const ageClasses = [
  ['under_7d', 0, 7 * day],
  ['7d_to_30d', 7 * day, 30 * day],
  ['30d_to_90d', 30 * day, 90 * day],
  ['over_90d', 90 * day, Infinity],
] as const;
