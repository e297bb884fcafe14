// Writes the outcome of metadata back to the jobs that it came from. Batches that ended wait in a list until some worker has recorded them.
// Recording one twice changes nothing.
import { messageOf } from '#domain/errors.ts';
import type { BatchJob } from '#domain/job.ts';
import type { SharedState } from '#domain/shared-state.ts';
import type { Outbox } from '#metadata/outbox.ts';
import { partName } from '#metadata/parts.ts';
import type { StoredBatch } from '#metadata/stored-batch.ts';
import { type Clock } from '#runtime/clock.ts';
import { loggedEpisode } from '#runtime/episode.ts';
import type { Logger } from '#runtime/logger.ts';
import { Loop } from '#runtime/loop.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { type PartEnded, recordDeliveries, recordDelivery } from '#workers/delivery-result.ts';

export interface DeliveryResultsOptions {
  readonly outbox: Pick<Outbox, 'ended' | 'forgetEnded' | 'progress' | 'ends'>;
  readonly state: SharedState;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly random: () => number;
}

const atOnce = 50;
const everyMs = 500;

/** The loop that records them. */
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
      began: 'the outcome of metadata cannot be recorded; trying again',
      ended: 'the outcome of metadata is recorded again',
    }),
    clock,
    random,
  });
}

async function writeEnded({ outbox, state, metrics, logger }: DeliveryResultsOptions): Promise<void> {
  for (;;) {
    const ids = await outbox.ended(atOnce);
    const batches = (await Promise.all(ids.map((id) => readEnded(outbox, id)))).filter((batch) => batch !== undefined);
    // Transactions that wait together are one commit.
    const written = await Promise.all(batches.map(async (batch) => ({ batch, isNew: await write(state, batch) })));
    for (const { batch, isNew } of written) {
      const { rule } = batch.job;
      if (!isNew || rule === undefined) continue;
      for (const [outcome, n] of Object.entries(batch.end.counts))
        if (n > 0) metrics.ruleItems.inc({ rule, outcome }, n);
    }
    await outbox
      .forgetEnded(ids)
      .catch((error: unknown) => logger.debug({ reason: messageOf(error) }, 'read again later'));
    if (ids.length < atOnce) return;
  }
}

interface EndedBatch {
  readonly id: string;
  readonly end: StoredBatch;
  readonly job: BatchJob;
  readonly parts: readonly PartEnded[];
}

/** A batch that comes from a job, with the outcomes of its parts; undefined if it is no longer known. */
async function readEnded(outbox: DeliveryResultsOptions['outbox'], id: string): Promise<EndedBatch | undefined> {
  const end = await outbox.progress(id);
  const { job } = end ?? {};
  if (!end || !job) return undefined;
  if (!job.members) return { id, end, job, parts: [] };
  const ends = await outbox.ends(id);
  const parts = job.members.flatMap(([channelArn, place, decisionId]): PartEnded[] => {
    const channelId = channelArn.slice(channelArn.lastIndexOf('/') + 1);
    const { outcome, reason } = ends.get(channelId) ?? {};
    return outcome === undefined
      ? []
      : [{ part: partName(id, channelId), channelArn, place, decisionId, outcome, reason }];
  });
  return { id, end, job, parts };
}

/** Returns whether it was not recorded before. */
function write(state: SharedState, { id, end, job, parts }: EndedBatch): Promise<boolean> {
  const claim = `delivery:${id}`;
  return state.transact(
    (tx) => {
      if (tx.isRepeat(claim)) return false;
      if (job.members) recordDeliveries(tx, end, { fanoutId: job.jobId, rule: job.rule ?? '', parts });
      else recordDelivery(tx, end, job);
      return true;
    },
    { dedupIds: [claim], withinMs: 20 },
  );
}
