// The HTTP frame alone, with a route of its own: tokens, roles, limits, errors, documents, stopping.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage, type RequestOptions } from 'node:http';
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import pino from 'pino';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { parseTokenFile } from '#api/auth.ts';
import { HttpServer, type HttpServerOptions } from '#api/server.ts';
import { Secret } from '#domain/secret.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { turnsOf } from '#test/support/effort.ts';

const body = z.strictObject({
  name: z.string(),
  nested: z.strictObject({ seconds: z.number() }).optional(),
  either: z.union([z.strictObject({ one: z.literal(1) }), z.strictObject({ two: z.array(z.number()) })]).optional(),
});

const notes: FastifyPluginAsyncZod = async (app) => {
  app.post(
    '/notes',
    { schema: { body, response: { 200: z.object({ name: z.string(), by: z.string() }) } } },
    (request) => Promise.resolve({ name: request.body.name, by: request.caller.name }),
  );
  app.get('/notes', { schema: { querystring: z.strictObject({ limit: z.coerce.number().optional() }) } }, () =>
    Promise.resolve([]),
  );
  app.delete('/notes', { config: { role: 'admin' } }, () => Promise.resolve({}));
  app.get('/broken', () => Promise.reject(new Error('the inside of the daemon')));
  app.get('/stream', async (_request, reply) => {
    app.eventStreams.open(reply).send('hello', { n: 1 });
    return reply;
  });
};

const token = () => randomBytes(16).toString('hex');

/** A request from one of this machine's addresses, with a body if it needs one. */
async function asked(
  url: string,
  options: RequestOptions,
): Promise<{ status: number; headers: IncomingHttpHeaders; body: any }> {
  const request = httpRequest(url, { agent: false, ...options });
  request.end(options.method === 'POST' ? JSON.stringify({ name: 'x' }) : undefined);
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  for await (const part of answer.setEncoding('utf8')) text += part;
  return { status: answer.statusCode!, headers: answer.headers, body: JSON.parse(text) };
}

async function setup(options: Partial<HttpServerOptions> = {}) {
  const values = { viewer: token(), operator: token(), admin: token() };
  const lines: string[] = [];
  const server = new HttpServer({
    host: '127.0.0.1',
    port: 0,
    tokens: (['viewer', 'operator', 'admin'] as const).map((role) => ({
      name: `the ${role}`,
      role,
      value: new Secret(values[role]),
    })),
    routes: [{ prefix: '/v1', plugin: notes }],
    checks: {},
    maxBodyBytes: 10_000,
    requestsPerMinute: 1000,
    version: '0.0.0',
    metrics: createMetrics(),
    logger: pino({}, { write: (line: string) => void lines.push(line) }),
    ...options,
  });
  await server.start();
  const call = async (path: string, init: RequestInit & { role?: keyof typeof values } = {}) => {
    const { role = 'admin', ...rest } = init;
    const headers = { authorization: `Bearer ${values[role]}`, ...(init.headers as Record<string, string>) };
    const answer = await fetch(server.url + path, { ...rest, headers });
    return { status: answer.status, headers: answer.headers, body: (await answer.json()) as any };
  };
  const post = (value: unknown, init: Parameters<typeof call>[1] = {}) =>
    call('/v1/notes', {
      method: 'POST',
      body: JSON.stringify(value),
      ...init,
      headers: { 'content-type': 'application/json', ...(init.headers as Record<string, string>) },
    });
  return { server, call, post, lines, values, [Symbol.asyncDispose]: () => server.stop() };
}

test('refuses a call without a token or with a wrong one, and says what to send', async () => {
  await using api = await setup();

  const without = await fetch(`${api.server.url}/v1/notes`);
  const wrong = await fetch(`${api.server.url}/v1/notes`, { headers: { authorization: `Bearer ${token()}` } });

  expect([without.status, wrong.status]).toEqual([401, 401]);
  expect(without.headers.get('www-authenticate')).toBe('Bearer');
  expect(without.headers.get('content-type')).toContain('application/problem+json');
  expect(await without.json()).toMatchObject({ code: 'UNAUTHORIZED', remedy: expect.stringContaining('Bearer') });
});

test('a valid token sent as Basic is asked for as Bearer, and does not count as a wrong token', async () => {
  await using api = await setup();
  const authorization = `Basic ${Buffer.from(`x:${api.values.viewer}`).toString('base64')}`;

  const answer = await fetch(`${api.server.url}/v1/notes`, { headers: { authorization } });

  expect(answer.status).toBe(401);
  expect(await answer.json()).toMatchObject({
    detail: expect.stringContaining('send the token as `Authorization: Bearer <token>`'),
  });
  const failures = (await (await fetch(`${api.server.url}/metrics`)).text())
    .split('\n')
    .filter((line) => /^autopilot_login_failures_total.* [1-9]/.test(line));
  expect(failures).toEqual([expect.stringContaining('reason="missing"')]);
});

test('a viewer reads, an operator also acts, an admin may also use reserved routes', async () => {
  await using api = await setup();

  expect((await api.call('/v1/notes', { role: 'viewer' })).status).toBe(200);
  expect((await api.post({ name: 'x' }, { role: 'viewer' })).body).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  expect((await api.post({ name: 'x' }, { role: 'operator' })).body).toEqual({ name: 'x', by: 'the operator' });
  expect((await api.call('/v1/notes', { role: 'operator', method: 'DELETE' })).status).toBe(403);
  expect((await api.call('/v1/notes', { role: 'admin', method: 'DELETE' })).status).toBe(200);
});

test('names every wrong field of a request, and the name that was probably meant', async () => {
  await using api = await setup();

  const misspelt = await api.post({ nmae: 'x', nested: { secnods: 1 } });
  const query = await api.call('/v1/notes?limt=3');
  const union = await api.post({ name: 'x', either: { two: ['a'] } });

  expect(misspelt.body).toMatchObject({ status: 400, code: 'REQUEST_INVALID' });
  expect(misspelt.body.problems).toEqual(
    expect.arrayContaining([
      { path: 'body.nmae', message: 'unknown field; did you mean name?' },
      { path: 'body.nested.secnods', message: 'unknown field; did you mean seconds?' },
      { path: 'body.name', message: 'expected string, received undefined' },
    ]),
  );
  expect(query.body.problems).toEqual([{ path: 'query.limt', message: 'unknown field; did you mean limit?' }]);
  expect(union.body.problems).toEqual([{ path: 'body.either.two[0]', message: 'expected number, received string' }]);
});

test('refuses broken JSON, other media types, long bodies and strange paths as problems', async () => {
  await using api = await setup();
  const codes = async (answer: Promise<{ status: number; body: any }>) => {
    const { status, body } = await answer;
    return [status, body.code];
  };

  expect(await codes(api.post(null, { body: '{"name":' }))).toEqual([400, 'REQUEST_INVALID']);
  expect(await codes(api.post(null, { body: '{"__proto__":{}}' }))).toEqual([400, 'REQUEST_INVALID']);
  expect(await codes(api.post(null, { body: '' }))).toEqual([400, 'REQUEST_INVALID']);
  expect(await codes(api.post({}, { headers: { 'content-type': 'text/plain' } }))).toEqual([
    415,
    'MEDIA_TYPE_UNSUPPORTED',
  ]);
  expect(await codes(api.post({ name: 'x'.repeat(10_001) }))).toEqual([413, 'BODY_TOO_LARGE']);
  expect(await codes(api.call('/v1/nothing'))).toEqual([404, 'NOT_FOUND']);
  expect(await codes(api.call('/v1/%E0%A4%A'))).toEqual([400, 'REQUEST_INVALID']);
});

test('an unexpected failure reveals nothing internal, and the log has all of it', async () => {
  await using api = await setup();

  const answer = await api.call('/v1/broken');

  expect(answer.body).toMatchObject({ status: 500, code: 'INTERNAL' });
  expect(JSON.stringify(answer.body)).not.toContain('inside');
  expect(api.lines.join('')).toContain('the inside of the daemon');
});

test('a token that sends too many requests, on any routes, waits as long as Retry-After says, and no other token waits', async () => {
  const groups = [
    { prefix: '/v1', plugin: notes },
    { prefix: '/v1/more', plugin: notes },
    {
      prefix: '/queues',
      access: 'browser' as const,
      plugin: async (app: FastifyInstance) => void app.get('/notes', () => Promise.resolve([])),
    },
  ];
  await using api = await setup({ requestsPerMinute: 3, routes: groups });

  const answers = [];
  for (const path of ['/v1/notes', '/v1/more/notes', '/queues/notes', '/v1/notes', '/v1/more/notes'])
    answers.push(await api.call(path));
  const other = await api.call('/v1/notes', { role: 'viewer' });

  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429, 429]);
  expect(Number(answers[3]!.headers.get('retry-after'))).toBeGreaterThan(50);
  expect(answers[3]!.body.code).toBe('RATE_LIMITED');
  expect(other.status).toBe(200);
});

test('without a token it stays on loopback, says so, and refuses foreign pages and rebound names', async () => {
  await using api = await setup({ tokens: [], host: '0.0.0.0' });
  const { port } = new URL(api.server.url);
  const status = (headers: Record<string, string>) =>
    new Promise<number>((resolve, reject) => {
      httpRequest({ host: '127.0.0.1', port, path: '/v1/notes', headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      })
        .on('error', reject)
        .end();
    });

  expect((api.server.app.server.address() as { address: string }).address).toBe('127.0.0.1');
  expect(api.lines.join('')).toContain('AUTOPILOT_API_TOKEN');
  expect(await status({})).toBe(200);
  expect(await status({ host: `localhost:${port}`, origin: `http://localhost:${port}` })).toBe(200);
  expect(await status({ host: `attacker.example:${port}` })).toBe(403);
  expect(await status({ origin: 'https://attacker.example' })).toBe(403);
  expect(await status({ origin: 'null' })).toBe(403);
  expect(await status({ 'sec-fetch-site': 'cross-site' })).toBe(403);
});

test('always reports health; readiness names what is missing and ends when the stop is announced', async () => {
  let redis: 'here' | 'away' | 'silent' = 'away';
  await using api = await setup({
    checks: {
      redis: async () => {
        if (redis === 'away') throw new Error('no connection');
        if (redis === 'silent') await new Promise(() => undefined);
      },
      poll: () => Promise.resolve(),
    },
  });

  expect((await api.call('/healthz')).body).toEqual({ alive: true });
  expect((await api.call('/readyz')).body).toEqual({ ready: false, checks: { redis: 'no connection', poll: 'ok' } });
  redis = 'here';
  expect((await api.call('/readyz')).status).toBe(200);
  redis = 'silent';
  expect((await api.call('/readyz')).body).toMatchObject({ checks: { redis: expect.stringContaining('no answer') } });
  redis = 'here';
  api.server.announceStop();
  expect((await api.call('/readyz')).body).toMatchObject({ ready: false, stopping: 'shutting down' });
});

test('metrics count requests by route, not by address', async () => {
  await using api = await setup();

  await api.call('/v1/nothing/at/all');
  await api.call('/v1/notes');
  const text = await (await fetch(`${api.server.url}/metrics`)).text();

  expect(text).toContain('autopilot_http_requests_total{method="GET",route="/v1/notes",status="200"} 1');
  expect(text).toContain('route="none",status="404"');
});

test('the API document names every route with its problem answer; the page needs nothing from elsewhere', async () => {
  await using api = await setup();

  const document = (await api.call('/docs/json')).body;
  const page = await (await fetch(`${api.server.url}/docs`)).text();

  expect(Object.keys(document.paths['/v1/notes'])).toEqual(expect.arrayContaining(['get', 'post', 'delete']));
  expect(document.paths['/healthz']).toBeUndefined();
  expect(document.paths['/v1/notes'].post.responses.default).toEqual({ $ref: '#/components/responses/Problem' });
  expect(document.components.responses.Problem.content).toHaveProperty('application/problem+json');
  expect(document.paths['/v1/notes'].post.requestBody.content['application/json'].schema.properties).toHaveProperty(
    'nested',
  );
  expect(page).not.toMatch(/(src|href)="(https?:)?\/\//);
  expect(page).toContain('id="RATE_LIMITED"');
});

test('a trusted proxy signs people in: it sets names and roles, and nobody else can', async () => {
  const queues: FastifyPluginAsync = async (app) => {
    app.get('/', (request) => Promise.resolve({ by: request.caller.name }));
  };
  await using api = await setup({
    trustedProxies: ['127.0.0.2'],
    authProxy: { header_name: 'X-WEBAUTH-USER', headers: { role: 'X-WEBAUTH-ROLE' }, default_role: 'viewer' },
    routes: [
      { prefix: '/v1', plugin: notes },
      { prefix: '/queues', plugin: queues, access: 'browser' },
    ],
  });
  const { url } = api.server;
  const through = (localAddress: string) => (path: string, headers: Record<string, string>, method?: string) =>
    asked(url + path, { localAddress, headers, ...(method ? { method } : {}) });
  const proxy = through('127.0.0.2');
  const direct = through('127.0.0.1');
  const mara = { 'x-webauth-user': 'mara', 'x-webauth-role': 'operator' };
  const note = { 'content-type': 'application/json' };

  // A person with a token's name is not that token: they get neither its role nor its cookie.
  const known = { 'x-webauth-user': 'the admin' };
  expect((await proxy('/v1/notes', known, 'DELETE')).body).toMatchObject({ code: 'FORBIDDEN' });
  const session = await proxy('/v1/session', known);
  expect(session).toMatchObject({ status: 200, body: { name: 'the admin', role: 'viewer' } });
  expect(session.headers['set-cookie']).toBeUndefined();

  expect((await proxy('/v1/notes', { ...mara, ...note }, 'POST')).body).toEqual({ name: 'x', by: 'mara' });
  expect((await proxy('/queues/', mara)).body).toEqual({ by: 'mara' });
  // The proxy's own sign-in cookie is not a token; a bearer token counts by itself, even if it is wrong.
  const basic = { ...mara, authorization: `Basic ${Buffer.from('mara:hers').toString('base64')}` };
  expect((await proxy('/queues/', basic)).body).toEqual({ by: 'mara' });
  expect((await proxy('/v1/notes', basic)).status).toBe(200);
  const withToken = { ...mara, ...note, authorization: `Bearer ${api.values.operator}` };
  expect((await proxy('/v1/notes', withToken, 'POST')).body).toEqual({ name: 'x', by: 'the operator' });
  expect((await proxy('/v1/notes', { ...mara, authorization: `Bearer ${token()}` })).status).toBe(401);
  // A claim in addition to it changes nothing.
  expect((await proxy('/v1/notes', { ...mara, 'x-autopilot-as': '%' })).status).toBe(200);

  const refused = await direct('/v1/notes', { ...mara, 'x-forwarded-for': '127.0.0.2' });
  expect(refused).toMatchObject({ status: 401, body: { code: 'UNAUTHORIZED' } });
  expect(refused.body.detail).toContain('http.trusted_proxies');
  expect((await direct('/queues/', mara)).status).toBe(401);
  expect((await direct('/v1/stream', mara)).status).toBe(401);
  expect((await direct('/v1/notes', withToken, 'POST')).body).toEqual({ name: 'x', by: 'the operator' });
  expect((await proxy('/v1/notes', { 'x-webauth-user': '' })).status).toBe(401);
  const foreign = { ...mara, ...note, 'sec-fetch-site': 'cross-site' };
  expect((await proxy('/v1/notes', foreign, 'POST')).body).toMatchObject({ code: 'FOREIGN_REQUEST' });
});

test('with a proxy that signs people in, a server without tokens is open to nobody else', async () => {
  await using api = await setup({
    tokens: [],
    trustedProxies: ['127.0.0.2'],
    authProxy: { header_name: 'Remote-User', headers: {}, default_role: 'operator' },
  });
  const { url } = api.server;

  expect((await asked(`${url}/v1/notes`, { localAddress: '127.0.0.1' })).status).toBe(401);
  const mara = { 'remote-user': 'mara', host: 'noc.example' };
  expect((await asked(`${url}/v1/notes`, { localAddress: '127.0.0.2', headers: mara })).status).toBe(200);
  // Tokens from a reload are accepted.
  const value = token();
  api.server.useTokens([{ name: 'ci', role: 'viewer', value: new Secret(value) }]);
  const ci = { authorization: `Bearer ${value}` };
  expect((await asked(`${url}/v1/notes`, { localAddress: '127.0.0.1', headers: ci })).status).toBe(200);
});

test('stops at once although a client still listens to events', async () => {
  const api = await setup();
  const answer = await fetch(`${api.server.url}/v1/stream`, {
    headers: { authorization: `Bearer ${api.values.viewer}` },
  });
  const reader = answer.body!.getReader();
  await reader.read();

  const { turns } = await turnsOf(api.server.stop());

  expect(turns).toBeLessThan(100);
  await expect(
    (async () => {
      while (!(await reader.read()).done);
      return 'over';
    })(),
  ).resolves.toBe('over');
  expect(api.server.app.eventStreams.size).toBe(0);
});

test('can be stopped before it was started, and while it starts', async () => {
  const api = await setup();
  await api.server.stop();
  const options = { host: '127.0.0.1', port: 0, tokens: [], routes: [], checks: {}, maxBodyBytes: 1, version: '0' };
  const rest = { requestsPerMinute: 1, metrics: createMetrics(), logger: pino({ level: 'silent' }) };

  const early = new HttpServer({ ...options, ...rest });
  await early.stop();
  await early.start();
  const racing = new HttpServer({ ...options, ...rest, metrics: createMetrics() });
  await Promise.all([racing.start(), racing.stop()]);

  expect([early, racing].map((server) => server.app.server.listening)).toEqual([false, false]);
});

test('reads a file of tokens line by line, and reports a mistake in it without showing the token', () => {
  const secret = token();

  const tokens = parseTokenFile(`# people\nvideo-team operator ${secret}\n\n`, 'tokens.txt');

  expect(tokens.map(({ name, role, value }) => [name, role, value.reveal()])).toEqual([
    ['video-team', 'operator', secret],
  ]);
  expect(() => parseTokenFile(`video boss ${secret}`, 'tokens.txt')).toThrow(/^tokens\.txt:1 expected/);
  expect(() => parseTokenFile(`video boss ${secret}`, 'tokens.txt')).not.toThrow(secret);
});
