// What became of the metadata that a put_metadata job handed over: part of its job, its decision, its rule's counters and the audit.

import type { Delivery, ItemTally } from '#domain/decision.ts';
import type { BatchJob } from '#domain/job.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { audit } from '#journal/audit.ts';
import { recordJobResult } from '#journal/record.ts';

/** A batch, as far as its items' ends go. */
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

/** What became of a batch's items so far, with the reasons of those that reached nobody. */
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

/** How a job stands whose items have ended. One of whose items nothing reached anybody is not done. */
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

/** Writes down how a job's batch ended. */
export function recordDelivery(tx: Transaction, batch: BatchEnd, origin: BatchJob): Delivery {
  const delivery = deliveryOf(batch);
  const { jobId, rule, decisionId = '', channelArn } = origin;
  const outcome = outcomeOfDelivery(delivery);
  recordJobResult(tx, { jobId, decisionId, atMs: tx.nowMs, outcome, detail: deliveryText(delivery), delivery });
  if (rule !== undefined) {
    const before = tx.get(kinds.items.of(rule)) ?? {};
    const { pending: _none, ...ends } = batch.counts;
    const after = Object.entries(ends).map(([end, n]) => [end, (before[end as keyof ItemTally] ?? 0) + n]);
    tx.set(kinds.items.of(rule), Object.fromEntries(after));
  }
  if (undelivered.some((end) => delivery[end] > 0))
    audit(tx, {
      who: batch.who,
      what: 'put_metadata',
      outcome: delivery.failed > 0 ? 'failed' : 'not_delivered',
      why: decisionId,
      jobId,
      channelArn,
      reason: deliveryText(delivery),
      ...(decisionId === '' ? {} : { decisionId }),
    });
  return delivery;
}
