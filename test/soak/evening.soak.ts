// The whole evening of the demo, in a separate process, on every kind of Redis: it must run as on a server of its own.
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { ownRedis } from '#test/support/redis.ts';
import { redisCluster, redisSentinels } from '#test/support/redis-cluster.ts';
import { type Ended, runProcess } from '#test/support/run-process.ts';

interface Place extends AsyncDisposable {
  readonly url: string;
  /** Connections for inspection. */
  readonly servers: readonly Redis[];
}

const redisesOf = (nodes: readonly { readonly redis: Redis }[]) => nodes.map(({ redis }) => redis);

const places: readonly (readonly [what: string, start: () => Promise<Place>])[] = [
  [
    'one server',
    async () => {
      const own = await ownRedis();
      const redis = new Redis(own.url);
      return {
        url: own.url,
        servers: [redis],
        async [Symbol.asyncDispose]() {
          redis.disconnect();
          await own[Symbol.asyncDispose]();
        },
      };
    },
  ],
  [
    'a cluster',
    async () => {
      const cluster = await redisCluster();
      return Object.assign(cluster, { servers: redisesOf(cluster.nodes.slice(0, 3)) });
    },
  ],
  [
    'a primary behind sentinels',
    async () => {
      const stand = await redisSentinels();
      return Object.assign(stand, { servers: redisesOf(stand.nodes.slice(0, 1)) });
    },
  ],
];

/** What follows from the evening, however fast the machine is. */
const told: readonly RegExp[] = [
  /decides +starving-slate for studio-03: notify, put_metadata/,
  /notices +studio-40 is live, by a poll: no event has said so/,
  /decides +rotate-key-after-show for studio-09: rotate_stream_key/,
  /does +the chat room reads: .*studio-03/,
  /does +UpdateChannel on studio-13/,
  /does +StopStream on studio-21/,
  /metadata cues accepted by IVS +[1-9]\d*/,
  /throttles +0$/m,
];

describe.each(places)('on %s', (what, start) => {
  it('everything of the evening happens, no job fails, no call is throttled, and nothing stays behind', async () => {
    await using place = await start();
    const ended: Ended = await runProcess('demo/main.ts', ['--once'], {
      env: {
        REDIS_URL: place.url,
        AUTOPILOT_HTTP_PORT: '0',
        NO_COLOR: '1',
        AUTOPILOT_REDIS_SERVER: process.env['AUTOPILOT_REDIS_SERVER'] ?? 'redis-server',
      },
      withinMs: 600_000,
    });

    console.log(
      `${what}: ${ended.stdout.split('\n').filter((line) => / {2}(?:decides|does) /.test(line)).length} decisions and acts told`,
    );
    expect({ end: ended.end, problems: ended.stdout.match(/PROBLEM: .*/g), stderr: ended.stderr }).toEqual({
      end: 0,
      problems: null,
      stderr: '',
    });
    for (const line of told) expect(ended.stdout).toMatch(line);
    for (const redis of place.servers) expect(await redis.keys('*demo-*')).toEqual([]);
  });
});
