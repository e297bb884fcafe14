// What a shard does about a loss of its state: the rules' part, a log line and a metric.
import type { LossKeeper } from '#domain/state-loss.ts';
import { controlsChangedMs, lacksControls, repairState, sentence } from '#rules/state-loss.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';

/** For the store of one shard; the metric begins at 0. */
export function lossKeeper({
  shard,
  logger,
  metrics,
}: {
  readonly shard: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
}): LossKeeper {
  metrics.stateLosses.inc({ shard }, 0);
  return {
    lacks: lacksControls,
    controlsAtMs: controlsChangedMs,
    repair: repairState,
    onRepaired(loss, { restored, paused }) {
      metrics.stateLosses.inc({ shard });
      const { kind, lostMs, hasCopy } = loss;
      const found = { code: 'STATE_LOST', kind, lostMs, hasCopy, restored, paused };
      logger.error(found, sentence(loss, restored, paused));
    },
  };
}
