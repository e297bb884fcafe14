// Takes events from the SQS queue: receive → parse → observe → delete. A message is deleted only after everything that follows from it is
// committed; an unreadable one is left to the queue's redrive policy; a stop aborts only the waiting receive.
//
// States: new → running (several loops) → stopping (received batches are finished and deleted) → stopped.
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
   * The endpoint of the queue's API, if it is not AWS (AWS_ENDPOINT_URL_SQS). It must be set here: with the environment alone, the SDK
   * would still call the host in the queue's URL.
   */
  readonly endpoint?: string | undefined;
  readonly credentials?: SQSClientConfig['credentials'];
  /** Ends every running call. */
  readonly until?: AbortSignal | undefined;
  readonly sink: EventSink;
  /** The clock that all replicas share, because arrival times of events are compared with the starts of any replica's sweeps. */
  readonly now: () => number;
  /** The wait between attempts. */
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** The events' `source`. Default: `aws.ivs`. */
  readonly sources?: readonly string[];
  /**
   * Maximum number of parallel receives: one waits for messages, others join it while answers are mostly full. What several have received
   * shares a commit, and a commit costs as much CPU as several events.
   */
  readonly parallel?: number;
  readonly waitTimeSeconds?: number;
  /**
   * Whether metadata waits to be sent by this process. Sending has a rate to keep, and receiving at full speed would take its time, so
   * then only half as many receives run, and they leave it half of the time.
   */
  readonly isSending?: () => boolean;
  /** Without a read for this long, events count as missing; reads, and notes of them, are several times as frequent. */
  readonly silentAfterMs?: () => number;
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
const longestKeptMs = 14 * 86_400_000;
/** The sink learns at most this often that the queue was read. */
const readNoteEveryMs = 10_000;
/** Number of reads within the time after which silence is a gap. */
const readsInSilence = 4;
/** The limit of ReceiveMessage: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html */
const mostInReceive = 10;
/** Delay after a few messages, if no more are expected: the work that follows from them runs before the next receive is signed and sent. */
const restMs = 5;
/** Longest time that the next receive waits for sending. */
const mostGivenMs = 50;
/** How long a call may take in addition to the wait that it asks SQS for. */
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
  /** Accounts and Regions that events came from and no shard owns: each is logged once. */
  readonly #others = new Set<string>();

  constructor(options: QueueConsumerOptions) {
    this.#options = {
      parallel: 8,
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
      // One call is one attempt: the loop below backs off, so the SDK must not retry.
      { requestTimeoutMs: answerMs, maxAttempts: 1, until },
    );
  }

  /** When the queue was last read, epoch ms; undefined if it never was. */
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

  /**
   * The permanent loop, or an extra one that ends as soon as an answer is mostly empty, because many waiting receives are calls for
   * nothing.
   */
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
      if (!lasting && (outcome !== 'full' || this.#loops.size > this.#most)) return;
      failures = outcome === 'failed' ? failures + 1 : 0;
      if (outcome === 'few') await sleepOrAbort(clock, restMs, signal);
      if (failures > 0) await sleepOrAbort(clock, backoffMs(this.#backoff(), failures - 1, random), signal);
    }
  }

  /** How many receives may run now. */
  get #most(): number {
    const { parallel, isSending } = this.#options;
    return isSending() ? Math.ceil(parallel / 2) : parallel;
  }

  /** The end of an outage is noticed well before the silence would count as a gap. */
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
      // The lag of the queue is unknown now.
      this.#options.metrics.queueLagSeconds.remove({ shard: this.#options.shard });
      this.#failed('ReceiveMessage', error);
      return 'failed';
    }
    // Half full is enough: SQS may return fewer messages than there are.
    const isFull = messages.length > mostInReceive / 2;
    if (isFull && this.#loops.size < this.#most) this.#spawn(false);
    const readAtMs = this.#options.now();
    const handled = await Promise.all(
      messages.map((message) => traced(this.#spanOf(message), (span) => this.#handle(message, span))),
    );
    await this.#noteRead(
      readAtMs,
      messages.filter((_, index) => handled[index] !== 'left'),
    );
    this.#deletes.add(messages.filter((_, index) => handled[index] === 'done'));
    // A shared queue is still read for the others while one account's Redis is away. That account's messages return after their visibility
    // timeout.
    if (handled.includes('not-committed') && !handled.includes('done')) return 'failed';
    if (messages.length === 0) return 'none';
    return isFull ? 'full' : 'few';
  }

  async #receive(): Promise<readonly Message[]> {
    const { queueUrl, waitTimeSeconds, silentAfterMs, now, logger } = this.#options;
    const quickSeconds = Math.max(1, Math.floor(silentAfterMs() / readsInSilence / 1000));
    // The first read returns at once, so that a starting daemon soon knows whether the queue can be read.
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

  /**
   * Exports the lag of the queue, and sometimes notifies the sink. Messages left to the redrive policy do not count: nobody waits for them.
   */
  async #noteRead(atMs: number, messages: readonly Message[]): Promise<void> {
    const { shard, sink, metrics, silentAfterMs } = this.#options;
    // SQS keeps no message for longer.
    const oldestMs = atMs - longestKeptMs;
    const sentMs = messages.map(({ Attributes }) => Number(Attributes?.SentTimestamp)).filter((ms) => ms > oldestMs);
    const lagMs = Math.max(0, atMs - Math.min(atMs, ...sentMs));
    metrics.queueLagSeconds.set({ shard }, lagMs / 1000);
    if (atMs - this.#notedReadMs < Math.min(readNoteEveryMs, silentAfterMs() / readsInSilence)) return;
    this.#notedReadMs = atMs;
    // Only a note: if it is lost, the next read writes it again.
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
      this.#unreadable(message, {
        problem,
        advice: 'The queue’s answer was incomplete; the message will be delivered again.',
      });
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
    // In the order of the list: what comes first happened first.
    for (const envelope of envelopes) fates.push(await this.#take(envelope, { body, arrivedAtMs, message }));
    if (fates.includes('not-committed')) return 'not-committed';
    // The events of a list count even if other parts are unreadable: when the message returns, they are recognised as repeats.
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

  /** Deletes messages. One that cannot be deleted is delivered again and recognised as a repeat. */
  async #delete(messages: readonly Message[]): Promise<void> {
    try {
      const { Successful = [], Failed = [] } = await this.#client.send(
        new DeleteMessageBatchCommand({
          QueueUrl: this.#options.queueUrl,
          Entries: messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle })),
        }),
      );
      // An entry that the answer does not mention may not have been deleted.
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

/**
 * What is wrong with a message. Without a receipt it could not be deleted, and would also prevent the others in its batch from being
 * deleted.
 */
function problemOf({ Body, ReceiptHandle, MD5OfBody }: Message): string | undefined {
  if (typeof Body !== 'string') return 'the message has no body';
  if (typeof ReceiptHandle !== 'string' || ReceiptHandle === '') return 'the message has no receipt';
  if (MD5OfBody !== undefined && hash('md5', Body, 'hex') !== MD5OfBody) return 'the body is not the one that was sent';
  return undefined;
}
