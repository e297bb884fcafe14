// A thousand requests of each role, on all routes and with all methods: nobody reaches what is above their own level.
import { randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Known, operationsOf, type Request, requestOf } from '#test/support/api-requests.ts';
import { type Broadcast, broadcast } from '#test/support/broadcast.ts';

const rules = `
receivers: [{name: noc, webhook_configs: [{url: "http://127.0.0.1:9/"}]}]
rules:
  - name: slate
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    actions: [{put_metadata: {payload: {type: slate}}}]
  - name: called
    mode: enforce
    trigger: {http: {name: go}}
    actions: [{notify: {receiver: noc, text: called}}]
`;
const levels = ['nobody', 'viewer', 'operator', 'admin'] as const;
type Level = (typeof levels)[number];
const each = 1_000;
const atOnce = 25;
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
/** In addition to the operations of the document. */
const otherPaths = [
  '/',
  '/docs',
  '/docs/json',
  '/healthz',
  '/readyz',
  '/metrics',
  '/queues',
  '/queues/api/queues',
  '/nothing',
  '/v1',
];
const needNoToken = new Set(['/', '/docs', '/docs/json', '/healthz', '/readyz', '/metrics']);
const adminActions = ['retire_channel', 'retire_recording_configuration'];

/** Written down here a second time: the role that each request requires. */
function levelOf({ method, path, body }: Sent): Level {
  const place = new URL(`http://x${path}`).pathname;
  if (method === 'GET' || method === 'HEAD') return needNoToken.has(place) ? 'nobody' : 'viewer';
  if (/config\/reload/i.test(place.replaceAll('%2F', '/'))) return 'admin';
  const action = Object.keys((body as { action?: object } | undefined)?.action ?? {});
  return action.some((name) => adminActions.includes(name)) ? 'admin' : 'operator';
}

interface Sent extends Request {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Spellings that a careless check mistakes for another path or method. */
const spellings: readonly ((path: string) => string)[] = [
  (path) => path,
  (path) => path,
  (path) => path,
  (path) => `/${path}`,
  (path) => path.replace('/v1/', '/V1/'),
  (path) => path.replace('/v1/', '/v1//'),
  (path) => path.replace('/v1/', '/docs/../v1/'),
  (path) => path.replace('/v1/', '/%76%31/'),
  (path) => path.replace('?', '/?'),
  (path) => path.replace('?', ';x=1?'),
];
const tricks: readonly Readonly<Record<string, string>>[] = [
  {},
  {},
  { 'x-http-method-override': 'GET' },
  { 'x-original-url': '/healthz', 'x-rewrite-url': '/healthz' },
  { 'x-forwarded-for': '127.0.0.1', forwarded: 'for=127.0.0.1' },
  { cookie: 'token=admin', origin: 'http://127.0.0.1' },
];

function requestsOf(document: unknown, known: Known): fc.Arbitrary<Sent> {
  const operations = operationsOf(document);
  const reload = { path: '/v1/config/reload?', body: {}, key: undefined, method: 'POST' };
  const right = fc.oneof(
    ...operations.map((operation) =>
      requestOf(operation, known).map((request) => ({ ...request, method: operation.method })),
    ),
    fc.constant(reload),
    ...otherPaths.map((path) => fc.constant({ path: `${path}?`, body: undefined, key: undefined, method: 'GET' })),
  );
  return fc
    .tuple(
      right,
      fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, fc.constantFrom(...methods)),
      fc.constantFrom(...spellings),
      fc.constantFrom(...tricks),
    )
    .map(([request, method = request.method, spell, headers]) => ({
      ...request,
      method,
      path: spell(request.path),
      headers,
    }));
}

test('nobody reaches a level above their own', async () => {
  await using platform: Broadcast = await broadcast();
  const arns = (await platform.simulator.control.createChannels(3)).map(({ arn }) => arn);
  for (const arn of arns.slice(1)) await platform.simulator.control.goLive(arn);
  const token = Object.fromEntries(levels.slice(1).map((level) => [level, randomBytes(16).toString('hex')]));
  const file = join(tmpdir(), `autopilot-tokens-${randomBytes(6).toString('hex')}`);
  await writeFile(
    file,
    levels
      .slice(1)
      .map((level) => `the-${level} ${level} ${token[level]}\n`)
      .join(''),
  );
  await using daemon = await platform.daemon({ rules, env: { AUTOPILOT_TOKENS_FILE: file } });
  await using _file = { [Symbol.asyncDispose]: () => rm(file) };
  const ask = async (level: Level, { method, path, body, key, headers }: Sent): Promise<number> => {
    const answer = await fetch(daemon.url + path, {
      method,
      redirect: 'manual',
      headers: {
        ...headers,
        ...(level === 'nobody' ? {} : { authorization: `Bearer ${token[level]}` }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined || method === 'GET' || method === 'HEAD' ? {} : { body: JSON.stringify(body) }),
    });
    if (answer.headers.get('content-type')?.startsWith('text/event-stream')) await answer.body?.cancel();
    else await answer.arrayBuffer();
    return answer.status;
  };
  const look = async (path: string): Promise<any> => {
    const answer = await fetch(daemon.url + path, { headers: { authorization: `Bearer ${token['admin']}` } });
    return answer.json();
  };
  const document = await look('/docs/json');
  const known: Known = {
    channelArn: fc.constantFrom(...arns),
    channelArns: fc.uniqueArray(fc.constantFrom(...arns), { minLength: 1 }),
    rule: fc.constantFrom('slate', 'called'),
    name: fc.constant('go'),
    account: fc.constant('main'),
    matchers: fc.constant(['rule="slate"']),
    url: fc.constant('http://127.0.0.1:9/'),
    dryRun: fc.constant(true),
  };
  const asked = requestsOf(document, known);
  const done: Record<string, Set<string>> = {};
  const controls = async () => ({
    holds: await look('/v1/holds'),
    silences: await look('/v1/silences'),
    pause: await look('/v1/pause'),
    config: await look('/v1/config'),
  });

  for (const level of levels) {
    const before = await controls();
    const reached = (done[level] = new Set<string>());
    const requests = fc.sample(asked, each);
    for (let from = 0; from < each; from += atOnce)
      await Promise.all(
        requests.slice(from, from + atOnce).map(async (request) => {
          const status = await ask(level, request);
          const needed = levelOf(request);
          const what = `${level}: ${request.method} ${request.path} ${JSON.stringify(request.body)} → ${status}`;
          expect(status, what).not.toBe(500);
          if (status >= 400) return;
          expect(levels.indexOf(level), what).toBeGreaterThanOrEqual(levels.indexOf(needed));
          reached.add(needed);
        }),
      );
    if (level === 'nobody' || level === 'viewer') expect(await controls()).toEqual(before);
    if (level === 'operator') expect((await controls()).config).toEqual(before.config);
  }
  // The test was not empty: each role did what it may, and the audit knows of nobody else.
  expect(Object.fromEntries(Object.entries(done).map(([level, reached]) => [level, [...reached].sort()]))).toEqual({
    nobody: ['nobody'],
    viewer: ['nobody', 'viewer'],
    operator: ['nobody', 'operator', 'viewer'],
    admin: expect.arrayContaining(['admin', 'operator', 'viewer']),
  });
  const { entries } = await look('/v1/audit?limit=1000');
  const who = new Set(
    entries.flatMap(({ who: name, outcome }: Record<string, string>) => (outcome === 'refused' ? [] : [name])),
  );
  expect(who).toContain('token the-operator');
  expect(who).not.toContain('token the-viewer');
  expect(who).not.toContain('loopback');
});

test('the documents list exactly the paths that need no token', async () => {
  const page = await readFile(new URL('../../docs/security.md', import.meta.url), 'utf8');
  const line = page.split('\n').find((each) => each.includes('These paths need no token'))!;
  const listed = Array.from(line.split('. ')[0]!.matchAll(/`(\/[^`]*)`/g), ([, path]) => path!);
  await using platform: Broadcast = await broadcast();
  await using daemon = await platform.daemon({ rules, env: { AUTOPILOT_API_TOKEN: randomBytes(16).toString('hex') } });
  const document = await (await fetch(`${daemon.url}/docs/json`)).json();
  const asked = [
    ...operationsOf(document),
    ...otherPaths.filter((path) => path !== '/nothing' && path !== '/v1').map((path) => ({ method: 'GET', path })),
    // Not in the document, because only Slack calls it.
    { method: 'POST', path: '/v1/slack/interactions' },
  ];
  const open: string[] = [];
  for (const { method, path } of asked) {
    const answer = await fetch(daemon.url + path.replaceAll(/\{\w+\}/g, 'x'), { method, redirect: 'manual' });
    const text = await answer.text();
    if (answer.status !== 401 || !text.includes('"code":"UNAUTHORIZED"')) open.push(path);
  }

  expect(open.toSorted()).toEqual(listed.toSorted());
  expect(await readFile(new URL('../../docs/http-api.md', import.meta.url), 'utf8')).toContain(
    'except `POST /v1/slack/interactions`',
  );
});
