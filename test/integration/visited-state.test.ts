// A state without a local copy: every read and every commit goes to Redis, next to processes that carry it.
import { expect, test } from 'vitest';
import { key, kind, log } from '#domain/state-key.ts';
import { RedisClock } from '#runtime/redis-clock.ts';
import { Replication } from '#runtime/redis-replication.ts';
import { RedisState } from '#store/shared-state.ts';
import { VisitedState } from '#store/visited-state.ts';
import { quietLogger, testMetrics } from '#test/support/quiet.ts';
import { type RedisScope, redisScope } from '#test/support/redis.ts';

interface Thing {
  readonly n: number;
  readonly of?: string;
}
const things = kind<Thing>('thing');
const others = kind<number>('other');
const counter = key<number>('meta/counter');
const said = log<{ readonly text: string }>('said');

function carrierOf(scope: RedisScope): RedisState {
  return new RedisState({ redis: scope.connect(), prefix: scope.prefix, metrics: testMetrics() });
}

/** A visitor with the record of what it requested from Redis. */
function visitorOf(scope: RedisScope) {
  const redis = scope.connect();
  const read: string[] = [];
  const { prefix } = scope;
  const state = new VisitedState({
    account: 'main',
    redis,
    prefix,
    clock: new RedisClock(),
    readEntry: (name, stored) => {
      read.push(name);
      return JSON.parse(stored) as unknown;
    },
    logMaxAgeMs: () => undefined,
    replication: new Replication({ redis, prefix, replicas: 0, logger: quietLogger() }),
  });
  return { state, read, redis };
}

test('a read fetches only what it asks for, including what one record leads to', async () => {
  await using scope = await redisScope();
  const carrier = carrierOf(scope);
  await carrier.transact((tx) => {
    for (let n = 0; n < 3_000; n += 1) tx.set(others.of(`o-${n}`), n);
    for (let n = 0; n < 20; n += 1) tx.set(things.of(`t-${n}`), { n, ...(n === 7 ? { of: 'o-1234' } : {}) });
    tx.append(said, { text: 'hello' }, 10);
  });
  const { state, read } = visitorOf(scope);

  const found = await state.read(({ view }) => {
    const linked = Array.from(view.entries(things), ([, thing]) => thing).find(({ of }) => of !== undefined);
    return {
      count: view.count(things),
      linked: linked && view.get(others.of(linked.of!)),
      none: view.get(others.of('gone')),
    };
  });
  expect(found).toEqual({ count: 20, linked: 1234, none: undefined });
  expect(new Set(read)).toEqual(
    new Set([...Array.from({ length: 20 }, (_, n) => things.of(`t-${n}`)), others.of('o-1234')]),
  );

  const logged = await state.read(async (seen) =>
    (await seen.readLog(said, { limit: 5 })).map(({ entry }) => entry.text),
  );
  expect(logged).toEqual(['hello']);
  // What is missing at first is no reason to fail.
  const strict = state.read(({ view }) => {
    const counted = view.count(others);
    if (counted !== 3_000) throw new Error(`${counted}`);
    return counted;
  });
  expect(await strict).toBe(3_000);
  await expect(
    state.read(({ view }) => {
      throw new Error(`none of ${view.count(things)}`);
    }),
  ).rejects.toThrow('none of 20');
  expect(Math.abs(state.nowMs() - carrier.nowMs())).toBeLessThan(10_000);
});

test('commits of visitors and of the processes that carry the state form one sequence, and none is lost', async () => {
  await using scope = await redisScope();
  const carriers = [carrierOf(scope), carrierOf(scope)];
  await carriers[0]!.transact((tx) => tx.set(counter, 0));
  const visitors = [visitorOf(scope).state, visitorOf(scope).state];
  const add = (name: string) => (tx: Parameters<Parameters<RedisState['transact']>[0]>[0]) => {
    const n = (tx.get(counter) ?? 0) + 1;
    tx.set(counter, n);
    tx.set(things.of(`${name}-${n}`), { n: tx.count(things) });
    tx.append(said, { text: name }, 1_000);
    return n;
  };

  const results = await Promise.all(
    [...carriers, ...visitors].flatMap((state, index) =>
      Array.from({ length: 5 }, () => state.transact(add(`w-${index}`))),
    ),
  );

  expect(results.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
  await carriers[1]!.refresh();
  expect(carriers[1]!.view.get(counter)).toBe(20);
  // Each saw all earlier ones.
  const counts = Array.from(carriers[1]!.view.entries(things), ([, { n }]) => n);
  expect(counts.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n));
  expect(await carriers[0]!.readLog(said, { limit: 100 })).toHaveLength(20);
});

test('a body that throws, or writes nothing, leaves no trace; a repeat is recognised', async () => {
  await using scope = await redisScope();
  const carrier = carrierOf(scope);
  await carrier.transact((tx) => tx.set(counter, 1));
  const { state } = visitorOf(scope);
  const head = () => scope.redis.get(`${scope.prefix}:state-head`);
  const before = await head();

  await expect(
    state.transact((tx) => {
      tx.set(counter, 2);
      throw new Error('no');
    }),
  ).rejects.toThrow('no');
  expect(await state.transact((tx) => tx.get(counter))).toBe(1);
  expect(await head()).toBe(before);

  const once = () =>
    state.transact(
      (tx) => {
        if (tx.isRepeat('e-1')) return 'repeat';
        tx.set(counter, 7);
        return 'first';
      },
      { dedupIds: ['e-1'] },
    );
  expect([await once(), await once()]).toEqual(['first', 'repeat']);
  expect(await carrier.transact((tx) => tx.isRepeat('e-1'), { dedupIds: ['e-1'] })).toBe(true);
});

test('if nobody has created a state, a visitor sees nothing and creates none; it does not touch a newer version’s state', async () => {
  await using scope = await redisScope();
  const { state } = visitorOf(scope);

  expect(await state.read(({ view }) => view.count(things))).toBe(0);
  await expect(state.transact((tx) => tx.set(counter, 1))).rejects.toMatchObject({ code: 'ACCOUNT_NOT_CARRIED' });
  expect(await scope.redis.keys(`${scope.prefix}:state*`)).toEqual([]);

  await scope.redis.set(`${scope.prefix}:state-head`, '9|abc|1|x|1|1');
  await expect(state.read(({ view }) => view.count(things))).rejects.toMatchObject({ code: 'STATE_TOO_NEW' });
  await expect(state.transact((tx) => tx.set(counter, 1))).rejects.toMatchObject({ code: 'STATE_TOO_NEW' });
});

test('a visitor creates no state in place of one that is lost while it commits', async () => {
  await using scope = await redisScope();
  await carrierOf(scope).transact((tx) => tx.set(counter, 1));
  const { state, redis } = visitorOf(scope);

  const committed = state.transact((tx) => {
    // Commands of one connection run in their order: before the commit.
    void redis.del(`${scope.prefix}:state`, `${scope.prefix}:state-head`, `${scope.prefix}:state-log`);
    tx.set(counter, tx.get(counter)! + 1);
  });
  await expect(committed).rejects.toMatchObject({ code: 'ACCOUNT_NOT_CARRIED' });
  expect(await scope.redis.keys(`${scope.prefix}:state*`)).toEqual([]);
});

test('a Redis that is away is a separate error', async () => {
  await using scope = await redisScope();
  const { state, redis } = visitorOf(scope);
  redis.disconnect();
  await expect(state.read(({ view }) => view.count(things))).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' });
});
