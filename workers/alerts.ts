// Conditions that need a person, as workers keep them in the shared state: a channel without a key, a key that nobody has received,
// jobs that were given up, metadata that IVS refuses for good.
import { createHash } from 'node:crypto';
import type { Transaction } from '#domain/shared-state.ts';

const keyAlertKinds = ['keyless', 'undelivered'] as const;
type KeyAlertKind = (typeof keyAlertKinds)[number];

/** At `alert/<kind>|<channelArn>` in the shared state; there until it is fixed. */
export interface KeyAlert {
  readonly kind: KeyAlertKind;
  readonly channelArn: string;
  readonly sinceMs: number;
  readonly updatedAtMs: number;
  /** What happened and what to do. */
  readonly text: string;
  readonly jobId: string;
}

/** At `alert/failed_job|<id>`: jobs of one action that were given up for one reason. A person's word ends it. */
export interface FailedJobAlert {
  readonly kind: 'failed_job';
  readonly action: string;
  readonly code: string;
  readonly who: string;
  readonly count: number;
  /** The newest first, at most 20. */
  readonly jobs: readonly { readonly jobId: string; readonly channelArn?: string | undefined }[];
  readonly sinceMs: number;
  readonly updatedAtMs: number;
  readonly text: string;
}

/** At `alert/delivery_failed|<code>`: IVS refuses metadata, and no retry mends it. A delivery to these channels ends it, or a person's word. */
export interface DeliveryFailedAlert {
  readonly kind: 'delivery_failed';
  readonly code: string;
  /** Channels; the first 20 are named. */
  readonly count: number;
  readonly channelArns: readonly string[];
  readonly sinceMs: number;
  readonly updatedAtMs: number;
  readonly text: string;
}

/** What a person's word ends. */
export const dismissible: ReadonlySet<string> = new Set(['failed_job', 'delivery_failed']);

/** Kept as long as the jobs that it names. */
const failedJobsKeptMs = 7 * 86_400_000;
/** A refusal that nothing was tried against for so long is no news. */
const refusalKeptMs = 86_400_000;
const acknowledgementsKeptMs = 31 * 86_400_000;
const mostNamed = 20;

const keyOf = (kind: KeyAlertKind, channelArn: string) => `alert/${kind}|${channelArn}`;

/** Raises an alert, or renews it; the channel's other key alert goes, since they exclude each other. */
export function raiseAlert(
  tx: Transaction,
  alert: { readonly kind: KeyAlertKind; readonly channelArn: string; readonly text: string; readonly jobId: string },
): void {
  const key = keyOf(alert.kind, alert.channelArn);
  const before = tx.get<KeyAlert>(key);
  tx.set(key, { ...alert, sinceMs: before?.sinceMs ?? tx.nowMs, updatedAtMs: tx.nowMs } satisfies KeyAlert);
  const other = keyOf(alert.kind === 'keyless' ? 'undelivered' : 'keyless', alert.channelArn);
  if (tx.get(other) !== undefined) tx.delete(other);
}

/** The channel has one key and it is delivered, or the channel is gone. */
export function clearAlerts(tx: Transaction, channelArn: string): void {
  for (const kind of keyAlertKinds)
    if (tx.get(keyOf(kind, channelArn)) !== undefined) tx.delete(keyOf(kind, channelArn));
}

/** A job was given up. Those of one action, reason and asker are one alert. */
export function noteFailedJob(
  tx: Transaction,
  failed: {
    readonly jobId: string;
    readonly action: string;
    readonly code: string;
    readonly message: string;
    readonly who: string;
    readonly channelArn: string | undefined;
  },
): void {
  const { jobId, action, code, message, who, channelArn } = failed;
  const key = `alert/failed_job|${createHash('sha256')
    .update(JSON.stringify([action, code, who]))
    .digest('hex')
    .slice(0, 16)}`;
  const before = tx.get<FailedJobAlert>(key);
  if (before?.jobs.some((job) => job.jobId === jobId)) return;
  const count = (before?.count ?? 0) + 1;
  const times = count === 1 ? 'was' : `was ${count} times`;
  tx.set(key, {
    kind: 'failed_job',
    action,
    code,
    who,
    count,
    jobs: [{ jobId, ...(channelArn === undefined ? {} : { channelArn }) }, ...(before?.jobs ?? [])].slice(0, mostNamed),
    sinceMs: before?.sinceMs ?? tx.nowMs,
    updatedAtMs: tx.nowMs,
    text: `${action}, asked for by ${who}, ${times} given up: ${code}: ${message}`,
  } satisfies FailedJobAlert);
}

/** Somebody has taken care of a failed job: it counts no more. */
export function forgetFailedJob(tx: Transaction, jobId: string): void {
  for (const [id, alert] of Array.from(tx.entries<FailedJobAlert>('alert'))) {
    if (alert.kind !== 'failed_job' || !alert.jobs.some((job) => job.jobId === jobId)) continue;
    const jobs = alert.jobs.filter((job) => job.jobId !== jobId);
    if (alert.count <= 1) tx.delete(`alert/${id}`);
    else tx.set(`alert/${id}`, { ...alert, jobs, count: alert.count - 1 } satisfies FailedJobAlert);
  }
}

/** IVS refused metadata for a channel for good. Returns whether that is news: nothing was refused with this code before. */
export function noteRefused(
  tx: Transaction,
  { code, channelArn, message }: { readonly code: string; readonly channelArn: string; readonly message: string },
): boolean {
  const key = refusalKey(code);
  const before = tx.get<DeliveryFailedAlert>(key);
  const isKnown = before?.channelArns.includes(channelArn) ?? false;
  const count = (before?.count ?? 0) + (isKnown ? 0 : 1);
  const channelArns =
    isKnown || before?.channelArns.length === mostNamed
      ? before!.channelArns
      : [...(before?.channelArns ?? []), channelArn];
  const where = count === 1 ? channelArn : `${count} channels, such as ${channelArns[0]}`;
  tx.set(key, {
    kind: 'delivery_failed',
    code,
    count,
    channelArns,
    sinceMs: before?.sinceMs ?? tx.nowMs,
    updatedAtMs: tx.nowMs,
    text: `PutMetadata is refused and nothing is delivered to ${where}: ${code}: ${message}`,
  } satisfies DeliveryFailedAlert);
  return before === undefined;
}

/** Metadata reached a channel. Returns the codes of refusals that are over with it. */
export function noteDelivered(tx: Transaction, codes: readonly string[], channelArn: string): string[] {
  return codes.filter((code) => {
    const before = tx.get<DeliveryFailedAlert>(refusalKey(code));
    if (!before?.channelArns.includes(channelArn)) return false;
    const channelArns = before.channelArns.filter((each) => each !== channelArn);
    if (channelArns.length === 0) tx.delete(refusalKey(code));
    else tx.set(refusalKey(code), { ...before, channelArns, count: before.count - 1 } satisfies DeliveryFailedAlert);
    return channelArns.length === 0;
  });
}

export const refusalKey = (code: string) => `alert/delivery_failed|${code}`;

/** Forgets what is too old to be news, and who had seen it. */
export function dropOldAlerts(tx: Transaction): void {
  for (const [id, { kind, updatedAtMs }] of Array.from(tx.entries<FailedJobAlert | DeliveryFailedAlert>('alert'))) {
    const keptMs = kind === 'failed_job' ? failedJobsKeptMs : kind === 'delivery_failed' ? refusalKeptMs : undefined;
    if (keptMs !== undefined && tx.nowMs - updatedAtMs > keptMs) tx.delete(`alert/${id}`);
  }
  for (const [id, { atMs }] of Array.from(tx.entries<{ readonly atMs: number }>('acknowledged')))
    if (tx.nowMs - atMs > acknowledgementsKeptMs) tx.delete(`acknowledged/${id}`);
}
