// `rule reset`, against a server that answers as the daemon does.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { runCli } from './main.ts';

async function run(status: number, answer: object, ...args: string[]) {
  const asked: unknown[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => void (body += part));
    request.on('end', () => {
      asked.push([request.method, request.url, JSON.parse(body)]);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const lines: string[] = [];
  const code = await runCli(['node', 'ivs-autopilot', 'rule', 'reset', ...args], {
    print: (text) => lines.push(text),
    printError: (text) => lines.push(text),
    env: { AUTOPILOT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    signal: new AbortController().signal,
  });
  server.closeAllConnections();
  server.close();
  return { code, asked, text: lines.join('\n').trim() };
}

test('starts a stopped rule again, with the reason', async () => {
  expect(await run(200, { restarted: true }, 'slate', '--reason', 'repaired')).toEqual({
    code: 0,
    asked: [['POST', '/v1/rules/slate/reset', { reason: 'repaired' }]],
    text: 'The rule slate may act again.',
  });
});

test('a rule that is not stopped is a problem', async () => {
  const { code, text } = await run(404, { code: 'NOT_FOUND', detail: 'the rule slate is not stopped' }, 'slate');
  expect(code).toBe(1);
  expect(text).toContain('the rule slate is not stopped');
});
