// The client generated from the API document, and the programs of docs/http-api.md, against a daemon.

import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, ApiProblem, type Client, createClient, dataOf, followBatch } from '#client/client.ts';
import { type Broadcast, broadcast, type Daemon } from '#test/support/broadcast.ts';
import { eventually } from '#test/support/quiet.ts';

const root = join(import.meta.dirname, '../..');
// Not a secret: of a daemon that ends with the test.
const token = 'only-for-this-test';
let platform: Broadcast;
let daemon: Daemon;
let client: Client;
let folder: string;
let live: string;
let offline: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autopilot-client-'));
  platform = await broadcast();
  const channels = await platform.simulator.control.createChannels(2);
  [live, offline] = channels.map(({ arn }) => arn) as [string, string];
  await platform.simulator.control.goLive(live);
  daemon = await platform.daemon({
    // Items for a channel that is offline stay until they are cancelled.
    rules: 'metadata: {reconnect_window: 1h, default_expires: 1h}\nrules: []\n',
    env: { AUTOPILOT_API_TOKEN: token },
  });
  client = createClient({ url: `${daemon.url}/`, token, as: 'mara' });
  await eventually(async () => dataOf(await client.GET('/v1/streams')).streams.length === 1);
});
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await platform[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const send = (channelArn: string, key: string) =>
  client.POST('/v1/metadata/batches', {
    params: { header: { 'idempotency-key': key } },
    body: { targets: { channelArns: [channelArn] }, items: [{ payload: { type: 'poll' } }] },
  });

test('drives a batch and its progress to the end, and repeating the request sends nothing twice', async () => {
  const { batchId = '' } = dataOf(await send(live, 'client-1'));
  const steps: Answer<'getBatch'>[] = [];
  for await (const step of followBatch(client, batchId)) steps.push(step);
  const again = await send(live, 'client-1');

  expect(steps.at(-1)).toMatchObject({
    state: 'finished',
    counts: { delivered: 1, pending: 0 },
    who: 'mara (token admin)',
  });
  expect([dataOf(again).batchId, again.response.headers.get('idempotent-replayed')]).toEqual([batchId, 'true']);
});

test('cancels what has not been sent', async () => {
  const { batchId: id = '' } = dataOf(await send(offline, 'client-2'));
  const path = { params: { path: { id } } };

  expect(dataOf(await client.GET('/v1/metadata/batches/{id}', path))).toMatchObject({
    state: 'running',
    counts: { pending: 1 },
  });
  dataOf(await client.DELETE('/v1/metadata/batches/{id}', path));
  await expect
    .poll(async () => dataOf(await client.GET('/v1/metadata/batches/{id}', path)), { timeout: 120_000 })
    .toMatchObject({ state: 'cancelled', counts: { pending: 0, cancelled: 1 } });
});

test('a refusal is an error with its code, its places and what to do', async () => {
  const stranger = createClient({ url: daemon.url, token: 'another' });
  const wrong = client.POST('/v1/metadata/batches', {
    // @ts-expect-error -- the types know it too.
    body: { targets: { live: true }, item: [] },
  });
  const refusals = await Promise.all(
    [
      async () => dataOf(await send(live, 'spaces are refused')),
      async () => dataOf(await wrong),
      async () => dataOf(await stranger.GET('/v1/streams')),
      async () => dataOf(await client.GET('/v1/jobs/{id}', { params: { path: { id: 'none' } } })),
      async () => {
        for await (const _ of stranger.events('/v1/live')) break;
      },
    ].map((ask) =>
      ask().then(
        () => undefined,
        (error: unknown) => error,
      ),
    ),
  );

  expect(refusals.map((error) => (error instanceof ApiProblem ? [error.status, error.code] : error))).toEqual([
    [400, 'REQUEST_INVALID'],
    [400, 'REQUEST_INVALID'],
    [401, 'UNAUTHORIZED'],
    [404, 'NOT_FOUND'],
    [401, 'UNAUTHORIZED'],
  ]);
  expect((refusals[1] as ApiProblem).problem.problems).toContainEqual({
    path: 'body.item',
    message: expect.stringContaining('did you mean items?'),
  });
});

describe.concurrent('the programs of docs/http-api.md', () => {
  /** Runs a program with its language's own command. */
  async function ran(command: string, name: string, language: string) {
    const page = await readFile(join(root, 'docs', 'http-api.md'), 'utf8');
    const [, section = ''] = /^## From a program\n([\s\S]*?)^## /m.exec(page) ?? [];
    const [, program = ''] = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'm').exec(section) ?? [];
    const source = join(root, 'src', 'client', 'client.ts');
    await writeFile(join(folder, name), program.replace("'ivs-autopilot/client'", JSON.stringify(source)));
    const child = spawn(command, [name], {
      cwd: folder,
      env: { PATH: process.env['PATH'], AUTOPILOT_URL: daemon.url, AUTOPILOT_API_TOKEN: token },
    });
    const ended = new Promise<number | null | string>((resolve) => {
      child.on('error', (error) => resolve((error as NodeJS.ErrnoException).code ?? error.message));
      child.on('close', resolve);
    });
    const [out, err, end] = await Promise.all([textOf(child.stdout), textOf(child.stderr), ended]);
    return { out, err, end };
  }

  test.each([
    ['sh', 'send.sh', 'sh', 18],
    [process.execPath, 'send.ts', 'ts', 19],
    ['python3', 'send.py', 'python', 20],
  ])('%s %s sends once, follows and cancels', async (command, name, language, id) => {
    const first = await ran(command, name, language);
    if (first.end === 'ENOENT') {
      console.warn(`${name} was not tried: ${command} is not installed here`);
      return;
    }
    const second = await ran(command, name, language);
    const { batches } = dataOf(await client.GET('/v1/metadata/batches'));

    for (const { out, err, end } of [first, second])
      expect({ end, err, isFinished: out.includes('finished') }).toEqual({ end: 0, err: '', isFinished: true });
    expect(
      batches.filter(({ contents: [sent] }) => (sent?.payload as { id?: unknown } | undefined)?.id === id),
    ).toMatchObject([{ state: 'finished', total: 1 }]);
  });
});
