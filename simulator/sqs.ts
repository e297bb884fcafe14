// An SQS for users who have none: the package fauxqs, in this process and on loopback only. Its own start function listens on every
// interface, so the application it builds is started here.
import { SimulatorCommandError } from './flags.ts';

/** A running SQS stand-in. */
export interface LocalSqs extends AsyncDisposable {
  /** The SQS endpoint to give to an SDK. */
  readonly endpoint: string;
  /** Makes a standard queue and returns its names; an existing one is returned. */
  createQueue(
    name: string,
    attributes?: Readonly<Record<string, string>>,
  ): Promise<{ readonly queueUrl: string; readonly queueArn: string }>;
  close(): Promise<void>;
}

/** As in package.json. */
export const fauxqs = 'fauxqs@2.4.1';

/** @throws SimulatorCommandError if the package is not installed: it is optional, since most users need no SQS of their own */
async function loadFauxqs(): Promise<typeof import('fauxqs')> {
  try {
    return await import('fauxqs');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes("'fauxqs'")) throw error;
    throw new SimulatorCommandError(
      `the SQS stand-in is the package ${fauxqs}, which is not installed here: \`npm install ${fauxqs}\`, or \`npx -p ivs-autopilot -p ${fauxqs} ivs-autopilot simulator --sqs\``,
    );
  }
}

/** Starts an SQS on a port (0, the default, picks a free one). Queues exist in memory. */
export async function startLocalSqs(
  options: { readonly port?: number; readonly host?: string; readonly region?: string } = {},
): Promise<LocalSqs> {
  const { buildApp } = await loadFauxqs();
  const app = buildApp({ logger: false, defaultRegion: options.region ?? 'us-west-2' });
  const endpoint = await app.listen({ port: options.port ?? 0, host: options.host ?? '127.0.0.1' });

  const ask = async (operation: string, body: object): Promise<Record<string, unknown>> => {
    const answer = await fetch(endpoint, {
      method: 'POST',
      headers: { 'x-amz-target': `AmazonSQS.${operation}`, 'content-type': 'application/x-amz-json-1.0' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`the local SQS refused ${operation}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Record<string, unknown>;
  };

  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= Promise.resolve(app.close());
    return closed;
  };
  return {
    endpoint,
    createQueue: async (name, attributes = {}) => {
      const { QueueUrl } = await ask('CreateQueue', { QueueName: name, Attributes: attributes });
      const { Attributes } = await ask('GetQueueAttributes', { QueueUrl, AttributeNames: ['QueueArn'] });
      // Its own URLs contain a host name that not every machine resolves; only the path matters.
      const queueUrl = `${endpoint}${new URL(String(QueueUrl)).pathname}`;
      return { queueUrl, queueArn: (Attributes as { readonly QueueArn: string }).QueueArn };
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
