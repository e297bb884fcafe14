// Text from strangers (reasons, names, tags, events) passes through every command's output, and stays text.
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLogger, Scrubber } from '#runtime/logger.ts';
import { runCli } from '#src/cli/main.ts';
import { broadcast } from '#test/support/broadcast.ts';
import { allCommands, commandLines } from '#test/support/command-lines.ts';
import { isThorough } from '#test/support/thorough.ts';

// oxlint-disable-next-line eslint/no-control-regex -- they are what must not come out.
const unsafe = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

const nasty = [
  '\u001b[2J',
  '\u001b]8;;http://x\u0007link\u001b]8;;\u0007',
  '\u009b31m',
  '\r',
  '\n✓ green',
  '\u202eabc',
  '\u2066',
  '\b\b',
  '\u2028',
];
/** Random texts, each containing something that is not plain text. */
const texts = fc
  .sample(
    fc.tuple(
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.constantFrom(...nasty),
      fc.string({ unit: 'binary', maxLength: 12 }),
    ),
    { numRuns: 1_000, seed: 17 },
  )
  .map((parts) => parts.join('').toWellFormed());

/** Puts texts into every free-text string of an answer: not times, ARNs or single words. */
function spoil(value: unknown, next: () => string): unknown {
  if (typeof value === 'string')
    return /^(?:arn:|\d{4}-\d\d-|[a-z_]+$)/.test(value) && value.length < 200 && !/[ .]/.test(value)
      ? value
      : value + next();
  if (Array.isArray(value)) return value.map((each) => spoil(each, next));
  if (value === null || typeof value !== 'object') return value;
  const ids = new Set(['jobId', 'id', 'batchId']);
  const names = new Set(['name', 'reason', 'who', 'note', 'text', 'title', 'detail', 'by']);
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key,
      typeof each === 'string' && names.has(key) ? each + next() : ids.has(key) ? each : spoil(each, next),
    ]),
  );
}

test('texts through every command, plain and as JSON; a thousand of them in the soak', async () => {
  await using platform = await broadcast();
  const [channel] = await platform.simulator.control.createChannels(1);
  await platform.simulator.control.goLive(channel!.arn);
  await using daemon = await platform.daemon({
    rules: `
rules:
  - name: rule
    trigger: {state: {health: [STARVING]}}
    for: 1s
    actions: [{put_metadata: {payload: {a: 1}}}]
`,
  });
  await daemon.ask('POST', '/v1/pause', { reason: 'why not' });
  await daemon.ask('PUT', `/v1/holds/${encodeURIComponent(channel!.arn)}`, { reason: 'why not' });
  await daemon.ask('POST', '/v1/silences', { matchers: ['rule="x"'], reason: 'why not', duration: '1h' });

  const some = isThorough ? texts : texts.slice(0, 250);
  let used = 0;
  const next = () => some[used++ % some.length]!;
  const answerSpoiled = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await textOf(request);
    const left = new AbortController();
    response.on('close', () => left.abort());
    try {
      const answer = await fetch(daemon.url + request.url, {
        method: request.method!,
        headers: { 'content-type': 'application/json' },
        ...(body === '' ? {} : { body }),
        signal: left.signal,
      });
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'application/json' });
      if (!answer.headers.get('content-type')?.includes('event-stream')) {
        const told = await answer.text();
        response.end(told === '' ? undefined : JSON.stringify(spoil(JSON.parse(told), next)));
        return;
      }
      let rest = '';
      for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop()!;
        for (const line of lines)
          response.write(
            line.startsWith('data: ')
              ? `data: ${JSON.stringify(spoil(JSON.parse(line.slice(6)), next))}\n`
              : `${line}\n`,
          );
      }
      response.end();
    } catch {
      response.destroy();
    }
  };
  const server = createServer((request, response) => void answerSpoiled(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const folder = await mkdtemp(join(tmpdir(), 'autopilot-untrusted-'));
  const file = join(folder, 'a.yaml');

  const outputs = new Map<string, string[]>();
  const run = async (name: string, args: readonly string[]) => {
    const lines: string[] = [];
    // Some follow events until they are told to end: a while after the last line.
    const over = new AbortController();
    let timer = setTimeout(() => over.abort(), 300_000);
    const write = (line: string) => {
      lines.push(line);
      clearTimeout(timer);
      timer = setTimeout(() => over.abort(), 1_000);
    };
    await runCli(['node', 'ivs-autopilot', ...name.split(' '), ...args], {
      print: write,
      printError: write,
      redraw: write,
      env: { AUTOPILOT_URL: url, AUTOPILOT_CONFIG: file },
      signal: over.signal,
    });
    clearTimeout(timer);
    outputs.set(name, [...(outputs.get(name) ?? []), ...lines]);
    return lines.join('\n');
  };
  const real = (args: readonly string[]) => args.map((each) => (each.startsWith('arn:') ? channel!.arn : each));
  const processes = new Set(['run', 'simulator', 'bootstrap', 'doctor']);
  try {
    while (used < some.length) {
      await writeFile(
        file,
        JSON.stringify({ version: 1, rules: [{ name: next(), trigger: next() }], [next()]: next() }),
      );
      for (const name of allCommands()) {
        await run(name, [next(), next()]);
        await run(name, [`--${next()}`]);
        if (processes.has(name)) continue;
        await run(name, ['test', 'replay', 'validate'].includes(name) ? [file] : real(commandLines[name]!));
        await run(name, [...real(commandLines[name]!), '--json']);
      }
    }
  } finally {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  }

  for (const [name, lines] of outputs) {
    expect({ name, unsafe: lines.filter((line) => unsafe.test(line)) }).toEqual({ name, unsafe: [] });
    expect({ name, shown: lines.some((line) => /\\u[0-9a-f]{4}/.test(line)) }).toEqual({ name, shown: true });
  }
  expect(used).toBeGreaterThanOrEqual(some.length);
  expect(outputs.get('status')!.filter((line) => line.startsWith('PAUSED') && line.includes('\\u'))).not.toEqual([]);
});

test('through the log: a line is a line, and its JSON contains what was written', () => {
  const lines: string[] = [];
  const logger = createLogger({
    level: 'info',
    scrubber: new Scrubber(),
    destination: { write: (line) => void lines.push(line) },
  });
  for (const text of texts) logger.info({ text }, text);
  expect(lines.filter((line) => unsafe.test(line.slice(0, -1)) || !line.endsWith('\n'))).toEqual([]);
  expect(lines.map((line) => JSON.parse(line).message)).toEqual(texts);
});
