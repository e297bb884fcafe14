// Actions that wait for the end of a stream: stored in the shared state, visible, cancellable, one for each kind and channel. A newer one
// replaces an older one (on, off, on is on). Whatever shows the end releases them, whether event or poll; a sweep releases the rest.
import type { ActionJob } from '#domain/action.ts';
import { type Intent, type IntentKind, intentKinds } from '#domain/action-memory.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import type { StreamChange, StreamRecord } from '#domain/stream-record.ts';
import { jobIdOf } from '#jobs/job-id.ts';
import type { HandlerContext } from './ports.ts';

const keyOf = (kind: IntentKind, channelArn: string) => kinds.intent.of(kind, channelArn);
/** A released intent whose job has not settled it by then is released again. */
const releaseAgainMs = 60_000;
/** For the sweep, a channel counts as offline only after a moment without news of it. */
const settleMs = 5_000;

/** Makes the job wait for the end of the channel's stream. A newer intent of the same kind stays as it is. */
export function deferJob(tx: Transaction, job: ActionJob<IntentKind>, summary: string): Intent {
  const channelArn = job.channelArn!;
  const key = keyOf(job.action, channelArn);
  const before = tx.get(key);
  if (before && before.id === job.intentId) {
    // Released, and live again: it still waits; the sweep leaves it for a while as after any release.
    const waiting: Intent = { ...before, releasedAtMs: tx.nowMs };
    tx.set(key, waiting);
    return waiting;
  }
  if (before && before.job.decidedAtMs > job.decidedAtMs) return before;
  const id = jobIdOf('intent', job.action, channelArn, job.decidedAtMs, JSON.stringify(job.cause));
  if (before?.id === id) return before;
  const { streamId: _decidedFor, onlyIf: _judged, ...rest } = job;
  const intent: Intent = {
    id,
    kind: job.action,
    channelArn,
    summary,
    // The session it was decided for ends, and `only_if` has been judged.
    job: { ...rest, intentId: id },
    sinceMs: tx.nowMs,
    replaced: before ? before.replaced + 1 : 0,
    releases: 0,
  };
  tx.set(key, intent);
  const record = tx.get(kinds.stream.of(channelArn));
  // The end was noticed between the read from IVS and this commit.
  if (record && record.streamId === _decidedFor && hasEnded(record)) release(tx, intent, record.streamId);
  return intent;
}

/** Removes the channel's intent of this kind if the job that just ran is the intent's own, or newer. */
export function settleIntent(tx: Transaction, job: ActionJob<IntentKind>): void {
  const key = keyOf(job.action, job.channelArn!);
  const intent = tx.get(key);
  if (intent && (intent.id === job.intentId || intent.job.decidedAtMs <= job.decidedAtMs)) tx.delete(key);
}

/** Removes every intent of a channel that is gone. */
export function dropIntents(tx: Transaction, channelArn: string): void {
  for (const kind of intentKinds) if (tx.get(keyOf(kind, channelArn)) !== undefined) tx.delete(keyOf(kind, channelArn));
}

/** Whether a released intent was cancelled, or replaced by a newer one, before its job ran. */
export function wasCancelled(
  { state: { view }, check }: Pick<HandlerContext, 'state' | 'check'>,
  { intentId, action, channelArn }: ActionJob<IntentKind>,
): boolean {
  if (intentId === undefined) return false;
  const found = view.get(keyOf(action, channelArn!))?.id ?? null;
  return !check('intent', found === intentId, { asked: { intentId }, found: { intentId: found } });
}

/** Cancels an intent. Returns it, or undefined if there is none. */
export function cancelIntent(tx: Transaction, kind: IntentKind, channelArn: string): Intent | undefined {
  const intent = tx.get(keyOf(kind, channelArn));
  if (intent) tx.delete(keyOf(kind, channelArn));
  return intent;
}

/** All that wait, the oldest first. */
export function intentsOf(view: StateView): Intent[] {
  return [...view.entries(kinds.intent)].map(([, intent]) => intent).toSorted((a, b) => a.sinceMs - b.sinceMs);
}

/** Enqueues what waited for the end that this change shows. Pure except for the transaction; the same end twice is one job. */
export function intentsDue(tx: Transaction, change: StreamChange): void {
  if (change.kind !== 'stream' || !hasEnded(change.after)) return;
  for (const kind of intentKinds) {
    const intent = tx.get(keyOf(kind, change.channelArn));
    if (intent) release(tx, intent, change.after.streamId);
  }
}

/** Enqueues what waits on channels that, as far as is known, are not live: call it every few seconds. */
export function sweepIntents(tx: Transaction): void {
  for (const [, intent] of tx.entries(kinds.intent)) {
    if (!mayBeReleased(tx, intent)) continue;
    const lastMs = intent.releasedAtMs === undefined ? intent.sinceMs : intent.releasedAtMs;
    const dueMs = lastMs + (intent.releasedAtMs === undefined ? settleMs : releaseAgainMs);
    if (tx.nowMs >= dueMs) release(tx, intent, `sweep-${intent.releases}`);
  }
}

/** Whether nothing shows that its channel is live. */
export function mayBeReleased(view: StateView, { channelArn }: Intent): boolean {
  const record = view.get(kinds.stream.of(channelArn));
  return !record || hasEnded(record);
}

function release(tx: Transaction, intent: Intent, occasion: string): void {
  tx.enqueue({
    jobId: jobIdOf(`intent-${intent.kind}`, intent.id, occasion),
    name: intent.kind,
    payload: { ...intent.job },
  });
  tx.set(keyOf(intent.kind, intent.channelArn), {
    ...intent,
    releasedAtMs: tx.nowMs,
    releases: intent.releases + 1,
  });
}

function hasEnded(record: StreamRecord): boolean {
  return record.state === 'ended' || record.state === 'failed';
}
