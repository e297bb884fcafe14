// SQS, EventBridge, Secrets Manager and Parameter Store return false answers: each call fails, and nothing is concluded.
import { describe, expect, test } from 'vitest';
import type { EventObservation } from '#domain/observation.ts';
import { Secret } from '#domain/secret.ts';
import { QueueConsumer } from '#intake/events/queue-consumer.ts';
import { QueueDepth } from '#intake/events/queue-depth.ts';
import { EventBus } from '#outbound/event-bus.ts';
import { createAwsClient } from '#runtime/aws-client.ts';
import { systemClock } from '#runtime/clock.ts';
import { createLogger, Scrubber } from '#runtime/logger.ts';
import { parameterStoreSink } from '#secrets/parameter-store.ts';
import { secretsManagerSink } from '#secrets/secrets-manager.ts';
import { lyingAws } from '#test/support/lying-aws.ts';
import { eventually, testMetrics } from '#test/support/quiet.ts';

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const region = 'us-west-2';
const lies = ['', '{}', 'null', '[]', '<html>log in</html>', '{"a":'];
const signal = new AbortController().signal;

function loggerInto(log: string[]) {
  return createLogger({
    level: 'debug',
    scrubber: new Scrubber(),
    destination: { write: (line) => void log.push(line) },
  });
}

const eventOf = (id: string) =>
  JSON.stringify({
    id,
    'detail-type': 'IVS Limit Breach',
    source: 'aws.ivs',
    account: '111122223333',
    time: '2026-11-20T10:15:04Z',
    region,
    resources: [],
    detail: { limit_name: 'Concurrent Viewers' },
  });

describe('an event queue', () => {
  async function consuming() {
    const aws = await lyingAws();
    const log: string[] = [];
    const observed: string[] = [];
    const metrics = testMetrics();
    const consumer = new QueueConsumer({
      shard: 'main',
      queueUrl: `${aws.url}/111122223333/ivs-events`,
      region,
      endpoint: aws.url,
      credentials,
      sources: ['aws.ivs'],
      sink: {
        observe: async ({ envelope }: EventObservation) => {
          observed.push(envelope.id);
          return 'taken' as const;
        },
        keepUnknown: async () => undefined,
        queueRead: async () => undefined,
      },
      now: Date.now,
      clock: systemClock,
      random: () => 0,
      logger: loggerInto(log),
      metrics,
      parallel: 1,
      waitTimeSeconds: 1,
      // Retries after at most 100 ms.
      silentAfterMs: () => 400,
    });
    return { aws, log, observed, metrics, consumer };
  }

  test('that answers a receive with nothing, or without a list, was not read; an empty object is an empty queue', async () => {
    const { aws, log, consumer } = await consuming();
    await using _aws = aws;
    aws.answer('ReceiveMessage', '');
    await consumer.start();
    try {
      await eventually(() => log.some((line) => line.includes('SQS_UNREACHABLE')));
      for (const lie of ['{"Messages":null}', '{"Messages":{}}', '{"Messages":["text"]}', '<html></html>']) {
        aws.answer('ReceiveMessage', lie);
        const before = aws.calls.length;
        await eventually(() => aws.calls.length > before + 1);
        expect(consumer.lastReadMs, lie).toBeUndefined();
      }
      aws.answer('ReceiveMessage', '{}');
      await eventually(() => consumer.lastReadMs !== undefined);
    } finally {
      await consumer.stop();
    }
  });

  test('that returns an odd message among others: the others are accepted and deleted, the odd one is reported', async () => {
    const { aws, log, observed, consumer } = await consuming();
    await using _aws = aws;
    aws.answer('DeleteMessageBatch', { Successful: [{ Id: '0' }, { Id: '7' }], Failed: [] });
    aws.answer('ReceiveMessage', {
      Messages: [
        { MessageId: 'm1', Body: eventOf('e1') },
        { MessageId: 'm2', ReceiptHandle: 'r2', Body: 5 },
        { MessageId: 'm3', ReceiptHandle: 'r3', Body: eventOf('e3'), Attributes: { SentTimestamp: '-1' } },
        { MessageId: 'm4', ReceiptHandle: 'r4', Body: eventOf('e4') },
        { MessageId: 'm5', ReceiptHandle: 'r5', Body: eventOf('e5'), MD5OfBody: 'of another body' },
      ],
    });
    await consumer.start();
    await eventually(() => aws.calls.some(({ operation }) => operation === 'DeleteMessageBatch'));
    aws.answer('ReceiveMessage', '{}');
    await eventually(() => log.some((line) => line.includes('are not deleted')));
    await consumer.stop();

    expect(new Set(observed)).toEqual(new Set(['e3', 'e4']));
    const [deletes] = aws.calls.filter(({ operation }) => operation === 'DeleteMessageBatch');
    const handles = (deletes!.input['Entries'] as { ReceiptHandle: string }[]).map(
      ({ ReceiptHandle }) => ReceiptHandle,
    );
    expect(new Set(handles)).toEqual(new Set(['r3', 'r4']));
    expect(log.filter((line) => line.includes('EVENT_UNREADABLE')).length).toBeGreaterThanOrEqual(3);
    // The answer was about one of them, and one that was not requested.
    expect(log.join()).toMatch(/\d of \d+ are not deleted: the answer leaves them out/);
  });

  test('that does not say how many messages wait has not said that none do', async () => {
    await using aws = await lyingAws();
    const depth = new QueueDepth({
      shard: 'main',
      queueUrl: `${aws.url}/111122223333/ivs-events`,
      region,
      endpoint: aws.url,
      credentials,
      clock: systemClock,
      logger: loggerInto([]),
      metrics: testMetrics(),
      random: () => 0,
    });
    const whole = { ApproximateNumberOfMessages: '3', ApproximateNumberOfMessagesNotVisible: '1' };
    for (const lie of [...lies, { Attributes: {} }, { Attributes: { ...whole, ApproximateNumberOfMessages: '-3' } }]) {
      aws.answer('GetQueueAttributes', lie);
      await expect(depth.runOnce(), JSON.stringify(lie)).rejects.toThrow(/returned an invalid answer/);
    }
    aws.answer('GetQueueAttributes', { Attributes: whole });

    expect(await depth.runOnce()).toEqual({ waiting: 3, inFlight: 1, deadLetters: undefined, redrives: false });
    await depth.stop();
  });
});

test('an event is on the bus only if its own entry says so', async () => {
  await using aws = await lyingAws();
  const bus = new EventBus({ region, endpoint: aws.url, credentials });
  const event = { source: 'us', detailType: 'Test', detail: {}, bus: undefined, resources: [], timeMs: 0 };
  const taken = { EventId: 'e-1' };
  for (const lie of [
    ...lies,
    { Entries: null },
    { Entries: [] },
    { Entries: [{}] },
    { Entries: [taken, { EventId: 'e-2' }] },
    { Entries: [taken], FailedEntryCount: 1 },
    { Entries: [{ ...taken, ErrorCode: 'InternalFailure' }], FailedEntryCount: 0 },
    { Entries: [{ EventId: 5 }] },
  ]) {
    aws.answer('PutEvents', lie);
    await expect(bus.put(event, signal), JSON.stringify(lie)).rejects.toMatchObject({ code: 'EVENT_BUS_FAILED' });
  }
  aws.answer('PutEvents', { FailedEntryCount: 0, Entries: [taken] });

  expect(await bus.put(event, signal)).toEqual({ eventId: 'e-1' });
  bus.destroy();
});

test('a key is delivered only if the answer names its version', async () => {
  await using aws = await lyingAws();
  const access = { region, endpoint: aws.url, credentials };
  const bounds = { requestTimeoutMs: 60_000 };
  const { SecretsManager } = await import('@aws-sdk/client-secrets-manager');
  const { SSM } = await import('@aws-sdk/client-ssm');
  const secrets = createAwsClient(SecretsManager, access, bounds);
  const ssm = createAwsClient(SSM, access, bounds);
  const secret = { kind: 'stream_key', value: new Secret('v'), keyArn: 'arn:k', channelArn: 'arn:c' } as never;
  const sinks = [
    secretsManagerSink(() => Promise.resolve(secrets), 'ivs/key'),
    parameterStoreSink(() => Promise.resolve(ssm), '/ivs/key'),
  ];

  for (const lie of lies) {
    aws.answer('PutSecretValue', lie);
    aws.answer('PutParameter', lie);
    for (const sink of sinks)
      await expect(sink.deliver(secret, signal), lie).rejects.toMatchObject({
        code: expect.stringMatching(/^(AWS_ANSWER_INVALID|SECRET_SINK_FAILED)$/) as string,
        disposition: { kind: 'retry' },
      });
  }
  aws.answer('PutSecretValue', { ARN: 'arn:s', VersionId: 'v2', Name: 'ivs/key' });
  aws.answer('PutParameter', { Version: 2 });
  for (const sink of sinks) await sink.deliver(secret, signal);
  secrets.destroy();
  ssm.destroy();
});
