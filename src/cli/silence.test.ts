// `silence add` and `silence edit` with channels by name, against a server that answers as the daemon does.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { runCli } from './main.ts';

const arnOf = (id: string) => `arn:aws:ivs:us-west-2:111122223333:channel/${id}`;
const match = {
  matches: { rules: 1, channels: 1 },
  matchesNothing: false,
  examples: { rules: ['slate'] },
  didYouMean: [],
};

async function run(...args: string[]) {
  const sent: string[][] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => void (body += part));
    request.on('end', () => {
      const { matchers } = (body === '' ? {} : JSON.parse(body)) as { matchers?: string[] };
      if (matchers) sent.push(matchers);
      const channels = ['a', 'b'].map((id) => ({ arn: arnOf(id), name: `studio-${id}`, tags: {} }));
      const time = '2026-11-20T20:00:00.000Z';
      const answer = request.method === 'GET' ? { channels } : { ...match, id: 's-1', starts: time, ends: time };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const lines: string[] = [];
  const code = await runCli(['node', 'ivs-autopilot', 'silence', ...args], {
    print: (text) => lines.push(text),
    printError: (text) => lines.push(text),
    env: { AUTOPILOT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    signal: new AbortController().signal,
  });
  server.closeAllConnections();
  server.close();
  return { code, sent, text: lines.join('\n') };
}

test.each([
  ['channel=studio-a', `channel="${arnOf('a')}"`],
  ['channel != "studio-b"', `channel!="${arnOf('b')}"`],
  ['channel=b', `channel="${arnOf('b')}"`],
  [`channel="${arnOf('a')}"`, `channel="${arnOf('a')}"`],
  ['channel_name="studio-a"', 'channel_name="studio-a"'],
])('the matcher %s may name a channel as any other command', async (written, sent) => {
  const added = await run('add', written, 'rule="slate"', '--for', '1h');
  expect([added.code, added.sent]).toEqual([
    0,
    [
      [sent, 'rule="slate"'],
      [sent, 'rule="slate"'],
    ],
  ]);
  const edited = await run('edit', 's-0', written);
  expect([edited.code, edited.sent]).toEqual([0, [[sent], [sent]]]);
});

test('a name that no channel has is refused with the one that was probably meant', async () => {
  const { code, sent, text } = await run('add', 'channel=studio-aa', '--for', '1h');
  expect([code, sent]).toEqual([1, []]);
  expect(text).toContain('No channel has the ARN, id or name studio-aa (did you mean studio-a?)');
});

test('a word that is no matcher gets the matcher of a channel, and the hold', async () => {
  const { code, sent, text } = await run('add', 'studio-a', '--for', '1h');
  expect([code, sent]).toEqual([2, []]);
  expect(text).toContain('for a channel write channel="studio-a"');
  expect(text).toContain('`ivs-autopilot hold studio-a`');
});
