// `list`, `show`, `audit` and `watch`, against a server that answers as the daemon does and records the requests.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import stringWidth from 'string-width';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { runCli } from './main.ts';
import { gathered } from './pages.ts';
import type { CliIo } from './support.ts';
import type { Piece } from './terminal.ts';

const arnOf = (id: string) => `arn:aws:ivs:us-west-2:111122223333:channel/${id}`;
const time = '2026-11-20T20:00:00.000Z';
const stream = (id: string, more: object) => ({
  channelArn: arnOf(id),
  channelName: `studio-${id}`,
  streamId: `st-${id}`,
  state: 'live',
  stateSince: time,
  startedAt: time,
  health: 'HEALTHY',
  healthSince: time,
  viewerCount: 10,
  recording: 'none',
  ...more,
});
const counts = { live: 3, healthy: 1, starving: 1, unknown: 1, created: 0, channels: 4 };
const streams = [stream('a', {}), stream('b', { health: 'STARVING' }), stream('c', { health: 'UNKNOWN' })];
const channels = ['a', 'b', 'c'].map((id) => ({
  arn: arnOf(id),
  name: `studio-${id}`,
  type: 'STANDARD',
  latencyMode: 'LOW',
  recordingConfigurationArn: '',
  tags: { tier: id === 'a' ? 'gold' : 'silver' },
}));
let jobsOfD2: readonly object[] | undefined;
const decision = (id: string) => ({
  id,
  at: time,
  rule: 'starving-slate',
  mode: 'enforce',
  outcome: 'suppressed',
  reason: 'cooldown',
  meaning: 'The rule acted on this channel a moment ago.',
  channelArn: arnOf('a'),
  channelName: 'studio-a',
  group: arnOf('a'),
  cause: 'c',
  count: 1,
  trigger: { kind: 'state', since: time, text: 'health is STARVING', values: { lastedMs: 142_437 } },
  guards: [],
  jobs: (id === 'd2' && jobsOfD2) || [{ jobId: 'j-1', action: 'notify', outcome: 'done', detail: 'sent' }],
  checks: [{ check: 'cooldown', verdict: 'failed', asked: { atLeast: '5m' }, found: { since: '1m' }, at: time }],
  withheld: [],
});
const bulk = {
  bulkId: 'bulk-1',
  action: 'stop_stream',
  state: 'finished',
  channels: 22,
  started: 22,
  outcomes: { skipped: 22 },
  dryRun: true,
  wouldDo: [
    { channelArn: arnOf('a'), calls: ['StopStream a'] },
    { channelArn: arnOf('b'), calls: [] },
  ],
  who: 'token mara',
  reason: 'drill',
  since: time,
};
const watched = {
  ...decision('watched'),
  mode: 'dry_run',
  outcome: 'resolved',
  reason: 'condition_ended',
  jobs: [{ jobId: 'j-1', action: 'put_metadata' }],
};
const entry = (id: string) => ({ id, at: time, who: 'token mara', what: 'hold', outcome: 'done', why: 'new encoder' });

let live: (response: ServerResponse) => void = (response) => void response.end();
const asked: string[] = [];
const server = createServer((request, response) => {
  const url = new URL(request.url!, 'http://x');
  asked.push(decodeURIComponent(request.url!));
  const answer = (body: object) =>
    void response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  const after = url.searchParams.get('after') ?? url.searchParams.get('before');
  switch (url.pathname) {
    case '/v1/streams':
      // Two pages.
      return after === null
        ? answer({ counts, stale: { polls: time }, streams: streams.slice(0, 2), next: 'page2' })
        : answer({ counts, stale: { polls: time }, streams: streams.slice(2) });
    case '/v1/channels':
      return answer({ channels });
    case '/v1/decisions':
      if (url.searchParams.get('text') === 'watched') return answer({ decisions: [watched], truncated: false });
      return answer({
        decisions: [decision(after === null ? 'd1' : 'd2')],
        next: after === null ? 'p2' : 'p3',
        truncated: false,
      });
    case '/v1/actions/bulk':
      return answer({ bulks: [bulk] });
    case '/v1/audit':
      return answer({ entries: [entry(after === null ? 'e1' : 'e2')], ...(after === null ? { next: 'e1' } : {}) });
    case '/v1/holds':
      return answer({ holds: [{ channelArn: arnOf('a'), who: 'token mara', reason: 'new encoder', since: time }] });
    case '/v1/intents':
      return answer({ intents: [] });
    case '/v1/keys':
      return answer({ keys: [] });
    case '/v1/silences':
      return answer({
        silences: [{ id: 's-1', matchers: ['rule="x"'], author: 'mara', reason: 'finals', starts: time, ends: time }],
      });
    case '/v1/live':
      return live(response);
    default:
      if (url.pathname === '/v1/decisions/watched') return answer(watched);
      if (url.pathname.startsWith('/v1/decisions/')) return answer(decision('d1'));
      return answer({
        record: { ...streams[1], adBreaks: [], limitBreaches: [], evidence: {} },
        timeline: [{ source: 'event', name: 'Starvation Start', eventTime: time, arrivedAt: time, text: 'it starves' }],
        channel: channels[1],
        sessions: [],
        stale: {},
      });
  }
});
let url: string;
beforeAll(async () => {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => void (asked.length = 0));

async function run(args: readonly string[], more: Partial<CliIo> = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCli(['node', 'ivs-autopilot', ...args], {
    print: (line) => void out.push(line),
    printError: (line) => void err.push(line),
    env: { AUTOPILOT_URL: url },
    signal: new AbortController().signal,
    ...more,
  });
  return { code, out: out.join('\n'), err: err.join('\n'), lines: out };
}

describe('stream', () => {
  it('list prints every page, the most severe first, and says when it may be out of date', async () => {
    const { code, lines, err } = await run(['stream', 'list']);

    expect(lines.map((line) => line.split(/\s+/)[0])).toEqual(['NAME', 'studio-b', 'studio-c', 'studio-a']);
    expect(asked).toEqual(['/v1/streams?state=live&limit=1000', '/v1/streams?state=live&after=page2&limit=1000']);
    expect([code, err]).toEqual([0, expect.stringContaining(time)]);
  });

  it('list sends its filters, and prints the whole answer as JSON', async () => {
    const { out } = await run([
      'stream',
      'list',
      '--health',
      'starving',
      '--text',
      'tier=gold',
      '--limit',
      '2',
      '--json',
    ]);

    expect(asked).toEqual(['/v1/streams?state=live&health=STARVING&text=tier=gold&limit=2']);
    expect(JSON.parse(out)).toMatchObject({ counts, next: 'page2', streams: [{ health: 'STARVING' }, {}] });
  });

  it('list says how long an ad break lasts, and marks an end that no event reported', async () => {
    streams[0] = stream('a', { adBreak: { id: 'x', insertedAt: time, startsAt: time, endsAt: time } });
    const { out } = await run(['stream', 'list']);
    const before = streams.splice(
      0,
      3,
      ...['a', 'b', 'c'].map((id) => stream(id, { state: 'ended', endedAt: time, endedAtLatest: true })),
    );
    const over = await run(['stream', 'list', '--state', 'over']);
    streams.splice(0, 3, ...before.map((each, index) => (index === 0 ? stream('a', {}) : each)));

    expect(out).toMatch(/AD BREAK[\s\S]*until 20:00:00Z/);
    expect(over.lines[1]).toContain('by 2026-11-20T20:00:00Z');
  });

  it('list shows a starving stream in red, and fits the terminal', async () => {
    const painted: (readonly Piece[])[] = [];
    await run(['stream', 'list'], { columns: 70, paint: (line) => void painted.push(line) });

    expect(painted[1]!.find(({ text }) => text === 'STARVING')).toMatchObject({ tone: 'bad' });
    for (const line of painted) expect(stringWidth(line.map(({ text }) => text).join(''))).toBeLessThanOrEqual(70);
  });

  it('show prints the state of a stream, and what happened', async () => {
    const { out } = await run(['stream', 'show', 'studio-b']);

    expect(asked.at(-1)).toBe(`/v1/streams/${arnOf('b')}`);
    expect(out).toContain('STARVING for');
    expect(out).toContain('Starvation Start');
  });
});

describe('channel', () => {
  it('list prints settings and tags, refuses an unused tag, and names the nearest one', async () => {
    expect((await run(['channel', 'list', '--tag', 'tier=gold'])).lines.map((line) => line.split(/\s+/)[0])).toEqual([
      'NAME',
      'studio-a',
    ]);
    expect(await run(['channel', 'list', '--tag', 'tier=glod'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('did you mean tier=gold?'),
    });
  });

  it('show prints holds and waiting actions', async () => {
    const { out } = await run(['channel', 'show', 'a']);

    expect(out).toContain('On hold by token mara: new encoder');
    expect(out).toContain('Tags: tier=gold');
  });
});

describe('decision, audit and silence', () => {
  it('decision list reads pages until it has the requested number', async () => {
    const { lines, err } = await run(['decision', 'list', '--channel', 'studio-a', '--since', '8h', '--limit', '2']);

    expect(lines.map((line) => line.split(/\s+/).at(-1))).toEqual(['ID', 'd1', 'd2']);
    expect(asked.slice(1)).toEqual([
      `/v1/decisions?channelArn=${arnOf('a')}&since=8h&limit=2`,
      `/v1/decisions?channelArn=${arnOf('a')}&since=8h&after=p2&limit=1`,
    ]);
    expect(err).toContain('older entries');
  });

  it('decision show prints every value that was compared', async () => {
    const { out } = await run(['decision', 'show', 'd1']);

    expect(out).toContain('failed cooldown: asked {"atLeast":"5m"}, found {"since":"1m"}');
    expect(out).toContain('notify j-1: done sent');
    expect(out).toContain('Known then: lasted 2m22s');
  });

  it('decision show and list say that a rule in dry run requested nothing at its end', async () => {
    expect((await run(['decision', 'show', 'watched'])).lines).toContain(
      '  put_metadata not requested: the rule only watches',
    );
    const { out } = await run(['decision', 'list', '--text', 'watched']);
    expect(out).toContain('condition_ended  put_metadata (dry run)  ');
  });

  it('decision list marks actions that were not done with what became of them', async () => {
    const job = (action: string, outcome?: string) => ({ jobId: action, action, outcome });
    jobsOfD2 = [job('put_metadata', 'failed'), job('stop_stream', 'skipped'), job('notify', 'done'), job('rotate_key')];
    const { lines } = await run(['decision', 'list', '--limit', '2']);
    jobsOfD2 = undefined;

    expect(lines[1]).toMatch(/ notify {2,}/);
    expect(lines[2]).toContain('put_metadata (failed) stop_stream (skipped) notify rotate_key');
  });

  it('actions status says of a dry run that nothing is changed, and what would be done', async () => {
    expect((await run(['actions', 'status'])).lines).toEqual([
      'bulk-1 finished (dry run: nothing is changed): 22 of 22 channels started; 22 skipped',
      '  a would do:',
      '    StopStream a',
      '  b: nothing to do',
      '  and 20 more',
    ]);
  });

  it('audit and silence list print tables', async () => {
    expect((await run(['audit', '--who', 'token mara'])).lines[1]).toMatch(/token mara +hold +done +new encoder/);
    expect((await run(['silence', 'list'])).lines[1]).toMatch(/^s-1 +rule="x"/);
  });

  it.each([
    [['decision', 'list', '--outcome', 'supressed'], 'did you mean suppressed?'],
    [['decision', 'list', '--reason', 'cooldwon'], 'did you mean cooldown?'],
    [['stream', 'list', '--state', 'lvie'], 'did you mean live?'],
    [['stream', 'list', '--health', 'STARVIN'], 'did you mean STARVING?'],
    [['watch', '--only', 'stream'], 'did you mean streams?'],
    [['decision', 'list', '--since', 'yesterday'], 'such as 2h'],
    [['audit', '--limit', '0'], 'whole number'],
    [['stream', 'lsit'], 'Did you mean list?'],
    [['channel', 'list', '--tag', 'gold'], 'key=value'],
  ])('refuses %j before any request', async (args, said) => {
    expect(await run(args)).toMatchObject({ code: 2, out: '', err: expect.stringContaining(said) });
    expect(asked).toEqual([]);
  });
});

describe('watch', () => {
  const row = (id: string, more: object) => ({
    arn: arnOf(id),
    name: `studio-${id}`,
    state: 'live',
    health: 'HEALTHY',
    since: Date.parse(time),
    recording: 'none',
    ...more,
  });
  const begin = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (response: ServerResponse, event: string, data: unknown) =>
    void response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  const status = {
    nowMs: Date.parse(time),
    needs: [],
    activity: [{ id: 'old', atMs: 1, rule: 'r', outcome: 'acted', text: 'before' }],
  };

  /** Runs until this many lines were printed. */
  async function watched(count: number, args: readonly string[]) {
    const ending = new AbortController();
    const lines: string[] = [];
    const done = run(['watch', ...args], { signal: ending.signal, print: (line) => void lines.push(line) });
    await vi.waitFor(() => expect(lines.length).toBeGreaterThanOrEqual(count), { timeout: 60_000 });
    ending.abort();
    return { ...(await done), lines };
  }

  it('prints the current state, then only changes, even across a lost connection', async () => {
    let connections = 0;
    live = (response) => {
      begin(response);
      send(response, 'status', status);
      connections += 1;
      if (connections === 1) {
        send(response, 'rows', [
          [1, row('a', {})],
          [2, row('b', {})],
        ]);
        send(response, 'ready', {});
        send(response, 'delta', { patches: [[1, { viewers: 5 }]] });
        send(response, 'delta', { patches: [[1, { health: 'STARVING' }]] });
        send(response, 'status', { names: { [arnOf('a')]: 'studio-a' } });
        send(response, 'status', {
          needs: [{ id: 'n', severity: 'critical', title: 'Cap', cause: 'stopped' }],
          activity: [
            { id: 'new', atMs: 2, rule: 'slate', outcome: 'acted', text: 'starving', arn: arnOf('a') },
            ...status.activity,
          ],
        });
        return void response.end();
      }
      // Meanwhile b was removed, and all have other numbers; a is unchanged.
      send(response, 'rows', [[7, row('a', { health: 'STARVING' })]]);
      send(response, 'ready', {});
    };
    const { code, lines } = await watched(7, []);

    expect(
      lines.map((line) =>
        line
          .slice(9)
          .replaceAll(/ +/g, ' ')
          .replace(/ for .*$/, ''),
      ),
    ).toEqual([
      'studio-a HEALTHY',
      'studio-b HEALTHY',
      'studio-a STARVING',
      'Cap critical stopped',
      'slate acted studio-a starving',
      'over resolved stopped',
      'b no longer listed',
    ]);
    expect(code).toBe(130);
  });

  it('follows one channel, as JSON lines', async () => {
    live = (response) => {
      begin(response);
      send(response, 'status', status);
      send(response, 'rows', [
        [1, row('a', {})],
        [2, row('b', {})],
      ]);
      send(response, 'delta', { removed: [2] });
    };
    const { lines } = await watched(2, ['studio-b', '--json', '--only', 'streams']);

    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ subject: 'streams', arn: arnOf('b'), health: 'HEALTHY' }),
      expect.objectContaining({ subject: 'streams', arn: arnOf('b'), state: 'gone' }),
    ]);
  });
});

it('a list ends if its cursor does not advance', async () => {
  const { items } = await gathered(10, async () => ({ items: [1], next: 'same' }));

  expect(items).toEqual([1, 1]);
});
