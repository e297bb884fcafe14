// What a caller of the limiter can rely on: order, lanes, the end of a wait, Redis away and back, throttling despite the limits.
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { quotaRoutes } from '#api/routes/quota.ts';
import { HttpServer } from '#api/server.ts';
import { type ChannelArn, channelIdOf } from '#domain/channel.ts';
import type { AppError } from '#domain/errors.ts';
import { Secret } from '#domain/secret.ts';
import type { IvsShard } from '#ivs/shard.ts';
import { systemClock } from '#runtime/clock.ts';
import { connectRedis, disconnectRedis, type Redis } from '#runtime/redis.ts';
import { turnsOf } from '#test/support/effort.ts';
import { shardScope } from '#test/support/ivs-shard.ts';
import { worstSecond } from '#test/support/limiter-ordeal.ts';
import { eventually, keptLogger, quietLogger, testMetrics, whileItHolds } from '#test/support/quiet.ts';
import { ownRedis } from '#test/support/redis.ts';

const failure = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => error as AppError,
  );

function retryAfterMsOf({ disposition }: AppError): number {
  if (disposition.kind !== 'retry-after') throw new Error(`the error names no time: ${disposition.kind}`);
  return disposition.delayMs;
}

/** A connection to a separate Redis, for what only the test does to it. */
function lookInto(url: string): AsyncDisposable & { readonly redis: Redis } {
  const redis = connectRedis({ url, role: 'worker', logger: quietLogger() });
  return { redis, [Symbol.asyncDispose]: () => disconnectRedis(redis) };
}

/** An API that has `GET /v1/quota` only. */
async function quotaApi(shard: IvsShard) {
  const value = randomBytes(16).toString('hex');
  const server = new HttpServer({
    host: '127.0.0.1',
    port: 0,
    tokens: [{ name: 'viewer', role: 'viewer', value: new Secret(value) }],
    routes: [{ prefix: '/v1', plugin: quotaRoutes({ quotas: [() => shard.quotaSnapshot()] }) }],
    checks: {},
    maxBodyBytes: 10_000,
    requestsPerMinute: 10_000,
    version: '0.0.0',
    metrics: testMetrics(),
    logger: quietLogger(),
  });
  await server.start();
  const ask = async () => {
    const answer = await fetch(`${server.url}/v1/quota`, { headers: { authorization: `Bearer ${value}` } });
    return { status: answer.status, body: (await answer.json()) as any };
  };
  return { ask, [Symbol.asyncDispose]: () => server.stop() };
}

describe('the quota', () => {
  it('is kept with three replicas, two of them with wrong clocks, and a jittery network, and nothing is lost', async () => {
    await using world = await shardScope(60);
    await world.simulator.control.addFault({ latencyMs: [0, 30] });
    const wrong = (byMs: number) => world.replica({ clock: { ...systemClock, now: () => Date.now() + byMs } });
    const replicas = [world.shard, await wrong(-3_600_000), await wrong(500)];

    await Promise.all(
      replicas.flatMap(({ client }, r) =>
        world.channels.flatMap((channelArn) =>
          [1, 2].map((i) => client.putMetadata({ channelArn, metadata: `${r}-${i}` })),
        ),
      ),
    );

    const calls = await world.simulator.control.calls({ operation: 'PutMetadata' });
    expect(calls).toHaveLength(360);
    expect(calls.every(({ status }) => status === 204)).toBe(true);
    expect(worstSecond(calls)).toBeLessThanOrEqual(155);
  });

  it('holds for an operation of five a second', async () => {
    await using world = await shardScope(1);

    await Promise.all(
      Array.from({ length: 11 }, () => world.shard.client.getStream({ channelArn: world.channels[0]! })),
    );

    const calls = await world.simulator.control.calls({ operation: 'GetStream' });
    expect(calls.every(({ status }) => status === 200)).toBe(true);
    expect(worstSecond(calls)).toBeLessThanOrEqual(5);
  });

  it('keeps a channel in order, one call at a time, and a hot channel delays no cold one', async () => {
    await using world = await shardScope(21);
    const { client } = world.shard;
    const [hot, ...cold] = world.channels;
    await world.simulator.control.addFault({ latencyMs: [0, 20] });

    const hotCalls = Array.from({ length: 20 }, (_, i) => client.putMetadata({ channelArn: hot!, metadata: `${i}` }));
    await Promise.all(cold.map((channelArn) => client.putMetadata({ channelArn, metadata: 'cold' })));
    const hotBefore = (await world.simulator.control.cues({ channelArn: hot! })).length;
    await Promise.all(hotCalls);

    // The hot ones last for four seconds.
    expect(hotBefore).toBeLessThan(20);
    const cues = await world.simulator.control.cues({ channelArn: hot! });
    expect(cues.map(({ metadata }) => metadata)).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`));
    expect(worstSecond(cues)).toBeLessThanOrEqual(5);
  });

  it('lets an urgent call overtake a running bulk fan-out, on another replica too', async () => {
    await using world = await shardScope(500);
    const other = await world.replica();
    const fanOut = world.channels
      .slice(2)
      .map((channelArn) => world.shard.client.putMetadata({ channelArn, metadata: 'bulk' }, { lane: 'bulk' }));
    await eventually(async () => (await world.simulator.control.cues()).length > 160);

    const [here, there] = world.channels;
    await Promise.all([
      world.shard.client.putMetadata({ channelArn: here!, metadata: 'urgent' }, { lane: 'urgent' }),
      other.client.putMetadata({ channelArn: there!, metadata: 'urgent' }, { lane: 'urgent' }),
    ]);
    await Promise.all(fanOut);

    // The fan-out lasts for two seconds more.
    const sent = (await world.simulator.control.cues()).map(({ metadata }) => metadata);
    expect(sent.slice(sent.lastIndexOf('urgent')).filter((metadata) => metadata === 'bulk').length).toBeGreaterThan(0);
    expect(worstSecond(await world.simulator.control.calls({ operation: 'PutMetadata' }))).toBeLessThanOrEqual(155);
  });
});

describe('the lanes', () => {
  it('let bulk proceed on one replica while another always has urgent calls', async () => {
    await using world = await shardScope(300);
    const other = await world.replica();
    const urgentChannels = world.channels.slice(0, 250);
    const ends = new AbortController();
    const urgent = urgentChannels.map(async (channelArn) => {
      while (!ends.signal.aborted)
        await world.shard.client.putMetadata({ channelArn, metadata: 'urgent' }, { lane: 'urgent' });
    });
    await eventually(async () => (await world.simulator.control.cues()).length > 160);

    // They end although the urgent ones never do. How soon is tested in virtual time, by the model of the ledger.
    await Promise.all(
      world.channels
        .slice(250, 260)
        .map((channelArn) => other.client.putMetadata({ channelArn, metadata: 'bulk' }, { lane: 'bulk' })),
    );
    ends.abort();
    await Promise.all(urgent);

    const sent = (await world.simulator.control.cues()).map(({ metadata }) => metadata);
    expect(sent.filter((metadata) => metadata === 'bulk')).toHaveLength(10);
    expect(sent.lastIndexOf('urgent')).toBeGreaterThan(sent.lastIndexOf('bulk'));
    expect(worstSecond(await world.simulator.control.calls({ operation: 'PutMetadata' }))).toBeLessThanOrEqual(155);
  });
});

describe('a new ledger', () => {
  it('lets calls wait for its patience, and then sends them', async () => {
    await using world = await shardScope(1, { emptyLedgerPatienceMs: 700 });
    const startedAt = performance.now();

    // Started already: nobody else wakes the gate.
    await Promise.all([world.shard.client.listStreams({}), world.shard.client.listChannels({})]);

    expect(performance.now() - startedAt).toBeGreaterThan(300);
  });
});

describe('the end of a wait', () => {
  it('comes at the deadline, by the signal, and when the daemon stops; nothing of the call is sent', async () => {
    // The first call has the only permit of that second, so the others wait for as long.
    await whileItHolds(900, async ({ begins, ends }) => {
      await using world = await shardScope(1, { limits: { overrides: { GetStream: { perAccount: 1 } } } });
      const { client } = world.shard;
      const channelArn = world.channels[0]!;
      begins();
      await client.getStream({ channelArn });
      const abort = new AbortController();

      const late = failure(client.getStream({ channelArn }, { waitMs: 100 }));
      const aborted = failure(client.getStream({ channelArn }, { signal: abort.signal }));
      const stopped = failure(client.getStream({ channelArn }, { lane: 'bulk' }));
      abort.abort();

      const errors = [await aborted, await late];
      await world.shard.stop();
      errors.push(await stopped);
      ends();
      expect(errors).toMatchObject([
        { code: 'INTERRUPTED', disposition: { kind: 'interrupted' } },
        { code: 'LIMITER_DEADLINE', disposition: { kind: 'retry' } },
        { code: 'INTERRUPTED' },
      ]);
      expect(await failure(client.getStream({ channelArn }))).toMatchObject({ code: 'INTERRUPTED' });
      expect(await world.simulator.control.calls({ operation: 'GetStream' })).toHaveLength(1);
    });
  });

  it('comes on time although the wall clock jumps meanwhile', async () => {
    let stepMs = 0;
    const clock = { ...systemClock, now: () => Date.now() + stepMs };
    await using world = await shardScope(1, { clock, limits: { overrides: { GetStream: { perAccount: 1 } } } });
    const get = (waitMs: number) => world.shard.client.getStream({ channelArn: world.channels[0]! }, { waitMs });
    await get(300_000);

    const order: string[] = [];
    const late = failure(get(200)).finally(() => order.push('late'));
    const inTime = failure(get(300_000)).finally(() => order.push('in time'));
    stepMs = -3_600_000;
    const value = await late;
    stepMs = 3_600_000;

    expect(value).toMatchObject({ code: 'LIMITER_DEADLINE' });
    expect(await inTime).toBeUndefined();
    expect(order).toEqual(['late', 'in time']);
  });

  it('is limited by the size of the queue', async () => {
    await using world = await shardScope(1, { maxWaitMs: 300 });
    const line = Array.from({ length: 20_001 }, () =>
      failure(world.shard.client.getStream({ channelArn: world.channels[0]! })),
    );

    const codes = (await Promise.all(line)).map((error) => error?.code);

    expect(codes.filter((code) => code === 'LIMITER_FULL').length).toBeGreaterThanOrEqual(1);
    expect(codes.filter((code) => code === 'LIMITER_DEADLINE').length).toBeGreaterThan(19_000);
    expect(codes.every((code) => code === undefined || code.startsWith('LIMITER_'))).toBe(true);
  });

  it('lets calls that were sent finish before a stop is done', async () => {
    await using world = await shardScope(1);
    await world.simulator.control.addFault({ operation: 'PutMetadata', answerLatencyMs: 300 });
    const sent = world.shard.client.putMetadata({ channelArn: world.channels[0]!, metadata: 'x' });
    await world.simulator.control.waitForCall({ operation: 'PutMetadata' });

    await world.shard.stop();

    await expect(sent).resolves.toBeDefined();
  });
});

describe('Redis away', () => {
  it('fails a call within a second if so configured, the next ones at once, and continues when it is back', async () => {
    await using redis = await ownRedis();
    await using world = await shardScope(1, { redisUrl: redis.url, onRedisDown: 'fail' });
    const put = () => world.shard.client.putMetadata({ channelArn: world.channels[0]!, metadata: 'x' });
    await put();

    await redis.server.kill();
    const first = await turnsOf(failure(put()));
    const second = await turnsOf(failure(put()));
    const sent = await world.simulator.control.calls({ operation: 'PutMetadata' });
    await redis.restart();
    await eventually(async () => (await failure(put())) === undefined);

    expect(first.value).toMatchObject({ code: 'LIMITER_UNAVAILABLE', disposition: { kind: 'retry' } });
    expect(second.value).toMatchObject({ code: 'LIMITER_UNAVAILABLE' });
    expect(first.turns).toBeLessThan(150);
    expect(second.turns).toBeLessThan(30);
    expect(sent).toHaveLength(1);
  });

  it('is as quick to fail calls when Redis hangs', async () => {
    await using redis = await ownRedis();
    await using world = await shardScope(1, { redisUrl: redis.url, onRedisDown: 'fail' });
    await using looker = lookInto(redis.url);
    const put = () => world.shard.client.putMetadata({ channelArn: world.channels[0]!, metadata: 'x' });
    await put();
    const server = Number(/^process_id:(\d+)/m.exec(await looker.redis.info('server'))![1]);

    process.kill(server, 'SIGSTOP');
    const first = await turnsOf(failure(put()));
    const next = await turnsOf(Promise.all([failure(put()), failure(put())]));
    const sent = await world.simulator.control.calls({ operation: 'PutMetadata' });
    process.kill(server, 'SIGCONT');
    await eventually(async () => (await failure(put())) === undefined);

    expect(first.value).toMatchObject({ code: 'LIMITER_UNAVAILABLE' });
    expect(next.value).toMatchObject([{ code: 'LIMITER_UNAVAILABLE' }, { code: 'LIMITER_UNAVAILABLE' }]);
    expect(first.turns).toBeLessThan(150);
    expect(next.turns).toBeLessThan(30);
    expect(sent).toHaveLength(1);
  });

  it('reports what Redis says, once when it begins and once when it is over', async () => {
    await using redis = await ownRedis();
    const { logger, lines } = keptLogger();
    await using world = await shardScope(1, { redisUrl: redis.url, logger });
    await using looker = lookInto(redis.url);
    const put = (waitMs?: number) =>
      world.shard.client.putMetadata(
        { channelArn: world.channels[0]!, metadata: 'x' },
        waitMs === undefined ? {} : { waitMs },
      );
    await put();

    await looker.redis.config('SET', 'maxmemory', '1');
    // The first one waits long enough for Redis to answer, even on a busy machine.
    const errors = [await failure(put(2_000)), await failure(put(500))];
    await looker.redis.config('SET', 'maxmemory', '0');
    await put();

    for (const error of errors)
      expect(error).toMatchObject({ code: 'LIMITER_DEADLINE', message: expect.stringContaining('OOM') as string });
    const told = lines.filter(({ msg }) => String(msg).startsWith('Redis grants'));
    expect(told.map(({ level, code, msg }) => [level, code, msg])).toEqual([
      [40, 'LIMITER_UNAVAILABLE', expect.stringContaining('Redis grants no permits')],
      [30, undefined, 'Redis grants permits again'],
    ]);
    expect(JSON.stringify(told[0])).toContain('OOM');
  });

  it('lets calls wait if so configured, and sends them all once it is back, within the quota', async () => {
    await using redis = await ownRedis();
    await using world = await shardScope(200, {
      redisUrl: redis.url,
      requestTimeoutMs: 2_000,
      // What a ledger with these settings needs: the longest life of a permit, the request, and a second.
      emptyLedgerPatienceMs: 3_500,
    });
    const { client } = world.shard;
    const putAll = () =>
      Promise.all(world.channels.map((channelArn) => client.putMetadata({ channelArn, metadata: 'x' })));

    const before = putAll();
    await eventually(async () => (await world.simulator.control.cues()).length > 100);
    await redis.restart();
    await Promise.all([before, putAll()]);

    const calls = await world.simulator.control.calls({ operation: 'PutMetadata' });
    expect(calls.filter(({ status }) => status === 204)).toHaveLength(400);
    expect(worstSecond(calls)).toBeLessThanOrEqual(155);
  });
});

describe('throttled despite the limits', () => {
  const throttlesTold = (lines: readonly Record<string, unknown>[]) =>
    lines.filter(({ code }) => code === 'IVS_THROTTLED').map(({ operation, scope }) => [operation, scope]);
  const quotaOf = async (shard: IvsShard) => {
    const snapshot = await shard.quotaSnapshot();
    return { ...snapshot, ...snapshot.operations.find(({ operation }) => operation === 'PutMetadata') };
  };

  it('slows the channel down instead of retrying in a storm, shows it on every replica, and recovers', async () => {
    const { logger, lines } = keptLogger();
    await using world = await shardScope(1, { logger });
    const other = await world.replica();
    const { client } = world.shard;
    const channelArn = world.channels[0] as ChannelArn;
    await world.simulator.control.addFault({ operation: 'PutMetadata', error: 'ThrottlingException', times: 1 });

    const error = await failure(client.putMetadata({ channelArn, metadata: 'x' }));
    const slowed = await eventually(async () => {
      const quota = await quotaOf(other);
      return quota.slowedChannels === 1 ? quota : undefined;
    });
    await Promise.all([1, 2, 3, 4, 5, 6].map((i) => client.putMetadata({ channelArn, metadata: `${i}` })));
    const accepted = await world.simulator.control.cues({ channelArn });
    await eventually(async () => (await quotaOf(other)).slowedChannels === 0);

    expect(error).toMatchObject({ code: 'IVS_THROTTLED', disposition: { kind: 'retry-after', delayMs: 1000 } });
    // The text named the channel, or nothing: the account keeps its slots.
    expect(slowed).toMatchObject({
      outOfService: 0,
      throttles: 1,
      slowed: [{ channelId: channelIdOf(channelArn), forMs: expect.any(Number) as number }],
    });
    expect(slowed.sinceThrottleMs).toBeGreaterThanOrEqual(0);
    expect(worstSecond(accepted)).toBeLessThanOrEqual(4);
    expect(throttlesTold(lines)).toEqual([['PutMetadata', 'channel']]);
    const metrics = await world.metrics.registry.metrics();
    expect(metrics).toMatch(/autopilot_ivs_throttles_total\{.*scope="channel".*\} 1/);
    expect(metrics).toMatch(/autopilot_ivs_slowed_channels\{.*\} 0/);
  });

  it('slows the account down when the refusal names it, for all replicas, reported once', async () => {
    const { logger, lines } = keptLogger();
    await using world = await shardScope(3, { logger });
    const other = await world.replica();
    const { client } = world.shard;
    await world.simulator.control.addFault({
      operation: 'PutMetadata',
      error: 'ThrottlingException',
      message: 'Operation: ivs:PutMetadata exceeded call rate: 155 for account: 111122223333',
      times: 3,
    });

    const errors = await Promise.all(
      world.channels.map((channelArn) => failure(client.putMetadata({ channelArn, metadata: 'x' }))),
    );
    const slowed = await eventually(async () => {
      const quota = await quotaOf(other);
      return quota.throttles === 3 ? quota : undefined;
    });

    expect(errors.map((error) => error?.code)).toEqual(['IVS_THROTTLED', 'IVS_THROTTLED', 'IVS_THROTTLED']);
    // Half of them, once for simultaneous refusals; eight return each second.
    expect(slowed.outOfService).toBeGreaterThan(20);
    expect(slowed.outOfService).toBeLessThanOrEqual(77);
    expect(slowed.slowedChannels).toBe(0);
    expect(throttlesTold(lines)).toEqual([['PutMetadata', 'account']]);
  });

  it('three channels refused together count as the account being throttled', async () => {
    const { logger, lines } = keptLogger();
    await using world = await shardScope(3, { logger });
    const { client } = world.shard;
    await world.simulator.control.addFault({ operation: 'PutMetadata', error: 'ThrottlingException', times: 3 });

    for (const channelArn of world.channels) await failure(client.putMetadata({ channelArn, metadata: 'x' }));
    const slowed = await eventually(async () => {
      const quota = await quotaOf(world.shard);
      return quota.throttles === 3 ? quota : undefined;
    });

    expect(slowed.outOfService).toBeGreaterThan(20);
    expect(slowed.slowedChannels).toBe(3);
    expect(throttlesTold(lines)).toEqual([
      ['PutMetadata', 'channel'],
      ['PutMetadata', 'account'],
    ]);
  });

  it('finds its pace when the account’s quota is lower than it thinks: nothing is lost, no storm', async () => {
    const { logger, lines } = keptLogger();
    await using world = await shardScope(300, { logger }, { callRates: { PutMetadata: { account: 50, channel: 5 } } });
    const replicas = [world.shard, await world.replica()];
    const send = async (channelArn: string, i: number): Promise<void> => {
      for (;;) {
        const error = await failure(replicas[i % 2]!.client.putMetadata({ channelArn, metadata: `${i}` }));
        if (error === undefined) return;
        expect(error.code).toBe('IVS_THROTTLED');
        // As its senders do: not again before the time that the error names.
        await new Promise((resolve) => setTimeout(resolve, retryAfterMsOf(error)));
      }
    };

    await Promise.all(world.channels.map((channelArn, i) => send(channelArn, i)));

    const calls = await world.simulator.control.calls({ operation: 'PutMetadata' });
    const throttled = calls.filter(({ status }) => status === 429).length;
    expect(new Set((await world.simulator.control.cues()).map(({ metadata }) => metadata)).size).toBe(300);
    expect(throttled).toBeLessThan(100);
    // A machine that is too slow to make fifty calls a second is not throttled, and one that gets too little CPU may report it again.
    if (worstSecond(calls) > 50) expect(throttled).toBeGreaterThan(0);
    const told = throttlesTold(lines);
    expect(told.length > 0).toBe(throttled > 0);
    expect(told.length).toBeLessThan(6);
    expect(told.every((line) => line.join() === 'PutMetadata,account')).toBe(true);
  });
});

describe('its visible state', () => {
  it('shows how much of the quota is used, what waits and for how long, and the hottest channels', async () => {
    await using world = await shardScope(2);
    const other = await world.replica();
    const { client } = world.shard;
    const [a, b] = world.channels;
    let reads: Promise<unknown>[] = [];

    // A call counts against the quota for one second.
    const { snapshot, gauges, ofOther } = await whileItHolds(900, async ({ begins }) => {
      await Promise.all(reads);
      await eventually(async () => {
        const { operations } = await world.shard.quotaSnapshot();
        return operations.every(({ inUse }) => inUse === 0);
      });
      begins();
      await Promise.all([1, 2, 3].map((i) => client.putMetadata({ channelArn: a!, metadata: `${i}` })));
      await client.putMetadata({ channelArn: b!, metadata: 'x' });
      reads = Array.from({ length: 8 }, () => client.getStream({ channelArn: a! }, { lane: 'bulk' }));
      const taken = await eventually(async () => {
        const found = await world.shard.quotaSnapshot();
        return found.waiting.some(({ calls, oldestMs }) => calls === 3 && oldestMs > 200) ? found : undefined;
      }, 900);
      return {
        snapshot: taken,
        gauges: await world.metrics.registry.metrics(),
        ofOther: await other.quotaSnapshot(),
      };
    });
    await Promise.all(reads);
    await world.shard.quotaSnapshot();

    expect(snapshot).toMatchObject({ fenceMs: 0, sinceThrottleMs: undefined });
    const metadata = {
      perAccount: 155,
      perChannel: 5,
      inUse: 4,
      outOfService: 0,
      headroom: 151,
      throttles: 0,
      hottest: [{ inUse: 3 }, { inUse: 1 }],
    };
    for (const { operations } of [snapshot, ofOther])
      expect(operations.find(({ operation }) => operation === 'PutMetadata')).toMatchObject(metadata);
    expect(snapshot.waiting).toMatchObject([{ operation: 'GetStream', lane: 'bulk', calls: 3 }]);
    expect(ofOther.waiting).toEqual([]);
    expect(gauges).toMatch(/autopilot_ivs_calls_waiting\{.*"GetStream",lane="bulk"\} 3/);
    expect(gauges).toMatch(/autopilot_ivs_oldest_wait_seconds\{.*"GetStream",lane="bulk"\} 0\.[2-9]/);
    expect(await world.metrics.registry.metrics()).toMatch(
      /autopilot_ivs_calls_waiting\{.*"GetStream",lane="bulk"\} 0/,
    );
  });

  it('counts the calls that were sent, not the permits', async () => {
    await using world = await shardScope(1);
    const channelArn = world.channels[0] as ChannelArn;
    const put = () => world.shard.client.putMetadataWhenGranted(channelArn, {}, () => ({ metadata: 'x' }));
    const nothing = () => world.shard.client.putMetadataWhenGranted(channelArn, {}, () => undefined);

    for (const call of [put, nothing, put, nothing, nothing]) await call();

    await eventually(async () => {
      const { operations } = await world.shard.quotaSnapshot();
      const quota = operations.find(({ operation }) => operation === 'PutMetadata');
      return quota?.granted === 5 && quota.calls === 2;
    });
  });

  it('also reads Redis’s clock, for a replica that makes no calls', async () => {
    await using world = await shardScope(0);
    const seen = async () => Number(await world.scope.redis.hget(`${world.scope.prefix}:ledger`, 'seen'));
    const before = await seen();

    await world.shard.quotaSnapshot();

    expect(await seen()).toBeGreaterThan(before);
  });

  it('is available over HTTP, and shows what waits even while Redis is away', async () => {
    await using redis = await ownRedis();
    await using world = await shardScope(1, {
      redisUrl: redis.url,
      emptyLedgerPatienceMs: 4_000,
    });
    await using api = await quotaApi(world.shard);
    const put = () => world.shard.client.putMetadata({ channelArn: world.channels[0]!, metadata: 'x' });

    const first = put();
    const fenced = await api.ask();
    await first;
    const running = await api.ask();
    await redis.server.kill();
    const late = put();
    const away = await eventually(async () => {
      const answer = await api.ask();
      return answer.body.waiting?.length === 1 ? answer : undefined;
    });
    const gauges = await world.metrics.registry.metrics();
    await redis.restart();
    await late;

    expect(fenced.body.shards[0].fenceMs).toBeGreaterThan(0);
    expect(running).toMatchObject({
      status: 200,
      body: { shards: [{ accountId: null, sinceThrottleMs: null, fenceMs: 0 }] },
    });
    expect(running.body.shards[0].operations).toMatchObject([
      { operation: 'PutMetadata', granted: 1, throttles: 0, sinceThrottleMs: null, slowed: [] },
    ]);
    expect(away).toMatchObject({
      status: 503,
      body: { code: 'LIMITER_UNAVAILABLE', waiting: [{ operation: 'PutMetadata', lane: 'normal', calls: 1 }] },
    });
    expect(gauges).toMatch(/autopilot_ivs_calls_waiting\{.*"PutMetadata",lane="normal"\} 1/);
  });
});
