// Deletes handled messages from the queue, up to ten in a call: each call costs money and processor time, and no decision waits for it. A
// message that is not deleted is delivered again and recognised as a repeat.
import type { Message } from '@aws-sdk/client-sqs';

/** The limit of DeleteMessageBatch: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html */
const mostInBatch = 10;
/** How long the first message of a batch waits for others; far below any visibility timeout. */
const gatherMs = 200;
/** Even a full batch waits a little, so that the work that follows from its last message goes first. */
const fullRestMs = 5;

/** States: messages are collected (a timer runs), or there are none; running calls are tracked until they end. */
export class MessageDeletes {
  readonly #send: (batch: readonly Message[]) => Promise<void>;
  readonly #underWay = new Set<Promise<void>>();
  #gathered: Message[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** The timer runs: a batch is full and waits a little, or it may still become full. */
  #waitsFor: 'rest' | 'more' | undefined;

  /** @param send deletes up to ten messages; never rejects */
  constructor(send: (batch: readonly Message[]) => Promise<void>) {
    this.#send = send;
  }

  add(messages: readonly Message[]): void {
    this.#gathered.push(...messages);
    this.#plan();
  }

  /** Sends what was collected, and waits for every running call. */
  async drain(): Promise<void> {
    this.#flush(1);
    await Promise.all(this.#underWay);
  }

  #plan(): void {
    const isFull = this.#gathered.length >= mostInBatch;
    if (this.#gathered.length === 0 || this.#waitsFor === 'rest' || (this.#waitsFor === 'more' && !isFull)) return;
    clearTimeout(this.#timer);
    this.#waitsFor = isFull ? 'rest' : 'more';
    this.#timer = setTimeout(() => this.#flush(isFull ? mostInBatch : 1), isFull ? fullRestMs : gatherMs);
  }

  /** Sends batches while there are at least this many messages. */
  #flush(least: number): void {
    clearTimeout(this.#timer);
    this.#waitsFor = undefined;
    while (this.#gathered.length >= least) {
      const call = this.#send(this.#gathered.splice(0, mostInBatch)).finally(() => this.#underWay.delete(call));
      this.#underWay.add(call);
    }
    this.#plan();
  }
}
