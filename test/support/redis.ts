// A private place in the Redis of the test run: a random namespace, cleaned up by prefix when the test is over.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis, type RedisOptions } from 'ioredis';
import { type EmbeddedRedis, startEmbeddedRedis } from '#runtime/embedded-redis.ts';
import { keyPrefix } from '#runtime/redis.ts';
import { lastingPort } from './ports.ts';

/** The address of the Redis that the test run uses. */
export function testRedisUrl(): string {
  const url = process.env['TEST_REDIS_URL'];
  if (!url)
    throw new Error(
      'no Redis for tests: run them with `npm test`, or `node scripts/run.mjs --redis vitest run <file>`',
    );
  return url;
}

export interface RedisScope extends AsyncDisposable {
  readonly url: string;
  /** Random; use it as the deployment's namespace. */
  readonly namespace: string;
  /** Key prefix of the shard `main`. */
  readonly prefix: string;
  /** A connection for inspection; more by `connect`. */
  readonly redis: Redis;
  readonly connect: (options?: Omit<RedisOptions, 'replyMapping'>) => Redis;
}

/** Use with `await using`: every key of the namespace is deleted and every connection closed at the end. */
export async function redisScope(url = testRedisUrl()): Promise<RedisScope> {
  const namespace = `test-${randomBytes(6).toString('hex')}`;
  const connections: Redis[] = [];
  const connect = (options: Omit<RedisOptions, 'replyMapping'> = {}) => {
    const redis = new Redis(url, { maxRetriesPerRequest: null, ...options });
    redis.on('error', () => undefined);
    connections.push(redis);
    return redis;
  };
  const redis = connect();
  return {
    url,
    namespace,
    prefix: keyPrefix(namespace, 'main'),
    redis,
    connect,
    async [Symbol.asyncDispose]() {
      let cursor = '0';
      do {
        const [next, keys] = await redis.scan(cursor, 'MATCH', `*${namespace}*`, 'COUNT', 1000);
        if (keys.length > 0) await redis.unlink(...keys);
        cursor = next;
      } while (cursor !== '0');
      for (const connection of connections) connection.disconnect();
    },
  };
}

/** A Redis server for one test alone, with an append-only file: it can be killed and started again on the same port. */
export async function ownRedis(): Promise<
  AsyncDisposable & { readonly url: string; readonly server: EmbeddedRedis; restart(): Promise<void> }
> {
  const directory = await mkdtemp(join(tmpdir(), 'autopilot-own-redis-'));
  const program = process.env['AUTOPILOT_REDIS_SERVER'] ?? 'redis-server';
  const port = await lastingPort();
  let server = await startEmbeddedRedis({ program, directory, port });
  return {
    url: server.url,
    get server() {
      return server;
    },
    async restart() {
      await server.kill();
      const { password } = new URL(server.url);
      server = await startEmbeddedRedis({ program, directory, port, password });
    },
    async [Symbol.asyncDispose]() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
