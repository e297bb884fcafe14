// May the daemon take messages from its queue? Checked without touching a message: each receive brings a message nearer to the dead-letter
// queue, so a receive is only made while the queue is empty; the other calls use a receipt that does not exist.
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { explainAwsFailure } from '../aws-failure.ts';
import { green, red, skipped, type Verdict } from './check.ts';

export interface QueuePermissionOptions {
  readonly clients: { readonly sqs: SQSClient };
  readonly queueUrl: string;
  readonly region: string;
  /** Attributes of the queue from GetQueueAttributes; empty if it could not be read. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** One line for each permission needed for reading. */
export async function readingVerdicts(options: QueuePermissionOptions): Promise<Verdict[]> {
  const { clients, queueUrl: QueueUrl, attributes, signal } = options;
  if (attributes['QueueArn'] === undefined) return [skipped('the queue is not known')];
  const waiting = Number(attributes['ApproximateNumberOfMessages'] ?? 0);
  const nobodys = { QueueUrl, ReceiptHandle: 'doctor-nobody' };
  const send = { abortSignal: signal };
  const asked = await Promise.all([
    waiting > 0
      ? skipped(
          `sqs:ReceiveMessage: not checked while ${waiting} messages wait: each receive counts toward the dead-letter queue`,
        )
      : judged('sqs:ReceiveMessage', options, () =>
          clients.sqs.send(
            // A message that arrives at this instant is visible again at once.
            new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 1, VisibilityTimeout: 0, WaitTimeSeconds: 0 }),
            send,
          ),
        ),
    judged('sqs:DeleteMessage', options, () => clients.sqs.send(new DeleteMessageCommand(nobodys), send)),
    judged('sqs:ChangeMessageVisibility', options, () =>
      clients.sqs.send(new ChangeMessageVisibilityCommand({ ...nobodys, VisibilityTimeout: 0 }), send),
    ),
  ]);
  return asked;
}

/** Refused because of the arguments, after the permission was checked. */
const refusedForItsContent =
  /ReceiptHandleIsInvalid|InvalidParameterValue|MessageNotInflight|InvalidIdFormat|InvalidAddress/;

async function judged(
  action: string,
  { region }: QueuePermissionOptions,
  call: () => Promise<unknown>,
): Promise<Verdict> {
  try {
    await call();
    return green(action);
  } catch (error) {
    if (error instanceof Error && refusedForItsContent.test(error.name)) return green(action);
    const { text, todo } = explainAwsFailure(error, { region, action });
    return red(text.startsWith(action) ? text : `${action} could not be checked: ${text}`, todo);
  }
}
