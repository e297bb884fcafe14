// Deletes what was handled from the queue, up to ten messages in a call: each call costs money and processor time, and no
// decision waits for it. What is not deleted comes again and is recognised as a repeat.
import type { Message } from '@aws-sdk/client-sqs';

/** The most that DeleteMessageBatch takes: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html */
const mostInBatch = 10;
/** How long the first of a batch waits for others; far below any visibility timeout. */
const gatherMs = 200;

/** States: a batch is gathering (a timer runs) or there is none; calls under way are known until they end. */
export class MessageDeletes {
  readonly #send: (batch: readonly Message[]) => Promise<void>;
  readonly #underWay = new Set<Promise<void>>();
  #gathered: Message[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param send deletes up to ten messages; never rejects. */
  constructor(send: (batch: readonly Message[]) => Promise<void>) {
    this.#send = send;
  }

  add(messages: readonly Message[]): void {
    for (const message of messages) {
      this.#gathered.push(message);
      if (this.#gathered.length === mostInBatch) this.#flush();
    }
    if (this.#gathered.length > 0) this.#timer ??= setTimeout(() => this.#flush(), gatherMs);
  }

  /** Sends what is gathered and waits for every call under way. */
  async drain(): Promise<void> {
    this.#flush();
    await Promise.all(this.#underWay);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#gathered.length === 0) return;
    const call = this.#send(this.#gathered).finally(() => this.#underWay.delete(call));
    this.#underWay.add(call);
    this.#gathered = [];
  }
}
