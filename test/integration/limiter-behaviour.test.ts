// What a caller of the limiter can rely on: order, lanes, ends of waiting, Redis away and back, throttles all the same.
import { describe, expect, it } from 'vitest';
import type { ChannelArn } from '#domain/channel.ts';
import { AppError } from '#domain/errors.ts';
import { connectRedis, disconnectRedis, type Redis } from '#runtime/redis.ts';
import { shardScope } from '#test/support/ivs-shard.ts';
import { eventually, keptLogger, quietLogger } from '#test/support/quiet.ts';
import { ownRedis } from '#test/support/redis.ts';

const failure = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => error as AppError,
  );

/** Most arrivals in any trailing second; takes what the simulator recorded. */
function worstSecond(calls: readonly { at: number }[]): number {
  const at = calls.map((call) => call.at).sort((a, b) => a - b);
  return Math.max(0, ...at.map((end) => at.filter((each) => each > end - 1000 && each <= end).length));
}

/** What it gives, and after how long. */
async function timed<T>(run: Promise<T>): Promise<{ readonly value: T; readonly ms: number }> {
  const startedAt = performance.now();
  const value = await run;
  return { value, ms: performance.now() - startedAt };
}

/** A connection to a Redis of one's own, for what only the test does to it. */
function lookInto(url: string): AsyncDisposable & { readonly redis: Redis } {
  const redis = connectRedis({ url, role: 'worker', logger: quietLogger() });
  return { redis, [Symbol.asyncDispose]: () => disconnectRedis(redis) };
}

describe('the quota', () => {
  it('is kept over three replicas and a jittery network, and nothing is lost', async () => {
    await using world = await shardScope(60);
    await world.simulator.control.addFault({ latencyMs: [0, 30] });
    const replicas = [world.shard, await world.replica(), await world.replica()];

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
    expect(worstSecond(calls)).toBe(5);
    expect(calls.at(-1)!.at - calls[0]!.at).toBeLessThan(3000);
  });

  it('keeps a channel in order, one call at a time, and a hot channel delays no cold one', async () => {
    await using world = await shardScope(21);
    const { client } = world.shard;
    const [hot, ...cold] = world.channels;
    await world.simulator.control.addFault({ latencyMs: [0, 20] });

    const hotCalls = Array.from({ length: 12 }, (_, i) => client.putMetadata({ channelArn: hot!, metadata: `${i}` }));
    const startedAt = performance.now();
    await Promise.all(cold.map((channelArn) => client.putMetadata({ channelArn, metadata: 'cold' })));
    const coldMs = performance.now() - startedAt;
    await Promise.all(hotCalls);

    expect(coldMs).toBeLessThan(900);
    const cues = await world.simulator.control.cues({ channelArn: hot! });
    expect(cues.map(({ metadata }) => metadata)).toEqual(Array.from({ length: 12 }, (_, i) => `${i}`));
    expect(worstSecond(cues)).toBe(5);
  });

  it('lets an urgent call overtake a bulk fan-out in progress, on another replica too', async () => {
    await using world = await shardScope(500);
    const other = await world.replica();
    const fanOut = world.channels
      .slice(2)
      .map((channelArn) => world.shard.client.putMetadata({ channelArn, metadata: 'bulk' }, { lane: 'bulk' }));
    await eventually(async () => (await world.simulator.control.cues()).length > 160);
    const startedAt = performance.now();

    const [here, there] = world.channels;
    await Promise.all([
      world.shard.client.putMetadata({ channelArn: here!, metadata: 'urgent' }, { lane: 'urgent' }),
      other.client.putMetadata({ channelArn: there!, metadata: 'urgent' }, { lane: 'urgent' }),
    ]);
    const urgentMs = performance.now() - startedAt;
    await Promise.all(fanOut);

    // The fan-out lasts for three seconds; an account slot is free every 7 ms, but those of the look-ahead are given away.
    expect(urgentMs).toBeLessThan(700);
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
    expect(performance.now() - startedAt).toBeLessThan(3000);
  });
});

describe('the end of waiting', () => {
  it('comes at the deadline, by the signal, and when the daemon stops; nothing of it is sent', async () => {
    await using world = await shardScope(1, { limits: { overrides: { GetStream: { perAccount: 1 } } } });
    const { client } = world.shard;
    const channelArn = world.channels[0]!;
    await client.getStream({ channelArn });
    const abort = new AbortController();

    const startedAt = performance.now();
    const late = failure(client.getStream({ channelArn }, { deadlineMs: Date.now() + 100 }));
    const aborted = failure(client.getStream({ channelArn }, { signal: abort.signal }));
    const stopped = failure(client.getStream({ channelArn }, { lane: 'bulk' }));
    abort.abort();

    expect(await aborted).toMatchObject({ code: 'INTERRUPTED', disposition: { kind: 'interrupted' } });
    expect(await late).toMatchObject({ code: 'LIMITER_DEADLINE', disposition: { kind: 'retry' } });
    expect(performance.now() - startedAt).toBeLessThan(600);
    await world.shard.stop();
    expect(await stopped).toMatchObject({ code: 'INTERRUPTED' });
    expect(await failure(client.getStream({ channelArn }))).toMatchObject({ code: 'INTERRUPTED' });
    expect(await world.simulator.control.calls({ operation: 'GetStream' })).toHaveLength(1);
  });

  it('is bounded by the room in the line', { timeout: 20_000 }, async () => {
    await using world = await shardScope(1, { maxWaitMs: 300 });
    const line = Array.from({ length: 20_001 }, () =>
      failure(world.shard.client.getStream({ channelArn: world.channels[0]! })),
    );

    const codes = (await Promise.all(line)).map((error) => error?.code);

    expect(codes.filter((code) => code === 'LIMITER_FULL').length).toBeGreaterThanOrEqual(1);
    expect(codes.filter((code) => code === 'LIMITER_DEADLINE').length).toBeGreaterThan(19_000);
    expect(codes.every((code) => code === undefined || code.startsWith('LIMITER_'))).toBe(true);
  });

  it('lets calls that were sent end before a stop is done', async () => {
    await using world = await shardScope(1);
    await world.simulator.control.addFault({ operation: 'PutMetadata', answerLatencyMs: 300 });
    const sent = world.shard.client.putMetadata({ channelArn: world.channels[0]!, metadata: 'x' });
    await world.simulator.control.waitForCall({ operation: 'PutMetadata' });

    await world.shard.stop();

    await expect(sent).resolves.toBeDefined();
  });
});

describe('Redis away', () => {
  it('fails a call within a second when so configured, the next ones at once, and goes on when it is back', {
    timeout: 30_000,
  }, async () => {
    await using redis = await ownRedis();
    await using world = await shardScope(1, { redisUrl: redis.url, onRedisDown: 'fail', requestTimeoutMs: 500 });
    const put = () => world.shard.client.putMetadata({ channelArn: world.channels[0]!, metadata: 'x' });
    await put();

    await redis.server.kill();
    const first = await timed(failure(put()));
    const second = await timed(failure(put()));
    const sent = await world.simulator.control.calls({ operation: 'PutMetadata' });
    await redis.restart();
    await eventually(async () => (await failure(put())) === undefined);

    expect(first.value).toMatchObject({ code: 'LIMITER_UNAVAILABLE', disposition: { kind: 'retry' } });
    expect(second.value).toMatchObject({ code: 'LIMITER_UNAVAILABLE' });
    expect(first.ms).toBeLessThan(1500);
    expect(second.ms).toBeLessThan(300);
    expect(sent).toHaveLength(1);
  });

  it('is as quick to fail calls when Redis hangs', { timeout: 30_000 }, async () => {
    await using redis = await ownRedis();
    await using world = await shardScope(1, { redisUrl: redis.url, onRedisDown: 'fail', requestTimeoutMs: 500 });
    await using looker = lookInto(redis.url);
    const put = () => world.shard.client.putMetadata({ channelArn: world.channels[0]!, metadata: 'x' });
    await put();
    const server = Number(/^process_id:(\d+)/m.exec(await looker.redis.info('server'))![1]);

    process.kill(server, 'SIGSTOP');
    const first = await timed(failure(put()));
    const next = await timed(Promise.all([failure(put()), failure(put())]));
    const sent = await world.simulator.control.calls({ operation: 'PutMetadata' });
    process.kill(server, 'SIGCONT');
    await eventually(async () => (await failure(put())) === undefined);

    expect(first.value).toMatchObject({ code: 'LIMITER_UNAVAILABLE' });
    expect(next.value).toMatchObject([{ code: 'LIMITER_UNAVAILABLE' }, { code: 'LIMITER_UNAVAILABLE' }]);
    expect(first.ms).toBeLessThan(1500);
    expect(next.ms).toBeLessThan(300);
    expect(sent).toHaveLength(1);
  });

  it('says what Redis has against it, once when it begins and once when it is over', { timeout: 30_000 }, async () => {
    await using redis = await ownRedis();
    const { logger, lines } = keptLogger();
    await using world = await shardScope(1, { redisUrl: redis.url, logger, requestTimeoutMs: 500 });
    await using looker = lookInto(redis.url);
    const put = (deadlineMs?: number) =>
      world.shard.client.putMetadata(
        { channelArn: world.channels[0]!, metadata: 'x' },
        deadlineMs === undefined ? {} : { deadlineMs },
      );
    await put();

    await looker.redis.config('SET', 'maxmemory', '1');
    const errors = [await failure(put(Date.now() + 500)), await failure(put(Date.now() + 500))];
    await looker.redis.config('SET', 'maxmemory', '0');
    await put();

    for (const error of errors)
      expect(error).toMatchObject({ code: 'LIMITER_DEADLINE', message: expect.stringContaining('OOM') as string });
    const told = lines.filter(({ operation }) => operation === 'PutMetadata');
    expect(told.map(({ level, code, msg }) => [level, code, msg])).toEqual([
      [40, 'LIMITER_UNAVAILABLE', expect.stringContaining('no permits can be had from Redis')],
      [30, undefined, 'permits can be had again'],
    ]);
    expect(JSON.stringify(told[0])).toContain('OOM');
  });

  it('lets calls wait when so configured, and sends them all once it is back, inside the quota', {
    timeout: 30_000,
  }, async () => {
    await using redis = await ownRedis();
    await using world = await shardScope(200, {
      redisUrl: redis.url,
      requestTimeoutMs: 500,
      // What a ledger of these settings needs: the longest that a permit may lie, the request, and a second.
      emptyLedgerPatienceMs: 2000,
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

describe('throttled all the same', () => {
  it('slows down instead of storming, tells it, and recovers', { timeout: 30_000 }, async () => {
    await using world = await shardScope(1);
    const { client } = world.shard;
    const channelArn = world.channels[0] as ChannelArn;
    await world.simulator.control.addFault({ operation: 'PutMetadata', error: 'ThrottlingException', times: 1 });

    const error = await failure(client.putMetadata({ channelArn, metadata: 'x' }));
    const slowed = await eventually(async () => {
      const { operations } = await world.shard.quotaSnapshot();
      return (operations.find(({ operation }) => operation === 'PutMetadata')?.outOfService ?? 0) > 0
        ? true
        : undefined;
    }, 1000).catch(() => false);
    await Promise.all([1, 2, 3, 4, 5, 6].map((i) => client.putMetadata({ channelArn, metadata: `${i}` })));

    expect(error).toMatchObject({ code: 'IVS_THROTTLED', disposition: { kind: 'retry-after', delayMs: 1000 } });
    // The text named the channel, or nothing: the account keeps its slots.
    expect(slowed).toBe(false);
    const accepted = await world.simulator.control.cues({ channelArn });
    expect(worstSecond(accepted)).toBeLessThanOrEqual(4);
    expect(await world.metrics.registry.metrics()).toMatch(/autopilot_ivs_throttles_total\{.*scope="channel".*\} 1/);
  });
});

describe('seen from outside', () => {
  it('shows what is used of the quota, who waits, and the hottest channels', async () => {
    await using world = await shardScope(2);
    const { client } = world.shard;
    const [a, b] = world.channels;

    await Promise.all([1, 2, 3].map((i) => client.putMetadata({ channelArn: a!, metadata: `${i}` })));
    await client.putMetadata({ channelArn: b!, metadata: 'x' });
    const waiting = Array.from({ length: 8 }, () => client.getStream({ channelArn: a! }, { lane: 'bulk' }));
    const snapshot = await eventually(async () => {
      const taken = await world.shard.quotaSnapshot();
      return taken.waiting.some(({ calls }) => calls === 3) ? taken : undefined;
    });
    await Promise.all(waiting);

    expect(snapshot.operations.find(({ operation }) => operation === 'PutMetadata')).toMatchObject({
      perAccount: 155,
      perChannel: 5,
      inUse: 4,
      outOfService: 0,
      headroom: 151,
      hottest: [{ inUse: 3 }, { inUse: 1 }],
    });
    expect(snapshot.waiting).toMatchObject([{ operation: 'GetStream', lane: 'bulk', calls: 3 }]);
  });
});
