// The metadata API over HTTP: validation, idempotency, dry runs, and progress.
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import pino from 'pino';
import { expect, test, vi } from 'vitest';
import { metadataRoutes } from '#api/routes/metadata.ts';
import { HttpServer } from '#api/server.ts';
import type { Channel } from '#domain/channel.ts';
import { Secret } from '#domain/secret.ts';
import { kinds } from '#domain/state-registry.ts';
import type { StreamRecord } from '#domain/stream-record.ts';
import { systemClock } from '#runtime/clock.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { ShardDirectory } from '#shard/directory.ts';
import { MemoryState } from '#src/store/memory-state.ts';
import { channelArn, FakeSender, type MetadataPartsOptions, metadataParts } from '../support/metadata.ts';
import { untilPasses } from '../support/quiet.ts';
import { redisScope } from '../support/redis.ts';

async function setup(options: Partial<MetadataPartsOptions> = {}) {
  const scope = await redisScope();
  const state = new MemoryState({ now: () => Date.now() });
  const sender = new FakeSender();
  const parts = metadataParts({ scope, sender, state, ...options });
  await parts.drainer.start();
  await parts.sweeper.start();
  const shards = new ShardDirectory([
    { name: 'main', region: 'us-west-2', accountId: '111122223333', metadata: parts.service },
  ]);
  const token = randomBytes(16).toString('hex');
  const server = new HttpServer({
    host: '127.0.0.1',
    port: 0,
    tokens: [{ name: 'test', role: 'admin', value: new Secret(token) }],
    routes: [
      {
        prefix: '/v1',
        plugin: metadataRoutes({ shards, clock: systemClock, followMs: 10 }),
      },
    ],
    checks: {},
    maxBodyBytes: 1_048_576,
    requestsPerMinute: 100_000,
    version: '0.0.0',
    metrics: createMetrics(),
    logger: pino({ level: 'silent' }),
  });
  await server.start();
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const answer = await fetch(server.url + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(120_000),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) };
  };
  const batch = (body: object, headers?: Record<string, string>) =>
    call('POST', '/v1/metadata/batches', body, headers ?? {});
  const follow = (batchId: string) =>
    fetch(`${server.url}/v1/metadata/batches/${batchId}/events`, { headers: { authorization: `Bearer ${token}` } });
  return {
    ...parts,
    scope,
    sender,
    state,
    server,
    token,
    call,
    batch,
    follow,
    async [Symbol.asyncDispose]() {
      await server.stop();
      await parts.sweeper.stop();
      await parts.drainer.stop();
      await scope[Symbol.asyncDispose]();
    },
  };
}

/** Reads an event stream as text. */
function readerOf(answer: Response) {
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  return {
    until: async (mark: string) => {
      let text = '';
      while (!text.includes(mark)) text += (await reader.read()).value ?? '';
      return text;
    },
    rest: async () => {
      let text = '';
      for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
      return text;
    },
    cancel: () => reader.cancel(),
  };
}

const to = (...names: string[]) => ({ channelArns: names.map(channelArn) });

test('accepts a batch with its plan, and its progress ends with the outcome of every item', async () => {
  await using api = await setup();

  const answer = await api.batch({
    targets: { channelArns: [channelArn('a'), channelArn('b'), channelArn('a'), 'arn:aws:ivs:eu-west-1:1:channel/x'] },
    items: [{ payload: 'text' }, { payload: { type: 'poll' } }],
    lane: 'urgent',
  });

  expect(answer.status).toBe(202);
  expect(answer.body).toMatchObject({ channels: 2, items: 2, plannedCalls: 2, estimatedSeconds: 0.1 });
  expect(answer.body.skipped.map(({ reason, count }: any) => [reason, count])).toEqual([
    ['duplicate', 1],
    ['other_account_or_region', 1],
  ]);
  await untilPasses(async () => {
    const progress = await api.call('GET', answer.headers.get('location')!);
    expect(progress.body).toMatchObject({
      state: 'finished',
      total: 4,
      counts: { pending: 0, delivered: 4 },
      contents: [{ payload: 'text' }, { payload: { type: 'poll' } }],
    });
    expect(Date.parse(progress.body.finishedAt)).toBeGreaterThan(0);
  });
  expect(api.sender.payloads(channelArn('a'))).toEqual(['text', { type: 'poll' }]);
});

test('resolves live and tagged channels when the batch is accepted, and names those left out', async () => {
  await using api = await setup();
  const channel = (name: string, tags: Record<string, string>): Channel => ({
    arn: channelArn(name),
    name,
    type: 'STANDARD',
    latencyMode: 'LOW',
    recordingConfigurationArn: '',
    tags,
  });
  await api.state.transact((tx) => {
    for (const name of ['a', 'b', 'c'])
      tx.set(kinds.stream.of(channelArn(name)), {
        channelArn: channelArn(name),
        state: name === 'c' ? 'ended' : 'live',
      } as StreamRecord);
    tx.set(kinds.channel.of(channelArn('a')), channel('a', { show: 'quiz', tier: 'gold' }));
    tx.set(kinds.channel.of(channelArn('b')), channel('b', { show: 'quiz' }));
    tx.set(kinds.channel.of(channelArn('c')), channel('c', { show: 'quiz', tier: 'gold' }));
  });

  const live = await api.batch({ targets: { live: true }, items: [{ payload: 'x' }], dryRun: true });
  const tagged = await api.batch({
    targets: { tags: { show: ['quiz', 'other'], tier: ['gold'] } },
    items: [{ payload: 'x' }],
    dryRun: true,
  });
  const none = await api.batch({ targets: { tags: { __proto__x: ['y'] } }, items: [{ payload: 'x' }] });

  expect([live.status, live.body.channels, live.body.batchId]).toEqual([202, 2, undefined]);
  // Nothing is sent, and what would be sent is reported to the byte: an item with its id and time, in its envelope, for each channel.
  const inCall = Buffer.byteLength('{"v":1,"items":[{"id":"12345678","t":1234567890123,"d":"x"}]}');
  expect(live.body.bytes).toEqual({ total: 2 * inCall, largestCall: inCall, mostInCall: 1024 });
  expect(tagged.body).toMatchObject({
    channels: 1,
    skipped: [{ reason: 'not_live', count: 1, examples: [channelArn('c')] }],
  });
  expect((await api.outbox.depth()).items).toBe(0);
  expect(none.body.channels).toBe(0);
  expect((await api.call('GET', `/v1/metadata/batches/${none.body.batchId}`)).body.state).toBe('finished');
});

test('refuses a payload that cannot fit, with its index and size, and sends nothing of the batch', async () => {
  await using api = await setup();

  const answer = await api.batch({ targets: to('a'), items: [{ payload: 'fits' }, { payload: 'ü'.repeat(500) }] });

  expect(answer.status).toBe(422);
  expect(answer.body).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', index: 1, maxBytes: 1024 });
  expect(answer.body.bytes).toBeGreaterThan(1024);
  expect((await api.outbox.depth()).items).toBe(0);
});

test('without packing a payload is sent unchanged, up to the last byte that IVS accepts', async () => {
  await using api = await setup({ service: { packing: 'off' } });
  const exactly = 'ü'.repeat(512);

  const answer = await api.batch({ targets: to('a'), items: [{ payload: exactly }, { payload: { n: 1 } }] });

  expect(answer.body.plannedCalls).toBe(2);
  await untilPasses(() => expect(api.sender.calls.map(({ metadata }) => metadata)).toEqual([exactly, '{"n":1}']));
  expect((await api.batch({ targets: to('a'), items: [{ payload: `${exactly}!` }] })).body).toMatchObject({
    bytes: 1025,
  });
});

test('the same key and request return the same answer and are sent once; another request with the key is a conflict', async () => {
  await using api = await setup();
  const headers = { 'idempotency-key': 'show-1' };
  const body = { targets: to('a', 'b'), items: [{ payload: { b: 1, a: 2 } }] };
  const reordered = { items: [{ payload: { a: 2, b: 1 } }], targets: to('a', 'b') };

  const answers = await Promise.all([
    api.batch(body, headers),
    api.batch(reordered, headers),
    api.batch(body, headers),
  ]);
  const other = await api.batch({ ...body, targets: to('a') }, headers);
  const bad = await api.batch(body, { 'idempotency-key': 'two words' });

  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
  expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  expect(answers.filter(({ headers }) => headers.get('idempotent-replayed') === 'true')).toHaveLength(2);
  expect([other.status, other.body.code]).toEqual([409, 'IDEMPOTENCY_CONFLICT']);
  expect([bad.status, bad.body.problems[0].path]).toEqual([400, 'header.idempotency-key']);
  await untilPasses(() => expect(api.sender.calls).toHaveLength(2));
});

test('a repeat gets its answer whoever is live by then, and its batch can still be read', async () => {
  await using api = await setup();
  const headers = { 'idempotency-key': 'all' };
  const body = { targets: { live: true }, items: Array.from({ length: 100 }, (_, n) => ({ payload: `${n}` })) };
  const goLive = (count: number) =>
    api.state.transact((tx) => {
      for (let n = 0; n < count; n += 1)
        tx.set(kinds.stream.of(channelArn(`${n}`)), { channelArn: channelArn(`${n}`), state: 'live' } as StreamRecord);
    });
  await goLive(2);

  const first = await api.batch(body, headers);
  await goLive(501);
  const again = await api.batch(body, headers);
  const anew = await api.batch(body, { 'idempotency-key': 'other' });

  expect([first.status, first.body.channels]).toEqual([202, 2]);
  expect([again.status, again.headers.get('idempotent-replayed'), again.body]).toEqual([202, 'true', first.body]);
  expect([anew.status, anew.body.code]).toEqual([422, 'BATCH_TOO_LARGE']);
  expect((await api.call('GET', again.headers.get('location')!)).status).toBe(200);
});

test('channels that were left out, including full ones, can still be read while the batch is running', async () => {
  await using api = await setup({ outbox: { maxItemsPerChannel: 1 } });
  api.sender.permit = () => new Promise(() => undefined);
  const headers = { 'idempotency-key': 'once' };
  await api.batch({ targets: to('a'), items: [{ payload: 'x' }] });
  const body = { targets: to('a', 'b', 'b'), items: [{ payload: 'y' }] };
  const skipped = [
    { reason: 'duplicate', count: 1, examples: [channelArn('b')] },
    { reason: 'queue_full', count: 1, examples: [channelArn('a')] },
  ];

  const sent = await api.batch(body, headers);
  const again = await api.batch(body, headers);
  const progress = await api.call('GET', sent.headers.get('location')!);

  expect(sent.body).toMatchObject({ channels: 1, skipped });
  expect(again.body).toEqual(sent.body);
  expect(progress.body).toMatchObject({ channels: 1, skipped });
  expect(await api.metrics.metadataSkipped.get()).toMatchObject({
    values: expect.arrayContaining([expect.objectContaining({ labels: { reason: 'queue_full' }, value: 1 })]),
  });
});

test('until it is known who is live or tagged, nobody is not the answer; named channels need not wait', async () => {
  const known = { live: false, tags: false };
  await using api = await setup({ service: { fleetKnown: () => known } });
  const items = [{ payload: 'x' }];
  const headers = { 'idempotency-key': 'early' };
  const live = () => api.batch({ targets: { live: true }, items }, headers);
  const tagged = () => api.batch({ targets: { tags: { show: ['quiz'] } }, items });

  const early = await live();
  const statuses = async () => [(await live()).status, (await tagged()).status];
  const atFirst = await statuses();
  known.live = true;
  const polled = await statuses();
  known.tags = true;
  const listed = await statuses();
  known.live = false;

  expect([early.body.code, early.headers.get('retry-after')]).toEqual(['FLEET_UNKNOWN', '5']);
  expect([atFirst, polled, listed]).toEqual([
    [503, 503],
    [202, 503],
    [202, 202],
  ]);
  // A repeat is recognised by its key.
  expect((await live()).status).toBe(202);
  expect((await api.batch({ targets: to('a'), items })).status).toBe(202);
});

test('reports a misspelt field, a wrong target and an empty batch with its place', async () => {
  await using api = await setup();
  const problems = async (body: unknown) => (await api.call('POST', '/v1/metadata/batches', body)).body.problems;

  expect(await problems({ target: to('a'), items: [{ payload: 'x' }] })).toContainEqual({
    path: 'body.target',
    message: 'unknown field; did you mean targets?',
  });
  expect(await problems({ targets: { channelArns: ['nonsense'] }, items: [{ payload: 'x' }] })).toEqual([
    { path: 'body.targets.channelArns[0]', message: expect.stringContaining('expected a channel ARN') },
  ]);
  expect(await problems({ targets: { live: true, tags: { show: ['quiz'] } }, items: [{ payload: 'x' }] })).toEqual([
    { path: 'body.targets', message: expect.stringContaining('exactly one') },
  ]);
  expect(await problems({ targets: { tags: {} }, items: [{ payload: 'x' }] })).toEqual([
    { path: 'body.targets.tags', message: expect.stringContaining('at least one tag') },
  ]);
  expect((await problems({ targets: to('a'), items: [] }))[0].path).toBe('body.items');
  expect((await problems({ targets: to('a'), items: [{ payload: 3 }] }))[0].path).toBe('body.items[0].payload');
});

test('a full queue answers 429 with when to retry', async () => {
  await using api = await setup({ outbox: { maxItemsTotal: 3 } });
  api.sender.permit = () => new Promise(() => undefined);
  await api.batch({ targets: to('a', 'b', 'c'), items: [{ payload: 'x' }] });

  const refused = await api.batch({ targets: to('d'), items: [{ payload: 'x' }], lane: 'bulk' });

  expect([refused.status, refused.body.code]).toEqual([429, 'OUTBOX_FULL']);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
});

test('a follower of a batch gets its progress and its end', async () => {
  await using api = await setup();
  const permits = Promise.withResolvers<void>();
  api.sender.permit = (arn) => (arn === channelArn('a') ? Promise.resolve() : permits.promise);
  const { body } = await api.batch({ targets: to('a', 'b'), items: [{ payload: 'x' }] });

  const answer = await api.follow(body.batchId);
  const reader = readerOf(answer);
  let text = await reader.until('"delivered":1');
  permits.resolve();
  text += await reader.rest();

  expect(answer.headers.get('content-type')).toContain('text/event-stream');
  expect(text.match(/^event: .*$/gm)?.at(-1)).toBe('event: finished');
  expect(text).toContain('"delivered":2');
  expect((await api.call('GET', '/v1/metadata/batches/b-none/events')).status).toBe(404);
});

test('a follower of a batch that is no longer known gets a message, and the stream ends', async () => {
  await using api = await setup();
  api.sender.permit = () => new Promise(() => undefined);
  const { body } = await api.batch({ targets: to('a'), items: [{ payload: 'x' }] });
  const reader = readerOf(await api.follow(body.batchId));
  await reader.until('event: progress');

  const redis = api.scope.connect();
  await redis.del(await redis.keys(`*${body.batchId}*`));

  expect(await reader.rest()).toContain('event: gone\ndata: {"code":"NOT_FOUND"');
});

test('a hundred followers of a batch cost as many reads of Redis as one, and the next is asked to retry', async () => {
  await using api = await setup();
  api.sender.permit = () => new Promise(() => undefined);
  const { body } = await api.batch({ targets: to('a'), items: [{ payload: 'x' }] });
  const looks = vi.spyOn(api.service, 'progress');

  const answers = await Promise.all(Array.from({ length: 100 }, () => api.follow(body.batchId)));
  const readers = answers.map(readerOf);
  await Promise.all(readers.map((reader) => reader.until('event: progress')));
  const looksToOpen = looks.mock.calls.length;
  const refused = await api.call('GET', `/v1/metadata/batches/${body.batchId}/events`);
  await readers[0]!.cancel();
  await untilPasses(async () => {
    const again = await api.follow(body.batchId);
    await again.body!.cancel();
    expect(again.status).toBe(200);
  });

  expect(looksToOpen).toBeLessThan(100);
  expect([refused.status, refused.body.code]).toEqual([429, 'TOO_MANY_STREAMS']);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  await Promise.all(readers.map((reader) => reader.cancel()));
});

test('bytes that are not HTTP, and a client that disconnects, do not affect the server', async () => {
  await using api = await setup();
  const { port } = new URL(api.server.url);
  for (const bytes of [
    'GARBAGE\r\n\r\n',
    `POST /v1/metadata/batches HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{`,
  ]) {
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(bytes);
    await new Promise((done) => setTimeout(done, 20));
    socket.destroy();
  }

  expect((await api.call('GET', '/healthz')).status).toBe(200);
});
