// Messages to webhooks over real HTTP: signed, logged, retried if that helps, and never sent to a place that is not meant.

import type { LookupAddress, lookup as systemLookup } from 'node:dns';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { kinds, logs } from '#domain/state-registry.ts';
import { HttpSender } from '#outbound/http-sender.ts';
import { systemClock } from '#runtime/clock.ts';
import { startSimulator } from '#simulator/server.ts';
import { actionRig, operatorJob } from '#test/support/action-rig.ts';
import { testMetrics } from '#test/support/quiet.ts';
import { receiverOf } from '#test/support/receivers.ts';
import { redisScope } from '#test/support/redis.ts';

interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A receiver of webhooks; `answer` says which status a message gets, by its path and number. */
async function receiver(answer: (path: string, count: number) => number = () => 200) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const path = request.url ?? '';
      received.push({ path, headers: request.headers, body });
      response.statusCode = answer(path, received.filter((each) => each.path === path).length);
      if (response.statusCode === 429) response.setHeader('retry-after', '40');
      if (response.statusCode === 302) response.setHeader('location', '/elsewhere');
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const sender = (allowPrivate: boolean, lookup?: typeof systemLookup, timeoutMs = 60_000) =>
  new HttpSender({
    addresses: { allowPrivate, allowLinkLocal: false },
    nowMs: () => systemClock.now(),
    metrics: testMetrics(),
    timeoutMs,
    ...(lookup ? { lookup } : {}),
  });
const message = (url: string) => ({
  method: 'POST' as const,
  url,
  body: '{}',
  contentType: 'application/json',
  deliveryId: 'd-1',
});
const signal = () => AbortSignal.timeout(120_000);

/** A resolver that returns these addresses for every name. */
function resolvesTo(...addresses: string[]): typeof systemLookup {
  return ((_name: string, _options: unknown, callback: (error: null, found: LookupAddress[]) => void) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )) as unknown as typeof systemLookup;
}

describe('a webhook never reaches', () => {
  test.each([
    'http://127.0.0.1:1/x',
    'http://[::1]:1/x',
    'http://169.254.169.254/latest/meta-data/',
    'http://[fd00:ec2::254]/latest/meta-data/',
    'http://2130706433/x',
    'http://0x7f.1/x',
    'http://10.0.0.7/x',
    'ftp://example.test/x',
    'nonsense',
  ])('%s', async (url) => {
    await expect(sender(false).send(message(url), signal())).rejects.toMatchObject({ code: 'WEBHOOK_REFUSED' });
  });

  test('a name that resolves to such an address, even together with a good one', async () => {
    await using target = await receiver();
    const { port } = new URL(target.url);
    for (const lookup of [resolvesTo('127.0.0.1'), resolvesTo('93.184.215.14', '169.254.169.254')]) {
      const sent = sender(false, lookup).send(message(`http://hooks.example.test:${port}/x`), signal());
      await expect(sent).rejects.toMatchObject({ code: 'WEBHOOK_REFUSED' });
    }
    expect(target.received).toEqual([]);
  });

  test('the target of a redirect', async () => {
    await using target = await receiver(() => 302);

    const sent = sender(true).send(message(`${target.url}/here`), signal());

    await expect(sent).rejects.toMatchObject({
      code: 'WEBHOOK_REJECTED',
      message: expect.stringContaining('redirect'),
    });
    expect(target.received.map(({ path }) => path)).toEqual(['/here']);
  });

  test('another machine by plain HTTP with a secret', async () => {
    const sent = sender(true, resolvesTo('93.184.215.14')).send(
      { ...message('http://example.test/x'), confidential: true },
      signal(),
    );

    await expect(sent).rejects.toMatchObject({ code: 'WEBHOOK_REFUSED', message: expect.stringContaining('https') });
  });
});

test('keeps its address out of errors, since it may contain a token', async () => {
  await using target = await receiver(() => 403);

  const failure = await sender(true)
    .send(message(`${target.url}/services/T0000/not-to-be-seen?token=not-to-be-seen`), signal())
    .catch((error: unknown) => error);

  expect(failure).toMatchObject({ code: 'WEBHOOK_REJECTED' });
  expect((failure as Error).message).not.toContain('not-to-be-seen');
});

test('gives up one that never answers in time, and retries later', async () => {
  const server = createServer(() => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`;

  const sent = sender(true, undefined, 500).send(message(url), signal());

  await expect(sent).rejects.toMatchObject({ code: 'WEBHOOK_FAILED', disposition: { kind: 'retry' } });
  server.closeAllConnections();
  server.close();
});

describe('the actions', () => {
  async function setup(answer?: (path: string, count: number) => number) {
    const resources = new AsyncDisposableStack();
    const simulator = resources.use(await startSimulator({ enforcement: 'off' }));
    const scope = resources.use(await redisScope());
    const target = resources.use(await receiver(answer));
    const directory = await mkdtemp(join(tmpdir(), 'hooks-'));
    resources.defer(() => rm(directory, { recursive: true, force: true }));
    await writeFile(join(directory, 'url'), `${target.url}/from-file\n`);
    await writeFile(join(directory, 'hmac'), 'a signing key, made for this test\n');
    const hmac_key_file = join(directory, 'hmac');
    const rig = resources.use(
      await actionRig({
        simulatorUrl: simulator.url,
        redis: scope.redis,
        prefix: scope.prefix,
        receivers: [
          receiverOf({
            name: 'noc',
            webhook_configs: [
              { url: `${target.url}/pager`, hmac_key_file },
              { url_file: join(directory, 'url'), hmac_key_file, format: 'slack' },
            ],
          }),
        ],
      }),
    );
    return { rig, target, directory, [Symbol.asyncDispose]: () => resources.disposeAsync() };
  }

  test('webhook is retried after a 503 with the same delivery id, and the log shows both', async () => {
    await using t = await setup((_path, count) => (count === 1 ? 503 : 200));

    await t.rig.settle('hook-1', operatorJob('webhook', { url_file: join(t.directory, 'url'), body: { a: 1 } }));

    expect(t.target.received.map(({ headers }) => headers['x-autopilot-delivery'])).toEqual(['hook-1', 'hook-1']);
    const log = await t.rig.state.readLog(logs.deliveries, { limit: 10 });
    expect(log.map(({ entry }) => entry.status ?? entry.error)).toEqual([200, expect.stringContaining('503')]);
  });

  test('webhook waits as long as Retry-After says without using up an attempt, but not forever', async () => {
    await using t = await setup(() => 429);
    const job = operatorJob('webhook', { url_file: join(t.directory, 'url'), body: { a: 1 } });
    const at = (decidedAtMs: number) => t.rig.run('hook-1', { ...job, decidedAtMs }).catch((error: unknown) => error);

    expect(await at(t.rig.state.nowMs())).toMatchObject({
      code: 'WEBHOOK_FAILED',
      disposition: { kind: 'retry-after', delayMs: 40_000 },
    });
    expect(await at(t.rig.state.nowMs() - 7 * 3_600_000)).toMatchObject({ disposition: { kind: 'retry' } });
  });

  test('notify reaches every webhook of the receiver, and one that has it does not get it again', async () => {
    await using t = await setup((path, count) => (path === '/from-file' && count === 1 ? 500 : 200));

    const result = await t.rig.settle('note-1', operatorJob('notify', { receiver: 'noc', text: 'studio-a starving' }));

    expect(result).toMatchObject({ outcome: 'done', sent: 2 });
    expect(t.target.received.map(({ path }) => path)).toEqual(['/pager', '/from-file', '/from-file']);
    expect(JSON.parse(t.target.received[0]!.body)).toMatchObject({
      version: 1,
      receiver: 'noc',
      text: 'studio-a starving',
    });
    expect(JSON.parse(t.target.received[1]!.body)).toEqual({ text: 'studio-a starving' });
    expect(t.target.received[0]!.headers['x-autopilot-signature']).toMatch(/^v1=[0-9a-f]{64}$/);
    expect([...t.rig.state.view.entries(kinds.notified)]).toEqual([]);
  });

  test('what a stranger wrote into a body is text: shown in plain text, the same text in JSON', async () => {
    await using t = await setup();
    const nasty = 'studio\u001b[2J\u009b31m\u202e\u2028\u0085\u2066';
    const url = `${t.target.url}/text`;
    const laidOut = `{\r\n\t"name": "studio\u202e\u0085"}`;

    await t.rig.settle('text-1', operatorJob('webhook', { url, body: `${nasty} starves\n\tsince noon` }));
    await t.rig.settle('text-2', operatorJob('webhook', { url, body: { name: nasty } }));
    await t.rig.settle('text-3', operatorJob('webhook', { url, body: laidOut }));
    await t.rig.settle('text-4', operatorJob('notify', { receiver: 'noc', text: nasty }));

    const [plain, json, own, ...notes] = t.target.received.map(({ body }) => body);
    expect(plain).toBe(`${String.raw`studio\u001b[2J\u009b31m\u202e\u2028\u0085\u2066`} starves\n\tsince noon`);
    expect(t.target.received[0]!.headers['content-type']).toContain('text/plain');
    expect(JSON.parse(json!)).toEqual({ name: nasty });
    expect(JSON.parse(own!)).toEqual(JSON.parse(laidOut));
    expect(notes).toHaveLength(2);
    for (const body of [json!, own!, ...notes])
      expect(body).not.toMatch(/[\p{Cc}--[\t\r\n]]|[\p{Bidi_Control}\u2028]/v);
  });

  test('a permanent refusal is not retried, and an unknown receiver is named', async () => {
    await using t = await setup(() => 410);

    await expect(t.rig.settle('hook-1', operatorJob('webhook', { url: `${t.target.url}/x` }))).rejects.toMatchObject({
      code: 'WEBHOOK_REJECTED',
    });
    expect(t.target.received).toHaveLength(1);
    await expect(
      t.rig.settle('note-1', operatorJob('notify', { receiver: 'nobody', text: 'x' })),
    ).rejects.toMatchObject({
      code: 'RECEIVER_UNKNOWN',
    });
  });
});
