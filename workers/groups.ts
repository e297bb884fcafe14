// Grouped messages: due messages become jobs, in the same commit that records them as sent.
import type { ActionJob } from '#domain/action.ts';
import type { GroupMessage } from '#domain/notification.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { jobIdOf } from '#jobs/job-id.ts';
import { cut, documentOf, textOf } from '#notify/document.ts';
import { type FlushPorts, flushDue } from '#notify/groups.ts';

/** The requester of grouped messages in the audit. */
export const groupsAsk = 'grouped messages';
const mostText = 4_000;

/** Turns the messages that are due into jobs. */
export function flushGroups(tx: Transaction, ports: FlushPorts): void {
  for (const message of flushDue(tx, ports)) {
    const { follows, ...rest } = message;
    const job = { ...jobOf(rest, tx.nowMs), ...(follows ? { follows } : {}) };
    tx.enqueue({ jobId: jobIdOf('notify', message.messageId), name: 'notify', payload: { ...job } });
  }
}

function jobOf(message: GroupMessage, nowMs: number): ActionJob<'notify'> {
  const { notification } = message;
  const text = cut(textOf(documentOf(notification, ''), notification), mostText) || notification.groupKey;
  return {
    action: 'notify',
    params: { receiver: notification.receiver, text },
    cause: { kind: 'operator', who: groupsAsk, reason: notification.groupKey },
    decidedAtMs: nowMs,
    group: message,
  };
}
