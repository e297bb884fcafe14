// What may stand before or after any command: the daemon, its token, colours; and options that take fixed words.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from './main.ts';
import type { CliIo } from './support.ts';
import type { Piece } from './terminal.ts';

const arnOf = (id: string) => `arn:aws:ivs:us-west-2:111122223333:channel/${id}`;
const asked: { line: string; token: string | undefined; body: string }[] = [];
const server = createServer((request: IncomingMessage, response) => {
  let body = '';
  request.on('data', (part: Buffer) => (body += part.toString()));
  request.on('end', () => {
    asked.push({ line: `${request.method} ${request.url}`, token: request.headers.authorization, body });
    const path = request.url!.replace('/prefix', '');
    if (path.startsWith('/v1/channels'))
      return void response.end(
        JSON.stringify({
          channels: [
            { arn: arnOf('a1'), name: 'studio-a', tags: {} },
            { arn: arnOf('b1'), name: 'twice', tags: {} },
            { arn: arnOf('b2'), name: 'twice', tags: {} },
          ],
        }),
      );
    if (path.startsWith('/v1/metadata'))
      return void response.end(
        JSON.stringify({ batchId: 'b-1', channels: 1, items: 1, plannedCalls: 1, estimatedSeconds: 1, skipped: [] }),
      );
    if (path.startsWith('/v1/alerts'))
      return void response.end(
        JSON.stringify({
          alerts: [
            { id: 'x', kind: 'rate', severity: 'critical', title: 'T', cause: 'C', link: '/', since: 'now', end: null },
          ],
        }),
      );
    response.end(JSON.stringify({ silences: [] }));
  });
});
let url: string;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'autopilot-globals-'));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

async function run(args: readonly string[], more: Partial<CliIo> = {}) {
  asked.length = 0;
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCli(['node', 'ivs-autopilot', ...args], {
    print: (line) => void out.push(line),
    printError: (line) => void err.push(line),
    env: { AUTOPILOT_URL: 'http://127.0.0.1:9', AUTOPILOT_API_TOKEN: 'of-the-environment' },
    signal: new AbortController().signal,
    ...more,
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

describe('--url and --token-file', () => {
  it('override the environment, before and after the command, also with a path in the address', async () => {
    const file = join(folder, 'token');
    writeFileSync(file, 'of-the-file\n');
    for (const args of [
      ['--url', url, '--token-file', file, 'silence', 'list'],
      ['silence', 'list', '--url', `${url}/`, '--token-file', file],
      ['silence', '--url', `${url}/prefix`, 'list', '--token-file', file],
    ]) {
      expect(await run(args)).toMatchObject({ code: 0, out: 'Nothing is silenced.' });
      expect(asked).toEqual([
        { line: expect.stringMatching(/^GET (\/prefix)?\/v1\/silences$/), token: 'Bearer of-the-file', body: '' },
      ]);
    }
  });

  it.each([
    ['localhost:8080', 'did you mean http://localhost:8080?'],
    ['ftp://x', 'not an http address: ftp://x'],
    ['http://me:hunter2@x', '--token-file'],
    ['http://x/?a=1', 'must end before ?a=1'],
    ['not an address', 'not an http address'],
  ])('refuses the address %s', async (address, said) => {
    const { code, err } = await run(['silence', 'list', '--url', address]);

    expect([code, err]).toEqual([2, expect.stringContaining(said)]);
    expect(err).not.toContain('hunter2');
  });

  it.each([
    ['', 'it is empty'],
    ['two words', 'one word'],
    ['schlüssel', 'one word'],
  ])('refuses a token file with "%s" without printing its content', async (text, said) => {
    const file = join(folder, 'bad');
    writeFileSync(file, text);
    const { code, err } = await run(['silence', 'list', '--url', url, '--token-file', file]);

    expect([code, err]).toEqual([2, expect.stringContaining(said)]);
    expect(asked).toEqual([]);
    if (text !== '') expect(err).not.toContain(text);
  });

  it('names a missing token file', async () => {
    expect(await run(['silence', 'list', '--token-file', join(folder, 'none')])).toMatchObject({
      code: 1,
      err: expect.stringContaining(join(folder, 'none')),
    });
  });
});

describe('colours', () => {
  it('appear only on a terminal, with the most severe in red', async () => {
    const painted: (readonly Piece[])[] = [];
    await run(['alert', 'list', '--url', url], { paint: (line) => void painted.push(line) });
    const { out } = await run(['alert', 'list', '--url', url]);

    expect(painted[0]![0]).toEqual({ text: 'CRITICAL', tone: 'bad' });
    expect(out.split('\n')[0]).toBe('CRITICAL T (rate), since now');
  });
});

describe('channels by name', () => {
  const send = (...channels: string[]) =>
    run(['metadata', 'send', '--url', url, '--payload', 'x', '--channel', ...channels]);

  it('work for metadata send too, each channel once', async () => {
    expect(await send('studio-a', arnOf('a1'), 'b2')).toMatchObject({ code: 0 });
    expect(JSON.parse(asked.at(-1)!.body).targets).toEqual({ channelArns: [arnOf('a1'), arnOf('b2')] });
  });

  it('are refused if several channels have the name, which are all listed, or if none has it', async () => {
    expect(await send('twice')).toMatchObject({
      code: 1,
      err: expect.stringContaining(`${arnOf('b1')}, ${arnOf('b2')}`),
    });
    expect(await send('studio-b')).toMatchObject({ code: 1, err: expect.stringContaining('did you mean studio-a?') });
    expect(asked.filter(({ line }) => line.startsWith('POST'))).toEqual([]);
  });
});

describe('options that take words', () => {
  it.each([
    [['run', '--role', 'wroker'], 'did you mean worker?'],
    [['metadata', 'send', '--live', '--payload', 'x', '--lane', 'urgnet'], 'did you mean urgent?'],
    [['key', 'rotate', 'a', '--secret', 'a', '--when', 'ofline'], 'did you mean offline?'],
    [['recording', 'set', 'a', '--configuration', 'none', '--if-live', 'skp'], 'did you mean skip?'],
    [['silence', 'lst', '--for', '1h'], 'did you mean `silence list`?'],
    [['silence', 'list', '--jsno'], 'Did you mean --json?'],
  ])('refuses %j and names the nearest word', async (args, said) => {
    const { code, err } = await run([...args, '--url', url]);

    expect([code, err]).toEqual([2, expect.stringContaining(said)]);
    expect(asked).toEqual([]);
  });
});
