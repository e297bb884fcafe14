// notify: a message to a receiver; at once, or as the receiver's groups and the routes say.
import type { ActionJob } from '#domain/action.ts';
import { AppError } from '#domain/errors.ts';
import { visibleLines } from '#domain/visible-text.ts';
import type { Message } from './message.ts';
import type { ActionHandler } from './ports.ts';
import { onlyIfFailsFresh, planned } from './preconditions.ts';
import { jsonOf, notificationOf, receiverNamed, sendToReceiver } from './receivers.ts';

/** How a rule's `send_resolved` message begins (src/rules/resolved-notice.ts); receivers with a status of their own say it themselves. */
const resolvedPrefix = 'Resolved: ';

export const notify: ActionHandler<'notify'> = async (job, context) => {
  const { receiver: name } = job.params;
  if (name === undefined) throw new AppError('RECEIVER_UNKNOWN', 'a notify without a receiver needs a route');
  const receiver = receiverNamed(context, name);
  const skip = await onlyIfFailsFresh(job, context);
  if (skip) return skip;
  if (job.dryRun)
    return planned(
      [`notify ${receiver.name}: ${receiver.integrations.map(({ place }) => place).join(', ')}`],
      undefined,
    );
  const sent = await sendToReceiver(context, receiver, messageOf(job, context.jobId, receiver.name));
  return { outcome: 'done', receiver: receiver.name, sent };
};

function messageOf(job: ActionJob<'notify'>, jobId: string, receiver: string): Message {
  const text = visibleLines(job.params.text);
  const plain = job.alert?.isAutomatic ? text.replace(resolvedPrefix, '') : text;
  return {
    notification: notificationOf(job, receiver, plain),
    json: jsonOf({ jobId }, job, receiver, text),
    slackText: text,
    decidedAtMs: job.decidedAtMs,
    onlySendResolved: job.alert?.isAutomatic === true,
  };
}
