import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { runCli } from './main.ts';

/** A daemon that answers what it is told and keeps what it was asked. */
async function daemon(progress: readonly object[]) {
  const asked: { method: string; url: string; body: any }[] = [];
  let looks = 0;
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (part: Buffer) => (text += part.toString()));
    request.on('end', () => {
      asked.push({ method: request.method!, url: request.url!, body: text === '' ? undefined : JSON.parse(text) });
      const plan = { batchId: 'b-1', channels: 2, items: 1, plannedCalls: 2, estimatedSeconds: 0.1, skipped: [] };
      const answer = request.method === 'POST' ? plan : progress[Math.min(looks, progress.length - 1)];
      if (request.method === 'GET') looks += 1;
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const lines: string[] = [];
  const errors: string[] = [];
  const run = (...args: string[]) =>
    runCli(['node', 'ivs-autopilot', 'metadata', ...args], {
      print: (line) => void lines.push(line),
      printError: (line) => void errors.push(line),
      env: { AUTOPILOT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
      signal: new AbortController().signal,
    });
  return {
    asked,
    lines,
    errors,
    run,
    [Symbol.asyncDispose]: () => new Promise<void>((closed) => server.close(() => closed())),
  };
}

const running = { batchId: 'b-1', state: 'running', total: 2, counts: { pending: 2 }, failures: {}, etaSeconds: 1 };

test('an item is sent to all that are live and followed until it has arrived', async () => {
  await using rig = await daemon([
    running,
    { ...running, state: 'finished', counts: { delivered: 1, notBroadcasting: 1 }, etaSeconds: null },
  ]);

  const code = await rig.run('send', '--live', '--payload', '{"type":"poll"}', '--expires', '20s', '--wait');

  expect(code).toBe(0);
  expect(rig.asked[0]).toEqual({
    method: 'POST',
    url: '/v1/metadata/batches',
    body: { targets: { live: true }, items: [{ payload: { type: 'poll' }, expiresInMs: 20_000 }] },
  });
  expect(rig.lines).toEqual([
    'Accepted as b-1: 1 item to 2 channels, at most 2 calls, about 1 s',
    'finished: 1 delivered, 1 not broadcasting of 2',
  ]);
});

test('an item that failed somewhere ends the command with 1, and says why', async () => {
  await using rig = await daemon([
    { ...running, state: 'finished', counts: { delivered: 1, failed: 1 }, failures: { IVS_NOT_FOUND: 1 } },
  ]);

  expect(await rig.run('send', '--tag', 'show=quiz', 'show=late', 'tier=a=b', '--payload', 'hi', '--wait')).toBe(1);
  expect(rig.asked[0]!.body).toEqual({
    targets: { tags: { show: ['quiz', 'late'], tier: ['a=b'] } },
    items: [{ payload: 'hi' }],
  });
  expect(rig.lines.at(-1)).toBe('  failed with IVS_NOT_FOUND: 1');
});

test('wrong usage asks nothing of the daemon', async () => {
  await using rig = await daemon([running]);

  expect(await rig.run('send', '--payload', 'x')).toBe(2);
  expect(await rig.run('send', '--live', '--channel', 'a', '--payload', 'x')).toBe(2);
  expect(await rig.run('send', '--live')).toBe(2);
  expect(await rig.run('send', '--live', '--payload', 'x', '--expires', 'soon')).toBe(2);
  expect(await rig.run('send', '--live', '--payload', 'x', '--lane', 'fast')).toBe(2);
  expect(rig.asked).toEqual([]);
  expect(rig.errors.join('\n')).toContain('--expires soon is no duration');
});

test('a batch is looked at and cancelled by its id', async () => {
  await using rig = await daemon([running]);

  expect(await rig.run('status', 'b-1', '--json')).toBe(0);
  expect(JSON.parse(rig.lines.join('\n'))).toMatchObject({ state: 'running' });
  expect(await rig.run('cancel', 'b/1')).toBe(0);
  expect(rig.asked.at(-1)).toMatchObject({ method: 'DELETE', url: '/v1/metadata/batches/b%2F1' });
});
