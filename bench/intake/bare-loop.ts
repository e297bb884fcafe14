// The cost of a consumer that only keeps the queue empty: it receives, parses, and deletes ten at a time.
import { DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { credentials } from '../noticing/stand.ts';

/** As many as the daemon has. */
const receivers = 8;

/** Resolves when this many messages were taken and deleted. */
export async function bareLoop(endpoint: string, queueUrl: string, count: number): Promise<void> {
  const client = new SQSClient({ region: 'us-west-2', endpoint, credentials, maxAttempts: 1 });
  const taken = new AbortController();
  const handles: (string | undefined)[] = [];
  const deletes: Promise<unknown>[] = [];
  let received = 0;
  const deleteTen = () => {
    const Entries = handles.splice(0, 10).map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle }));
    if (Entries.length > 0) deletes.push(client.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries })));
  };
  const timer = setInterval(deleteTen, 200);
  const receive = async (): Promise<void> => {
    while (received < count) {
      const request = { QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 20 };
      const { Messages = [] } = await client.send(new ReceiveMessageCommand(request), { abortSignal: taken.signal });
      for (const { Body, ReceiptHandle } of Messages) {
        JSON.parse(Body ?? '');
        handles.push(ReceiptHandle);
      }
      received += Messages.length;
      while (handles.length >= 10) deleteTen();
    }
    taken.abort();
  };
  await Promise.all(
    Array.from({ length: receivers }, () =>
      receive().catch((error: unknown) => {
        if (!taken.signal.aborted) throw error;
      }),
    ),
  );
  clearInterval(timer);
  deleteTen();
  await Promise.all(deletes);
  client.destroy();
}
