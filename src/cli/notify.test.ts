// `notify test`, against a server that answers as the daemon does.
import { expect, test } from 'vitest';
import { runAgainstStub } from '#test/support/stub-daemon.ts';

async function run(tried: readonly object[], delivered: number) {
  const job = { jobId: 'j-1', state: 'completed', steps: [], result: { outcome: 'done', delivered, tried } };
  const ran = await runAgainstStub(['notify', 'test', 'noc', '--account', 'eu'], ({ method }) => ({
    body: method === 'POST' ? { jobId: 'j-1' } : job,
  }));
  return { ...ran, asked: ran.asked.map(({ method, url }) => `${method} ${url}`) };
}

test('prints the answer of each integration, and fails if one did not accept the message', async () => {
  const good = await run([{ to: 'slack_configs[0]' }], 1);
  const bad = await run([{ to: 'slack_configs[0]' }, { to: 'email_configs[0]', error: 'MAIL_REJECTED: who?' }], 1);

  expect(good.asked).toEqual(['POST /v1/receivers/noc/test?account=eu', 'GET /v1/jobs/j-1']);
  expect([good.code, good.text.trim()]).toEqual([0, 'slack_configs[0]  delivered']);
  expect([bad.code, bad.text.trim().split('\n')]).toEqual([
    1,
    ['slack_configs[0]  delivered', 'email_configs[0]  MAIL_REJECTED: who?'],
  ]);
});
