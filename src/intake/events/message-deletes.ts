// Deletes what was handled from the queue, up to ten messages in a call: each call costs money and processor time, and no
// decision waits for it. What is not deleted comes again and is recognised as a repeat.
import type { Message } from '@aws-sdk/client-sqs';

/** The most that DeleteMessageBatch takes: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html */
const mostInBatch = 10;
/** How long the first of a batch waits for others; far below any visibility timeout. */
const gatherMs = 200;
/** A full batch goes a little later as well: what follows from its last message goes first. */
const fullRestMs = 5;

/** States: messages are gathered (a timer runs) or there are none; calls under way are known until they end. */
export class MessageDeletes {
  readonly #send: (batch: readonly Message[]) => Promise<void>;
  readonly #underWay = new Set<Promise<void>>();
  #gathered: Message[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** The timer runs: a batch is full and rests, or it may still become full. */
  #waitsFor: 'rest' | 'more' | undefined;

  /** @param send deletes up to ten messages; never rejects. */
  constructor(send: (batch: readonly Message[]) => Promise<void>) {
    this.#send = send;
  }

  add(messages: readonly Message[]): void {
    this.#gathered.push(...messages);
    this.#plan();
  }

  /** Sends what is gathered and waits for every call under way. */
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

  /** Sends batches for as long as there are at least so many messages. */
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
