// The least that could do the job: receives events and calls PutMetadata for each, without rules, limits or memory.
// Started by bench/reaction.ts in a separate process; ends with it.
import { IvsClient, PutMetadataCommand } from '@aws-sdk/client-ivs';
import { DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';

/** Argument: this, as JSON. */
export interface BareLoopTask {
  readonly ivsEndpoint: string;
  readonly sqsEndpoint: string;
  readonly queueUrl: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

const { ivsEndpoint, sqsEndpoint, queueUrl, credentials } = JSON.parse(process.argv[2]!) as BareLoopTask;
const sqs = new SQSClient({ region: 'us-west-2', endpoint: sqsEndpoint, credentials, maxAttempts: 1 });
const ivs = new IvsClient({ region: 'us-west-2', endpoint: ivsEndpoint, credentials, maxAttempts: 1 });
process.once('disconnect', () => process.exit(0));

async function loop(): Promise<never> {
  for (;;) {
    const request = { QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 };
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(request));
    if (Messages.length === 0) continue;
    await Promise.all(
      Messages.map(async ({ Body }) => {
        const event = JSON.parse(Body ?? '') as { id: string; resources: string[] };
        const metadata = JSON.stringify({ bench: event.id });
        await ivs.send(new PutMetadataCommand({ channelArn: event.resources[0], metadata }));
      }),
    );
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
  }
}

await Promise.all([loop(), loop()]);
