// Through a proxy, and to servers with a private authority: every AWS client, the search for credentials, and webhooks.
import type { LookupAddress, lookup as systemLookup } from 'node:dns';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { IvsClient, ListStreamsCommand } from '@aws-sdk/client-ivs';
import { GetSecretValueCommand, SecretsManager } from '@aws-sdk/client-secrets-manager';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { GetParameterCommand, SSM } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { HttpSender } from '#outbound/http-sender.ts';
import { createAwsClient } from '#runtime/aws-client.ts';
import { systemClock } from '#runtime/clock.ts';
import { Egress } from '#runtime/egress.ts';
import { badPeer, type Manner } from '#test/support/bad-peer.ts';
import { testCredentials } from '#test/support/broadcast.ts';
import { authority } from '#test/support/certificates.ts';
import { connectProxy } from '#test/support/connect-proxy.ts';
import { eventually, testMetrics } from '#test/support/quiet.ts';

const region = 'us-west-2';
const names = ['ivs', 'sqs', 'events', 'sts', 'secretsmanager', 'ssm'].map((name) => `${name}.${region}.amazonaws.com`);
const ca = authority();
const address = '93.184.215.14';

/** A server with a certificate of the authority: for the names of AWS, a webhook's name and its address. */
async function tlsServer(answer = '{}', by = ca) {
  const requests: {
    readonly host: string | undefined;
    readonly headers: IncomingHttpHeaders;
    readonly body: string;
  }[] = [];
  const servernames: unknown[] = [];
  const server = createServer(by.issue(...names, 'hooks.example.test', address), (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      requests.push({ host: request.headers.host, headers: request.headers, body });
      response.end(answer);
    });
  });
  server.on('secureConnection', (socket) => servernames.push(socket.servername));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    servernames,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'egress-'));
  await writeFile(join(folder, 'ca.pem'), `a private authority\n${ca.certificate}`);
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(() => void vi.stubEnv('AWS_CA_BUNDLE', join(folder, 'ca.pem')));
afterEach(() => void vi.unstubAllEnvs());

type AnySdkClient = { send(command: never, options?: object): Promise<unknown>; destroy(): void };
const queueUrl = `https://sqs.${region}.amazonaws.com/111122223333/queue`;
const clients: readonly (readonly [string, new (config: never) => AnySdkClient, object])[] = [
  ['ivs', IvsClient, new ListStreamsCommand({})],
  ['sqs', SQSClient, new ReceiveMessageCommand({ QueueUrl: queueUrl })],
  ['events', EventBridgeClient, new PutEventsCommand({ Entries: [{ Source: 'a', DetailType: 'b', Detail: '{}' }] })],
  ['sts', STSClient, new GetCallerIdentityCommand({})],
  ['secretsmanager', SecretsManager, new GetSecretValueCommand({ SecretId: 'a' })],
  ['ssm', SSM, new GetParameterCommand({ Name: 'a' })],
];

describe('the client of', () => {
  test.each(clients)(
    '%s reaches AWS through the proxy, and keeps the tunnel for the next call',
    async (name, Client, command) => {
      await using aws = await tlsServer();
      await using proxy = await connectProxy({ hosts: () => aws.port, credentials: 'svc:p@ss' });
      vi.stubEnv('HTTPS_PROXY', `http://svc:p%40ss@127.0.0.1:${proxy.port}`);
      const client = createAwsClient(
        Client,
        { region, credentials: testCredentials },
        { requestTimeoutMs: 60_000, maxAttempts: 1 },
      );

      // The content of the answer does not matter here.
      for (let call = 0; call < 2; call += 1) await client.send(command as never).catch(() => undefined);

      const host = `${name}.${region}.amazonaws.com`;
      expect(proxy.asked).toEqual([`${host}:443`]);
      expect(aws.requests.map((request) => request.host)).toEqual([host, host]);
      expect(aws.servernames).toEqual([host]);
      expect(aws.requests[0]?.headers).not.toHaveProperty('proxy-authorization');
      client.destroy();
      await eventually(() => proxy.open === 0);
    },
  );
});

const callIvs = async (env: Record<string, string>, requestTimeoutMs = 60_000, endpoint?: string) => {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const client = createAwsClient(
    IvsClient,
    { region, endpoint, credentials: testCredentials },
    { requestTimeoutMs, maxAttempts: 1 },
  );
  try {
    return await client.send(new ListStreamsCommand({}));
  } finally {
    client.destroy();
  }
};

test('calls a stand-in on this machine, and hosts in NO_PROXY, directly', async () => {
  await using proxy = await connectProxy({ hosts: () => undefined });
  await using peer = await badPeer();
  const env = { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url };

  // The stand-in answers with something other than a list: it only matters that it was reached.
  await callIvs(env, 60_000, peer.url).catch(() => undefined);

  expect([peer.received, proxy.asked]).toEqual([1, []]);
});

test('uses a TLS proxy with a certificate of the private authority', async () => {
  await using aws = await tlsServer('{"streams":[]}');
  await using proxy = await connectProxy({ hosts: () => aws.port, tls: ca.issue('127.0.0.1') });

  await expect(callIvs({ HTTPS_PROXY: proxy.url })).resolves.toMatchObject({ streams: [] });

  expect(proxy.asked).toEqual([`ivs.${region}.amazonaws.com:443`]);
});

test('does not trust a certificate for another name, or of an unknown authority, through a proxy', async () => {
  await using aws = await tlsServer();
  await using stranger = await tlsServer('{}', authority());
  await using proxy = await connectProxy({ hosts: (asked) => (asked.startsWith('other') ? aws.port : stranger.port) });
  const env = { HTTPS_PROXY: proxy.url };

  await expect(callIvs(env, 60_000, 'https://other.example.test')).rejects.toMatchObject({
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
  await expect(callIvs(env)).rejects.toMatchObject({
    code: expect.stringMatching(/UNABLE_TO_VERIFY|SELF_SIGNED|UNABLE_TO_GET/),
  });

  expect([...aws.requests, ...stranger.requests]).toEqual([]);
});

test.each([
  [407, 'PROXY_REFUSED', /credentials .*HTTPS_PROXY.*407/],
  [403, 'PROXY_REFUSED', /403/],
  [502, 'PROXY_FAILED', /502/],
  [503, 'PROXY_FAILED', /503/],
])(
  'status %d of the proxy is %s, for AWS and for a webhook, and its password is not in it',
  async (status, code, message) => {
    await using proxy = await connectProxy({ hosts: () => undefined, status });
    const url = `http://svc:not-to-be-seen@127.0.0.1:${proxy.port}`;
    const expected = { code, message: expect.stringMatching(message), disposition: { kind: 'retry' } };

    const failures = [
      await callIvs({ HTTPS_PROXY: url }).catch((error: unknown) => error),
      await webhook({ proxy: url }).catch((error: unknown) => error),
    ];

    for (const failure of failures) {
      expect(failure).toMatchObject(expected);
      expect((failure as Error).message).not.toContain('not-to-be-seen');
    }
  },
);

describe.each<Manner | 'nobody'>(['silent', 'drip-headers', 'half-open', 'endless', 'drip', 'nobody'])(
  'a proxy that is %s',
  (manner) => {
    test('blocks nobody, and leaves no connection to it', async () => {
      await using peer = await badPeer(manner === 'nobody' ? {} : { manner });
      if (manner === 'nobody') await peer[Symbol.asyncDispose]();

      await expect(callIvs({ HTTPS_PROXY: peer.url }, 200)).rejects.toThrow();
      await expect(webhook({ proxy: peer.url, timeoutMs: 200 })).rejects.toMatchObject({
        code: expect.stringMatching(/^(PROXY|WEBHOOK)_FAILED$/),
      });

      await eventually(() => peer.open === 0);
    });
  },
);

test.each<Manner>(['silent', 'drip', 'drip-headers', 'hang-after-headers', 'endless'])(
  'behind an open tunnel a server that is %s holds nobody up either',
  async (manner) => {
    await using target = await badPeer({ manner });
    await using proxy = await connectProxy({ hosts: () => target.port });

    await expect(callIvs({ HTTP_PROXY: proxy.url }, 200, 'http://ivs.example.test')).rejects.toThrow();

    await eventually(() => proxy.open === 0 && target.open === 0);
  },
);

/** A resolver that returns these addresses for every name. */
function resolvesTo(...addresses: string[]): typeof systemLookup {
  return ((_name: string, options: { all?: boolean }, callback: (...found: unknown[]) => void) => {
    const found: LookupAddress[] = addresses.map((each) => ({ address: each, family: each.includes(':') ? 6 : 4 }));
    if (options.all) callback(null, found);
    else callback(null, found[0]?.address, found[0]?.family);
  }) as unknown as typeof systemLookup;
}

interface WebhookTrial {
  readonly proxy: string;
  readonly url?: string;
  readonly addresses?: readonly string[];
  readonly proxyResolvesNames?: boolean;
  readonly timeoutMs?: number;
}

async function webhook({
  proxy,
  url = 'https://hooks.example.test/a',
  addresses = [address],
  ...options
}: WebhookTrial) {
  const sender = new HttpSender({
    addresses: { allowPrivate: false, allowLinkLocal: false },
    nowMs: () => systemClock.now(),
    metrics: testMetrics(),
    timeoutMs: 60_000,
    lookup: resolvesTo(...addresses),
    egress: new Egress({ HTTPS_PROXY: proxy, HTTP_PROXY: proxy }),
    ...options,
  });
  const message = { method: 'POST', url, body: '{"a":1}', contentType: 'application/json', deliveryId: 'd-1' } as const;
  return sender.send(message, new AbortController().signal);
}

describe('a webhook through a proxy', () => {
  test('requests the address that was checked here, and checks the certificate for the name', async () => {
    await using target = await tlsServer();
    await using proxy = await connectProxy({ hosts: () => target.port });

    await expect(webhook({ proxy: proxy.url })).resolves.toEqual({ status: 200 });

    expect(proxy.asked).toEqual([`${address}:443`]);
    expect(target.servernames).toEqual(['hooks.example.test']);
    expect(target.requests).toMatchObject([{ host: 'hooks.example.test', body: '{"a":1}' }]);
    await eventually(() => proxy.open === 0);
  });

  test('to an address instead of a name checks the certificate for that address', async () => {
    await using target = await tlsServer();
    await using proxy = await connectProxy({ hosts: () => target.port });

    await expect(webhook({ proxy: proxy.url, url: `https://${address}/a` })).resolves.toEqual({ status: 200 });
    await expect(webhook({ proxy: proxy.url, url: 'https://93.184.215.15/a' })).rejects.toMatchObject({
      code: 'WEBHOOK_FAILED',
      message: expect.stringContaining('93.184.215.15'),
    });

    expect(target.requests).toHaveLength(1);
  });

  test.each([
    [['127.0.0.1']],
    [['10.1.2.3']],
    [['169.254.169.254']],
    [['100.100.100.200']],
    [['fd00:ec2::254']],
    [[address, '192.168.0.1']],
  ])('is refused when its name resolves to %j, without a request to the proxy', async (addresses) => {
    await using proxy = await connectProxy({ hosts: () => undefined });

    await expect(webhook({ proxy: proxy.url, addresses })).rejects.toMatchObject({ code: 'WEBHOOK_REFUSED' });

    expect(proxy.asked).toEqual([]);
  });

  test('over IPv6 requests the address in brackets, and plain HTTP uses a tunnel too', async () => {
    await using target = await badPeer();
    await using proxy = await connectProxy({ hosts: () => target.port });
    const trial = { proxy: proxy.url, url: 'http://hooks.example.test:8080/a', addresses: ['2606:2800:220:1::7'] };

    await expect(webhook(trial)).resolves.toEqual({ status: 200 });

    expect(proxy.asked).toEqual(['[2606:2800:220:1::7]:8080']);
  });

  test('leaves the name to the proxy with http.proxy_resolves_names, but no forbidden address', async () => {
    await using target = await tlsServer();
    await using proxy = await connectProxy({ hosts: () => target.port });
    const trial = { proxy: proxy.url, addresses: [], proxyResolvesNames: true };

    await expect(webhook(trial)).resolves.toEqual({ status: 200 });
    await expect(webhook({ ...trial, url: 'https://10.1.2.3/a' })).rejects.toMatchObject({ code: 'WEBHOOK_REFUSED' });

    expect(proxy.asked).toEqual(['hooks.example.test:443']);
  });
});

test.each([
  ['a file that is not there', undefined, /AWS_CA_BUNDLE names .* cannot be read/],
  ['a file without a certificate', 'hello', /contains no certificate/],
  ['an invalid certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', /cannot be read/],
])('AWS_CA_BUNDLE: %s is refused', async (what, text, message) => {
  const file = join(folder, `${what.replaceAll(' ', '-')}.pem`);
  if (text !== undefined) await writeFile(file, text);

  await expect(callIvs({ AWS_CA_BUNDLE: file })).rejects.toMatchObject({
    code: 'EGRESS_INVALID',
    message: expect.stringMatching(message),
  });
});
