// A state that is emptied, goes back or loses keys, under replicas that know better: several RedisState with a real Redis.
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { pauseShard, resumeShard } from '#api/pause.ts';
import { pausesOf, silencesInForce } from '#domain/controls-in-force.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { settleAfterRepairMs, settledAfterRepairMs } from '#domain/state-loss.ts';
import { kinds, logs, notes, pauses, stateLossAlertKey } from '#domain/state-registry.ts';
import { activate, expireSilence, hold, pause, release, resume, silence } from '#rules/controls.ts';
import { failoverMs } from '#rules/state-loss.ts';
import { systemClock } from '#runtime/clock.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { lossKeeper } from '#shard/loss-keeper.ts';
import { StateWatch } from '#shard/watch-state.ts';
import { RedisState } from '#store/shared-state.ts';
import { type StateNote, type StateNoteFile, stateNoteFile } from '#store/state-note.ts';
import { at } from '#test/support/plain-keys.ts';
import { eventually, keptLogger, quietLogger, untilPasses } from '#test/support/quiet.ts';
import { ownRedis, redisScope } from '#test/support/redis.ts';

const arn = 'arn:aws:ivs:us-west-2:111122223333:channel/AAAAAAAAAAAA';
const other = 'arn:aws:ivs:us-west-2:111122223333:channel/BBBBBBBBBBBB';
const by = { who: 'token mara', reason: 'finals' };

async function setup() {
  const scope = await redisScope();
  const folder = await mkdtemp(join(tmpdir(), 'autopilot-note-'));
  const { prefix, redis } = scope;
  const keys = { state: `${prefix}:state`, head: `${prefix}:state-head`, log: `${prefix}:state-log` };
  const replica = (
    options: {
      note?: boolean | StateNoteFile;
      onEmptyState?: 'pause' | 'start';
      beforeTraces?: () => Promise<void>;
    } = {},
  ) => {
    const metrics = createMetrics();
    const connection = scope.connect();
    const exists = connection.exists.bind(connection) as (name: string) => Promise<number>;
    const meanwhile = lazily(options.beforeTraces);
    if (meanwhile) Object.assign(connection, { exists: async (name: string) => meanwhile().then(() => exists(name)) });
    const state = new RedisState({
      redis: connection,
      prefix,
      metrics,
      losses: lossKeeper({ shard: 'main', logger: quietLogger(), metrics }),
      ...(options.note ? { note: options.note === true ? stateNoteFile(folder, 'here', prefix) : options.note } : {}),
      ...(options.onEmptyState ? { onEmptyState: options.onEmptyState } : {}),
    });
    const losses = async () => (await metrics.stateLosses.get()).values[0]?.value;
    return Object.assign(state, { losses });
  };
  /** The present content of the namespace, to be restored later as an older file. */
  const backup = async () => {
    const names = await redis.keys(`${prefix}:*`);
    const dumps = await Promise.all(names.map(async (name) => [name, await redis.dumpBuffer(name)] as const));
    return async () => {
      await empty();
      for (const [name, dump] of dumps) await redis.restore(name, 0, dump, 'REPLACE');
    };
  };
  const empty = async () => {
    const names = await redis.keys(`${prefix}:*`);
    if (names.length > 0) await redis.del(...names);
  };
  return {
    scope,
    redis,
    keys,
    folder,
    replica,
    backup,
    empty,
    async [Symbol.asyncDispose]() {
      await scope[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Runs it once, however often it is called. */
function lazily(run: (() => Promise<void>) | undefined): (() => Promise<void>) | undefined {
  let running: Promise<void> | undefined;
  return run && (() => (running ??= run()));
}

/** What is in force as one replica sees it. */
function controls(state: RedisState) {
  const { view } = state;
  return {
    paused: pausesOf(view).map(({ reason }) => reason),
    held: Array.from(view.entries(kinds.hold), ([id]) => id).toSorted(),
    silences: silencesInForce(view, state.nowMs()).length,
    alert: view.get(stateLossAlertKey) !== undefined,
  };
}

const placeAll = (tx: Transaction) => {
  hold(tx, { ...by, channelArn: arn });
  silence(tx, { ...by, matchers: ['rule="slate"'], endsMs: tx.nowMs + 3_600_000 });
};
const lost = { paused: ['state_lost'], held: [arn], silences: 1, alert: true };

describe('a state that is lost while a replica runs', () => {
  test.each<[string, (bundle: Awaited<ReturnType<typeof setup>>) => Promise<unknown>]>([
    ['everything', ({ empty }) => empty()],
    ['the head', ({ redis, keys }) => redis.del(keys.head)],
    ['the hash of the state', ({ redis, keys }) => redis.del(keys.state)],
    ['the hash and the commits', ({ redis, keys }) => redis.del(keys.state, keys.log)],
    ['one hold', ({ redis, keys }) => redis.hdel(keys.state, `hold/${arn}`)],
    ['head and commits', ({ redis, keys }) => redis.del(keys.head, keys.log)],
  ])('%s: it pauses, restores the controls, and reports', async (_what, lose) => {
    await using bundle = await setup();
    const state = bundle.replica();
    await state.transact(placeAll);

    await lose(bundle);
    await state.refresh();

    expect(controls(state)).toEqual(lost);
    expect(await state.losses()).toBe(1);
    const fresh = bundle.replica();
    await fresh.refresh();
    expect(controls(fresh)).toEqual(lost);
    const audit = await fresh.readLog(logs.audit, { limit: 1 });
    expect(audit[0]?.entry).toMatchObject({ what: 'state_lost', outcome: 'paused' });
  });

  test('the activation of a standby is written again: its replicas keep working, also after a restart', async () => {
    await using bundle = await setup();
    const state = bundle.replica();
    await state.transact((tx) => activate(tx, by));
    await bundle.empty();
    await state.refresh();

    const fresh = bundle.replica();
    await fresh.refresh();
    expect(fresh.view.get(notes.activation)).toMatchObject(by);
  });

  test('a commit that comes first finds pause and holds in place', async () => {
    await using bundle = await setup();
    const state = bundle.replica();
    await state.transact(placeAll);
    await bundle.empty();

    const seen = await state.transact((tx) => {
      tx.set(at('meta/x'), 1);
      return { paused: pausesOf(tx).length, held: tx.get(kinds.hold.of(arn)) !== undefined };
    });

    expect(seen).toEqual({ paused: 1, held: true });
  });

  test('only the list of commits: nothing is missing, so nothing happens', async () => {
    await using bundle = await setup();
    const [a, b] = [bundle.replica(), bundle.replica()];
    await a.transact(placeAll);
    await b.refresh();
    await bundle.redis.del(bundle.keys.log);

    await a.transact((tx) => tx.set(at('meta/x'), 1));
    await a.transact((tx) => tx.set(at('meta/x'), 2));
    await b.refresh();

    expect(controls(b)).toEqual({ paused: [], held: [arn], silences: 1, alert: false });
    expect([await a.losses(), await b.losses()]).toEqual([0, 0]);
  });

  test('repeatedly during commits: no body ever sees a state without the hold', async () => {
    await using bundle = await setup();
    const state = bundle.replica();
    await state.transact(placeAll);
    let unheld = 0;
    const write = (index: number) =>
      state.transact((tx) => {
        if (tx.get(kinds.hold.of(arn)) === undefined) unheld += 1;
        tx.set(at(`fact/${index}`), index);
      });

    for (let round = 0; round < 10; round += 1) {
      const writing = Array.from({ length: 20 }, (_, index) => write(round * 20 + index));
      await bundle.empty();
      await Promise.all(writing);
      await write(round);
    }

    expect(unheld).toBe(0);
    expect(controls(state)).toEqual(lost);
  });

  test('twice, with a resume in between: it pauses again', async () => {
    await using bundle = await setup();
    const state = bundle.replica();
    await state.transact(placeAll);
    await bundle.empty();
    await state.refresh();
    await state.transact((tx) => resume(tx, by));
    expect(controls(state)).toEqual({ ...lost, paused: [], alert: false });

    await bundle.empty();
    await state.refresh();

    expect(controls(state)).toEqual(lost);
    expect(await state.losses()).toBe(2);
  });

  test('what a person had paused stays paused, and the resume ends both', async () => {
    await using bundle = await setup();
    const state = bundle.replica();
    await state.transact((tx) => pause(tx, { who: 'token mara', reason: 'incident' }));
    await bundle.empty();
    await state.refresh();
    expect(controls(state).paused).toEqual(['state_lost', 'incident']);

    await state.transact((tx) => resume(tx, by));

    expect(controls(state)).toMatchObject({ paused: [], alert: false });
  });

  test('a silence or hold that ended meanwhile does not come back', async () => {
    await using bundle = await setup();
    const state = bundle.replica();
    await state.transact((tx) => {
      hold(tx, { ...by, channelArn: arn, untilMs: tx.nowMs + 60 });
      silence(tx, { ...by, matchers: ['rule="slate"'], endsMs: tx.nowMs + 60 });
    });
    await new Promise((done) => setTimeout(done, 100));
    await bundle.empty();
    await state.refresh();

    expect([state.view.count(kinds.hold), state.view.count(kinds.silence)]).toEqual([0, 0]);
  });
});

describe('two replicas', () => {
  test('of which one is behind: removed controls stay removed, and what only one knew is restored, in either order', async () => {
    for (const order of ['behind first', 'ahead first']) {
      await using bundle = await setup();
      const [ahead, behind] = [bundle.replica(), bundle.replica()];
      let silenceId = '';
      await ahead.transact((tx) => {
        hold(tx, { ...by, channelArn: arn });
        silenceId = silence(tx, { ...by, matchers: ['rule="slate"'], endsMs: tx.nowMs + 3_600_000 }).id;
        pause(tx, by);
      });
      await behind.refresh();
      await new Promise((done) => setTimeout(done, 5));
      await ahead.transact((tx) => {
        release(tx, { ...by, channelArn: arn });
        expireSilence(tx, { ...by, id: silenceId });
        resume(tx, by);
        hold(tx, { ...by, channelArn: other });
      });
      await bundle.empty();

      const both = order === 'behind first' ? [behind, ahead] : [ahead, behind];
      for (const replica of both) await replica.refresh();
      await both[0]!.refresh();

      for (const replica of both)
        expect([order, controls(replica)]).toEqual([
          order,
          { paused: ['state_lost'], held: [other], silences: 0, alert: true },
        ]);
    }
  });

  test('a resume after the repair is not undone by the one that notices later', async () => {
    await using bundle = await setup();
    const [quick, slow] = [bundle.replica(), bundle.replica()];
    await quick.transact(placeAll);
    await slow.refresh();
    await bundle.empty();
    await quick.refresh();
    await new Promise((done) => setTimeout(done, 5));
    await quick.transact((tx) => resume(tx, by));

    await slow.refresh();

    expect(controls(slow)).toEqual({ paused: [], held: [arn], silences: 1, alert: false });
  });

  test('one that starts on the emptied Redis does not hide the loss from the one that knew', async () => {
    await using bundle = await setup();
    const living = bundle.replica();
    await living.transact(placeAll);
    await bundle.empty();

    const fresh = bundle.replica();
    for (let index = 0; index < 5; index += 1) await fresh.transact((tx) => tx.set(at(`fact/${index}`), index));
    expect(controls(fresh).held).toEqual([]);
    await living.refresh();
    await fresh.refresh();

    expect([controls(living), controls(fresh)]).toEqual([lost, lost]);
    expect(living.view.count(kinds.ruleMemory)).toBe(5);
  });

  test('that commit at the same moment repair it once for all, in any order', async () => {
    await using bundle = await setup();
    const replicas = Array.from({ length: 4 }, () => bundle.replica());
    await replicas[0]!.transact(placeAll);
    await Promise.all(replicas.map((replica) => replica.refresh()));
    await bundle.empty();

    await Promise.all(replicas.map((replica, index) => replica.transact((tx) => tx.set(at(`fact/${index}`), index))));
    await Promise.all(replicas.map((replica) => replica.refresh()));

    for (const replica of replicas)
      expect([controls(replica), replica.view.count(kinds.ruleMemory)]).toEqual([lost, 4]);
    const audit = await replicas[0]!.readLog(logs.audit, { limit: 100 });
    expect(audit.filter(({ entry }) => entry.what === 'state_lost')).toHaveLength(1);
  });
});

describe('an older state', () => {
  test('by a moment, as after a failover: what is missing is written again and reported, and nothing pauses', async () => {
    await using bundle = await setup();
    const state = bundle.replica();
    await state.transact((tx) => tx.set(at('meta/x'), 1));
    const restore = await bundle.backup();
    await state.transact(placeAll);

    await restore();
    const beforeMs = state.nowMs();
    await state.refresh();
    const afterMs = state.nowMs();

    expect(controls(state)).toEqual({ paused: [], held: [arn], silences: 1, alert: true });
    expect(await state.losses()).toBe(1);
    // Another replica may know of more: rules wait until it has reported.
    const settledMs = settledAfterRepairMs(state.view);
    // By Redis's clock, which a busy process knows only to within a round trip.
    expect(settledMs).toBeGreaterThan(beforeMs + settleAfterRepairMs / 2);
    expect(settledMs).toBeLessThan(afterMs + settleAfterRepairMs * 2);
  });

  test('also if another replica continued from it before', async () => {
    await using bundle = await setup();
    const state = bundle.replica();
    await state.transact((tx) => tx.set(at('meta/x'), 1));
    const restore = await bundle.backup();
    await state.transact(placeAll);
    await restore();

    const fresh = bundle.replica();
    for (let index = 0; index < 5; index += 1) await fresh.transact((tx) => tx.set(at(`fact/${index}`), index));
    await state.refresh();

    expect(controls(state)).toMatchObject({ held: [arn], silences: 1, alert: true });
    expect(state.view.count(kinds.ruleMemory)).toBe(5);
  });

  test('what a replica knew and Redis lacks is counted and named', async () => {
    await using bundle = await setup();
    const state = bundle.replica();
    await state.transact((tx) => tx.enqueue({ jobId: 'before', name: 'notify', payload: {} }));
    const restore = await bundle.backup();
    await state.transact((tx) => {
      hold(tx, { ...by, channelArn: arn });
      for (const jobId of ['a', 'b']) tx.enqueue({ jobId, name: 'put_metadata', payload: {} });
      tx.set(kinds.channelLease.of(arn), { pool: 'spares', leaseId: 'l1', who: 'token mara', sinceMs: 1 });
      // It was finished: nothing of it is lost.
      tx.set(kinds.key.of(other), {
        rotationId: 'r',
        startedAtMs: 1,
        updatedAtMs: 1,
        oldKeyArns: [],
        sink: 's',
        repairs: 0,
        finishedAtMs: 2,
      });
    });
    await restore();
    await state.refresh();

    expect(controls(state)).toEqual({ paused: [], held: [arn], silences: 0, alert: true });
    const text = state.view.get(stateLossAlertKey)!.text;
    expect(text).toContain('(1 commit) of it is missing.');
    expect(text).toContain(`Put back: hold/${arn}.`);
    expect(text).toContain(
      `Lost and not put back, at least: 2 jobs on their way to the queues (among them put_metadata); 1 lent channel (${arn}). Jobs in the queues and batches`,
    );
    const [audited] = await state.readLog(logs.audit, { limit: 1 });
    expect(audited!.entry).toMatchObject({
      outcome: 'restored',
      params: { lostCommits: 1, lost: { 'jobs on their way to the queues': 2, 'lent channel': 1 } },
    });
  });

  test('nothing is counted if a process without a copy continued from the older state', async () => {
    await using bundle = await setup();
    const state = bundle.replica();
    await state.transact((tx) => tx.set(at('meta/x'), 1));
    const restore = await bundle.backup();
    await state.transact((tx) => {
      hold(tx, { ...by, channelArn: arn });
      tx.enqueue({ jobId: 'a', name: 'put_metadata', payload: {} });
    });
    await restore();
    const fresh = bundle.replica();
    await fresh.transact((tx) => tx.set(at('meta/x'), 2));

    await state.refresh();

    const { text } = state.view.get(stateLossAlertKey)!;
    expect(text).toContain('It is not known what else is missing: others have committed since.');
    expect(text).not.toContain('at least');
  });

  test('by more than a failover takes: it pauses', async () => {
    await using bundle = await setup();
    const state = bundle.replica();
    await state.transact((tx) => tx.set(at('meta/x'), 1));
    const restore = await bundle.backup();
    await state.transact(placeAll);
    // The newest commit is made to look later than it is: no test waits for that long.
    const head = (await bundle.redis.get(bundle.keys.head))!.split('|');
    head[4] = String(Number(head[4]) + failoverMs + 1_000);
    await bundle.redis.set(bundle.keys.head, head.join('|'));
    await bundle.redis.lset(bundle.keys.log, 0, JSON.stringify({ h: head.join('|'), k: [`hold/${arn}`] }));
    const late = bundle.replica();
    await late.refresh();

    await restore();
    await late.refresh();

    expect(controls(late)).toEqual(lost);
  });

  test('a copy that slept through more commits than the list keeps is no sign of a loss', async () => {
    await using bundle = await setup();
    const [awake, asleep] = [bundle.replica(), bundle.replica()];
    await awake.transact(placeAll);
    await asleep.refresh();
    for (let index = 0; index < 250; index += 1) await awake.transact((tx) => tx.set(at('meta/x'), index));
    await awake.transact((tx) => release(tx, { ...by, channelArn: arn }));

    await asleep.refresh();

    expect(controls(asleep)).toEqual({ paused: [], held: [], silences: 1, alert: false });
    expect(await asleep.losses()).toBe(0);
  });

  test('a real server that is killed and comes back from an older file', async () => {
    await using own = await ownRedis();
    await using scope = await redisScope(own.url);
    const { prefix } = scope;
    const metrics = createMetrics();
    const losses = lossKeeper({ shard: 'main', logger: quietLogger(), metrics });
    const state = new RedisState({ redis: scope.connect(), prefix, metrics, losses });
    await state.transact((tx) => tx.set(at('meta/x'), 1));
    const old = await scope.redis.dumpBuffer(`${prefix}:state`);
    const oldHead = await scope.redis.get(`${prefix}:state-head`);
    await state.transact(placeAll);
    await scope.redis.flushall();
    await scope.redis.restore(`${prefix}:state`, 0, old);
    await scope.redis.set(`${prefix}:state-head`, oldHead!);
    // The append-only file contains the older state by now.
    await own.restart();

    await untilPasses(() => state.refresh());

    expect(controls(state)).toMatchObject({ held: [arn], silences: 1, alert: true });
  });
});

describe('no copy survived', () => {
  test('and nothing shows that there was a state: it starts', async () => {
    await using bundle = await setup();
    const state = bundle.replica();
    await state.refresh();
    expect(controls(state)).toEqual({ paused: [], held: [], silences: 0, alert: false });
  });

  test.each([
    ['a queue', 'actions:id'],
    ['a repeating job', 'poll-all:id'],
    ['the audit', 'log:audit'],
    ['the outbox', 'md:batches'],
  ])('%s shows that there was one: it pauses', async (_what, name) => {
    await using bundle = await setup();
    const key = `${bundle.scope.prefix}:${name}`;
    await (name.startsWith('log:') ? bundle.redis.xadd(key, '*', 'e', '{}') : bundle.redis.set(key, '1'));
    const state = bundle.replica();
    await state.refresh();
    expect(controls(state)).toMatchObject({ paused: ['state_lost'], alert: true });
  });

  test('the ledger’s epoch shows that there was one if it is older than the process', async () => {
    for (const [ageMs, paused] of [
      [60_000, ['state_lost']],
      [-60_000, []],
    ] as const) {
      await using bundle = await setup();
      await bundle.redis.hset(`${bundle.scope.prefix}:ledger`, 'epoch', String((Date.now() - ageMs) * 1000));
      const state = bundle.replica();
      await state.refresh();
      expect(controls(state).paused).toEqual(paused);
    }
  });

  test('the file beside the process shows that there was one: it pauses; a person resumes, and the next start continues', async () => {
    await using bundle = await setup();
    const before = bundle.replica({ note: true });
    await before.transact(placeAll);
    await before.writeNote();
    await bundle.empty();

    const state = bundle.replica({ note: true });
    await state.refresh();
    expect(controls(state)).toMatchObject({ paused: ['state_lost'], alert: true });
    const restarted = bundle.replica({ note: true });
    await restarted.refresh();
    expect(controls(restarted).paused).toEqual(['state_lost']);
    expect(await restarted.losses()).toBe(0);

    await restarted.transact((tx) => resume(tx, by));
    const next = bundle.replica({ note: true });
    await next.refresh();
    expect(controls(next).paused).toEqual([]);
  });

  test.each(['', '{"version":1', '{"version":2,"lineage":"x"}'])(
    'also a file that cannot be read: %j',
    async (text) => {
      await using bundle = await setup();
      const before = bundle.replica({ note: true });
      await before.refresh();
      await before.writeNote();
      const [name] = await readdir(bundle.folder);
      await writeFile(join(bundle.folder, name!), text);
      await bundle.empty();

      const state = bundle.replica({ note: true });
      await state.refresh();

      expect(controls(state)).toMatchObject({ paused: ['state_lost'], alert: true });
    },
  );

  test('two replicas create the first state at the same time: what the faster one wrote is no trace of a loss', async () => {
    await using bundle = await setup();
    const quicker = bundle.replica();
    const slower = bundle.replica({
      beforeTraces: async () => {
        await quicker.transact((tx) => tx.set(at('meta/x'), 1));
        await bundle.redis.set(`${bundle.scope.prefix}:actions:id`, '1');
      },
    });

    await slower.refresh();

    expect(controls(slower)).toEqual({ paused: [], held: [], silences: 0, alert: false });
    expect(slower.view.get(at('meta/x'))).toBe(1);
  });

  test('an older state than the file says: it pauses if a control was changed since, otherwise it is only reported', async () => {
    for (const change of [placeAll, (tx: Transaction) => tx.set(at('meta/x'), 2)]) {
      await using bundle = await setup();
      const before = bundle.replica({ note: true });
      await before.transact((tx) => tx.set(at('meta/x'), 1));
      const restore = await bundle.backup();
      await before.transact(change);
      await before.writeNote();
      await restore();

      const state = bundle.replica({ note: true });
      await state.refresh();

      expect(controls(state)).toMatchObject({ paused: change === placeAll ? ['state_lost'] : [], alert: true });
    }
  });

  test('`on_empty_state` overrides: pause without a trace, or start with one', async () => {
    await using bundle = await setup();
    const careful = bundle.replica({ onEmptyState: 'pause' });
    await careful.refresh();
    expect(controls(careful).paused).toEqual(['state_lost']);

    await bundle.empty();
    await bundle.redis.set(`${bundle.scope.prefix}:actions:id`, '1');
    const bold = bundle.replica({ onEmptyState: 'start' });
    await bold.refresh();
    expect(controls(bold)).toMatchObject({ paused: [], alert: true });
  });
});

describe('a state of another version', () => {
  test('without a version, as 0.1.0 wrote it, is read, and work continues', async () => {
    await using bundle = await setup();
    await bundle.redis.hset(bundle.keys.state, `hold/${arn}`, JSON.stringify({ ...by, sinceMs: 1 }));
    await bundle.redis.set(bundle.keys.head, '3c5a7b1e-0000-4000-8000-000000000000');
    const state = bundle.replica();

    await state.transact((tx) => tx.set(at('meta/x'), 1));
    await bundle.empty();
    await state.refresh();

    expect(controls(state)).toMatchObject({ paused: ['state_lost'], held: [arn] });
  });

  test('a replica of 0.1.0 that commits meanwhile, as in a rolling update, is not a loss', async () => {
    await using bundle = await setup();
    const state = bundle.replica();
    await state.transact(placeAll);
    for (const index of [1, 2]) {
      const head = `3c5a7b1e-0000-4000-8000-00000000000${index}`;
      await bundle.redis.hset(bundle.keys.state, `fact/${index}`, '1');
      await bundle.redis.set(bundle.keys.head, head);
      await bundle.redis.lpush(bundle.keys.log, JSON.stringify({ h: head, k: [`fact/${index}`] }));
      await state.transact((tx) => tx.set(at(`meta/${index}`), 1));
    }

    expect(controls(state)).toEqual({ paused: [], held: [arn], silences: 1, alert: false });
    expect(state.view.count(kinds.ruleMemory)).toBe(2);
    await bundle.empty();
    await state.refresh();
    expect(controls(state)).toEqual(lost);
  });

  test('of a newer one is refused and left as it is', async () => {
    await using bundle = await setup();
    const state = bundle.replica();
    await state.transact(placeAll);
    await bundle.redis.set(bundle.keys.head, '3|future');

    await expect(state.transact((tx) => tx.set(at('meta/x'), 1))).rejects.toThrow(/format 3.*newer version/);
    await expect(bundle.replica().refresh()).rejects.toThrow(/format 3.*newer version/);
    await expect(state.probe()).rejects.toThrow(/newer version/);

    expect(await bundle.redis.get(bundle.keys.head)).toBe('3|future');
    expect(await bundle.redis.hget(bundle.keys.state, 'meta/x')).toBeNull();
  });
});

describe('a control that Redis has not taken yet', () => {
  test('is in force here at once while Redis is away, and for all when it is back', async () => {
    await using own = await ownRedis();
    await using scope = await redisScope(own.url);
    const metrics = createMetrics();
    const make = () =>
      new RedisState({ redis: scope.connect({ maxRetriesPerRequest: 0 }), prefix: scope.prefix, metrics });
    const [a, b] = [make(), make()];
    await Promise.all([a.refresh(), b.refresh()]);
    await own.server.kill();

    const { written } = a.insist(pauses.asked, { ...by, sinceMs: a.nowMs() }, (tx) => pause(tx, by));
    expect(controls(a).paused).toEqual(['finals']);
    await own.restart();
    await untilPasses(() => a.refresh());
    await written;
    await untilPasses(() => b.refresh());

    expect(controls(b).paused).toEqual(['finals']);
  });

  test('also while Redis just does not answer: the pause is answered in time, and a resume removes what nobody else knew', async () => {
    await using scope = await redisScope();
    const metrics = createMetrics();
    const state = new RedisState({ redis: scope.connect(), prefix: scope.prefix, metrics });
    await state.refresh();
    const frozen = await ownRedis();
    await using _frozen = frozen;
    const connection = new Redis(frozen.url);
    onTestFinished(() => connection.disconnect());
    const stuck = new RedisState({ redis: connection, prefix: scope.prefix, metrics });
    await stuck.refresh();
    process.kill(frozen.server.pid, 'SIGSTOP');
    try {
      expect(await pauseShard(stuck, by)).toMatchObject({ written: false, paused: by });
      expect(controls(stuck).paused).toEqual(['finals']);
    } finally {
      process.kill(frozen.server.pid, 'SIGCONT');
    }
    await untilPasses(async () => {
      await stuck.refresh();
      expect(await pauseShard(stuck, by)).toMatchObject({ written: true });
    });
    expect(await resumeShard(stuck, by)).toEqual({ written: true });
    expect(controls(stuck).paused).toEqual([]);
    expect(await pauseShard(state, by)).toMatchObject({ written: true });
  });
});

describe('the watch over the state', () => {
  const watchOf = (state: RedisState, redis: Redis, prefix: string) => {
    const { logger, lines } = keptLogger();
    const watch = new StateWatch({
      shard: 'main',
      role: 'all',
      state,
      redis,
      prefix,
      logger,
      awsClock: { aheadMs: undefined },
      configHash: () => 'c1',
      clock: systemClock,
      metrics: createMetrics(),
    });
    return { watch, lines };
  };

  test('commits if nothing else does, so that the failover of a quiet fleet does not look longer than it is', async () => {
    await using bundle = await setup();
    const state = bundle.replica();
    await state.transact((tx) => tx.set(at('meta/x'), 1));
    const { watch } = watchOf(state, bundle.redis, bundle.scope.prefix);
    const quietSinceMs = state.headAtMs!;
    await eventually(async () => {
      await watch.runOnce();
      return state.headAtMs! > quietSinceMs;
    });
    const restore = await bundle.backup();
    await state.transact(placeAll);

    expect(state.headAtMs! - state.view.get(notes.pulse)!).toBeLessThan(failoverMs);
    await restore();
    await state.refresh();
    expect(controls(state)).toEqual({ paused: [], held: [arn], silences: 1, alert: true });
  });

  test('a disk that hangs delays neither its signs of life nor its end', async () => {
    await using bundle = await setup();
    const written = Promise.withResolvers<void>();
    const notes: StateNote[] = [];
    const state = bundle.replica({
      note: {
        read: () => undefined,
        write: (note) => {
          notes.push(note);
          return written.promise;
        },
      },
    });
    await state.transact((tx) => tx.set(at('meta/x'), 1));
    const { watch } = watchOf(state, bundle.redis, bundle.scope.prefix);

    await watch.runOnce();
    await state.transact((tx) => tx.set(at('meta/x'), 2));
    await watch.runOnce();
    expect(watch.replicas.map(({ id }) => id)).toEqual([watch.id]);
    expect(notes).toHaveLength(1);
    await watch.stop();

    written.resolve();
    // What was committed meanwhile is in the following note.
    await eventually(() => notes.length === 2);
    expect(notes[1]!.number).toBeGreaterThan(notes[0]!.number);
  });

  test('reports at its end that a pause was never written', async () => {
    await using bundle = await setup();
    const state = bundle.replica();
    await state.refresh();
    const { watch, lines } = watchOf(state, bundle.redis, bundle.scope.prefix);
    await watch.stop();
    expect(lines).toEqual([]);
    // The server goes away permanently.
    const away = new Redis({ port: 9, lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 0 });
    away.on('error', () => undefined);
    const alone = new RedisState({ redis: away, prefix: '{gone}', metrics: createMetrics() });
    const told = watchOf(alone, away, '{gone}');
    expect(await pauseShard(alone, by)).toMatchObject({ written: false });

    await told.watch.stop();

    expect(told.lines).toEqual([expect.objectContaining({ code: 'PAUSE_NOT_WRITTEN' })]);
    away.disconnect();
  });
});
