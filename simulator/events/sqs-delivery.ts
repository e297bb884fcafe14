// Puts events into SQS queues through the real SDK: in order for each queue, up to ten per call, retried with growing pauses. The client is
// created when the first event needs it, so a simulator without a queue never loads it.

import type { SQSClient } from '@aws-sdk/client-sqs';
import type { SqsOptions } from '../settings.ts';

const BATCH = 10;
const ATTEMPTS = 8;

/** What became of a message that could not be delivered. */
export interface LostDelivery {
  readonly queue: string;
  readonly reason: string;
}

const isPermanent = (error: unknown): boolean =>
  error instanceof Error && /QueueDoesNotExist|NonExistentQueue|AccessDenied/.test(error.name);

/** The origin of a queue URL that is not AWS's: such a queue needs no real credentials. */
function localEndpoint(queueUrl: string | undefined): string | undefined {
  if (queueUrl === undefined || !URL.canParse(queueUrl)) return undefined;
  const { origin, hostname } = new URL(queueUrl);
  return /(^|\.)(amazonaws\.com(\.cn)?|api\.aws)$/.test(hostname) ? undefined : origin;
}

interface Message {
  readonly body: string;
  readonly deadLetterQueue?: string;
}

/** Sends message bodies to queues named by URL or ARN. */
export class SqsDelivery {
  readonly #options: SqsOptions & { readonly region: string };
  readonly #waiting = new Map<string, Message[]>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #urls = new Map<string, string>();
  readonly #lost: LostDelivery[] = [];
  readonly #stop = new AbortController();
  #client: Promise<SQSClient> | undefined;

  constructor(options: SqsOptions & { readonly region: string }) {
    this.#options = { ...options, endpoint: options.endpoint ?? localEndpoint(options.queueUrl) };
  }

  /** Messages given up, oldest first (the newest thousand). */
  get lost(): readonly LostDelivery[] {
    return this.#lost;
  }

  /**
   * Queues one message; it is sent in the background. `queue` is a queue URL or an SQS ARN, and so is `deadLetterQueue`,
   * which gets the message when it is given up.
   */
  send(queue: string, body: string, deadLetterQueue?: string): void {
    if (this.#stop.signal.aborted) return;
    const message: Message = { body, ...(deadLetterQueue === undefined ? {} : { deadLetterQueue }) };
    const waiting = this.#waiting.get(queue);
    if (waiting === undefined) this.#waiting.set(queue, [message]);
    else waiting.push(message);
    if (!this.#running.has(queue)) {
      this.#running.set(queue, this.#drain(queue));
    }
  }

  /** Resolves when nothing is waiting or under way. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  /** Stops sending, drops what waits and closes the client's sockets. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.settled();
    (await this.#client)?.destroy();
  }

  async #drain(queue: string): Promise<void> {
    // One turn of the event loop lets the events of one instant share a call.
    await Promise.resolve();
    for (;;) {
      const batch = this.#waiting.get(queue)?.splice(0, BATCH) ?? [];
      if (batch.length === 0 || this.#stop.signal.aborted) break;
      await this.#sendBatch(queue, batch);
    }
    // Without a pause in between: a message that comes after this line starts its own drain.
    this.#waiting.delete(queue);
    this.#running.delete(queue);
  }

  async #sendBatch(queue: string, messages: readonly Message[]): Promise<void> {
    const { SendMessageBatchCommand } = await import('@aws-sdk/client-sqs');
    let left = messages;
    let reason = '';
    for (let attempt = 0; attempt < ATTEMPTS && left.length > 0 && !this.#stop.signal.aborted; attempt++) {
      if (attempt > 0) await this.#pause(50 * 2 ** attempt);
      try {
        const client = await this.#connect();
        const Entries = left.map(({ body }, at) => ({ Id: String(at), MessageBody: body }));
        const answer = await client.send(
          new SendMessageBatchCommand({ QueueUrl: await this.#urlOf(client, queue), Entries }),
          { abortSignal: this.#stop.signal },
        );
        const failed = new Set((answer.Failed ?? []).map((entry) => Number(entry.Id)));
        left = left.filter((_, at) => failed.has(at));
        reason = answer.Failed?.[0]?.Message ?? '';
      } catch (error) {
        // A queue that does not exist, or must not be written to, is not retried: EventBridge does not retry it either.
        if (isPermanent(error)) attempt = ATTEMPTS;
        reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      }
    }
    if (this.#stop.signal.aborted) return;
    for (const { body, deadLetterQueue } of left) {
      this.#lost.push({ queue, reason });
      if (deadLetterQueue !== undefined) this.send(deadLetterQueue, body);
    }
    if (this.#lost.length > 1_000) this.#lost.splice(0, this.#lost.length - 1_000);
  }

  async #connect(): Promise<SQSClient> {
    this.#client ??= import('@aws-sdk/client-sqs').then(
      ({ SQSClient }) =>
        new SQSClient({
          region: this.#options.region,
          maxAttempts: 1,
          // A queue on a stand-in needs no real credentials; without an endpoint the environment's own are used.
          ...(this.#options.endpoint === undefined
            ? {}
            : {
                endpoint: this.#options.endpoint,
                credentials: { accessKeyId: 'simulator', secretAccessKey: 'simulator' }, // fake: only shapes the signature
              }),
        }),
    );
    return this.#client;
  }

  async #urlOf(client: SQSClient, queue: string): Promise<string> {
    if (!queue.startsWith('arn:')) return queue;
    const known = this.#urls.get(queue);
    if (known !== undefined) return known;
    const { GetQueueUrlCommand } = await import('@aws-sdk/client-sqs');
    const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: queue.split(':').at(-1) }));
    if (QueueUrl === undefined) throw new Error(`no queue ${queue}`);
    this.#urls.set(queue, QueueUrl);
    return QueueUrl;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#stop.signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#stop.signal.addEventListener('abort', done);
    });
  }
}
