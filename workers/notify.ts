// notify: a message to every webhook of a receiver.
import { visibleLines } from '#domain/visible-text.ts';
import type { ActionHandler } from './ports.ts';
import { onlyIfFailsFresh, planned } from './preconditions.ts';
import { receiverNamed, sendToReceiver } from './receivers.ts';

export const notify: ActionHandler<'notify'> = async (job, context) => {
  const receiver = receiverNamed(context, job.params.receiver);
  const skip = await onlyIfFailsFresh(job, context);
  if (skip) return skip;
  if (job.dryRun) return planned([`notify ${receiver.name}: ${receiver.webhooks.length} webhook(s)`], undefined);
  const text = visibleLines(job.params.text);
  const content = {
    version: 1,
    receiver: receiver.name,
    text,
    channelArn: job.channelArn,
    streamId: job.streamId,
    cause: job.cause,
    decidedAt: new Date(job.decidedAtMs).toISOString(),
    jobId: context.jobId,
  };
  const webhooks = await sendToReceiver(context, receiver, ({ format }) => (format === 'slack' ? { text } : content));
  return { outcome: 'done', receiver: receiver.name, webhooks };
};
