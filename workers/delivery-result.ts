// What became of the metadata that a put_metadata job handed over: recorded in its job, its decision, its rule's counters and the audit.

import type { Delivery, ItemTally } from '#domain/decision.ts';
import type { BatchJob } from '#domain/job.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { audit, auditMany } from '#journal/audit.ts';
import { recordJobResult, recordJobResults } from '#journal/record.ts';

/** A batch, with the outcomes of its items so far. */
export interface BatchEnd {
  readonly batchId: string;
  readonly who: string;
  readonly counts: Omit<Delivery, 'batchId' | 'reason' | 'finishedAtMs'>;
  /** Why items failed or were cancelled, by code. */
  readonly failures: Readonly<Record<string, number>>;
  readonly finishedAtMs: number | undefined;
}

const undelivered = ['failed', 'expired', 'notBroadcasting', 'cancelled'] as const;
const plainWords = { expired: 'expired', notBroadcasting: 'not_broadcasting', cancelled: 'cancelled' } as const;

/** What became of a batch's items so far, with the reasons why items reached nobody. */
export function deliveryOf({ batchId, counts, failures, finishedAtMs }: BatchEnd): Delivery {
  const named = Object.entries(failures).toSorted(([, a], [, b]) => b - a);
  const plain = Object.entries(plainWords).flatMap(([end, word]) =>
    counts[end as keyof typeof plainWords] > 0 ? [word] : [],
  );
  const reasons = [...named.map(([code]) => code), ...plain];
  const { pending, delivered, conflated, expired, notBroadcasting, failed, cancelled } = counts;
  return {
    batchId,
    pending,
    delivered,
    conflated,
    expired,
    notBroadcasting,
    failed,
    cancelled,
    ...(reasons.length === 0 ? {} : { reason: [...new Set(reasons)].join(', ') }),
    ...(finishedAtMs === undefined ? {} : { finishedAtMs }),
  };
}

/** The state of a job whose items have ended. A job whose items all reached nobody is not done. */
export function outcomeOfDelivery(delivery: Delivery): 'done' | 'failed' | 'skipped' {
  if (delivery.delivered + delivery.conflated > 0) return 'done';
  return delivery.failed > 0 ? 'failed' : 'skipped';
}

/** `delivered 3, failed 1: IVS_ACCESS_DENIED`. */
export function deliveryText(delivery: Delivery): string {
  const ends = ['pending', 'delivered', 'conflated', ...undelivered] as const;
  const counted = ends.flatMap((end) => (delivery[end] > 0 ? [`${plainNames[end] ?? end} ${delivery[end]}`] : []));
  return `${counted.join(', ') || 'delivered 0'}${delivery.reason === undefined ? '' : `: ${delivery.reason}`}`;
}

const plainNames: Readonly<Record<string, string>> = { notBroadcasting: 'not broadcasting' };

/** Records how a job's batch ended. */
export function recordDelivery(tx: Transaction, batch: BatchEnd, origin: BatchJob): Delivery {
  const delivery = deliveryOf(batch);
  const { jobId, rule, decisionId = '', channelArn } = origin;
  const outcome = outcomeOfDelivery(delivery);
  recordJobResult(tx, { jobId, decisionId, atMs: tx.nowMs, outcome, detail: deliveryText(delivery), delivery });
  if (rule !== undefined) tallyItems(tx, rule, batch.counts);
  if (undelivered.some((end) => delivery[end] > 0))
    audit(tx, {
      who: batch.who,
      what: 'put_metadata',
      outcome: delivery.failed > 0 ? 'failed' : delivery.delivered > 0 ? 'delivered_in_part' : 'not_delivered',
      why: decisionId,
      jobId,
      channelArn,
      reason: deliveryText(delivery),
      ...(decisionId === '' ? {} : { decisionId }),
    });
  return delivery;
}

/** How one part of a fan-out's batch ended. */
export interface PartEnded {
  /** Its name: `<batch>.<channel id>`. */
  readonly part: string;
  readonly channelArn: string;
  readonly place: number;
  readonly decisionId: string;
  readonly outcome: Exclude<keyof BatchEnd['counts'], 'pending'>;
  readonly reason: string | undefined;
}

/** Records how the parts of a fan-out's batch ended: equal outcomes are one entry. */
export function recordDeliveries(
  tx: Transaction,
  batch: BatchEnd,
  { fanoutId, rule, parts }: { readonly fanoutId: string; readonly rule: string; readonly parts: readonly PartEnded[] },
): void {
  for (const like of Map.groupBy(parts, ({ outcome, reason = '' }) => `${outcome} ${reason}`).values()) {
    const { outcome, reason } = like[0]!;
    const counts = {
      pending: 0,
      delivered: 0,
      conflated: 0,
      expired: 0,
      notBroadcasting: 0,
      failed: 0,
      cancelled: 0,
      [outcome]: 1,
    };
    const failures = reason === undefined ? {} : { [reason]: 1 };
    const { batchId: _whole, ...delivery } = deliveryOf({ ...batch, counts, failures });
    const text = deliveryText({ batchId: '', ...delivery });
    recordJobResults(tx, {
      fanoutId,
      members: like.map(({ place, decisionId, part }) => [place, decisionId, part] as const),
      atMs: tx.nowMs,
      outcome: outcomeOfDelivery({ batchId: '', ...delivery }),
      detail: text,
      delivery,
    });
    if (!undelivered.some((end) => end === outcome)) continue;
    auditMany(
      tx,
      {
        who: batch.who,
        what: 'put_metadata',
        outcome: outcome === 'failed' ? 'failed' : 'not_delivered',
        reason: text,
      },
      { fanoutId, members: like.map(({ place, decisionId, channelArn }) => [place, decisionId, channelArn] as const) },
    );
  }
  tallyItems(tx, rule, batch.counts);
}

function tallyItems(tx: Transaction, rule: string, { pending: _none, ...ends }: BatchEnd['counts']): void {
  const before = tx.get(kinds.items.of(rule)) ?? {};
  const after = Object.entries(ends).map(([end, n]) => [end, (before[end as keyof ItemTally] ?? 0) + n]);
  tx.set(kinds.items.of(rule), Object.fromEntries(after));
}
