// How many messages wait in the event queue and in its dead-letter queue: read from SQS now and then, for metrics, alerts and the page.
import { GetQueueAttributesCommand, GetQueueUrlCommand, SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { AppError } from '#domain/errors.ts';
import { createAwsClient } from '#runtime/aws-client.ts';
import type { Clock } from '#runtime/clock.ts';
import { codeOf, type Episode, loggedEpisode } from '#runtime/episode.ts';
import type { Service } from '#runtime/lifecycle.ts';
import type { Logger } from '#runtime/logger.ts';
import { Loop } from '#runtime/loop.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { invalidAnswer } from '#runtime/wire-answers.ts';

export interface QueueDepthOptions {
  readonly shard: string;
  readonly queueUrl: string;
  readonly region: string;
  /** The endpoint of the queue's API, if it is not AWS. */
  readonly endpoint?: string | undefined;
  readonly credentials?: SQSClientConfig['credentials'];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly random: () => number;
  readonly everyMs?: number;
}

export interface Depth {
  readonly waiting: number;
  readonly inFlight: number;
  /** Undefined: there is no dead-letter queue, or it may not be read. */
  readonly deadLetters: number | undefined;
  /** Since when this replica has seen any, epoch ms. */
  readonly deadLettersSinceMs?: number | undefined;
  /** Whether the queue has a redrive policy; without one, an unreadable message is delivered again until it expires. */
  readonly redrives: boolean;
}

const counted = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible', 'RedrivePolicy'] as const;

/** `depth` is the last result; undefined before the first answer, and while SQS does not answer. */
export class QueueDepth implements Service {
  readonly name = 'queue-depth';
  readonly #options: Required<Pick<QueueDepthOptions, 'everyMs'>> & QueueDepthOptions;
  readonly #client: SQSClient;
  readonly #stopping = new AbortController();
  readonly #loop: Loop;
  readonly #redrive: Episode;
  #deadLetterUrl: string | undefined;
  #depth: Depth | undefined;

  constructor(options: QueueDepthOptions) {
    this.#options = { everyMs: 30_000, ...options };
    const { endpoint, region, credentials } = this.#options;
    this.#client = createAwsClient(
      SQSClient,
      { region, endpoint, credentials, useQueueUrlAsEndpoint: endpoint === undefined ? undefined : false },
      { requestTimeoutMs: 5_000 },
    );
    const { clock, logger, everyMs, random } = this.#options;
    this.#redrive = loggedEpisode({
      clock,
      logger,
      code: codeOf,
      began: 'the event queue has no redrive policy: unreadable messages come back until they expire',
      ended: 'the event queue has a redrive policy now',
    });
    this.#loop = new Loop({
      name: this.name,
      run: async () => {
        this.#depth = await this.runOnce().catch((error: unknown) => {
          this.#depth = undefined;
          throw error;
        });
      },
      everyMs,
      retry: { baseMs: everyMs, maxMs: everyMs },
      episode: loggedEpisode({
        clock,
        logger,
        code: () => 'SQS_UNREACHABLE',
        began: 'the depth of the event queue cannot be read; trying again',
        ended: 'the depth of the event queue can be read again',
      }),
      clock,
      random,
    });
  }

  get depth(): Depth | undefined {
    return this.#depth;
  }

  start(): Promise<void> {
    return this.#loop.start();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop.stop();
    this.#client.destroy();
  }

  /** Reads it once. */
  async runOnce(): Promise<Depth> {
    const { queueUrl, metrics, shard } = this.#options;
    const own = await this.#read(queueUrl);
    const redrivePolicy = own['RedrivePolicy'];
    if (redrivePolicy) this.#redrive.succeeded();
    else this.#redrive.failed(new AppError('QUEUE_WITHOUT_REDRIVE', `${queueUrl} has no redrive policy`));
    this.#deadLetterUrl = redrivePolicy && (this.#deadLetterUrl ?? (await this.#findDeadLetters(redrivePolicy)));
    const dead = this.#deadLetterUrl ? await this.#deadLetters(this.#deadLetterUrl) : undefined;
    const depth: Depth = {
      waiting: countIn(own, 'ApproximateNumberOfMessages'),
      inFlight: countIn(own, 'ApproximateNumberOfMessagesNotVisible'),
      deadLetters: dead,
      deadLettersSinceMs: dead ? (this.#depth?.deadLettersSinceMs ?? this.#options.clock.now()) : undefined,
      redrives: Boolean(redrivePolicy),
    };
    metrics.queueRedrives.set({ shard }, depth.redrives ? 1 : 0);
    metrics.queueMessages.set({ shard, state: 'waiting' }, depth.waiting);
    metrics.queueMessages.set({ shard, state: 'in_flight' }, depth.inFlight);
    if (depth.deadLetters !== undefined) metrics.queueMessages.set({ shard, state: 'dead_letter' }, depth.deadLetters);
    return depth;
  }

  /** Undefined if they may not be counted, or the answer does not contain the number. */
  async #deadLetters(url: string): Promise<number | undefined> {
    try {
      return countIn(await this.#read(url), 'ApproximateNumberOfMessages');
    } catch {
      return undefined;
    }
  }

  async #read(url: string): Promise<Record<string, string>> {
    const answer = await this.#client.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: [...counted] }),
      { abortSignal: this.#stopping.signal },
    );
    return answer.Attributes ?? {};
  }

  /** Undefined if it may not be looked up. */
  async #findDeadLetters(redrivePolicy: string): Promise<string | undefined> {
    try {
      const { deadLetterTargetArn = '' } = JSON.parse(redrivePolicy) as { deadLetterTargetArn?: string };
      const name = deadLetterTargetArn.slice(deadLetterTargetArn.lastIndexOf(':') + 1);
      const answer = await this.#client.send(new GetQueueUrlCommand({ QueueName: name }), {
        abortSignal: this.#stopping.signal,
      });
      return answer.QueueUrl;
    } catch {
      return undefined;
    }
  }
}

/** A count that the answer leaves out is not zero. @throws AppError AWS_ANSWER_INVALID */
function countIn(attributes: Readonly<Record<string, string>>, name: (typeof counted)[number]): number {
  const value = attributes[name] ?? '';
  if (!/^\d{1,15}$/.test(value)) throw invalidAnswer('AWS_ANSWER_INVALID', 'GetQueueAttributes', `Attributes.${name}`);
  return Number(value);
}
