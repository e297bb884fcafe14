// What strangers, and people with tokens of their own, can make a running daemon do: nothing stops it from answering.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type Broadcast, broadcast, type Daemon, type DaemonOptions } from '#test/support/broadcast.ts';
import { turnsOf } from '#test/support/effort.ts';

const slate = `
rules:
  - name: slate
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    actions: [{put_metadata: {payload: {type: slate}}}]
`;

const roleOf: Readonly<Record<string, string>> = { viewer: 'viewer', operator: 'operator', boss: 'admin' };

/** A daemon with a token for each role, in a file as users have it. */
async function guarded(platform: Broadcast, options: Partial<DaemonOptions> = {}) {
  const file = join(tmpdir(), `autopilot-tokens-${randomBytes(6).toString('hex')}`);
  const token = {
    viewer: randomBytes(16).toString('hex'),
    operator: randomBytes(16).toString('hex'),
    boss: randomBytes(16).toString('hex'),
  };
  const linesOf = (tokens: Readonly<Record<string, string>>) =>
    Object.entries(tokens)
      .map(([name, value]) => `${name} ${roleOf[name.split('-')[0]!] ?? 'viewer'} ${value}\n`)
      .join('');
  await writeFile(file, linesOf(token));
  const daemon = await platform.daemon({
    rules: slate,
    ...options,
    env: { AUTOPILOT_TOKENS_FILE: file, ...options.env },
  });
  const ask = async (
    method: string,
    path: string,
    given?: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) => {
    const answer = await fetch(daemon.url + path, {
      method,
      headers: {
        ...(given === undefined ? {} : { authorization: `Bearer ${given}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      headers: answer.headers,
      text,
      body: text.startsWith('{') ? JSON.parse(text) : undefined,
    };
  };
  return {
    daemon,
    token,
    ask,
    writeTokens: (tokens: Readonly<Record<string, string>>) => writeFile(file, linesOf(tokens)),
    [Symbol.asyncDispose]: async () => {
      await daemon[Symbol.asyncDispose]();
      await rm(file, { force: true });
    },
  };
}

const eventText = readFileSync(
  new URL('../fixtures/events/stream-state-change-stream-end.json', import.meta.url),
  'utf8',
)
  .replaceAll(/\s*\n\s*/g, '')
  .replace('"detail": {', '"detail":{');

/** Value of a metric's line; 0 if there is none. */
async function metric(daemon: Daemon, line: string): Promise<number> {
  const text = await (await fetch(`${daemon.url}/metrics`)).text();
  return Number(
    text
      .split('\n')
      .find((each) => each.startsWith(`${line} `))
      ?.slice(line.length + 1) ?? 0,
  );
}

const inBatches = async <T>(count: number, atOnce: number, run: (n: number) => Promise<T>): Promise<T[]> => {
  const results: T[] = [];
  for (let from = 0; from < count; from += atOnce)
    results.push(
      ...(await Promise.all(Array.from({ length: Math.min(atOnce, count - from) }, (_, n) => run(from + n)))),
    );
  return results;
};

test('wrong tokens are reported once, counted and slowed down; a valid token from the same address is not', async () => {
  await using platform = await broadcast();
  await using guard = await guarded(platform);
  const { daemon, ask, token } = guard;
  const wrong = (n: number, headers: Record<string, string> = {}) =>
    ask('GET', n % 2 === 0 ? '/v1/streams' : '/queues', `wrong-token-number-${n}`, undefined, headers);

  // Headers from a client that is not a trusted proxy change nothing: all requests come from one address.
  const startedAt = performance.now();
  const answers = await inBatches(120, 40, (n) => wrong(n, { 'x-forwarded-for': `203.0.113.${n}` }));
  const refused = answers.filter(({ status }) => status === 401);
  const slowed = answers.filter(({ status }) => status === 429);
  // Ten at once, and one more for each six seconds that a busy machine may take.
  expect(refused.length).toBeGreaterThanOrEqual(10);
  expect(refused.length).toBeLessThanOrEqual(10 + Math.floor((performance.now() - startedAt) / 6_000));
  expect(slowed.length).toBe(120 - refused.length);
  expect(slowed[0]!.body).toMatchObject({
    code: 'TOO_MANY_LOGINS',
    remedy: expect.stringContaining('http.trusted_proxies'),
  });
  expect(Number(slowed[0]!.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(daemon.log.filter((line) => line.includes('wrong tokens come from'))).toHaveLength(1);
  expect(daemon.log.join('')).not.toContain('wrong-token-number');
  expect(await metric(daemon, 'autopilot_login_failures_total{reason="wrong"}')).toBe(refused.length);
  expect(await metric(daemon, 'autopilot_login_failures_total{reason="slowed"}')).toBe(slowed.length);

  // While others wait for their quarter of a second, which is 25 turns, a client with a token is answered.
  const others = Array.from({ length: 15 }, (_, n) => wrong(n));
  const valid = await Promise.all(Array.from({ length: 5 }, () => turnsOf(ask('GET', '/v1/streams', token.viewer))));
  await Promise.all(others);
  expect(valid.map(({ value }) => value.status)).toEqual([200, 200, 200, 200, 200]);
  expect(Math.min(...valid.map(({ turns }) => turns))).toBeLessThan(25);
});

test('behind a trusted proxy each client has its own address, whatever it writes into the header itself', async () => {
  await using platform = await broadcast();
  await using guard = await guarded(platform, {
    http: 'trusted_proxies: [127.0.0.0/8, 10.0.0.0/8]',
  });
  const { daemon, ask } = guard;
  const wrong = (forwarded: string) =>
    ask('GET', '/v1/streams', 'wrong-token-of-somebody', undefined, { 'x-forwarded-for': forwarded });

  await inBatches(15, 15, (n) => wrong(`198.51.100.${n}, 203.0.113.1, 10.1.2.3`));
  expect((await wrong('203.0.113.1')).status).toBe(429);
  expect((await wrong('203.0.113.2')).status).toBe(401);
  await inBatches(15, 15, (n) => wrong(`2001:db8:1:2::${n}`));
  expect((await wrong('2001:db8:1:2:ffff::1')).status).toBe(429);
  expect((await wrong('2001:db8:1:3::1')).status).toBe(401);
  const told = daemon.log
    .filter((line) => line.includes('wrong tokens come from'))
    .map((line) => JSON.parse(line).address);
  expect(told).toEqual(['203.0.113.1', '203.0.113.2', '2001:db8:1:2::/64', '2001:db8:1:3::/64']);
});

test('tokens are revoked and added by a reload; an open stream of a revoked one ends; a file with a mistake changes nothing', async () => {
  await using platform = await broadcast();
  await using guard = await guarded(platform);
  const { daemon, ask, token } = guard;
  const follow = async (value: string) => {
    const answer = await fetch(`${daemon.url}/v1/live`, { headers: { authorization: `Bearer ${value}` } });
    const reader = answer.body!.getReader();
    await reader.read();
    return {
      over: (async () => {
        while (!(await reader.read()).done);
        return true;
      })(),
      cancel: () => reader.cancel(),
    };
  };
  const revoked = await follow(token.viewer);
  const kept = await follow(token.operator);
  const added = randomBytes(16).toString('hex');
  await guard.writeTokens({ operator: token.operator, boss: token.boss, 'viewer-two': added });
  expect((await ask('POST', '/v1/config/reload', token.boss)).status).toBe(200);

  expect(await revoked.over).toBe(true);
  expect((await ask('GET', '/v1/streams', token.viewer)).status).toBe(401);
  expect((await ask('GET', '/v1/streams', added)).status).toBe(200);
  expect(await Promise.race([kept.over, delay(50, 'open')])).toBe('open');
  await kept.cancel();

  for (const [tokens, message] of [
    [{ operator: token.operator, 'operator-two': token.operator, boss: token.boss }, 'the same token as operator'],
    [{ boss: token.boss, Admin: token.operator }, 'is reserved for'],
    [{ boss: token.boss, loopback: token.operator }, 'is reserved for'],
  ] as const) {
    await guard.writeTokens(tokens);
    const answer = await ask('POST', '/v1/config/reload', token.boss);
    expect(answer.body).toMatchObject({ code: 'CONFIG_INVALID', detail: expect.stringContaining(message) });
    expect(answer.text).not.toContain(token.operator);
    expect((await ask('GET', '/v1/streams', added)).status).toBe(200);
  }
});

async function openSocket(url: string, sent: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await new Promise((done) => socket.once('connect', done).once('close', done));
  socket.write(sent);
  return socket;
}

test('connections without a request make room for others: probes are answered, and nothing is logged', async () => {
  await using platform = await broadcast();
  await using guard = await guarded(platform);
  const { daemon, ask, token } = guard;
  const before = daemon.log.length;
  const starts = [
    '',
    'GET /healthz HT',
    'POST /v1/pause HTTP/1.1\r\nhost: x\r\nx-a: ',
    'POST /v1/pause HTTP/1.1\r\nhost: x\r\ncontent-length: 900\r\n\r\n{',
  ];
  const sockets = await inBatches(600, 50, (n) => openSocket(daemon.url, starts[n % starts.length]!));
  try {
    expect(sockets.every((socket) => (socket.address() as AddressInfo).port !== 0)).toBe(true);
    for (const path of ['/healthz', '/metrics', '/readyz']) expect((await ask('GET', path)).status).toBe(200);
    expect((await ask('GET', '/v1/streams', token.viewer)).status).toBe(200);
    await expect.poll(() => metric(daemon, 'autopilot_http_connections')).toBeLessThanOrEqual(220);
    expect(await metric(daemon, 'autopilot_http_connections_closed_total{reason="half_open"}')).toBeGreaterThanOrEqual(
      380,
    );
    // An alert is no line about a connection: on a busy machine data may be missing meanwhile.
    const isTold = (line: string) =>
      /"level":(40|50|60)|"level":"(warn|error|fatal)"/.test(line) && !line.includes('"stage":"alerts"');
    expect(daemon.log.slice(before).filter(isTold)).toEqual([]);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
});

test('at the maximum of connections only probes are answered, and a refused client learns the setting', async () => {
  await using platform = await broadcast();
  await using guard = await guarded(platform, {
    http: 'max_connections: 16',
  });
  const { daemon, ask, token } = guard;
  const headers = { authorization: `Bearer ${token.viewer}` };
  // Each is needed until the end: fetch closes the connection of an unread answer that is garbage-collected.
  const followers: Response[] = [];
  try {
    for (let n = 0; n < 20; n += 1) followers.push(await fetch(`${daemon.url}/v1/live`, { headers }));
    expect(followers.filter(({ status }) => status === 200)).toHaveLength(16);
    const refused = await ask('GET', '/v1/streams', token.boss);
    expect(refused.body).toMatchObject({
      status: 503,
      code: 'TOO_MANY_CONNECTIONS',
      remedy: expect.stringContaining('http.max_connections'),
    });
    for (const path of ['/healthz', '/metrics', '/readyz']) expect((await ask('GET', path)).status).toBe(200);
  } finally {
    for (const { body } of followers) await body?.cancel();
  }
});

test('endless nesting or endless headers are refused with a code', async () => {
  await using platform = await broadcast();
  await using guard = await guarded(platform);
  const { ask, daemon, token } = guard;
  const deep = `{"action":{"put_metadata":{"payload":${'['.repeat(100_000)}${']'.repeat(100_000)}}},"channelArn":"x","reason":"deep"}`;
  const answer = await ask('POST', '/v1/actions', token.operator, deep);
  expect(answer.body).toMatchObject({
    status: 400,
    code: 'REQUEST_INVALID',
    detail: expect.stringContaining('deeper than 64'),
  });
  const large = await ask('GET', '/v1/streams', token.viewer, undefined, { 'x-much': 'x'.repeat(20_000) });
  expect(large.body).toMatchObject({ status: 431, code: 'HEADERS_TOO_LARGE' });
  expect(daemon.log.filter((line) => line.includes('a request failed'))).toEqual([]);

  // An event with endless nesting is kept for inspection instead of failing repeatedly.
  const { id } = JSON.parse(eventText);
  await platform.send(eventText.replace('"detail":{', `"detail":{"deep":${'['.repeat(50_000)}${']'.repeat(50_000)},`));
  await expect.poll(() => daemon.log.some((line) => line.includes('nests deeper than'))).toBe(true);
  expect(daemon.log.some((line) => line.includes(id) && line.includes('"level":50'))).toBe(false);
});
