// A Redis that accepts everything and stops answering: its connections stay open, and nothing waits forever.
import { Queue, Worker } from 'bullmq';
import { describe, expect, test } from 'vitest';
import { connectRedis, disconnectRedis, type RedisRole } from '#runtime/redis.ts';
import { isBeforeConnecting } from '#runtime/redis-trouble.ts';
import { badPeer } from '#test/support/bad-peer.ts';
import { eventually, quietLogger } from '#test/support/quiet.ts';
import { ownRedis, redisScope } from '#test/support/redis.ts';
import { withPort } from '#test/support/refusing-redis.ts';

async function silentRedis(url?: string) {
  const scope = await redisScope(url);
  const { hostname: host, port } = new URL(scope.url);
  const peer = await badPeer({ target: { host, port: Number(port) }, dripEveryMs: 1_000 });
  const redis = (role: RedisRole) =>
    connectRedis({
      url: withPort(scope.url, peer.port),
      role,
      logger: quietLogger(),
      patienceMs: () => 300,
    });
  return {
    scope,
    peer,
    redis,
    async [Symbol.asyncDispose]() {
      await peer[Symbol.asyncDispose]();
      await scope[Symbol.asyncDispose]();
    },
  };
}

test('a command right after the connection broke says that it was closed, not that it was never open', async () => {
  await using scope = await redisScope();
  const redis = connectRedis({ url: scope.url, role: 'store', logger: quietLogger() });
  await redis.connect();
  // Nothing has told the client yet.
  redis.stream.destroy();
  expect(redis.status).toBe('ready');

  const error: unknown = await redis.get('a').catch((thrown: unknown) => thrown);
  expect(String(error)).toContain('Redis does not answer: the connection was closed');
  expect(isBeforeConnecting(error)).toBe(false);
  await disconnectRedis(redis);
});

describe.concurrent.each(['silent', 'drip'] as const)('a Redis that is %s from one moment on', (manner) => {
  test.each(['store', 'limiter', 'queue'] as const)(
    'fails what waits for it over a connection of the role %s, and is used again when it answers',
    async (role) => {
      await using stand = await silentRedis();
      const redis = stand.redis(role);
      await redis.connect();
      stand.peer.behave(manner);

      await expect(redis.get('a')).rejects.toThrow();

      stand.peer.behave('pass');
      await eventually(() => redis.status === 'ready');
      expect(await redis.ping()).toBe('PONG');
      await disconnectRedis(redis);
    },
  );

  test('loses a connection that only listens, which receives again afterwards', async () => {
    await using stand = await silentRedis();
    await using other = await redisScope();
    const subscriber = stand.redis('worker');
    const heard: string[] = [];
    subscriber.on('message', (_channel, message) => heard.push(message));
    await subscriber.subscribe(`${stand.scope.prefix}:news`);
    const { received } = stand.peer;

    stand.peer.behave(manner);
    await eventually(() => subscriber.status !== 'ready');
    stand.peer.behave('pass');

    await eventually(async () => {
      await other.redis.publish(`${stand.scope.prefix}:news`, 'again');
      return heard.length > 0;
    });
    expect(stand.peer.received).toBeGreaterThan(received);
    await disconnectRedis(subscriber);
  });
});

test.concurrent('a BullMQ worker whose blocking command was lost takes jobs again', async () => {
  await using server = await ownRedis();
  await using stand = await silentRedis(server.url);
  const { prefix, redis: looker } = stand.scope;
  const done: unknown[] = [];
  const connection = stand.redis('worker');
  const worker = new Worker('jobs', async ({ data }) => void done.push(data), { connection, prefix });
  worker.on('error', () => undefined);
  const queue = new Queue('jobs', { connection: stand.scope.connect(), prefix });
  await queue.add('first', 1);
  await eventually(() => done.length === 1);
  const blocks = async () => ((await looker.client('LIST')) as string).includes('cmd=bzpopmin');
  await eventually(blocks);

  // Redis answers the blocking command, and the answer is lost.
  stand.peer.behave('silent');
  await queue.add('second', 2);
  await eventually(async () => !(await blocks()));
  stand.peer.behave('pass');

  await eventually(() => done.length === 2);
  await worker.close(true);
  await queue.close();
  await disconnectRedis(connection);
});
