// A write waits for Redis's own replicas before anybody is told that it is there.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMetrics } from '#runtime/metrics.ts';
import { keyPrefix } from '#runtime/redis.ts';
import { Replication } from '#runtime/redis-replication.ts';
import { RedisState } from '#store/shared-state.ts';
import { channelArn, FakeSender, metadataParts } from '#test/support/metadata.ts';
import { item } from '#test/support/outbox.ts';
import { at } from '#test/support/plain-keys.ts';
import { eventually, keptLogger, quietLogger } from '#test/support/quiet.ts';
import { redisScope } from '#test/support/redis.ts';
import { redisPair } from '#test/support/redis-cluster.ts';

const prefix = keyPrefix('replicated', 'main');

describe('with redis.wait_replicas', () => {
  let stand: Awaited<ReturnType<typeof redisPair>>;
  beforeAll(async () => {
    stand = await redisPair();
  });
  afterAll(() => stand[Symbol.asyncDispose]());

  test('a commit fails while no replica has it, even if it is requested again, and takes effect once', async () => {
    const [primary, replica] = stand.nodes;
    const { redis } = primary;
    const replication = new Replication({ redis, prefix, replicas: 1, logger: quietLogger(), withinMs: 50 });
    const state = new RedisState({ redis, prefix, metrics: createMetrics(), replication });
    await state.refresh();
    const key = at('meta/events');
    const commit = (over = state) =>
      over.transact((tx) => (tx.isRepeat('event') ? undefined : tx.set(key, (tx.get(key) ?? 0) + 1)), {
        dedupIds: ['event'],
      });

    replica.freeze(true);
    await expect(commit()).rejects.toMatchObject({ code: 'REDIS_NOT_REPLICATED' });
    await expect(commit()).rejects.toMatchObject({ code: 'REDIS_NOT_REPLICATED' });
    // Nor does another process, which finds it there.
    const other = redis.duplicate();
    const ofOther = new Replication({ redis: other, prefix, replicas: 1, logger: quietLogger(), withinMs: 50 });
    const found = new RedisState({ redis: other, prefix, metrics: createMetrics(), replication: ofOther });
    await expect(commit(found)).rejects.toMatchObject({ code: 'REDIS_NOT_REPLICATED' });
    other.disconnect();
    replica.freeze(false);
    await eventually(() =>
      commit().then(
        () => true,
        () => false,
      ),
    );

    expect(state.view.get(key)).toBe(1);
  });

  test('what another process handed to the outbox is not confirmed while no replica has it', async () => {
    const [{ port }, replica] = stand.nodes;
    await using scope = await redisScope(`redis://127.0.0.1:${port}`);
    const { prefix } = scope;
    const another = () => {
      const redis = scope.connect();
      const replication = new Replication({ redis, prefix, replicas: 1, logger: quietLogger(), withinMs: 50 });
      return metadataParts({ scope, sender: new FakeSender(), outbox: { redis, replication } });
    };
    const common = { lane: 'normal', who: 'test', callsPerChannel: 1, skipped: [] } as const;
    const idempotency = { key: 'request', requestHash: 'hash' };
    const channels = [channelArn('a')];
    const whole = ({ outbox }: ReturnType<typeof another>) => {
      const items = [item('x')];
      return outbox.accept({ ...common, batchId: items[0]!.id, channels, items, idempotency });
    };
    const parts = ({ outbox }: ReturnType<typeof another>) => {
      const items = [item('x')];
      return outbox.acceptParts({ ...common, batchId: items[0]!.id, groups: [{ channels, items, keys: ['part'] }] });
    };
    const unsafe = { code: 'REDIS_NOT_REPLICATED' };

    replica.freeze(true);
    const first = another();
    await expect(whole(first)).rejects.toMatchObject(unsafe);
    await expect(parts(first)).rejects.toMatchObject(unsafe);
    // A process that finds it there, over another connection.
    await expect(whole(another())).rejects.toMatchObject(unsafe);
    await expect(parts(another())).rejects.toMatchObject(unsafe);
    await expect(another().outbox.known(idempotency)).rejects.toMatchObject(unsafe);
    await expect(another().service.acceptedUnder(['part'])).rejects.toMatchObject(unsafe);
    expect(await another().service.acceptedUnder(['nothing'])).toEqual([undefined]);
    expect(await another().outbox.known({ ...idempotency, requestHash: 'other' })).toEqual({ outcome: 'conflict' });

    replica.freeze(false);
    await eventually(() =>
      parts(another()).then(
        ({ outcome }) => outcome === 'accepted',
        () => false,
      ),
    );
    expect(await another().service.acceptedUnder(['part'])).toEqual([expect.any(String)]);
  });
});

test('without it a hold waits for the connected replica, and nothing else does', async () => {
  await using stand = await redisPair();
  const [{ redis }, replica] = stand.nodes;
  const { logger, lines } = keptLogger();
  const stateWith = (withinMs: number) =>
    new RedisState({
      redis,
      prefix,
      metrics: createMetrics(),
      replication: new Replication({ redis, prefix, replicas: 0, logger, withinMs }),
    });
  const hold = (state: RedisState, arn: string) =>
    state.transact((tx) => tx.set(at(`hold/${arn}`), { by: 'test', sinceMs: 1 }));
  const waits = async () => Number(/cmdstat_wait:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0);

  const patient = stateWith(300_000);
  await patient.transact((tx) => tx.set(at('channel/arn:a'), { arn: 'arn:a' }));
  expect(await waits()).toBe(0);
  await hold(patient, 'arn:a');
  expect(await waits()).toBe(1);
  expect(lines).toEqual([]);

  // A replica that is silent is reported once, and prevents nobody from holding a channel.
  replica.freeze(true);
  const impatient = stateWith(50);
  await hold(impatient, 'arn:b');
  await hold(impatient, 'arn:c');
  expect(lines).toEqual([expect.objectContaining({ code: 'REDIS_NOT_REPLICATED' })]);

  await replica.kill();
  await eventually(async () => /connected_slaves:0/.test(await redis.info('replication')));
  const before = await waits();
  await hold(impatient, 'arn:d');
  expect(await waits()).toBe(before);
});
