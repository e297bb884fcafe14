// Where credentials come from besides keys in the environment: the SDK's own search, against stand-ins of the services that it calls.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { IvsClient, ListStreamsCommand } from '@aws-sdk/client-ivs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createAwsClient } from '#runtime/aws-client.ts';
import { authority, type ServerCertificate } from '#test/support/certificates.ts';
import { connectProxy } from '#test/support/connect-proxy.ts';

const role = 'arn:aws:iam::111122223333:role/autopilot';
const later = new Date(Date.now() + 3_600_000).toISOString();

interface Asked {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly token: string | string[] | undefined;
  readonly form: URLSearchParams;
}

/** Answers each path (or STS action) with its text, and records the requests. */
async function standIn(answers: Readonly<Record<string, string>>, tls?: ServerCertificate) {
  const asked: Asked[] = [];
  const answer = (request: IncomingMessage, end: (status: number, text: string) => void) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const path = new URL(request.url ?? '/', 'http://stand-in').pathname;
      const form = new URLSearchParams(body);
      const { authorization, 'x-amz-sso_bearer_token': sso, 'x-amz-security-token': session } = request.headers;
      asked.push({ path, authorization, token: sso ?? session, form });
      const text = answers[form.get('Action') ?? path];
      end(text === undefined ? 404 : 200, text ?? '');
    });
  };
  const server = tls
    ? createTlsServer(tls, (request, response) =>
        answer(request, (status, text) => response.writeHead(status).end(text)),
      )
    : createServer((request, response) => answer(request, (status, text) => response.writeHead(status).end(text)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'credentials-'));
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined);
  vi.stubEnv('HOME', home);
  vi.stubEnv('AWS_REGION', 'us-west-2');
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true, force: true });
});

async function write(path: string, text: string): Promise<string> {
  const file = join(home, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  return file;
}

/** Calls IVS with whatever credentials are found; returns the key that signed the call, and its session token. */
async function callIvs(): Promise<readonly [string | undefined, unknown]> {
  await using ivs = await standIn({ '/ListStreams': '{"streams":[]}' });
  const client = createAwsClient(IvsClient, { endpoint: ivs.url }, { requestTimeoutMs: 60_000, maxAttempts: 1 });
  try {
    await client.send(new ListStreamsCommand({}));
  } finally {
    client.destroy();
  }
  const [call] = ivs.asked;
  return [/Credential=(\w+)/.exec(call?.authorization ?? '')?.[1], call?.token];
}

const assumed = (action: string, key: string) =>
  `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><Credentials><AccessKeyId>${key}</AccessKeyId><SecretAccessKey>test</SecretAccessKey><SessionToken>of ${key}</SessionToken><Expiration>${later}</Expiration></Credentials></${action}Result></${action}Response>`;
const fromContainer = (key: string) =>
  JSON.stringify({ AccessKeyId: key, SecretAccessKey: 'test', Token: `of ${key}`, Expiration: later });

test('a Kubernetes service account (IRSA): its token is exchanged at STS', async () => {
  await using sts = await standIn({ AssumeRoleWithWebIdentity: assumed('AssumeRoleWithWebIdentity', 'ASIAIRSA') });
  vi.stubEnv('AWS_ENDPOINT_URL_STS', sts.url);
  vi.stubEnv('AWS_ROLE_ARN', role);
  vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', await write('token', 'the token of the service account'));

  expect(await callIvs()).toEqual(['ASIAIRSA', 'of ASIAIRSA']);

  expect(sts.asked.map(({ form }) => [form.get('RoleArn'), form.get('WebIdentityToken')])).toEqual([
    [role, 'the token of the service account'],
  ]);
});

test('the search uses the proxy as well: STS for IRSA, with a private authority', async () => {
  const ca = authority();
  const host = 'sts.us-west-2.amazonaws.com';
  await using sts = await standIn(
    { AssumeRoleWithWebIdentity: assumed('AssumeRoleWithWebIdentity', 'ASIAPROXY') },
    ca.issue(host),
  );
  await using proxy = await connectProxy({ hosts: () => sts.port });
  vi.stubEnv('HTTPS_PROXY', proxy.url);
  vi.stubEnv('AWS_CA_BUNDLE', await write('ca.pem', ca.certificate));
  vi.stubEnv('AWS_ROLE_ARN', role);
  vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', await write('token', 'the token of the service account'));

  expect(await callIvs()).toEqual(['ASIAPROXY', 'of ASIAPROXY']);

  expect(proxy.asked).toEqual([`${host}:443`]);
});

test('an ECS task: its agent is called directly, never through a proxy', async () => {
  await using agent = await standIn({ '/v2/credentials/task': fromContainer('ASIAECS') });
  await using proxy = await connectProxy({ hosts: () => undefined });
  vi.stubEnv('HTTP_PROXY', proxy.url);
  vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `${agent.url}/v2/credentials/task`);
  vi.stubEnv('AWS_CONTAINER_AUTHORIZATION_TOKEN', 'the token of the task');

  expect(await callIvs()).toEqual(['ASIAECS', 'of ASIAECS']);

  expect(agent.asked.map(({ authorization }) => authorization)).toEqual(['the token of the task']);
  expect(proxy.asked).toEqual([]);
});

test('EKS Pod Identity: the agent is called with the token from the file', async () => {
  await using agent = await standIn({ '/v1/credentials': fromContainer('ASIAPOD') });
  vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `${agent.url}/v1/credentials`);
  vi.stubEnv('AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', await write('eks-token', 'the token of the pod'));

  expect(await callIvs()).toEqual(['ASIAPOD', 'of ASIAPOD']);

  expect(agent.asked.map(({ authorization }) => authorization)).toEqual(['the token of the pod']);
});

test('a profile of IAM Identity Center (SSO), after `aws sso login`', async () => {
  await using portal = await standIn({
    '/federation/credentials': JSON.stringify({
      roleCredentials: {
        accessKeyId: 'ASIASSO',
        secretAccessKey: 'test',
        sessionToken: 'of ASIASSO',
        expiration: Date.parse(later),
      },
    }),
  });
  vi.stubEnv('AWS_ENDPOINT_URL_SSO', portal.url);
  vi.stubEnv('AWS_PROFILE', 'live');
  vi.stubEnv(
    'AWS_CONFIG_FILE',
    await write(
      'config',
      '[sso-session corp]\nsso_region = us-west-2\nsso_start_url = https://corp.example/start\nsso_registration_scopes = sso:account:access\n' +
        '[profile live]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = autopilot\nregion = us-west-2\n',
    ),
  );
  const session = createHash('sha1').update('corp').digest('hex');
  await write(`.aws/sso/cache/${session}.json`, JSON.stringify({ accessToken: 'after the login', expiresAt: later }));

  expect(await callIvs()).toEqual(['ASIASSO', 'of ASIASSO']);

  expect(portal.asked.map(({ token }) => token)).toEqual(['after the login']);
});

test('a role on top of the found credentials: first the search, then AssumeRole', async () => {
  await using sts = await standIn({ AssumeRole: assumed('AssumeRole', 'ASIACHAIN') });
  await using agent = await standIn({ '/v1/credentials': fromContainer('ASIABASE') });
  vi.stubEnv('AWS_ENDPOINT_URL_STS', sts.url);
  vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `${agent.url}/v1/credentials`);
  const { assumedRole } = await import('#runtime/aws-client.ts');

  const found = await assumedRole({ roleArn: role, externalId: undefined, region: 'us-west-2' })();

  expect(found.accessKeyId).toBe('ASIACHAIN');
  expect(sts.asked.map(({ authorization }) => /Credential=(\w+)/.exec(authorization ?? '')?.[1])).toEqual(['ASIABASE']);
});
