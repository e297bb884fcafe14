// Exports a shard's fleet as metrics, every few seconds: counting ten thousand streams takes about a millisecond.
import type { DataSource } from '#domain/observation.ts';
import type { StateView } from '#domain/shared-state.ts';
import type { Clock } from '#runtime/clock.ts';
import { loggedEpisode } from '#runtime/episode.ts';
import type { Logger } from '#runtime/logger.ts';
import { Loop } from '#runtime/loop.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { disagreementsOf, unheardSessions } from '#streams/disagreements.ts';
import { fleetCounts } from '#streams/fleet.ts';
import type { PollIntervals } from './intervals.ts';

export interface FleetGaugesOptions {
  readonly shard: string;
  readonly view: StateView;
  /** The intervals in force. */
  readonly intervals: () => PollIntervals;
  /** Whether a source gives no data. */
  readonly isSilent: (source: DataSource) => boolean;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly everyMs?: number;
}

/** The loop that exports them. */
export function fleetGauges(options: FleetGaugesOptions): Loop {
  const { shard, clock, logger, random, everyMs = 5_000 } = options;
  return new Loop({
    name: 'fleet-gauges',
    run: () => show(options),
    everyMs,
    retry: { baseMs: everyMs, maxMs: everyMs },
    episode: loggedEpisode({
      clock,
      logger: logger.child({ shard }),
      level: 'error',
      began: 'the fleet cannot be shown as metrics; trying again',
      ended: 'the fleet is shown as metrics again',
    }),
    clock,
    random,
  });
}

function show({ shard, view, metrics, intervals, isSilent }: FleetGaugesOptions): void {
  const { healthy, starving, unknown, created, channels, lastFullPollMs, lastStarvingPollMs } = fleetCounts(view);
  for (const [health, count] of Object.entries({ healthy, starving, unknown, not_live: created }))
    metrics.streams.set({ shard, health }, count);
  metrics.channels.set({ shard }, channels);
  const { starvingMs, fullMs } = intervals();
  metrics.pollIntervalSeconds.set({ shard, scope: 'starving' }, starvingMs / 1000);
  metrics.pollIntervalSeconds.set({ shard, scope: 'all' }, fullMs / 1000);
  // All replicas know the end of the last complete sweep, whichever replica made it.
  const sweeps = { all: lastFullPollMs, starving: lastStarvingPollMs };
  for (const [scope, ms] of Object.entries(sweeps))
    if (ms !== undefined) metrics.lastPollTimestamp.set({ shard, scope }, ms / 1000);
  for (const source of ['poll', 'events'] as const) metrics.dataGap.set({ shard, source }, isSilent(source) ? 1 : 0);
  metrics.unheardSessions.set({ shard }, unheardSessions(view));
  for (const [fact, count] of Object.entries(disagreementsOf(view))) metrics.disagreements.set({ shard, fact }, count);
}
