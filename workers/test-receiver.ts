// Tests a receiver: each integration gets a message, and those with `send_resolved` its end. Nothing is retried; the result is what each of
// them answered.
import type { ActionJob } from '#domain/action.ts';
import { AppError, messageOf } from '#domain/errors.ts';
import type { Integration, Receiver } from '#domain/receiver.ts';
import { deliver } from './deliver.ts';
import type { HandlerContext, HandlerResult } from './ports.ts';
import { jsonOf, notificationOf } from './receivers.ts';

/** Sends the test message of a job. */
export async function testReceiver(
  job: ActionJob<'notify'>,
  context: HandlerContext,
  receiver: Receiver,
): Promise<HandlerResult> {
  const tried: { readonly to: string; readonly error?: string }[] = [];
  for (const integration of receiver.integrations) {
    await context.progress('send', { receiver: receiver.name, to: integration.place });
    const error = await tryOne(job, context, { receiver, integration, place: tried.length });
    tried.push({ to: integration.place, ...(error === undefined ? {} : { error }) });
  }
  const delivered = tried.filter(({ error }) => error === undefined).length;
  return {
    outcome: 'done',
    reason: `delivered to ${delivered} of ${tried.length}`,
    receiver: receiver.name,
    delivered,
    tried,
  };
}

/** Why it could not be sent; undefined: it was. */
async function tryOne(
  job: ActionJob<'notify'>,
  context: HandlerContext,
  {
    receiver,
    integration,
    place,
  }: { readonly receiver: Receiver; readonly integration: Integration; readonly place: number },
): Promise<string | undefined> {
  const { text } = job.params;
  const phases = integration.sendResolved ? (['begin', 'end'] as const) : (['begin'] as const);
  try {
    for (const phase of phases) {
      const begin = {
        fingerprint: context.jobId,
        labels: { alertname: 'Test', receiver: receiver.name, severity: 'info' },
        startsAtMs: job.decidedAtMs,
      };
      const alert = phase === 'begin' ? begin : { ...begin, endsAtMs: context.state.nowMs() };
      await deliver(
        context,
        integration,
        {
          notification: notificationOf({ ...job, alert }, receiver.name, text),
          json: jsonOf(context, job, receiver.name, text),
          slackText: text,
          decidedAtMs: job.decidedAtMs,
        },
        `${context.jobId}-${place}-${phase}`,
      );
      // These have no separate resolved message: once is enough.
      if (integration.kind === 'webhook' && integration.format !== 'alertmanager') break;
    }
    return undefined;
  } catch (error) {
    if (context.signal.aborted) throw error;
    return error instanceof AppError ? `${error.code}: ${error.message}` : messageOf(error);
  }
}
