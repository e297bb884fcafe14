// Brings what became of metadata back to the jobs that it came from: batches that ended wait in a list until some worker has written
// them down. A repeat changes nothing.
import { messageOf } from '#domain/errors.ts';
import type { SharedState } from '#domain/shared-state.ts';
import type { Outbox } from '#metadata/outbox.ts';
import { type Clock } from '#runtime/clock.ts';
import { loggedEpisode } from '#runtime/episode.ts';
import type { Logger } from '#runtime/logger.ts';
import { Loop } from '#runtime/loop.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { recordDelivery } from '#workers/delivery-result.ts';

export interface DeliveryResultsOptions {
  readonly outbox: Pick<Outbox, 'ended' | 'forgetEnded' | 'progress'>;
  readonly state: SharedState;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly random: () => number;
}

const atOnce = 50;
const everyMs = 500;

/** The loop that writes them down. */
export function deliveryResults(options: DeliveryResultsOptions): Loop {
  const { clock, logger, random } = options;
  return new Loop({
    name: 'delivery-results',
    run: () => writeEnded(options),
    everyMs,
    retry: { baseMs: everyMs, maxMs: 5_000 },
    episode: loggedEpisode({
      clock,
      logger,
      began: 'what became of metadata cannot be written down; trying again',
      ended: 'what became of metadata is written down again',
    }),
    clock,
    random,
  });
}

async function writeEnded({ outbox, state, metrics, logger }: DeliveryResultsOptions): Promise<void> {
  for (;;) {
    const ids = await outbox.ended(atOnce);
    for (const id of ids) {
      const batch = await outbox.progress(id);
      const { job } = batch ?? {};
      if (!batch || !job) continue;
      const claim = `delivery:${id}`;
      const isNew = await state.transact(
        (tx) => {
          if (tx.isRepeat(claim)) return false;
          recordDelivery(tx, batch, job);
          return true;
        },
        { dedupIds: [claim], withinMs: 20 },
      );
      if (!isNew || job.rule === undefined) continue;
      for (const [outcome, n] of Object.entries(batch.counts))
        if (n > 0) metrics.ruleItems.inc({ rule: job.rule, outcome }, n);
    }
    await outbox
      .forgetEnded(ids)
      .catch((error: unknown) => logger.debug({ reason: messageOf(error) }, 'read again later'));
    if (ids.length < atOnce) return;
  }
}
