// Takes events from the SQS queue: receive → parse → observe → delete. A message is deleted only after what follows from it is
// committed; one that cannot be read is left to the queue's redrive policy; a stop aborts nothing but the waiting receive.
//
// States: new → running (several loops) → stopping (batches in hand are finished and deleted) → stopped.
import { hash } from 'node:crypto';
import {
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
  type SQSClientConfig,
} from '@aws-sdk/client-sqs';
import { AppError, messageOf } from '#domain/errors.ts';
import type { EventEnvelope, EventObservation } from '#domain/observation.ts';
import { createAwsClient } from '#runtime/aws-client.ts';
import { type BackoffOptions, backoffMs } from '#runtime/backoff.ts';
import { type Clock, sleepOrAbort } from '#runtime/clock.ts';
import type { Service } from '#runtime/lifecycle.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { type SpanNotes, type SpanOptions, traced } from '#runtime/tracing.ts';
import type { EventSink } from '../ports.ts';
import { readMessage, type Unreadable } from './message.ts';
import { MessageDeletes } from './message-deletes.ts';
import { observeEvent } from './observe.ts';

export interface QueueConsumerOptions {
  readonly shard: string;
  readonly queueUrl: string;
  readonly region: string;
  /**
   * Where the queue's API is, when it is not AWS (AWS_ENDPOINT_URL_SQS). It must be given here: from the environment alone
   * the SDK would still go to the host in the queue's URL.
   */
  readonly endpoint?: string | undefined;
  readonly credentials?: SQSClientConfig['credentials'];
  /** Ends every call that is under way. */
  readonly until?: AbortSignal | undefined;
  readonly sink: EventSink;
  /** The clock that all replicas share: when an event arrived is compared with when sweeps began, whoever made them. */
  readonly now: () => number;
  /** Waits between tries. */
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** The events' `source`. Default: `aws.ivs`. */
  readonly sources?: readonly string[];
  /** Most receives side by side: one waits for messages, others join it while answers are rather full. */
  readonly parallel?: number;
  readonly waitTimeSeconds?: number;
  /**
   * Whether metadata waits to be sent by this process. Sending has a rate of its own, which receiving as fast as possible would take the
   * time from: then receives leave it half of the time.
   */
  readonly isSending?: () => boolean;
  /** After so long without a read, events count as missing: reads, and notes of them, come several times as often. */
  readonly silentAfterMs?: () => number;
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
const longestKeptMs = 14 * 86_400_000;
/** At most so often the sink is told that the queue was read. */
const readNoteEveryMs = 10_000;
/** Reads within the time after which silence is a gap. */
const readsInSilence = 4;
/** The most that ReceiveMessage gives: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html */
const mostInReceive = 10;
/** After a few messages, with no more in sight: what follows from them goes first, before the next receive is made and signed. */
const restMs = 5;
/** Most that the next receive waits for what is being sent. */
const mostGivenMs = 50;
/** What a call may take beside the wait that it asks SQS for. */
const answerMs = 5_000;
const backoff = { baseMs: 200, maxMs: 20_000 };
const mostOthersLogged = 20;

export class QueueConsumer implements Service {
  readonly name = 'event-queue';
  readonly #options: Required<
    Pick<QueueConsumerOptions, 'parallel' | 'waitTimeSeconds' | 'silentAfterMs' | 'sources' | 'isSending'>
  > &
    QueueConsumerOptions;
  readonly #client: SQSClient;
  readonly #stopping = new AbortController();
  readonly #deletes = new MessageDeletes((batch) => this.#delete(batch));
  readonly #loops = new Set<Promise<void>>();
  #lastReadMs: number | undefined;
  #notedReadMs = Number.NEGATIVE_INFINITY;
  #away = false;
  /** Accounts and Regions that events came from and nobody owns: each is logged once. */
  readonly #others = new Set<string>();

  constructor(options: QueueConsumerOptions) {
    this.#options = {
      parallel: 4,
      waitTimeSeconds: 20,
      silentAfterMs: () => Number.POSITIVE_INFINITY,
      isSending: () => false,
      sources: ['aws.ivs'],
      ...options,
    };
    const { endpoint, region, credentials, until } = this.#options;
    this.#client = createAwsClient(
      SQSClient,
      { region, endpoint, credentials, md5: false },
      // One call is one try: the loop below backs off, and nothing is retried behind its back.
      { requestTimeoutMs: answerMs, maxAttempts: 1, until },
    );
  }

  /** When the queue was last read, epoch ms; undefined while it never was. */
  get lastReadMs(): number | undefined {
    return this.#lastReadMs;
  }

  async start(): Promise<void> {
    if (this.#stopping.signal.aborted || this.#loops.size > 0) return;
    this.#spawn(true);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#loops);
    await this.#deletes.drain();
    this.#client.destroy();
  }

  /** The lasting loop, or one that ends as soon as an answer is rather empty: many receives that wait are many calls for nothing. */
  #spawn(lasting: boolean): void {
    const loop = this.#loop(lasting).finally(() => this.#loops.delete(loop));
    this.#loops.add(loop);
  }

  async #loop(lasting: boolean): Promise<void> {
    const { signal } = this.#stopping;
    const { clock, random, isSending } = this.#options;
    for (let failures = 0; !signal.aborted; ) {
      const begunAt = clock.monotonic();
      const outcome = await this.#turn();
      if (outcome === 'full' && isSending())
        await sleepOrAbort(clock, Math.min(mostGivenMs, clock.monotonic() - begunAt), signal);
      if (!lasting && outcome !== 'full') return;
      failures = outcome === 'failed' ? failures + 1 : 0;
      if (outcome === 'few') await sleepOrAbort(clock, restMs, signal);
      if (failures > 0) await sleepOrAbort(clock, backoffMs(this.#backoff(), failures - 1, random), signal);
    }
  }

  /** An outage that is over is noticed well before the silence would be a gap. */
  #backoff(): BackoffOptions {
    const maxMs = Math.min(backoff.maxMs, this.#options.silentAfterMs() / readsInSilence);
    return { ...backoff, maxMs };
  }

  /** One receive, and everything that follows from it; the deletes come a little later. Never rejects. */
  async #turn(): Promise<'none' | 'few' | 'full' | 'failed'> {
    let messages: readonly Message[];
    try {
      messages = await this.#receive();
    } catch (error) {
      if (this.#stopping.signal.aborted) return 'none';
      // How far behind the queue is, nobody knows now.
      this.#options.metrics.queueLagSeconds.remove({ shard: this.#options.shard });
      this.#failed('ReceiveMessage', error);
      return 'failed';
    }
    // Not only when it is full: SQS may give fewer than there are.
    const isFull = messages.length > mostInReceive / 2;
    if (isFull && this.#loops.size < this.#options.parallel) this.#spawn(false);
    const readAtMs = this.#options.now();
    const handled = await Promise.all(
      messages.map((message) => traced(this.#spanOf(message), (span) => this.#handle(message, span))),
    );
    await this.#noteRead(
      readAtMs,
      messages.filter((_, index) => handled[index] !== 'left'),
    );
    this.#deletes.add(messages.filter((_, index) => handled[index] === 'done'));
    // A shared queue goes on for the others while one account's Redis is away: what that one did not take comes again after its visibility timeout.
    if (handled.includes('not-committed') && !handled.includes('done')) return 'failed';
    if (messages.length === 0) return 'none';
    return isFull ? 'full' : 'few';
  }

  async #receive(): Promise<readonly Message[]> {
    const { queueUrl, waitTimeSeconds, silentAfterMs, now, logger } = this.#options;
    const quickSeconds = Math.max(1, Math.floor(silentAfterMs() / readsInSilence / 1000));
    // The first read answers at once, so that a start knows soon whether the queue can be read.
    const waitSeconds = this.#lastReadMs === undefined ? 0 : Math.min(waitTimeSeconds, quickSeconds);
    const answer = await this.#client.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: mostInReceive,
        WaitTimeSeconds: waitSeconds,
        MessageSystemAttributeNames: ['SentTimestamp', 'ApproximateReceiveCount'],
      }),
      { abortSignal: this.#stopping.signal, requestTimeout: waitSeconds * 1000 + answerMs },
    );
    if (this.#away) logger.info({ queueUrl }, 'the event queue answers again');
    this.#away = false;
    this.#lastReadMs = now();
    return answer.Messages ?? [];
  }

  /** Shows how far behind the queue is, and tells the sink now and then. What is left to the redrive waits for nobody. */
  async #noteRead(atMs: number, messages: readonly Message[]): Promise<void> {
    const { shard, sink, metrics, silentAfterMs } = this.#options;
    // SQS keeps nothing for longer than that.
    const oldestMs = atMs - longestKeptMs;
    const sentMs = messages.map(({ Attributes }) => Number(Attributes?.SentTimestamp)).filter((ms) => ms > oldestMs);
    const lagMs = Math.max(0, atMs - Math.min(atMs, ...sentMs));
    metrics.queueLagSeconds.set({ shard }, lagMs / 1000);
    if (atMs - this.#notedReadMs < Math.min(readNoteEveryMs, silentAfterMs() / readsInSilence)) return;
    this.#notedReadMs = atMs;
    // Only a note: when it is lost, the next read makes it again.
    await sink.queueRead({ atMs, lagMs }).catch(() => (this.#notedReadMs = Number.NEGATIVE_INFINITY));
  }

  /** https://opentelemetry.io/docs/specs/semconv/messaging/sqs/ */
  #spanOf({ MessageId }: Message): SpanOptions {
    const queue = this.#options.queueUrl.slice(this.#options.queueUrl.lastIndexOf('/') + 1);
    return {
      name: `process ${queue}`,
      kind: 'consumer',
      attributes: {
        'messaging.system': 'aws_sqs',
        'messaging.destination.name': queue,
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.message.id': MessageId,
      },
    };
  }

  async #handle(message: Message, span: SpanNotes): Promise<'done' | 'left' | 'not-committed'> {
    const { now, metrics } = this.#options;
    const arrivedAtMs = now();
    const sentMs = Number(message.Attributes?.SentTimestamp);
    if (sentMs > 0) metrics.queueDelaySeconds.observe(Math.max(0, arrivedAtMs - sentMs) / 1000);
    const body = typeof message.Body === 'string' ? message.Body : '';
    const problem = problemOf(message);
    if (problem !== undefined) {
      this.#unreadable(message, { problem, advice: 'The queue’s answer was not whole; the message comes again.' });
      return 'left';
    }
    const { wrapping, envelopes, unreadable } = readMessage(body);
    for (const one of unreadable) this.#unreadable(message, one);
    if (envelopes.length > 0) metrics.eventMessages.inc({ road: wrapping });
    const fates = [];
    const [first] = envelopes;
    span.set({
      'messaging.batch.message_count': envelopes.length > 1 ? envelopes.length : undefined,
      'autopilot.event.id': first?.id,
      'autopilot.event.type': first?.['detail-type'],
      'autopilot.channel.arn': first?.resources[0],
    });
    // In the order of the list: what is told first happened first.
    for (const envelope of envelopes) fates.push(await this.#take(envelope, { body, arrivedAtMs, message }));
    if (fates.includes('not-committed')) return 'not-committed';
    // The events of a list count although others of it cannot be read: when it comes again they are known as repeats.
    return unreadable.length > 0 ? 'left' : 'done';
  }

  #unreadable({ MessageId, Attributes }: Message, { problem, advice }: Unreadable): void {
    const { metrics, logger } = this.#options;
    metrics.eventsReceived.inc({ type: 'unreadable', outcome: 'left_to_redrive' });
    const details = { messageId: MessageId, receiveCount: Attributes?.ApproximateReceiveCount };
    logger.warn(
      { code: 'EVENT_UNREADABLE', ...details, problem, advice },
      'a message in the event queue is not an event; the queue’s redrive policy handles it',
    );
  }

  async #take(
    envelope: EventEnvelope,
    { body, arrivedAtMs, message }: { body: string; arrivedAtMs: number; message: Message },
  ): Promise<'done' | 'not-committed'> {
    const { sink, metrics, logger, sources } = this.#options;
    const seen = observeEvent(envelope, { sources, arrivedAtMs });
    try {
      if (seen.kind === 'ignored') {
        if (seen.reason === 'no_channel') await sink.keepUnknown({ reason: seen.reason, body, arrivedAtMs });
        metrics.eventsReceived.inc({ type: 'other', outcome: seen.reason });
        return 'done';
      }
      const { type, observation, unknown } = seen;
      const taken = await sink.observe(observation);
      if (taken === 'not_ours') {
        await sink.keepUnknown({ reason: 'other_account_or_region', body, arrivedAtMs });
        metrics.eventsReceived.inc({ type: 'other', outcome: 'other_account_or_region' });
        this.#warnOfOthers(observation);
        return 'done';
      }
      if (unknown) await sink.keepUnknown({ reason: `unknown_${unknown}`, body, arrivedAtMs });
      if (taken === 'repeated') {
        metrics.eventsReceived.inc({ type, outcome: 'repeated' });
        return 'done';
      }
      metrics.eventsReceived.inc({ type, outcome: unknown ? `observed_unknown_${unknown}` : 'observed' });
      metrics.eventDelaySeconds.observe({ type }, Math.max(0, arrivedAtMs - observation.eventTimeMs) / 1000);
      return 'done';
    } catch (error) {
      metrics.eventsReceived.inc({ type: seen.kind === 'observation' ? seen.type : 'other', outcome: 'not_committed' });
      logger.warn(
        { messageId: message.MessageId, err: error },
        'an event could not be committed; the queue delivers it again',
      );
      return 'not-committed';
    }
  }

  #warnOfOthers({ channelArn, envelope: { account } }: EventObservation): void {
    const from = channelArn?.slice(0, channelArn.indexOf(':channel/')) ?? account;
    if (this.#others.has(from) || this.#others.size >= mostOthersLogged) return;
    this.#others.add(from);
    this.#options.logger.warn(
      { from, queueUrl: this.#options.queueUrl },
      'this queue receives events of an account or Region that is not configured; they are kept for inspection and not acted on (logged once)',
    );
  }

  /** Deletes messages; what cannot be deleted comes again and is recognised as a repeat. */
  async #delete(messages: readonly Message[]): Promise<void> {
    try {
      const { Successful = [], Failed = [] } = await this.#client.send(
        new DeleteMessageBatchCommand({
          QueueUrl: this.#options.queueUrl,
          Entries: messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle })),
        }),
      );
      // An entry of which the answer says nothing is not known to be deleted.
      const deleted = new Set(Successful.map(({ Id }) => Id));
      const left = messages.filter((_, index) => !deleted.has(String(index))).length;
      if (left > 0)
        throw new Error(
          `${left} of ${messages.length} are not deleted: ${Failed[0]?.Code ?? 'the answer leaves them out'}`,
        );
    } catch (error) {
      this.#failed('DeleteMessageBatch', error);
    }
  }

  /** Counts every failure, and logs the first of an outage. */
  #failed(operation: string, cause: unknown): void {
    const { metrics, logger, queueUrl } = this.#options;
    metrics.queueErrors.inc({ operation });
    if (this.#away) return;
    this.#away = true;
    const err = new AppError('SQS_UNREACHABLE', `${operation} on ${queueUrl} failed: ${messageOf(cause)}`, { cause });
    logger.error({ code: err.code, err }, 'the event queue cannot be used; trying again until it can');
  }
}

/** What a message lacks. Without a receipt it could not be deleted, and would keep others from being deleted with it. */
function problemOf({ Body, ReceiptHandle, MD5OfBody }: Message): string | undefined {
  if (typeof Body !== 'string') return 'the message has no body';
  if (typeof ReceiptHandle !== 'string' || ReceiptHandle === '') return 'the message has no receipt';
  if (MD5OfBody !== undefined && hash('md5', Body, 'hex') !== MD5OfBody) return 'the body is not the one that was sent';
  return undefined;
}
