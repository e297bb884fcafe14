// Every call to another machine ends in time, whatever the peer does with its connection.
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { IvsClient, ListStreamsCommand } from '@aws-sdk/client-ivs';
import { GetSecretValueCommand, SecretsManager } from '@aws-sdk/client-secrets-manager';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { GetParameterCommand, SSM } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { describe, expect, test } from 'vitest';
import { HttpSender } from '#outbound/http-sender.ts';
import { createAwsClient } from '#runtime/aws-client.ts';
import { systemClock } from '#runtime/clock.ts';
import { badPeer, type Manner } from '#test/support/bad-peer.ts';
import { testCredentials } from '#test/support/broadcast.ts';
import { eventually, testMetrics } from '#test/support/quiet.ts';

const manners: readonly Manner[] = ['silent', 'drip', 'drip-headers', 'hang-after-headers', 'endless', 'half-open'];
const requestTimeoutMs = 100;

type AnySdkClient = { send(command: never, options?: object): Promise<unknown>; destroy(): void };
const clients: readonly (readonly [string, new (config: never) => AnySdkClient, object])[] = [
  ['IVS', IvsClient, new ListStreamsCommand({})],
  ['SQS', SQSClient, new ReceiveMessageCommand({ QueueUrl: 'http://sqs.test/111122223333/queue' })],
  [
    'EventBridge',
    EventBridgeClient,
    new PutEventsCommand({ Entries: [{ Source: 'a', DetailType: 'b', Detail: '{}' }] }),
  ],
  ['STS', STSClient, new GetCallerIdentityCommand({})],
  ['Secrets Manager', SecretsManager, new GetSecretValueCommand({ SecretId: 'a' })],
  ['SSM', SSM, new GetParameterCommand({ Name: 'a' })],
];

describe.concurrent.each(clients)('a call of the client of %s', (_name, Client, command) => {
  test.each(manners)('ends in time when the peer is %s, and its connection with it', async (manner) => {
    await using peer = await badPeer({ manner });
    const settings = { region: 'us-west-2', endpoint: peer.url, credentials: testCredentials };
    const client = createAwsClient(Client, settings, { requestTimeoutMs, maxAttempts: 1 });

    await expect(client.send(command as never)).rejects.toThrow();

    await eventually(() => peer.open === 0);
    client.destroy();
  });

  test('ends when it is no longer wanted, by its own signal and by that of a stop', async () => {
    await using peer = await badPeer({ manner: 'drip' });
    const until = new AbortController();
    const own = new AbortController();
    const settings = { region: 'us-west-2', endpoint: peer.url, credentials: testCredentials };
    const client = createAwsClient(Client, settings, { requestTimeoutMs: 600_000, until: until.signal });
    const calls = [
      client.send(command as never, { abortSignal: own.signal }),
      client.send(command as never).finally(() => undefined),
    ];
    const failures = Promise.allSettled(calls);
    await eventually(() => peer.received >= 2);

    own.abort();
    await expect(calls[0]).rejects.toMatchObject({ name: 'AbortError' });
    until.abort();

    await expect(calls[1]).rejects.toMatchObject({ name: 'AbortError' });
    await failures;
    client.destroy();
  });
});

test('a search for credentials that hangs ends with the call that a stop ends', async () => {
  await using peer = await badPeer();
  const until = new AbortController();
  const client = createAwsClient(
    STSClient,
    { region: 'us-west-2', endpoint: peer.url, credentials: () => new Promise(() => undefined) },
    { requestTimeoutMs, until: until.signal },
  );
  const call = client.send(new GetCallerIdentityCommand({}));
  setImmediate(() => until.abort());

  await expect(call).rejects.toMatchObject({ name: 'AbortError' });
  expect(peer.received).toBe(0);
});

test.each(manners)('a webhook ends in time when its receiver is %s', async (manner) => {
  await using peer = await badPeer({ manner });
  const sender = new HttpSender({
    addresses: { allowPrivate: true, allowLinkLocal: false },
    nowMs: () => systemClock.now(),
    metrics: testMetrics(),
    timeoutMs: requestTimeoutMs,
  });
  const message = {
    method: 'POST',
    url: peer.url,
    body: '{}',
    contentType: 'application/json',
    deliveryId: 'd',
  } as const;
  // The status is the receiver's answer, whatever follows it.
  const answers = ['drip', 'hang-after-headers', 'endless'].includes(manner);

  const sent = sender.send(message, new AbortController().signal);

  if (answers) await expect(sent).resolves.toEqual({ status: 200 });
  else await expect(sent).rejects.toMatchObject({ code: 'WEBHOOK_FAILED' });
  await eventually(() => peer.open === 0);
});
