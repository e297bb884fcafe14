import { describe, expect, test, vi } from 'vitest';
import type { Transaction } from '#domain/shared-state.ts';
import type { Index } from '#domain/state-key.ts';
import { kinds } from '#domain/state-registry.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { connectRedis, disconnectRedis, type Redis } from '#runtime/redis.ts';
import { Pipeline } from '#src/pipeline.ts';
import { RedisState } from '#store/shared-state.ts';
import { at, kindOf, logOf } from '#test/support/plain-keys.ts';
import { eventually, quietLogger, untilPasses } from '#test/support/quiet.ts';
import { ownRedis, redisScope } from '#test/support/redis.ts';
import { event } from '#test/support/streams.ts';

async function setup() {
  const scope = await redisScope();
  const replica = () => new RedisState({ redis: scope.connect(), prefix: scope.prefix, metrics: createMetrics() });
  return { scope, replica, [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose]() };
}

/** A pipeline that accepts observations and concludes nothing. */
function pipelineOver(state: RedisState): Pipeline {
  return new Pipeline({
    state,
    ruleset: { rules: [], inhibitRules: [], timeIntervals: [], receivers: [], hash: 'none' },
    stages: {
      split: (observation) => [observation],
      apply: () => [],
      decide: () => [],
      decideDue: () => [],
      decideAnswer: () => ({ decisions: [], answered: { ok: false, code: 'NOT_FOUND', message: '' } }),
      release: () => undefined,
      detectGaps: () => [],
    },
    onCommitted: () => undefined,
  });
}

/** The connection, with something that happens after each step of a scan. */
function betweenSteps(redis: Redis, happens: () => Promise<void>): Redis {
  const hscan = redis.hscan.bind(redis) as (...args: unknown[]) => Promise<unknown>;
  redis.hscan = (async (...args: unknown[]) => {
    const answer = await hscan(...args);
    await happens();
    return answer;
  }) as typeof redis.hscan;
  return redis;
}

describe('the shared state', () => {
  test('what one replica commits, another reads after a refresh', async () => {
    await using bundle = await setup();
    const [a, b] = [bundle.replica(), bundle.replica()];

    await a.transact((tx) => tx.set(at('stream/x'), { health: 'STARVING' }));
    await b.refresh();

    expect(b.view.get(at('stream/x'))).toEqual({ health: 'STARVING' });
  });

  test('a refresh over several commits takes in what they wrote in the order of the commits', async () => {
    await using bundle = await setup();
    const [a, b] = [bundle.replica(), bundle.replica()];
    await a.transact((tx) => tx.set(at('stream/x'), {}));
    await b.refresh();

    const ids = Array.from({ length: 40 }, (_, index) => `job-${(index * 7) % 40}`);
    for (let index = 0; index < ids.length; index += 2)
      await a.transact((tx) => {
        for (const jobId of ids.slice(index, index + 2)) tx.enqueue({ jobId, name: 'notify', payload: {} });
      });
    await b.refresh();

    const order = (state: RedisState) => Array.from(state.view.entries(kinds.job), ([id]) => id);
    expect(order(b)).toEqual(ids);
    expect(order(a)).toEqual(ids);
  });

  test('transactions of several replicas never lose an update', async () => {
    await using bundle = await setup();
    const replicas = [bundle.replica(), bundle.replica(), bundle.replica()];
    const increment = (replica: RedisState) =>
      replica.transact((tx) => tx.set(at('meta/count'), (tx.get(at('meta/count')) ?? 0) + 1));

    await Promise.all(replicas.flatMap((replica) => Array.from({ length: 40 }, () => increment(replica))));

    await replicas[0]!.refresh();
    expect(replicas[0]!.view.get(at('meta/count'))).toBe(120);
  });

  test('a body runs again only if what it read was changed meanwhile, so that replicas that do different work add up', async () => {
    await using bundle = await setup();
    const [a, b] = [bundle.replica(), bundle.replica()];
    const facts: Index<{ open: boolean }> = { of: kindOf('fact'), under: ({ open }) => (open ? ['open'] : []) };
    const reads: readonly (readonly [string, (tx: Transaction) => unknown])[] = [
      ['one entry', (tx) => tx.get(at('fact/x'))?.n ?? 'none'],
      ['an entry that is not there', (tx) => tx.get(at('fact/new'))?.n ?? 'none'],
      ['all of a kind', (tx) => [...tx.entries(kindOf('fact'))].length],
      ['how many of a kind', (tx) => tx.count(kindOf('fact'))],
      ['an index', (tx) => [...tx.indexed(facts, 'open')].length],
    ];
    for (const [what, read] of reads) {
      await a.transact((tx) => {
        tx.set(at('fact/x'), { n: 1, open: false });
        tx.delete(at('fact/new'));
      });
      const decide = async (meanwhile: (tx: Transaction) => void) => {
        await a.refresh();
        await b.transact(meanwhile);
        const seen: unknown[] = [];
        await a.transact((tx) => {
          seen.push(read(tx));
          tx.set(at('meta/decided'), seen);
        });
        await b.refresh();
        expect(b.view.get(at('meta/decided'))).toEqual(seen);
        return seen;
      };

      expect(await decide((tx) => tx.set(at('stream/other'), { what })), what).toHaveLength(1);
      const [before, after] = await decide((tx) => {
        tx.set(at('fact/x'), { n: 2, open: true });
        tx.set(at('fact/new'), { n: 2, open: true });
      });
      expect(after, what).toBeDefined();
      expect(after, what).not.toEqual(before);
    }
    // What both write without reading it has the later value.
    await a.refresh();
    await b.transact((tx) => tx.set(at('meta/blind'), 'first'));
    await a.transact((tx) => tx.set(at('meta/blind'), 'second'));
    await b.refresh();
    expect([a.view.get(at('meta/blind')), b.view.get(at('meta/blind'))]).toEqual(['second', 'second']);
    expect(b.view.get(at('stream/other'))).toEqual({ what: 'an index' });
    expect(a.view.get(at('stream/other'))).toEqual({ what: 'an index' });
  });

  test('a dedup id takes effect once, whoever uses it', async () => {
    await using bundle = await setup();
    const [a, b] = [bundle.replica(), bundle.replica()];
    const take = (replica: RedisState) =>
      replica.transact((tx) => (tx.isRepeat('event-1') ? 'repeat' : 'first'), { dedupIds: ['event-1'] });

    const outcomes = await Promise.all([take(a), take(b), take(a)]);

    expect(outcomes.toSorted()).toEqual(['first', 'repeat', 'repeat']);
  });

  test('an event is known as a repeat for a day, whatever shared its commit', async () => {
    await using bundle = await setup();
    const state = bundle.replica();
    const pipeline = pipelineOver(state);
    const start = event('Stream Start', { channel: 'A', stream: 's1', at: 0 });

    const other = state.transact((tx) => tx.set(at('meta/x'), 1), { dedupIds: ['short'], dedupTtlMs: 1_000 });
    await Promise.all([other, pipeline.observe(start)]);

    const leftMs = await bundle.scope.connect().pttl(`${bundle.scope.prefix}:claim:event:${start.envelope.id}`);
    expect(leftMs).toBeGreaterThan(23.9 * 3_600_000);
    expect(leftMs).toBeLessThanOrEqual(24 * 3_600_000);
  });

  test('a body that throws commits nothing', async () => {
    await using bundle = await setup();
    const a = bundle.replica();

    await expect(
      a.transact((tx) => {
        tx.set(at('meta/half'), true);
        throw new Error('stop here');
      }),
    ).rejects.toThrow('stop here');

    await a.refresh();
    expect(a.view.get(at('meta/half'))).toBeUndefined();
  });

  test('transactions that wait together share a commit, and one that throws does not affect the others', async () => {
    await using bundle = await setup();
    const a = bundle.replica();
    const add = (by: number) => (tx: Transaction) => {
      tx.set(at('meta/sum'), (tx.get(at('meta/sum')) ?? 0) + by);
      if (by === 3) throw new Error('three is refused');
      return tx.get(at('meta/sum'));
    };

    const first = a.transact(add(1));
    const rest = await Promise.allSettled([2, 3, 4, 5].map((by) => a.transact(add(by))));

    expect([await first, ...rest.map((each) => (each.status === 'fulfilled' ? each.value : 'refused'))]).toEqual([
      1,
      3,
      'refused',
      7,
      12,
    ]);
    expect(await bundle.scope.redis.llen(`${bundle.scope.prefix}:state-log`)).toBeLessThanOrEqual(2);
  });

  test('a replica that slept through more commits than the log keeps loads everything', async () => {
    await using bundle = await setup();
    const [a, b] = [bundle.replica(), bundle.replica()];
    await b.transact((tx) => tx.set(at('meta/b'), 1));
    for (let index = 0; index < 250; index += 1) await a.transact((tx) => tx.set(at(`fact/${index}`), index));
    await a.transact((tx) => tx.delete(at('fact/0')));

    await b.transact((tx) => tx.set(at('meta/b'), 2));

    expect(b.view.count(kindOf('fact'))).toBe(249);
    expect(b.view.get(at('meta/b'))).toBe(2);
  });

  test('a replica loads everything although others commit at every step, and misses nothing of it', async () => {
    await using bundle = await setup();
    const { scope } = bundle;
    const a = bundle.replica();
    await a.transact((tx) => {
      for (let index = 0; index < 5000; index += 1) tx.set(at(`fact/${index}`), index);
    });
    let steps = 0;
    const redis = betweenSteps(scope.connect(), async () => {
      steps += 1;
      await a.transact((tx) => {
        tx.set(at('meta/step'), steps);
        tx.delete(at(`fact/${steps}`));
        tx.set(at(`fact/new-${steps}`), steps);
      });
    });
    const b = new RedisState({ redis, prefix: scope.prefix, metrics: createMetrics() });

    await b.refresh();

    expect(steps).toBeLessThan(10);
    expect(b.view.get(at('meta/step'))).toBe(steps);
    expect(new Map(b.view.entries(kindOf('fact')))).toEqual(new Map(a.view.entries(kindOf('fact'))));
  });

  test('while everything is loaded again, the copy answers with what it had', async () => {
    await using bundle = await setup();
    const { scope } = bundle;
    const a = bundle.replica();
    await a.transact((tx) => tx.set(at('hold/x'), { by: 'operator' }));
    const seen: unknown[] = [];
    const redis = betweenSteps(scope.connect(), async () => void seen.push(b.view.get(at('hold/x'))));
    const b = new RedisState({ redis, prefix: scope.prefix, metrics: createMetrics() });
    await b.refresh();
    const { view } = b;
    seen.length = 0;
    for (let index = 0; index < 250; index += 1) await a.transact((tx) => tx.set(at('meta/count'), index));
    await a.transact((tx) => tx.delete(at('hold/x')));

    await b.refresh();

    expect(seen).toEqual([{ by: 'operator' }]);
    expect([view.get(at('hold/x')), view.get(at('meta/count'))]).toEqual([undefined, 249]);
  });

  test('after Redis lost everything, nothing of the old copy is believed', async () => {
    await using bundle = await setup();
    const a = bundle.replica();
    await a.transact((tx) => tx.set(at('fact/old'), 1));
    const keys = await bundle.scope.redis.keys(`${bundle.scope.prefix}*`);
    await bundle.scope.redis.del(...keys);

    await a.transact((tx) => tx.set(at('fact/new'), 1));

    expect([...a.view.entries(kindOf('fact'))]).toEqual([['new', 1]]);
  });

  test('logs return the newest first and continue where an answer ended', async () => {
    await using bundle = await setup();
    const a = bundle.replica();
    for (const n of [1, 2, 3]) await a.transact((tx) => tx.append(logOf('journal'), { n }, 100));

    const first = await a.readLog(logOf('journal'), { limit: 2 });
    const rest = await a.readLog(logOf('journal'), { limit: 2, before: first.at(-1)!.id });

    expect([...first, ...rest].map(({ entry }) => entry.n)).toEqual([3, 2, 1]);
  });

  test('an unreadable entry of a log does not end the paging', async () => {
    await using bundle = await setup();
    const { scope } = bundle;
    const readEntry = (_key: string, stored: string) => (stored === 'odd' ? undefined : JSON.parse(stored));
    const a = new RedisState({ redis: scope.connect(), prefix: scope.prefix, metrics: createMetrics(), readEntry });
    const append = (n: number) => a.transact((tx) => tx.append(logOf('journal'), { n }, 100));
    const spoil = () => scope.redis.xadd(`${scope.prefix}:log:journal`, '*', 'e', 'odd');
    for (const n of [1, 2]) await append(n);
    for (let odd = 0; odd < 3; odd += 1) await spoil();
    await append(3);
    await spoil();

    const first = await a.readLog(logOf('journal'), { limit: 2 });
    expect(first.map(({ entry }) => entry.n)).toEqual([3, 2]);
    const rest = await a.readLog(logOf('journal'), { limit: 2, before: first.at(-1)!.id });
    expect(rest.map(({ entry }) => entry.n)).toEqual([1]);
  });

  test('entries of a log are deleted when they are too old, and the log with the last of them', async () => {
    await using bundle = await setup();
    const keeping = (maxAgeMs: number) =>
      new RedisState({
        redis: bundle.scope.connect(),
        prefix: bundle.scope.prefix,
        metrics: createMetrics(),
        logMaxAgeMs: () => maxAgeMs,
      });
    const brief = keeping(1_000);
    await brief.transact((tx) => tx.append(logOf('journal'), { n: 1 }, 100));
    await eventually(async () => (await brief.readLog(logOf('journal'), { limit: 10 })).length === 0);

    const a = keeping(600_000);
    const key = `${bundle.scope.prefix}:log:${logOf('journal')}`;
    await a.refresh();
    await bundle.scope.redis.xadd(key, `${Math.floor(a.nowMs()) - 601_000}-0`, 'e', JSON.stringify({ n: 2 }));
    await bundle.scope.redis.xadd(key, `${Math.floor(a.nowMs()) - 300_000}-0`, 'e', JSON.stringify({ n: 3 }));
    await a.transact((tx) => tx.append(logOf('journal'), { n: 4 }, 100));

    const kept = await a.readLog(logOf('journal'), { limit: 10 });
    expect(kept.map(({ entry }) => entry.n)).toEqual([4, 3]);
  });

  test('the clock is Redis’s, whatever the clock of the replica says', async () => {
    await using bundle = await setup();
    const a = bundle.replica();
    const redisMs = async () => {
      const [seconds, micros] = (await bundle.scope.redis.time()).map(Number) as [number, number];
      return seconds * 1000 + micros / 1000;
    };
    const startedAt = performance.now();
    await a.refresh();
    const tripMs = performance.now() - startedAt;

    const beforeMs = await redisMs();
    const nowMs = a.nowMs();
    const afterMs = await redisMs();

    expect(nowMs).toBeGreaterThanOrEqual(beforeMs - tripMs - 1);
    expect(nowMs).toBeLessThanOrEqual(afterMs + tripMs + 1);
  });

  test('a jump of the replica’s clock changes nothing', async () => {
    await using bundle = await setup();
    const a = bundle.replica();
    await a.refresh();
    const startedAt = performance.now();
    const beforeMs = a.nowMs();

    const stepped = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 3_600_000);
    const afterMs = a.nowMs();
    stepped.mockRestore();

    expect(afterMs - beforeMs).toBeLessThanOrEqual(performance.now() - startedAt + 1);
  });

  test('a jump of Redis’s clock is followed at once, even after a slow answer', async () => {
    await using bundle = await setup();
    const redis = bundle.scope.connect();
    const a = new RedisState({ redis, prefix: bundle.scope.prefix, metrics: createMetrics() });
    await a.refresh();
    const evalsha = redis.evalsha.bind(redis) as (...args: unknown[]) => Promise<unknown[]>;
    redis.evalsha = async (...args: unknown[]) => {
      const [outcome, timeMs, ...rest] = await evalsha(...args);
      await new Promise((done) => setTimeout(done, 30));
      return [outcome, Number(timeMs) + 3_600_000, ...rest];
    };

    await a.refresh();

    expect(a.nowMs() - Date.now()).toBeGreaterThan(3_590_000);
  });

  test('commits continue after a failover: a server that became read-only is left for the one at its address', async () => {
    await using server = await ownRedis();
    const redis = connectRedis({ url: server.url, role: 'store', logger: quietLogger() });
    await redis.connect();
    const a = new RedisState({ redis, prefix: '{failover}', metrics: createMetrics() });
    await a.transact((tx) => tx.set(at('meta/a'), 1));
    const admin = redis.duplicate();
    await admin.connect();
    const reconnected = vi.fn<() => void>();
    redis.on('ready', reconnected);

    await admin.replicaof('127.0.0.1', 1);
    const [commit, probe] = await Promise.allSettled([a.transact((tx) => tx.set(at('meta/a'), 2)), a.probe()]);
    await admin.replicaof('NO', 'ONE');
    await untilPasses(() => expect(reconnected).toHaveBeenCalled());
    await untilPasses(() => a.transact((tx) => tx.set(at('meta/a'), 3)));

    expect([commit.status, probe.status]).toEqual(['rejected', 'rejected']);
    expect(a.view.get(at('meta/a'))).toBe(3);
    await Promise.all([redis, admin].map(disconnectRedis));
  });
});
