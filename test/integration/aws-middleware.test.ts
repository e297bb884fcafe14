// What the SDK runs around a call: once for each operation, without what does nothing here. These tests name the SDK's own parts, so that a
// new version of it that has others is noticed.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { IvsClient, ListStreamsCommand, PutMetadataCommand } from '@aws-sdk/client-ivs';
import { GetQueueAttributesCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createAwsClient } from '#runtime/aws-client.ts';
import type { AwsCallOptions, HttpAnswer } from '#runtime/aws-middleware.ts';
import { Sha256 } from '#runtime/sha256.ts';
import { testCredentials } from '#test/support/broadcast.ts';
import { eventually } from '#test/support/quiet.ts';

const hour = 3_600_000;
const putMetadata = (metadata = 'x') =>
  new PutMetadataCommand({ channelArn: 'arn:aws:ivs:us-west-2:111122223333:channel/a', metadata });

/** A service that keeps the headers of each request, and answers with `answer`. */
async function service(
  answer: { readonly body?: string; readonly offMs?: number; readonly holds?: () => boolean } = {},
) {
  const requests: { readonly headers: IncomingHttpHeaders; readonly body: string }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      requests.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      if (answer.holds?.()) return;
      response.setHeader('date', new Date(Date.now() + (answer.offMs ?? 0)).toUTCString());
      response.end(answer.body ?? '{}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return { requests, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function clientOf<C extends { destroy(): void }>(
  Client: new (config: never) => C,
  endpoint: string,
  { maxAttempts = 1 } = {},
): C {
  const client = createAwsClient(
    Client,
    { region: 'us-west-2', endpoint, credentials: testCredentials },
    { requestTimeoutMs: 60_000, maxAttempts },
  );
  onTestFinished(() => client.destroy());
  return client;
}

/** The steps of a call, in their order. */
function stepsOf(
  { middlewareStack, config }: { readonly middlewareStack: object; readonly config: object },
  command: { resolveMiddleware(...args: never[]): unknown; readonly middlewareStack: object },
): string[] {
  command.resolveMiddleware(middlewareStack as never, config as never, undefined as never);
  const stack = middlewareStack as { concat(other: object): { identify(): string[] } };
  return stack
    .concat(command.middlewareStack)
    .identify()
    .map((step) => step.replace(/ .*$/, ''));
}

test('a call has these steps and no others', () => {
  const ivs = clientOf(IvsClient, 'http://127.0.0.1:1');
  const sqs = clientOf(SQSClient, 'http://127.0.0.1:1', { maxAttempts: 2 });

  const beginning = ['httpAuthSchemeMiddleware', 'endpointV2Middleware'];
  const rest = [
    'serializerMiddleware',
    'contentLengthMiddleware',
    'getUserAgentMiddleware',
    'hostHeaderMiddleware',
    'retryMiddleware',
    'httpSigningMiddleware',
    'deserializerMiddleware',
    'checkAnswer',
    'wire',
  ];
  expect(stepsOf(ivs, putMetadata())).toEqual([...beginning, ...rest]);
  expect(stepsOf(sqs, new ReceiveMessageCommand({ QueueUrl: 'http://127.0.0.1:1/q' }))).toEqual([
    'receiveMessageMiddleware',
    'longPollMiddleware',
    ...beginning,
    'queueUrlMiddleware',
    ...rest,
  ]);
});

test('the steps of an operation are sorted once, its signer is made once, and the configuration is a plain object', async () => {
  const { requests, url } = await service();
  const client = clientOf(IvsClient, url);
  const sorted = vi.spyOn(PutMetadataCommand.prototype, 'resolveMiddleware');
  onTestFinished(() => sorted.mockRestore());

  for (const metadata of ['a', 'b', 'c']) await client.send(putMetadata(metadata));

  expect(sorted).toHaveBeenCalledTimes(1);
  expect(requests.map(({ body }) => JSON.parse(body).metadata)).toEqual(['a', 'b', 'c']);
  expect(await client.config.signer()).toBe(await client.config.signer());
  expect(client.config.sha256).toBe(Sha256);
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(client.config)))
    expect({ name, ...property }).toHaveProperty('value');
});

test('with one attempt nothing announces others; with two, the second one is sent with the options of the first', async () => {
  const { requests, url } = await service();
  const around: AwsCallOptions['aroundWire'] = vi.fn(async (send: () => Promise<HttpAnswer>) => {
    const answer = await send();
    if (requests.length === 2) throw Object.assign(new Error('lost'), { name: 'TimeoutError' });
    return answer;
  });
  const options: AwsCallOptions = { aroundWire: around };

  await clientOf(IvsClient, url).send(putMetadata());
  await clientOf(IvsClient, url, { maxAttempts: 2 }).send(putMetadata(), options);

  expect(requests.map(({ headers }) => headers['amz-sdk-request'])).toEqual([
    undefined,
    'attempt=1; max=2',
    'attempt=2; max=2',
  ]);
  expect(around).toHaveBeenCalledTimes(2);
});

test('a request is signed before the last step, which decides when it is sent and sees the whole answer', async () => {
  const { requests, url } = await service({ body: '{"streams":[]}' });
  const client = clientOf(IvsClient, url);
  const seen: unknown[] = [];
  const options: AwsCallOptions = {
    async aroundWire(send) {
      seen.push(requests.length);
      const answer = await send();
      seen.push(requests.length, Buffer.from(answer.response.body as Uint8Array).toString());
      return answer;
    },
  };

  const { streams } = await client.send(new ListStreamsCommand({}), options);

  expect(seen).toEqual([0, 1, '{"streams":[]}']);
  expect(streams).toEqual([]);
  expect(requests[0]!.headers.authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=.*Signature=[0-9a-f]{64}$/);
});

test('an answer in many pieces arrives whole, and one that breaks off is an error', async () => {
  const streams = Array.from({ length: 3000 }, (_, i) => ({
    channelArn: `arn:aws:ivs:us-west-2:111122223333:channel/${i}`,
    streamId: `st-${i}`,
  }));
  const whole = await service({ body: JSON.stringify({ streams }) });
  const broken = createServer((_request, response) => {
    response.writeHead(200, { 'content-length': 1000 });
    response.write('{"streams":[', () => response.destroy());
  }).listen(0, '127.0.0.1');
  await once(broken, 'listening');
  onTestFinished(async () => {
    broken.close();
    await once(broken, 'close');
  });

  const answer = await clientOf(IvsClient, whole.url).send(new ListStreamsCommand({}));
  const { port } = broken.address() as AddressInfo;

  expect(answer.streams).toEqual(streams);
  await expect(clientOf(IvsClient, `http://127.0.0.1:${port}`).send(new ListStreamsCommand({}))).rejects.toMatchObject({
    code: 'ECONNRESET',
  });
});

test('calls of one command at the same time keep their own options', async () => {
  const { requests, url } = await service({ holds: () => requests.length <= 2 });
  const client = clientOf(SQSClient, url);
  const command = new GetQueueAttributesCommand({ QueueUrl: `${url}/q` });
  const [first, second] = [new AbortController(), new AbortController()];
  const calls = [first, second].map(({ signal }) => client.send(command, { abortSignal: signal }));
  const settled = Promise.allSettled(calls);
  await eventually(() => requests.length === 2);

  second.abort();
  await expect(calls[1]).rejects.toMatchObject({ name: 'AbortError' });
  const third = new AbortController();
  third.abort();
  await expect(client.send(command, { abortSignal: third.signal })).rejects.toMatchObject({ name: 'AbortError' });
  expect(requests).toHaveLength(2);
  first.abort();

  await expect(calls[0]).rejects.toMatchObject({ name: 'AbortError' });
  await settled;
});

test('a request is signed with the service’s time, once that is known to differ from ours', async () => {
  const { requests, url } = await service({ offMs: 2 * hour });
  const client = clientOf(IvsClient, url);

  await client.send(putMetadata());
  await client.send(putMetadata());

  const [before, after] = requests.map(({ headers }) => {
    const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(headers['x-amz-date']))!;
    return Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`);
  });
  expect(after! - before!).toBeGreaterThan(hour);
});

test('the key of a day is found once, not by a hash of the credentials for each call', async () => {
  const { requests, url } = await service();
  const client = clientOf(IvsClient, url);
  const digests = vi.spyOn(Sha256.prototype, 'digest');
  onTestFinished(() => digests.mockRestore());
  await client.send(putMetadata());
  digests.mockClear();

  for (const metadata of ['a', 'b', 'c']) await client.send(putMetadata(metadata));

  // The body, the request, and the signature. If a day ends meanwhile: the credentials, and four steps to its key.
  const days = new Set(requests.map(({ headers }) => String(headers['x-amz-date']).slice(0, 8))).size;
  expect(digests).toHaveBeenCalledTimes(3 * 3 + 5 * (days - 1));
  expect(new Set(requests.map(({ headers }) => headers.authorization)).size).toBe(4);
});

test('a secret that is replaced has a key of its own, even within the same object', async () => {
  const { requests, url } = await service();
  // The SDK keeps keys too, for all clients: these secrets have none yet.
  const given = { ...testCredentials, secretAccessKey: randomUUID() };
  const client = createAwsClient(
    IvsClient,
    {
      region: 'us-west-2',
      endpoint: url,
      // Within the SDK's five minutes before their end, credentials are asked for again.
      credentials: async () => Object.assign(given, { expiration: new Date(Date.now() + 60_000) }),
    },
    { requestTimeoutMs: 60_000, maxAttempts: 1 },
  );
  onTestFinished(() => client.destroy());
  const digests = vi.spyOn(Sha256.prototype, 'digest');
  onTestFinished(() => digests.mockRestore());

  await client.send(putMetadata());
  given.secretAccessKey = randomUUID();
  await client.send(putMetadata());
  await client.send(putMetadata());

  // Three for each call, and five for each key: for either secret, and for a new day if one begins meanwhile.
  const days = new Set(requests.map(({ headers }) => String(headers['x-amz-date']).slice(0, 8))).size;
  expect(digests.mock.calls.length - 3 * 3).toBeGreaterThanOrEqual(5 * 2);
  expect(digests.mock.calls.length - 3 * 3).toBeLessThanOrEqual(5 * (2 + days - 1));
});

test('credentials that are replaced sign the next call, although the signer is kept', async () => {
  const { requests, url } = await service();
  let found = 0;
  const client = createAwsClient(
    IvsClient,
    {
      region: 'us-west-2',
      endpoint: url,
      // Within the SDK's five minutes before their end, credentials are asked for again.
      credentials: async () => {
        found += 1;
        return { ...testCredentials, accessKeyId: `AKIDTEST${found}`, expiration: new Date(Date.now() + 60_000) };
      },
    },
    { requestTimeoutMs: 60_000, maxAttempts: 1 },
  );
  onTestFinished(() => client.destroy());

  await client.send(putMetadata());
  await client.send(putMetadata());

  const signedBy = requests.map(({ headers }) => /Credential=(\w+)\//.exec(String(headers.authorization))?.[1]);
  expect(new Set(signedBy).size).toBe(2);
  for (const keyId of signedBy) expect(keyId).toMatch(/^AKIDTEST\d+$/);
});
