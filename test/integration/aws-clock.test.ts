// Whose clock is wrong is reported: ours is compared with AWS's by the date of its answers.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { expect, test } from 'vitest';
import { differencesOf, type Replica } from '#domain/replica.ts';
import { accountCheck } from '#ops/doctor/account.ts';
import { createAwsClient } from '#runtime/aws-client.ts';
import { AwsClock } from '#runtime/aws-clock.ts';
import { testCredentials } from '#test/support/broadcast.ts';

const hour = 3_600_000;
const identity = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::111122223333:user/test</Arn><UserId>AIDA</UserId><Account>111122223333</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>`;

/** An STS whose clock is wrong. */
async function sts(offMs: number) {
  const server = createServer((_request, response) => {
    response.setHeader('date', new Date(Date.now() + offMs).toUTCString());
    response.setHeader('content-type', 'text/xml');
    response.end(identity);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

test.each([-hour, 0, hour])('a client learns how far AWS’s clock is from ours if it is off by %i ms', async (offMs) => {
  await using server = await sts(offMs);
  const awsClock = new AwsClock(() => Date.now());
  const settings = { region: 'us-west-2', endpoint: server.url, credentials: testCredentials };
  const client = createAwsClient(STSClient, settings, { requestTimeoutMs: 5_000, awsClock });
  expect(awsClock.aheadMs).toBeUndefined();

  await client.send(new GetCallerIdentityCommand({}));

  expect(Math.abs(awsClock.aheadMs! + offMs)).toBeLessThan(hour / 2);
  client.destroy();
});

test('doctor prints a red line for a machine that is an hour behind AWS', async () => {
  await using server = await sts(hour);
  process.env['AWS_ENDPOINT_URL_STS'] = server.url;
  try {
    const account = {
      name: 'main',
      region: 'us-west-2',
      credentials: async () => testCredentials,
      queue_url: undefined,
    };

    const verdicts = await accountCheck(account, new Map()).run(new AbortController().signal);

    expect(verdicts).toMatchObject([
      { status: 'green' },
      { status: 'red', text: expect.stringMatching(/clock of this machine is 3\d{3} s behind AWS's/) as string },
    ]);
  } finally {
    delete process.env['AWS_ENDPOINT_URL_STS'];
  }
});

test('replicas report that Redis’s clock differs from AWS’s, in a sentence that does not change with jitter', () => {
  const replica = (id: string, awsOffsetMs: number | undefined): Replica => ({
    id,
    version: '1',
    configHash: 'a',
    role: 'all',
    startedAtMs: 0,
    clockOffsetMs: 0,
    awsOffsetMs,
    atMs: 0,
  });
  const told = (...offsets: (number | undefined)[]) =>
    differencesOf(offsets.map((ms, index) => replica(`r${index}`, ms))).get('clock');

  expect(told(undefined, 900, -2_000)).toBeUndefined();
  expect(told(hour, hour + 800)).toContain('about 3600 s ahead of AWS');
  expect(told(hour - 900)).toBe(told(hour + 700));
  expect(told(-hour)).toContain('behind AWS');
});
