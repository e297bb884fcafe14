// A message to all integrations of a receiver. An integration that accepted it does not get it again when another fails, and one that asked
// for time is left alone until then.
import type { ActionJob } from '#domain/action.ts';
import { iso } from '#domain/duration.ts';
import { AppError } from '#domain/errors.ts';
import { type Alert, isFiring, type Notification } from '#domain/notification.ts';
import type { Integration, Receiver } from '#domain/receiver.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { visibleLines } from '#domain/visible-text.ts';
import { deliver } from './deliver.ts';
import type { Message } from './message.ts';
import type { HandlerContext } from './ports.ts';

/** A receiver may postpone a message for this long without spending attempts. */
export const mostPutOffMs = 6 * 3_600_000;
/** How long it is remembered who accepted a message that neither reached all nor was given up. */
const progressKeptMs = 86_400_000;

/** Deletes the progress of messages whose jobs ended otherwise: they were skipped or late, or their receiver was removed. */
export function dropOldProgress(tx: Transaction): void {
  for (const [jobId, { atMs }] of Array.from(tx.entries(kinds.notified)))
    if (atMs !== undefined && tx.nowMs - atMs > progressKeptMs) tx.delete(kinds.notified.of(jobId));
}

/** The receiver of this name. @throws AppError RECEIVER_UNKNOWN */
export function receiverNamed(context: Pick<HandlerContext, 'receiver'>, name: string): Receiver {
  const receiver = context.receiver(name);
  if (!receiver) throw new AppError('RECEIVER_UNKNOWN', `the configuration has no receiver "${name}"`);
  return receiver;
}

/** A job's own message as a notification of one alert. */
export function notificationOf(
  job: ActionJob,
  receiver: string,
  text: string,
): Notification & { readonly alerts: readonly [Alert] } {
  const { alert, cause, channelArn, decidedAtMs } = job;
  const made: Alert = {
    fingerprint: cause.kind === 'rule' ? cause.decisionId : `operator-${decidedAtMs}`,
    labels: {
      alertname: cause.kind === 'rule' ? cause.rule : 'message',
      ...(cause.kind === 'rule' ? { rule: cause.rule } : {}),
      ...(channelArn === undefined ? {} : { channel: channelArn }),
    },
    startsAtMs: decidedAtMs,
    ...alert,
    text: visibleLines(text),
  };
  const firing = isFiring(made);
  return {
    receiver,
    groupKey: `{}:{fingerprint="${made.fingerprint}"}`,
    groupLabels: {},
    alerts: [made],
    firing: firing ? 1 : 0,
    resolved: firing ? 0 : 1,
  };
}

/** What every message of a job contains in JSON, besides its own content. */
export function jsonOf(context: Pick<HandlerContext, 'jobId'>, job: ActionJob, receiver: string, text: string): object {
  return {
    version: 1,
    receiver,
    text,
    channelArn: job.channelArn,
    streamId: job.streamId,
    cause: job.cause,
    decidedAt: iso(job.decidedAtMs),
    jobId: context.jobId,
  };
}

/**
 * Sends a message to each integration of a receiver; resolves with their number once all have accepted it.
 * @param onGivenUp called with the integrations that do not have it, in the commit that gives the message up
 * @throws the failure that is worth a retry, or the first one
 */
export async function sendToReceiver(
  context: HandlerContext,
  receiver: Receiver,
  message: Message,
  onGivenUp?: (tx: Transaction, missed: readonly string[]) => void,
): Promise<number> {
  const key = kinds.notified.of(context.jobId);
  const before = context.state.view.get(key);
  const taken = new Set(before?.taken ?? []);
  const waits = new Map(Object.entries(before?.waits ?? {}));
  const save = () =>
    context.state.transact((tx) =>
      tx.set(key, { taken: [...taken], waits: Object.fromEntries(waits), atMs: tx.nowMs }),
    );
  const failures: unknown[] = [];
  for (const [index, integration] of receiver.integrations.entries()) {
    const { key: name } = integration;
    if (taken.has(name) || taken.has(index) || !isFor(integration, message)) continue;
    const waitMs = (waits.get(name) ?? 0) - context.state.nowMs();
    if (waitMs > 0) {
      failures.push(putOff(receiver, integration, waitMs));
      continue;
    }
    try {
      await sendOne(context, { receiver, integration }, message);
      taken.add(name);
      waits.delete(name);
      await save();
    } catch (error) {
      const putOffMs = putOffBy(error);
      if (putOffMs !== undefined && context.state.nowMs() - message.decidedAtMs < mostPutOffMs) {
        waits.set(name, context.state.nowMs() + putOffMs);
        await save();
        failures.push(putOff(receiver, integration, putOffMs, error));
      } else failures.push(error);
      if (context.signal.aborted) break;
    }
  }
  if (failures.length === 0) {
    await context.state.transact((tx) => tx.delete(key));
    return taken.size;
  }
  const failure = worst(failures);
  const comesAgain =
    !(failure instanceof AppError) || failure.disposition.kind === 'retry' ? !context.lastAttempt : !isGivenUp(failure);
  if (!comesAgain) {
    const missed = receiver.integrations.filter(
      (each, index) => isFor(each, message) && !taken.has(each.key) && !taken.has(index),
    );
    await context.state.transact((tx) => {
      tx.delete(key);
      onGivenUp?.(
        tx,
        missed.map((each) => each.key),
      );
    });
  }
  throw failure;
}

async function sendOne(
  context: HandlerContext,
  { receiver, integration }: { readonly receiver: Receiver; readonly integration: Integration },
  message: Message,
): Promise<void> {
  const { place, kind } = integration;
  const count = (outcome: 'delivered' | 'failed' | 'refused') =>
    context.countNotification({ receiver: receiver.name, integration: kind, outcome });
  await context.progress('send', { receiver: receiver.name, to: place });
  try {
    await deliver(context, integration, message, `${context.jobId}-${integration.key}`);
    count('delivered');
  } catch (error) {
    count(isGivenUp(error) ? 'refused' : 'failed');
    throw error;
  }
}

/** Whether an integration gets this message at all. */
function isFor({ key, sendResolved }: Integration, { audience = 'all', only }: Message): boolean {
  if (only && !only.includes(key)) return false;
  return audience === 'all' || sendResolved === (audience === 'send_resolved');
}

function isGivenUp(error: unknown): boolean {
  return error instanceof AppError && error.disposition.kind === 'give-up';
}

/** How long the receiver asked to be left alone (Retry-After), if it did. */
export function putOffBy(error: unknown): number | undefined {
  const ms = error instanceof AppError ? error.details['retryAfterMs'] : undefined;
  return typeof ms === 'number' ? ms : undefined;
}

function putOff({ name }: Receiver, { place }: Integration, delayMs: number, cause?: unknown): AppError {
  return new AppError('WEBHOOK_FAILED', `${name}: ${place} asks to wait for ${Math.ceil(delayMs / 1000)} s`, {
    cause,
    disposition: { kind: 'retry-after', delayMs },
  });
}

/** What decides when the job runs again: a failure with backoff, else the shortest wait, else what is given up. */
function worst(failures: readonly unknown[]): unknown {
  const waitOf = (error: unknown) =>
    error instanceof AppError && error.disposition.kind === 'retry-after' ? error.disposition.delayMs : undefined;
  const tried = failures.find((error) => waitOf(error) === undefined && !isGivenUp(error));
  if (tried !== undefined) return tried;
  const waiting = failures.filter((error) => waitOf(error) !== undefined);
  waiting.sort((left, right) => waitOf(left)! - waitOf(right)!);
  return waiting[0] ?? failures[0];
}
