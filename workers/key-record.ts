// What is remembered of a channel's stream key: the running or last rotation, and which key was delivered where and when. ARNs only; the
// value is never here. IVS does not date keys, so a key's age is known from its rotation.
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

/** Raises an alert for stuck rotations, and enqueues their repair: call it every few seconds. */
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
  /** Epoch ms; the key is at least as old as this. */
  readonly sinceMs: number;
  /** A rotation made it then. */
  readonly made: boolean;
  /** For a key that was rotated here. */
  readonly deliveredTo?: string;
}

/** How old each channel's key is: by its rotation, otherwise by the first audit that found it. The oldest first. */
export function keyAges(view: StateView): KeyAge[] {
  const ages = new Map<string, KeyAge>();
  for (const [channelArn, { sinceMs, made }] of view.entries(kinds.streamKey))
    ages.set(channelArn, { channelArn, sinceMs, made });
  for (const [channelArn, { finishedAtMs, startedAtMs, deliveredKeyArn, sink }] of view.entries(kinds.key)) {
    const found = view.get(kinds.streamKey.of(channelArn));
    // A later audit found another key: somebody else made that one.
    const isReplaced = found !== undefined && found.sinceMs > (finishedAtMs ?? 0) && found.keyArn !== deliveredKeyArn;
    if (finishedAtMs !== undefined && !isReplaced)
      ages.set(channelArn, { channelArn, sinceMs: startedAtMs, made: true, deliveredTo: sink });
  }
  return [...ages.values()].toSorted((a, b) => a.sinceMs - b.sinceMs);
}

function hasAlert(tx: Transaction, channelArn: string): boolean {
  return (
    tx.get(kinds.alert.of('keyless', channelArn)) !== undefined ||
    tx.get(kinds.alert.of('undelivered', channelArn)) !== undefined
  );
}
