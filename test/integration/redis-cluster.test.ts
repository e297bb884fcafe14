// Connections, scripts, queues and publications on a real Redis Cluster, whose slots move and whose primaries die.
import { Queue, Worker } from 'bullmq';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kinds } from '#domain/state-registry.ts';
import { SlotLedger } from '#ivs/ledger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import {
  assertRedisUsable,
  connectRedis,
  disconnectRedis,
  keyPrefix,
  type Redis,
  type RedisRole,
  triedOnce,
} from '#runtime/redis.ts';
import { RedisChannel } from '#runtime/redis-channel.ts';
import { RedisState } from '#store/shared-state.ts';
import { lastingPort } from '#test/support/ports.ts';
import { eventually, keptLogger, quietLogger } from '#test/support/quiet.ts';
import { redisCluster, type TestCluster } from '#test/support/redis-cluster.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await redisCluster();
});
afterAll(() => cluster[Symbol.asyncDispose]());

interface Opened extends AsyncDisposable {
  readonly redis: Redis;
}

async function open(role: RedisRole, prefix: string, url = cluster.url): Promise<Opened> {
  // However long a busy machine takes for a move.
  const redis = connectRedis({ url, prefix, role, logger: quietLogger(), patienceMs: () => 300_000 });
  redis.connect().catch(() => undefined);
  await eventually(() => redis.status === 'ready');
  return { redis, [Symbol.asyncDispose]: () => disconnectRedis(redis) };
}

const roles = ['store', 'queue', 'worker', 'limiter'] as const;

test.each(roles)('a connection of the role %s reaches the owner of its keys, whichever node is named', async (role) => {
  const prefix = keyPrefix('reach', role);
  for (const { port } of cluster.nodes) {
    await using opened = await open(role, prefix, `redis://127.0.0.1:${port}`);
    expect(await opened.redis.set(`${prefix}:a`, '1')).toBe('OK');
  }
});

test('one answering node of a list is enough', async () => {
  const dead = await lastingPort();
  const prefix = keyPrefix('list', 'main');
  await using opened = await open('store', prefix, `redis://127.0.0.1:${dead},127.0.0.1:${cluster.nodes[4]!.port}`);
  expect(await opened.redis.set(`${prefix}:a`, '1')).toBe('OK');
});

test('what a connection wrote to one server is not confirmed by the next one', async () => {
  const prefix = keyPrefix('confirm', 'main');
  await using opened = await open('store', prefix);
  const { redis } = opened;
  await redis.set(`${prefix}:a`, '1');
  // As when an answer next to that of the write says that the keys have moved.
  redis.emit('moved');
  const [confirmed, read] = await Promise.allSettled([redis.wait(1, 50), redis.get(`${prefix}:a`)]);
  expect(confirmed.status).toBe('rejected');
  expect(read).toEqual({ status: 'fulfilled', value: '1' });
});

test('a connection goes back and forth with pauses between nodes that disagree about who has the keys', async () => {
  const prefix = keyPrefix('split', 'main');
  await using opened = await open('store', prefix);
  const { redis } = opened;
  const from = await cluster.ownerOf(prefix);
  const to = cluster.nodes.slice(0, 3).find((node) => node !== from)!;
  const [slot, toId] = [await from.redis.cluster('KEYSLOT', prefix), await to.redis.cluster('MYID')];
  const pauses: unknown[] = [];
  const strategy = redis.options.retryStrategy!;
  redis.options.retryStrategy = (times) => {
    const pauseMs = strategy(times);
    pauses.push(pauseMs);
    return pauseMs;
  };

  await to.redis.cluster('SETSLOT', slot, 'IMPORTING', await from.redis.cluster('MYID'));
  await from.redis.cluster('SETSLOT', slot, 'NODE', toId);
  const answer = redis.get(`${prefix}:a`);
  await eventually(() => pauses.some((pauseMs) => Number(pauseMs) > 0));
  expect(pauses[0]).toBe(0);
  await to.redis.cluster('SETSLOT', slot, 'NODE', toId);
  expect(await answer).toBeNull();
});

describe('while a slot moves', () => {
  test('a transaction waits for the end of the move and is done once', async () => {
    const prefix = keyPrefix('move', 'state');
    await using opened = await open('store', prefix);
    const state = new RedisState({ redis: opened.redis, prefix, metrics: createMetrics() });
    const hold = (reason: string) =>
      state.transact((tx) => tx.set(kinds.hold.of('arn:a'), { by: 'test', reason, sinceMs: 1 } as never), {
        dedupIds: [reason],
      });
    await hold('before');

    let isDone = false;
    const during: Promise<void>[] = [];
    const to = await cluster.moveSlot(prefix, {
      between: async () => {
        during.push(hold('during').then(() => void (isDone = true)));
        // A reader is answered by the same node, after earlier commands.
        await (await cluster.ownerOf(prefix)).redis.ping();
        expect(isDone).toBe(false);
      },
    });
    await Promise.all(during);

    expect(await to.redis.hget(`${prefix}:state`, 'hold/arn:a')).toContain('during');
    expect(state.view.get(kinds.hold.of('arn:a'))).toMatchObject({ reason: 'during' });
  });

  test('a script that names none of its keys runs completely or not at all', async () => {
    const prefix = keyPrefix('move', 'whole');
    await using opened = await open('store', prefix);
    const { redis } = opened;
    await redis.mset(`${prefix}:gone`, '0', `${prefix}:stays`, '0');
    const script = `redis.call('INCR', KEYS[1] .. ':stays') redis.call('INCR', KEYS[1] .. ':gone') return 1`;
    const outcomes: Promise<unknown>[] = [];

    await cluster.moveSlot(prefix, {
      between: async () => {
        const owner = await cluster.ownerOf(prefix);
        const next = cluster.nodes.slice(0, 3).find((node) => node !== owner)!;
        await owner.redis.call('MIGRATE', '127.0.0.1', next.port, `${prefix}:gone`, 0, 10_000);
        outcomes.push(redis.eval(script, 1, prefix));
        await owner.redis.ping();
        expect(await owner.redis.get(`${prefix}:stays`)).toBe('0');
      },
    });

    expect(await Promise.all(outcomes)).toEqual([1]);
    expect(await redis.mget(`${prefix}:gone`, `${prefix}:stays`)).toEqual(['1', '1']);
  });

  test('a worker takes the jobs that were added before, meanwhile and after', async () => {
    const prefix = keyPrefix('move', 'queue');
    await using producer = await open('queue', prefix);
    await using consumer = await open('worker', prefix);
    const done: string[] = [];
    const queue = new Queue('jobs', { connection: producer.redis, prefix, skipVersionCheck: true });
    queue.on('error', () => undefined);
    const take = async ({ data }: { data: string }) => void done.push(data);
    const worker = new Worker('jobs', take, { connection: consumer.redis, prefix, skipVersionCheck: true });
    worker.on('error', () => undefined);
    const add = (name: string) => queue.add('job', name, { jobId: name });
    await add('before');
    await eventually(() => done.length === 1);

    const during: Promise<unknown>[] = [];
    await cluster.moveSlot(prefix, { between: async () => void during.push(add('during')) });
    await Promise.all(during);
    await add('after');

    await eventually(() => done.length === 3);
    expect(done.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(['after', 'before', 'during']);
    await worker.close(true);
  });

  test('publications are received before and after', async () => {
    const prefix = keyPrefix('move', 'channel');
    await using listener = await open('worker', prefix);
    await using speaker = await open('store', prefix);
    const heard: string[] = [];
    const refused: unknown[] = [];
    const channel = new RedisChannel({
      redis: listener.redis,
      name: `${prefix}:news`,
      onMessage: (message) => heard.push(message),
      onRefused: (error) => refused.push(error),
    });
    channel.start();
    const isHeard = (text: string) =>
      eventually(async () => {
        await speaker.redis.spublish(`${prefix}:news`, text);
        return heard.includes(text);
      });
    await isHeard('before');

    await cluster.moveSlot(prefix);

    await isHeard('after');
    expect(refused).toEqual([]);
    await channel.stop();
  });

  test('the ledger of permits starts anew at the new owner, behind its fence', async () => {
    const prefix = keyPrefix('move', 'ledger');
    await using opened = await open('limiter', prefix);
    const ledger = new SlotLedger({
      redis: opened.redis,
      keyPrefix: prefix,
      replica: 'r',
      requestTimeoutMs: 100,
      patienceMs: 200,
    });
    const ask = () =>
      ledger
        .exchange(
          {
            operation: 'ListStreams',
            perAccount: 5,
            perChannel: undefined,
            lookAheadMs: 0,
            gapMs: 0,
            wants: [undefined],
            urgent: 0,
            releases: [],
            throttles: [],
          },
          () => undefined,
        )
        .catch(() => undefined);
    await eventually(async () => (await ask())?.grants.size === 1);
    const { epoch } = ledger;

    await cluster.moveSlot(prefix);

    // The new owner grants nothing until its fence has been there.
    const first = await eventually(async () => {
      const reply = await ask();
      return reply && (reply.grants.size > 0 || reply.fenceMs > 0) && ledger.epoch !== epoch ? reply : undefined;
    });
    expect(first).toMatchObject({ grants: new Map(), fenceMs: expect.any(Number) });
    await eventually(async () => (await ask())?.grants.size === 1);
    ledger.close();
  });
});

test('a database that a cluster does not have ends a start, by one node or by its list', async () => {
  const { logger } = keptLogger();
  const [first, second] = cluster.nodes;
  await expect(assertRedisUsable({ url: `redis://127.0.0.1:${first!.port}/3`, logger })).rejects.toMatchObject({
    code: 'REDIS_UNUSABLE',
    message: expect.stringMatching(/^REDIS_URL cannot be used: .*database 0 only.*database 3/),
  });
  expect(() =>
    connectRedis({ url: `redis://127.0.0.1:${first!.port},127.0.0.1:${second!.port}/3`, role: 'store', logger }),
  ).toThrow(/database 0 only/);
});

// The last one: its nodes do not come back. How a daemon follows a failover is tested in test/system/redis-moves.test.ts.
test('for a part without a server one line names the node and the keys; the others’ refusal is reported after a wait', async () => {
  const prefix = keyPrefix('part', 'main');
  const { logger, lines } = keptLogger();
  const owner = await cluster.ownerOf(prefix);
  const replica = cluster.nodes[cluster.nodes.indexOf(owner) + 3]!;
  const other = cluster.nodes.slice(0, 3).find((node) => node !== owner)!;
  let ofOther = '';
  for (let number = 0; ofOther === ''; number += 1) {
    const next = keyPrefix('part', String(number));
    if ((await cluster.ownerOf(next)) === other) ofOther = next;
  }
  const url = `redis://127.0.0.1:${other.port}`;
  const told = keptLogger();
  const stays = connectRedis({ url, prefix: ofOther, role: 'store', logger: told.logger, patienceMs: () => 1_000 });
  stays.connect().catch(() => undefined);
  await eventually(() => stays.status === 'ready');

  await Promise.all([owner.kill(), replica.kill()]);
  const redis = connectRedis({ url, prefix, role: 'store', logger });
  redis.connect().catch(() => undefined);
  await triedOnce(redis);
  await eventually(() => lines.length > 0);

  const said = [
    `127.0.0.1:${owner.port} \\(owner of the keys of \\{part:main\\} in the cluster\\): connect ECONNREFUSED`,
    'the cluster is down: \\d of \\d nodes answer, and \\d+ of 16384 slots are served',
  ];
  expect(lines[0]).toMatchObject({
    code: 'REDIS_UNREACHABLE',
    said: expect.stringMatching(new RegExp(said.join('|'))),
  });
  await eventually(async () => {
    await stays.set(`${ofOther}:a`, '1').catch(() => undefined);
    // A machine that stood still for a second has broken the connection: then the next one is reported in the same way.
    return told.lines.some(({ said }) => /^CLUSTERDOWN|the cluster is down/.test(String(said)));
  });
  await Promise.all([redis, stays].map(disconnectRedis));
});
