import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test, vi } from 'vitest';
import { runCli } from './main.ts';

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly key: string | undefined;
  readonly body: any;
}

type Answer = (response: Parameters<RequestListener>[1], asked: Asked) => void;

const plan = { batchId: 'b-1', channels: 2, items: 1, plannedCalls: 2, estimatedSeconds: 0.1, skipped: [] };
const running = { batchId: 'b-1', state: 'running', total: 2, counts: { pending: 2 }, failures: {}, etaSeconds: 1 };

const json =
  (body: object, status = 200, headers: Readonly<Record<string, string>> = {}): Answer =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

/** The daemon receives the whole request, but the connection breaks before the answer. */
const lost: Answer = (response) => void response.destroy();

/** The events of a batch; the stream ends after the last one. */
const stream =
  (...steps: readonly object[]): Answer =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('retry: 2000\n\n: still here\n\n');
    for (const step of steps) {
      const { state } = step as { state?: string };
      response.write(`event: ${state === 'running' ? 'progress' : 'finished'}\ndata: ${JSON.stringify(step)}\n\n`);
    }
    response.end();
  };

const ended = (counts: object, more: object = {}) =>
  stream(running, { ...running, state: 'finished', counts, etaSeconds: null, ...more });

/** A daemon that returns these answers in order, repeats the last one, and records the requests. */
async function daemon(answers: { readonly POST?: readonly Answer[]; readonly GET?: readonly Answer[] } = {}) {
  const asked: Asked[] = [];
  const left = { POST: [...(answers.POST ?? [json(plan, 202)])], GET: [...(answers.GET ?? [json(running)])] };
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (part: Buffer) => (text += part.toString()));
    request.on('end', () => {
      const now = {
        method: request.method!,
        url: request.url!,
        key: request.headers['idempotency-key'] as string | undefined,
        body: text === '' ? undefined : JSON.parse(text),
      };
      asked.push(now);
      const queue = now.method === 'POST' ? left.POST : left.GET;
      const answer = queue.length > 1 ? queue.shift()! : queue[0]!;
      answer(response, now);
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const lines: string[] = [];
  const errors: string[] = [];
  const drawn: string[] = [];
  const run = (...args: string[]) =>
    runCli(['node', 'ivs-autopilot', 'metadata', ...args], {
      print: (line) => void lines.push(line),
      printError: (line) => void errors.push(line),
      redraw: (line) => void drawn.push(line),
      env: { AUTOPILOT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
      signal: new AbortController().signal,
    });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    lines,
    errors,
    drawn,
    run,
    [Symbol.asyncDispose]: () => new Promise<void>((closed) => server.close(() => closed())),
  };
}

test('sends an item to all live channels and follows it until it has arrived, with a progress bar on a terminal', async () => {
  await using rig = await daemon({ GET: [ended({ delivered: 1, conflated: 1, pending: 0 })] });

  const code = await rig.run('send', '--live', '--payload', '{"type":"poll"}', '--expires', '20s', '--wait');

  expect(code).toBe(0);
  expect(rig.asked).toMatchObject([
    {
      method: 'POST',
      url: '/v1/metadata/batches',
      body: { targets: { live: true }, items: [{ payload: { type: 'poll' }, expiresInMs: 20_000 }] },
    },
    { method: 'GET', url: '/v1/metadata/batches/b-1/events' },
  ]);
  expect(rig.lines).toEqual([
    'Accepted as b-1: 1 item to 2 channels, at most 2 calls, about 1 s',
    'finished: 1 delivered, 1 conflated of 2',
  ]);
  expect(rig.drawn).toEqual([`${'░'.repeat(30)} 0 of 2, about 1 s left`, `${'█'.repeat(30)} 2 of 2`, '']);
  expect(rig.errors).toEqual([]);
});

test.each([true, false])('draws the progress bar only if standard error is a terminal: %s', async (isTTY) => {
  await using rig = await daemon({ GET: [ended({ delivered: 2 })] });
  vi.stubEnv('AUTOPILOT_URL', rig.url);
  const wasTTY = process.stderr.isTTY;
  process.stderr.isTTY = isTTY;
  const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);

  try {
    await runCli(['node', 'ivs-autopilot', 'metadata', 'send', '--live', '--payload', 'hi', '--wait']);
  } finally {
    process.stderr.isTTY = wasTTY;
    vi.unstubAllEnvs();
  }
  const text = written.mock.calls.map(([part]) => String(part)).join('');
  vi.restoreAllMocks();

  expect(text).toBe(
    isTTY ? `\r\u001b[K${'░'.repeat(30)} 0 of 2, about 1 s left\r\u001b[K${'█'.repeat(30)} 2 of 2\r\u001b[K` : '',
  );
});

test('ends with 1 and says why if an item failed on any channel', async () => {
  await using rig = await daemon({ GET: [ended({ delivered: 1, failed: 1 }, { failures: { IVS_NOT_FOUND: 1 } })] });

  expect(await rig.run('send', '--tag', 'show=quiz', 'show=late', 'tier=a=b', '--payload', 'hi', '--wait')).toBe(1);
  expect(rig.asked[0]!.body).toEqual({
    targets: { tags: { show: ['quiz', 'late'], tier: ['a=b'] } },
    items: [{ payload: 'hi' }],
  });
  expect(rig.lines.at(-1)).toBe('  failed with IVS_NOT_FOUND: 1');
});

test.each(['expired', 'notBroadcasting', 'cancelled'])(
  'an item that ended as %s was not delivered: exit code 1',
  async (end) => {
    await using rig = await daemon({ GET: [ended({ delivered: 1, [end]: 1 })] });

    expect(await rig.run('send', '--live', '--payload', 'hi', '--wait')).toBe(1);
  },
);

test('a channel that was left out because its outbox was full also counts as not delivered', async () => {
  const skipped = [{ reason: 'queue_full', count: 1, examples: ['c'] }];
  await using rig = await daemon({ POST: [json({ ...plan, skipped }, 202)], GET: [ended({ delivered: 2 })] });

  expect(await rig.run('send', '--live', '--payload', 'hi', '--wait')).toBe(1);
});

test.concurrent('repeats the request with the same key if the answer is lost', async () => {
  await using rig = await daemon({ POST: [lost, json({ status: 503, code: 'X' }, 503), json(plan, 202)] });

  expect(await rig.run('send', '--live', '--payload', 'hi')).toBe(0);
  expect(rig.asked.map(({ method, body }) => [method, body.targets])).toEqual(
    Array.from({ length: 3 }, () => ['POST', { live: true }]),
  );
  expect(new Set(rig.asked.map(({ key }) => key)).size).toBe(1);
  expect(rig.lines[0]).toContain('Accepted as b-1');
  expect(rig.errors).toEqual([expect.stringContaining('Trying again in 1 s')]);
});

test.concurrent('without any answer, prints the key with which the request can be repeated safely', async () => {
  await using rig = await daemon({ POST: [lost] });

  expect(await rig.run('send', '--live', '--payload', 'hi')).toBe(1);
  expect(rig.asked.length).toBeGreaterThan(1);
  expect(rig.errors.at(-1)).toContain(`--idempotency-key ${rig.asked[0]!.key}`);
});

test.concurrent('does not retry a request that was refused as invalid', async () => {
  await using rig = await daemon({ POST: [json({ code: 'PAYLOAD_TOO_LARGE', detail: 'item 0 is too large' }, 422)] });

  expect(await rig.run('send', '--live', '--payload', 'hi')).toBe(1);
  expect(rig.asked).toHaveLength(1);
  expect(rig.errors.join()).not.toContain('--idempotency-key');
});

test.concurrent('waits as long as Retry-After says after too many requests', async () => {
  const limited = json({ code: 'RATE_LIMITED' }, 429, { 'retry-after': '2' });
  await using rig = await daemon({ GET: [limited, ended({ delivered: 2 })] });
  const startedAt = performance.now();

  expect(await rig.run('send', '--live', '--payload', 'hi', '--wait')).toBe(0);
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(1900);
  expect(rig.errors.join()).toContain('Trying again in 2 s');
});

test.concurrent('resumes following after a dropped connection, and ends when the batch is no longer known', async () => {
  const gone = json({ code: 'NOT_FOUND', detail: 'there is no batch b-1' }, 404);
  await using rig = await daemon({ GET: [stream(running), lost, ended({ delivered: 2 })] });
  await using forgetful = await daemon({ GET: [stream(running), gone] });

  const [code, forgotten] = await Promise.all(
    [rig, forgetful].map(({ run }) => run('send', '--live', '--payload', 'hi', '--wait')),
  );

  expect([code, rig.lines.at(-1)]).toEqual([0, 'finished: 2 delivered of 2']);
  expect([forgotten, forgetful.asked.length]).toEqual([1, 3]);
  expect(forgetful.errors.at(-1)).toContain('NOT_FOUND');
});

test('sends no request on wrong usage', async () => {
  await using rig = await daemon();

  expect(await rig.run('send', '--payload', 'x')).toBe(2);
  expect(await rig.run('send', '--live', '--channel', 'a', '--payload', 'x')).toBe(2);
  expect(await rig.run('send', '--live')).toBe(2);
  expect(await rig.run('send', '--live', '--payload', 'x', '--expires', 'soon')).toBe(2);
  expect(await rig.run('send', '--live', '--payload', 'x', '--lane', 'fast')).toBe(2);
  expect(rig.asked).toEqual([]);
  expect(rig.errors.join('\n')).toContain('--expires soon is not a duration');
});

test('says that nothing is left to cancel, and why items expired though none failed', async () => {
  const counts = { pending: 0, delivered: 1, expired: 2, failed: 0 };
  const over = { ...running, state: 'finished', total: 3, counts, failures: { IVS_NO_ANSWER: 2 }, etaSeconds: null };
  await using rig = await daemon({ GET: [json(over)] });

  expect(await rig.run('cancel', 'b-1')).toBe(0);
  expect(rig.lines).toEqual([
    'The batch has ended: nothing is left to cancel.',
    'finished: 1 delivered, 2 expired of 3',
    '  because of IVS_NO_ANSWER: 2',
  ]);
});

test('shows and cancels a batch by its id', async () => {
  await using rig = await daemon();

  expect(await rig.run('status', 'b-1', '--json')).toBe(0);
  expect(JSON.parse(rig.lines.join('\n'))).toMatchObject({ state: 'running' });
  expect(await rig.run('cancel', 'b/1')).toBe(0);
  expect(rig.asked.at(-1)).toMatchObject({ method: 'DELETE', url: '/v1/metadata/batches/b%2F1' });
});
