// Access to another account: the role is assumed with the external id of the configuration; an impossible value is refused at load time.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test, vi } from 'vitest';
import { parseConfig } from '#config/load.ts';
import { awsAccessOf } from '#shard/aws-access.ts';

const role = 'arn:aws:iam::444455556666:role/autopilot';
const load = (account: string) =>
  parseConfig(`version: 1\naccounts:\n  - {name: main, region: us-west-2, ${account}}\n`, 'a.yaml');

test('sends external_id to STS with the role; without it the role is assumed as before', async () => {
  const bodies: URLSearchParams[] = [];
  const sts = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      bodies.push(new URLSearchParams(text));
      response.setHeader('content-type', 'text/xml');
      response.end(
        `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASIATEST</AccessKeyId><SecretAccessKey>test</SecretAccessKey><SessionToken>test</SessionToken><Expiration>${new Date(Date.now() + 3_600_000).toISOString()}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
      );
    });
  });
  sts.listen(0, '127.0.0.1');
  await once(sts, 'listening');
  vi.stubEnv('AWS_ENDPOINT_URL_STS', `http://127.0.0.1:${(sts.address() as AddressInfo).port}`);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  try {
    for (const account of [`assume_role_arn: "${role}", external_id: "team:show-7"`, `assume_role_arn: "${role}"`]) {
      const parsed = load(account);
      if (!parsed.ok) throw new Error(parsed.problems[0]!.message);
      const { credentials } = awsAccessOf(parsed.config.settings.accounts![0]!, {});
      expect(typeof credentials === 'function' && (await credentials()).accessKeyId).toBe('ASIATEST');
    }
    expect(bodies.map((body) => [body.get('Action'), body.get('RoleArn'), body.get('ExternalId')])).toEqual([
      ['AssumeRole', role, 'team:show-7'],
      ['AssumeRole', role, null],
    ]);
  } finally {
    vi.unstubAllEnvs();
    sts.closeAllConnections();
    sts.close();
  }
});

test.each([
  ['external_id: abc', 'set assume_role_arn'],
  [`assume_role_arn: "${role}", external_id: "a b"`, 'expected 2 to 1224 letters'],
  ['account_id: 444455556666', 'string'],
  [`assume_role_arn: "${role}", account_id: "111122223333"`, 'belongs to another account'],
])('{%s} is refused: %s', (account, message) => {
  const parsed = load(account);

  expect(parsed.ok ? '' : parsed.problems.map((problem) => problem.message).join(' ')).toContain(message);
});
