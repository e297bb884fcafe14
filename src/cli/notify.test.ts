// `notify test`, against a server that answers as the daemon does.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { runCli } from './main.ts';

async function run(tried: readonly object[], delivered: number) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const job = { jobId: 'j-1', state: 'completed', steps: [], result: { outcome: 'done', delivered, tried } };
    response.setHeader('content-type', 'application/json');
    request.resume().on('end', () => response.end(JSON.stringify(request.method === 'POST' ? { jobId: 'j-1' } : job)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const lines: string[] = [];
  const code = await runCli(['node', 'ivs-autopilot', 'notify', 'test', 'noc', '--account', 'eu'], {
    print: (text) => lines.push(text),
    printError: (text) => lines.push(text),
    env: { AUTOPILOT_URL: `http://127.0.0.1:${port}` },
    signal: new AbortController().signal,
  });
  server.closeAllConnections();
  server.close();
  return { code, asked, text: lines.join('\n') };
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
