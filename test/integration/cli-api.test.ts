// Commands that talk to the daemon, against a server that records their requests.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiClient } from '#src/cli/support.ts';
import { commandLine } from '#test/support/command-line.ts';

async function run(args: readonly string[], env: Record<string, string>) {
  const { code, out, err } = await commandLine(args, { env });
  return { code, out, err };
}

describe('commands that talk to the daemon', () => {
  const requests: { line: string; token: string | undefined; body: unknown }[] = [];
  const arn = 'arn:aws:ivs:us-west-2:111122223333:channel/abc';
  const answers: Record<string, [status: number, body: unknown]> = {
    'GET /v1/channels': [200, { channels: [{ arn, name: 'studio-a', tags: { show: 'finals' } }] }],
    [`GET /v1/streams/${encodeURIComponent(arn)}/report?format=json`]: [200, { title: 'studio-a' }],
    [`GET /v1/streams/${encodeURIComponent(arn)}/report?streamId=st-1&format=md`]: [200, { title: 'earlier' }],
    'GET /v1/reports?tag=show%3Dfinals&format=html': [200, { title: 'finals' }],
    'POST /v1/silences': [
      201,
      {
        id: 's-1',
        matches: { rules: 1, channels: 2 },
        matchesNothing: false,
        examples: { rules: ['x'], channelArns: [] },
        didYouMean: [],
      },
    ],
    [`DELETE /v1/holds/${encodeURIComponent(arn)}`]: [204, undefined],
    'DELETE /v1/silences/s-9': [
      404,
      { code: 'NOT_FOUND', detail: 'there is no silence s-9', remedy: 'Check the id.', status: 404 },
    ],
  };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const text = await textOf(request);
    const line = `${request.method} ${request.url}`;
    requests.push({ line, token: request.headers.authorization, body: text === '' ? undefined : JSON.parse(text) });
    if (line === 'GET /v1/live') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`event: hello\ndata: {}\n\nevent: status\ndata: ${JSON.stringify(status)}\n\n`);
      return;
    }
    const [code, body] = answers[line] ?? [200, {}];
    response.writeHead(code).end(body === undefined ? undefined : JSON.stringify(body));
  };
  const server = createServer((request, response) => void answer(request, response));
  const status = {
    nowMs: 100_000,
    counts: { live: 40, starving: 2, unknown: 1, held: 1, channels: 50 },
    pause: { who: 'token ann', reason: 'drill', sinceMs: 40_000 },
    rules: [{ name: 'slate', mode: 'enforce', pending: 1, forMs: 0, firing: 2, cooling: 0, capped: false }],
    config: { hash: 'abc', loadedAtMs: 0 },
    stale: false,
    trust: [{ name: 'polls', state: 'ok', text: 'last complete sweep 3 s ago' }],
    needs: [],
    silences: [{ id: 's-1', who: 'ann', reason: 'finals', matchers: ['rule="x"'], untilMs: 160_000 }],
    activity: [],
  };
  let env: Record<string, string>;
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    // Fake, made up for this test.
    env = { AUTOPILOT_URL: `${url}/`, AUTOPILOT_API_TOKEN: ['not', 'a', 'token'].join('-') };
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('report requests the session that is meant: of a channel, of a show by its tag or its name, or of an id', async () => {
    expect(await run(['report', 'studio-a', '--last-session', '--json'], env)).toMatchObject({
      code: 0,
      out: '{\n  "title": "studio-a"\n}',
    });
    expect((await run(['report', 'studio-a', '--session', 'st-1'], env)).out).toContain('earlier');
    for (const show of ['show=finals', 'finals'])
      expect((await run(['report', show, '--format', 'html'], env)).out).toContain('finals');
    expect(await run(['report', 'show=final'], env)).toMatchObject({
      code: 1,
      err: expect.stringContaining('did you mean show=finals?'),
    });
    expect((await run(['report', 'studio-a', '--format', 'pdf'], env)).code).toBe(2);
    expect((await run(['report', 'finals', '--session', 'st-1'], env)).code).toBe(2);
  });

  it('pause and resume send the reason and the token', async () => {
    const paused = await run(['pause', '--reason', 'drill'], env);
    await run(['resume'], env);

    expect(paused).toMatchObject({ code: 0, out: expect.stringContaining('paused') });
    expect(requests.slice(-2)).toEqual([
      { line: 'POST /v1/pause', token: 'Bearer not-a-token', body: { reason: 'drill' } },
      { line: 'POST /v1/resume', token: 'Bearer not-a-token', body: {} },
    ]);
  });

  it('hold finds a channel by name, for a time or until the release', async () => {
    await run(['hold', 'studio-a', '--reason', 'new encoder', '--for', '2h'], env);
    const placed = requests.at(-1);
    await run(['hold', arn, '--release'], env);

    expect(placed).toMatchObject({
      line: `PUT /v1/holds/${encodeURIComponent(arn)}`,
      body: { reason: 'new encoder', duration: '2h' },
    });
    expect(requests.at(-1)).toMatchObject({ line: `DELETE /v1/holds/${encodeURIComponent(arn)}` });
    expect(await run(['hold', 'studio-b'], env)).toMatchObject({
      code: 1,
      err: 'No channel has the ARN, id or name studio-b (did you mean studio-a?).',
    });
  });

  it('silence sends its matchers, and says how to end it', async () => {
    const { out } = await run(['silence', 'rule="x"', 'tag_show="finals"', '--for', '1h', '--reason', 'y'], env);

    expect(out).toContain('ivs-autopilot silence end s-1');
    const body = { matchers: ['rule="x"', 'tag_show="finals"'], reason: 'y', duration: '1h' };
    // It is checked for matches before it is in force.
    expect(requests.slice(-2).map((request) => request.body)).toEqual([{ ...body, dryRun: true }, body]);
  });

  it('an error of the daemon is one sentence on standard error', async () => {
    expect(await run(['silence', '--expire', 's-9'], env)).toEqual({
      code: 1,
      out: '',
      err: 'NOT_FOUND: there is no silence s-9. Check the id.',
    });
  });

  it('status is one screen', async () => {
    const { code, out } = await run(['status'], env);

    expect(code).toBe(0);
    expect(out.split('\n')).toEqual([
      '40 live of 50 channels: 2 starving, 1 unknown, 1 on hold',
      'PAUSED 1m ago by token ann: drill',
      'Configuration abc, loaded 1m40s ago',
      '',
      'Silences',
      '  s-1  rule="x"  1m left  ann: finals',
      '',
      'Rules',
      '  slate  enforce  2 firing, 1 pending',
      '',
      'Sources',
      '  polls  ok  last complete sweep 3 s ago',
    ]);
  });

  it('say how to start a daemon if there is none', async () => {
    const { code, err } = await run(['status'], { AUTOPILOT_URL: 'http://127.0.0.1:9' });

    expect(code).toBe(1);
    expect(err).toMatch(/^No daemon answers at http:\/\/127\.0\.0\.1:9 \(.*\): start it with `ivs-autopilot run`/);
  });
});

describe('a daemon whose event never ends', () => {
  it.each(['data: x', ': still here\n\n'])('is given up after endless %j', async (piece) => {
    let timer: NodeJS.Timeout | undefined;
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      timer = setInterval(() => response.write(piece), 20);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const io = { env: { AUTOPILOT_URL: `http://127.0.0.1:${port}` }, signal: new AbortController().signal };
    const isSilent = !piece.endsWith('\n');
    const api = apiClient(io, isSilent ? { silentMs: 300 } : { requestMs: 300 });

    const asked = isSilent ? api.events('/v1/live').next() : api.firstEvent('/v1/live', 'status');

    await expect(asked).rejects.toThrow(/No daemon answers/);
    clearInterval(timer);
    server.closeAllConnections();
    server.close();
  });
});
