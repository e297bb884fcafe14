// What is remembered of a channel's stream key: which rotation runs or was the last one, and which key was delivered where and when.
// ARNs only; the value is never here. IVS gives keys no date, so a key's age is known from its rotation.
import { createHash } from 'node:crypto';
import type { ActionJob } from '#domain/action.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { jobIdOf } from '#jobs/job-id.ts';
import { raiseAlert } from './alerts.ts';
import { isLeased } from './lease.ts';

export const keyRecordOf = (channelArn: string) => kinds.key.of(channelArn);

/** The same for every run of a job, and for its repair. */
export function rotationIdOf(job: ActionJob<'rotate_stream_key'>): string {
  const parts = [job.channelArn, job.cause, job.decidedAtMs, job.params];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 24);
}

const repairAfterMs = 120_000;

/** Raises an alert for rotations that stand still, and enqueues their repair: call it every few seconds. */
export function sweepRotations(tx: Transaction): void {
  for (const [channelArn, record] of tx.entries(kinds.key)) {
    if (record.finishedAtMs !== undefined || !record.job || tx.nowMs - record.updatedAtMs < repairAfterMs) continue;
    if (isLeased(tx, channelArn)) continue;
    const jobId = jobIdOf('repair-rotation', record.rotationId, record.repairs);
    if (!hasAlert(tx, channelArn))
      raiseAlert(tx, {
        kind: 'undelivered',
        channelArn,
        jobId,
        text: 'a key rotation was not finished; it is repaired',
      });
    tx.enqueue({ jobId, name: 'rotate_stream_key', payload: { ...record.job } });
    tx.set(keyRecordOf(channelArn), { ...record, updatedAtMs: tx.nowMs, repairs: record.repairs + 1 });
  }
}

export interface KeyAge {
  readonly channelArn: string;
  /** Epoch ms of the last finished rotation. */
  readonly rotatedAtMs: number;
  readonly deliveredTo: string;
}

/** When each channel's key was made, as far as the daemon made it; the oldest first. */
export function keyAges(view: StateView): KeyAge[] {
  const ages: KeyAge[] = [];
  for (const [channelArn, { finishedAtMs, startedAtMs, sink }] of view.entries(kinds.key))
    if (finishedAtMs !== undefined) ages.push({ channelArn, rotatedAtMs: startedAtMs, deliveredTo: sink });
  return ages.toSorted((a, b) => a.rotatedAtMs - b.rotatedAtMs);
}

function hasAlert(tx: Transaction, channelArn: string): boolean {
  return (
    tx.get(kinds.alert.of('keyless', channelArn)) !== undefined ||
    tx.get(kinds.alert.of('undelivered', channelArn)) !== undefined
  );
}
