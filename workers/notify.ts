// notify: a message to every webhook of a receiver. One that has taken it does not get it again when another one fails.
import type { ActionJob } from '#domain/action.ts';
import { AppError } from '#domain/errors.ts';
import type { WebhookReceiver } from '#domain/rule.ts';
import { Secret } from '#domain/secret.ts';
import { kinds } from '#domain/state-registry.ts';
import { visibleLine, visibleLines } from '#domain/visible-text.ts';
import { sendLogged } from './delivery-log.ts';
import type { ActionHandler, HandlerContext } from './ports.ts';
import { onlyIfFailsFresh, planned } from './preconditions.ts';

type Job = ActionJob<'notify'>;

export const notify: ActionHandler<'notify'> = async (job, context) => {
  const receiver = context.receiver(job.params.receiver);
  if (!receiver) throw new AppError('RECEIVER_UNKNOWN', `the configuration has no receiver "${job.params.receiver}"`);
  const skip = await onlyIfFailsFresh(job, context);
  if (skip) return skip;
  if (job.dryRun) return planned([`notify ${receiver.name}: ${receiver.webhooks.length} webhook(s)`], undefined);
  const key = kinds.notified.of(context.jobId);
  const taken = new Set(context.state.view.get(key)?.taken ?? []);
  const failures: unknown[] = [];
  for (const [index, target] of receiver.webhooks.entries()) {
    if (taken.has(index)) continue;
    try {
      await context.progress('send', { receiver: receiver.name, webhook: index });
      await sendTo(target, index, job, context);
      taken.add(index);
      await context.state.transact((tx) => tx.set(key, { taken: [...taken] }));
    } catch (error) {
      failures.push(error);
      if (context.signal.aborted) break;
    }
  }
  const worth = failures.find((error) => !(error instanceof AppError) || error.disposition.kind !== 'give-up');
  const over = failures.length === 0 || worth === undefined || context.lastAttempt;
  if (over) await context.state.transact((tx) => tx.delete(key));
  if (failures.length > 0) throw worth ?? failures[0];
  return { outcome: 'done', receiver: receiver.name, webhooks: taken.size };
};

async function sendTo(target: WebhookReceiver, index: number, job: Job, context: HandlerContext): Promise<void> {
  const url =
    target.urlFile === undefined ? new Secret(target.url ?? '') : await context.readSecretFile(target.urlFile);
  const hmacKey = target.hmacKeyFile === undefined ? undefined : await context.readSecretFile(target.hmacKeyFile);
  const { receiver } = job.params;
  const text = visibleLines(job.params.text);
  const content = {
    version: 1,
    receiver,
    text,
    channelArn: job.channelArn,
    streamId: job.streamId,
    cause: job.cause,
    decidedAt: new Date(job.decidedAtMs).toISOString(),
    jobId: context.jobId,
  };
  await sendLogged(context, url, {
    method: 'POST',
    body: visibleLine(JSON.stringify(target.format === 'slack' ? { text } : content)),
    contentType: 'application/json',
    deliveryId: `${context.jobId}-${index}`,
    ...(hmacKey ? { hmacKey } : {}),
  });
}
