// What a shard does about a loss of its state: the rules' part, a log line and a metric.
import type { SharedState } from '#domain/shared-state.ts';
import type { LossKeeper } from '#domain/state-loss.ts';
import { controlsChangedMs, lacksControls, repairState, sentence, tellLostBatches } from '#rules/state-loss.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';

/** What else of the shard a loss affects; left out: only the state. */
export interface LossWitness {
  readonly state: Pick<SharedState, 'transact'>;
  /** Batches of metadata that were accepted here and are lost. */
  readonly lostBatches: () => Promise<readonly string[]>;
}

/** For the store of one shard; the metric begins at 0. */
export function lossKeeper({
  shard,
  logger,
  metrics,
  witness,
}: {
  readonly shard: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly witness?: () => LossWitness;
}): LossKeeper {
  metrics.stateLosses.inc({ shard }, 0);
  /** After the commit that repaired the state: the outbox is examined as it is now. */
  const tellBatches = async ({ state, lostBatches }: LossWitness) => {
    const batchIds = await lostBatches();
    if (batchIds.length === 0) return;
    logger.error(
      { code: 'STATE_LOST', batches: batchIds.length },
      'batches of metadata that had been accepted are gone',
    );
    await state.transact((tx) => tellLostBatches(tx, batchIds));
  };
  return {
    lacks: lacksControls,
    controlsAtMs: controlsChangedMs,
    repair: repairState,
    onRepaired(loss, repair) {
      metrics.stateLosses.inc({ shard });
      const { kind, lostMs, lostCommits, hasCopy } = loss;
      logger.error({ code: 'STATE_LOST', kind, lostMs, lostCommits, hasCopy, ...repair }, sentence(loss, repair));
      if (hasCopy && witness)
        void tellBatches(witness()).catch((err: unknown) =>
          logger.warn({ err }, 'it is not known whether batches of metadata are gone'),
        );
    },
  };
}
