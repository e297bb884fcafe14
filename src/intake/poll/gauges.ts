// Shows a shard's fleet as metrics: call it when they are read.
import type { StateView } from '#domain/shared-state.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { disagreementsOf } from '#streams/disagreements.ts';
import { fleetCounts } from '#streams/fleet.ts';
import { gapOf } from '#streams/gaps.ts';
import type { PollIntervals } from './intervals.ts';

export interface FleetGaugesOptions {
  readonly shard: string;
  readonly view: StateView;
  readonly metrics: Metrics;
  /** The intervals in force. */
  readonly intervals: PollIntervals;
}

/** Sets the gauges to what the local copy of the state says. */
export function showFleet({ shard, view, metrics, intervals }: FleetGaugesOptions): void {
  const { healthy, starving, unknown, created, channels, lastFullPollMs, lastStarvingPollMs } = fleetCounts(view);
  for (const [health, count] of Object.entries({ healthy, starving, unknown, not_live: created }))
    metrics.streams.set({ shard, health }, count);
  metrics.channels.set({ shard }, channels);
  metrics.pollIntervalSeconds.set({ shard, scope: 'starving' }, intervals.starvingMs / 1000);
  metrics.pollIntervalSeconds.set({ shard, scope: 'all' }, intervals.fullMs / 1000);
  // Whichever replica polled: the age of the last complete pass is known to all of them.
  if (lastFullPollMs !== undefined) metrics.lastPollTimestamp.set({ scope: 'all' }, lastFullPollMs / 1000);
  if (lastStarvingPollMs !== undefined) metrics.lastPollTimestamp.set({ scope: 'starving' }, lastStarvingPollMs / 1000);
  for (const source of ['poll', 'events'] as const) metrics.dataGap.set({ shard, source }, gapOf(view, source) ? 1 : 0);
  for (const [fact, count] of Object.entries(disagreementsOf(view))) metrics.disagreements.set({ shard, fact }, count);
}
