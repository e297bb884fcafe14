// Exports the alerts as a metric, every two seconds: the same list that the page and `GET /v1/alerts` show.
import type { Clock } from '#runtime/clock.ts';
import { loggedEpisode } from '#runtime/episode.ts';
import type { Logger } from '#runtime/logger.ts';
import { Loop } from '#runtime/loop.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { type Alert, alertKinds } from './alert.ts';
import type { AlertSources } from './alert-sources.ts';
import { openAlerts } from './alerts.ts';

export interface AlertGaugesOptions extends AlertSources {
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
}

/** The loop that updates the gauges. */
export function alertGauges(options: AlertGaugesOptions): Loop {
  const { clock, logger, random } = options;
  const everyMs = 2_000;
  return new Loop({
    name: 'alert-gauges',
    run: () => showAlerts(options),
    everyMs,
    retry: { baseMs: everyMs, maxMs: everyMs },
    episode: loggedEpisode({
      clock,
      logger,
      level: 'error',
      began: 'alerts cannot be shown as a metric; trying again',
      ended: 'alerts are shown as a metric again',
    }),
    clock,
    random,
  });
}

/** How alerts of rules in dry run are counted, whatever their kind: nothing was held back, so nobody is paged. */
const dryRunKind = 'dry_run';

/** Sets the gauges once. Every kind is present, also at 0; alerts about all accounts count in the first. */
export function showAlerts({
  shards,
  carried,
  outages,
  config,
  metrics,
}: Pick<AlertGaugesOptions, 'shards' | 'carried' | 'outages' | 'config' | 'metrics'>): void {
  const good = () => ({ loadedAtMs: 0 });
  for (const [index, shard] of shards.entries()) {
    const open = openAlerts({ shards: [shard], config: index === 0 ? config : good });
    const counted = Map.groupBy<string, Alert>(open, ({ kind, dryRun }) => (dryRun ? dryRunKind : kind));
    for (const kind of [...Object.keys(alertKinds), dryRunKind])
      metrics.alerts.set({ shard: shard.name, kind }, counted.get(kind)?.length ?? 0);
  }
  for (const { accounts } of outages?.() ?? [])
    for (const shard of accounts) metrics.alerts.set({ shard, kind: 'redis' }, 1);
  // Includes the accounts that this process does not carry.
  for (const { account, missing } of carried?.() ?? [])
    metrics.alerts.set({ shard: account, kind: 'not_carried' }, missing.length > 0 ? 1 : 0);
}
