// Conditions that need a person, as workers keep them in the shared state: a channel without a key, a key that nobody has received, jobs
// that failed permanently, metadata that IVS refuses permanently.
import { createHash } from 'node:crypto';
import { type DeliveryFailedAlert, type KeyAlertKind, keyAlertKinds } from '#domain/alert.ts';
import { personText } from '#domain/person.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';

/** Kept as long as the jobs that it names. */
const failedJobsKeptMs = 7 * 86_400_000;
/** An alert about refusals is deleted if nothing was sent for this long. */
const refusalKeptMs = 86_400_000;
const acknowledgementsKeptMs = 31 * 86_400_000;
const mostNamed = 20;

const keyOf = (kind: KeyAlertKind, channelArn: string) => kinds.alert.of(kind, channelArn);

/** Raises an alert, or renews it; the channel's other key alert is cleared, since they exclude each other. */
export function raiseAlert(
  tx: Transaction,
  alert: { readonly kind: KeyAlertKind; readonly channelArn: string; readonly text: string; readonly jobId: string },
): void {
  const key = keyOf(alert.kind, alert.channelArn);
  const before = tx.get(key);
  tx.set(key, { ...alert, sinceMs: before?.sinceMs ?? tx.nowMs, updatedAtMs: tx.nowMs });
  const other = keyOf(alert.kind === 'keyless' ? 'undelivered' : 'keyless', alert.channelArn);
  if (tx.get(other) !== undefined) tx.delete(other);
}

/** The channel has one key and it is delivered, or the channel is gone. */
export function clearAlerts(tx: Transaction, channelArn: string): void {
  for (const kind of keyAlertKinds)
    if (tx.get(keyOf(kind, channelArn)) !== undefined) tx.delete(keyOf(kind, channelArn));
}

/** A job failed permanently. Jobs with the same action, reason and requester share one alert. */
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
  const about = createHash('sha256')
    .update(JSON.stringify([action, code, who]))
    .digest('hex')
    .slice(0, 16);
  const key = kinds.alert.of('failed_job', about);
  const before = tx.get(key);
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
    text: `${action}, requested by ${personText(who)}, failed ${times}: ${code}: ${message}`,
  });
}

/** Somebody has taken care of a failed job: it no longer counts. */
export function forgetFailedJob(tx: Transaction, jobId: string): void {
  for (const [id, alert] of Array.from(tx.entries(kinds.alert))) {
    if (alert.kind !== 'failed_job' || !alert.jobs.some((job) => job.jobId === jobId)) continue;
    const jobs = alert.jobs.filter((job) => job.jobId !== jobId);
    if (alert.count <= 1) tx.delete(kinds.alert.of(id));
    else tx.set(kinds.alert.of(id), { ...alert, jobs, count: alert.count - 1 });
  }
}

/** IVS refused metadata for a channel permanently. Returns whether that is news: nothing was refused with this code before. */
export function noteRefused(
  tx: Transaction,
  { code, channelArn, message }: { readonly code: string; readonly channelArn: string; readonly message: string },
): boolean {
  const key = refusalKey(code);
  const before = tx.get(key);
  const isKnown = before?.channelArns.includes(channelArn) ?? false;
  const count = (before?.count ?? 0) + (isKnown ? 0 : 1);
  const channelArns =
    isKnown || before?.channelArns.length === mostNamed
      ? before!.channelArns
      : [...(before?.channelArns ?? []), channelArn];
  const answer = { channelArn, message };
  tx.set(key, {
    kind: 'delivery_failed',
    code,
    count,
    channelArns,
    answer,
    sinceMs: before?.sinceMs ?? tx.nowMs,
    updatedAtMs: tx.nowMs,
    text: refusedText({ code, count, channelArns, answer }),
  });
  return before === undefined;
}

/** At most this many refused channels are in the text of an alert. */
const mostInText = 3;

function refusedText({
  code,
  count,
  channelArns,
  answer,
}: Pick<DeliveryFailedAlert, 'code' | 'count' | 'channelArns'> & {
  readonly answer: NonNullable<DeliveryFailedAlert['answer']>;
}): string {
  const shown = channelArns.slice(0, mostInText);
  const more = count > shown.length ? ` and ${count - shown.length} more` : '';
  // The message names its call, and so its channel.
  const message = answer.message.replace(`PutMetadata ${answer.channelArn}: `, '');
  return `Metadata is refused, and nothing is delivered to ${shown.join(', ')}${more}. The last answer, for ${answer.channelArn}: ${code}: ${message}`;
}

/** Metadata reached a channel. Returns the codes of refusals that this ends. */
export function noteDelivered(tx: Transaction, codes: readonly string[], channelArn: string): string[] {
  return codes.filter((code) => {
    const before = tx.get(refusalKey(code));
    if (!before?.channelArns.includes(channelArn)) return false;
    const channelArns = before.channelArns.filter((each) => each !== channelArn);
    if (channelArns.length === 0) tx.delete(refusalKey(code));
    else {
      const left = { ...before, channelArns, count: before.count - 1 };
      tx.set(refusalKey(code), {
        ...left,
        text: left.answer ? refusedText({ ...left, answer: left.answer }) : left.text,
      });
    }
    return channelArns.length === 0;
  });
}

export const refusalKey = (code: string) => kinds.alert.of('delivery_failed', code);

/** Deletes old alerts, and old notes of who acknowledged or escalated them. */
export function dropOldAlerts(tx: Transaction): void {
  for (const [id, alert] of Array.from(tx.entries(kinds.alert))) {
    if (alert.kind !== 'failed_job' && alert.kind !== 'delivery_failed') continue;
    const keptMs = alert.kind === 'failed_job' ? failedJobsKeptMs : refusalKeptMs;
    if (tx.nowMs - alert.updatedAtMs > keptMs) tx.delete(kinds.alert.of(id));
  }
  for (const [id, { atMs }] of Array.from(tx.entries(kinds.acknowledged)))
    if (tx.nowMs - atMs > acknowledgementsKeptMs) tx.delete(kinds.acknowledged.of(id));
  for (const [id, { atMs }] of Array.from(tx.entries(kinds.escalated)))
    if (tx.nowMs - atMs > acknowledgementsKeptMs) tx.delete(kinds.escalated.of(id));
}
