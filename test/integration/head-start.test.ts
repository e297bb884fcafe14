// Metadata that is accepted before its job is in its queue: once, in the order of the decisions, and only while nothing older waits.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { HeadStart } from '#domain/job.ts';
import { fanoutJobName, type MetadataFanout } from '#domain/metadata-fanout.ts';
import { kinds } from '#domain/state-registry.ts';
import { Queues } from '#jobs/queues.ts';
import { Relay } from '#jobs/relay.ts';
import { Overtakes } from '#metadata/head-start.ts';
import { systemClock } from '#runtime/clock.ts';
import { connectRedis } from '#runtime/redis.ts';
import { inTurns } from '#runtime/turns.ts';
import { handOver } from '#shard/hand-over.ts';
import { RedisState } from '#store/shared-state.ts';
import { channelArn, FakeSender, metadataParts } from '#test/support/metadata.ts';
import { eventually, quietLogger, testMetrics } from '#test/support/quiet.ts';
import { redisScope } from '#test/support/redis.ts';
import { HeadStarts } from '#workers/head-start.ts';
import { type JobHandler, WorkerHost } from '#workers/host.ts';
import { bindFanout } from '#workers/metadata-fanout.ts';

const queueName = 'metadata-fanout';
const channel = channelArn('a');

async function setup() {
  const resources = new AsyncDisposableStack();
  const scope = resources.use(await redisScope());
  const logger = quietLogger();
  const connection = connectRedis({ url: scope.url, role: 'queue', logger });
  await connection.connect();
  const queues = new Queues({ redis: connection, prefix: scope.prefix });
  resources.defer(async () => {
    await queues.close();
    connection.disconnect();
  });
  /** A process of its own, as far as jobs are concerned. */
  const replica = async () => {
    const metrics = testMetrics();
    const common = { clock: systemClock, logger, random: Math.random };
    const state = new RedisState({ redis: scope.connect(), prefix: scope.prefix, metrics });
    await state.refresh();
    const { outbox, service } = metadataParts({ scope, sender: new FakeSender(), state });
    const inTurn = inTurns();
    const handle = bindFanout({ state, metadata: service });
    /** Ids of the jobs whose handler ran, and whether that was before they were in their queue. */
    const runs: [jobId: string, early: boolean][] = [];
    /** Jobs whose head start succeeded. */
    const accepted: string[] = [];
    /** No handler goes on before it. */
    const pass = { gate: Promise.resolve() };
    const handler: JobHandler = (payload, run) => {
      runs.push([run.jobId, run.headStart !== undefined]);
      return inTurn(async () => {
        await pass.gate;
        const acceptedAs = run.headStart ? undefined : headStarts.taken(run.jobId);
        const result = await handle(payload, { ...run, acceptedAs });
        if (run.headStart && result.outcome === 'done') accepted.push(run.jobId);
        return result;
      });
    };
    const handlers = { [fanoutJobName]: handler };
    const finished: string[] = [];
    const host = new WorkerHost({
      ...common,
      metrics,
      connect: scope.connect,
      prefix: scope.prefix,
      queues: { [queueName]: { concurrency: 1 } },
      handlers,
      graceMs: 2_000,
      onFinished: async ({ jobId, outcome }) => void finished.push(`${jobId} ${outcome}`),
    });
    resources.defer(() => host.stop());
    const isMeant = ({ name }: { readonly name: string }) => name === fanoutJobName;
    const headStarts = new HeadStarts({ queue: queueName, prefix: scope.prefix, isMeant, handlers, logger });
    const relay = new Relay({ ...common, state, queues });
    return {
      state,
      outbox,
      service,
      host,
      relay,
      headStarts,
      runs,
      accepted,
      pass,
      finished,
      /** Commits metadata for the channel; its text is the job's id. */
      commit: (jobId: string) =>
        state.transact((tx) =>
          tx.enqueue({ jobId, name: fanoutJobName, payload: { ...fanoutOf(jobId, state.nowMs()) } }),
        ),
      /** What a process does after a commit. */
      handOver: (...jobIds: string[]) => {
        const jobs = jobIds.map((jobId) => ({ jobId, action: 'put_metadata' as const }));
        let ended = Promise.resolve();
        const begin: HeadStarts['begin'] = (...args) => {
          const begun = headStarts.begin(...args);
          ended = begun.ended;
          return begun;
        };
        handOver({ decisions: [{ jobs }] as never }, { view: state.view, headStarts: { begin }, relay });
        return ended;
      },
    };
  };
  return {
    scope,
    queues,
    queue: queues.get(queueName),
    replica,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

type Replica = Awaited<ReturnType<Awaited<ReturnType<typeof setup>>['replica']>>;

function fanoutOf(jobId: string, nowMs: number): MetadataFanout {
  return {
    rule: 'slate',
    decidedAtMs: Math.round(nowMs),
    params: { payload: { job: jobId }, expires: '1h' },
    members: [{ key: `${jobId}-a`, channelArn: channel, decisionId: 'd' }],
  };
}

/** The jobs whose metadata waits for the channel, in the order in which it will be sent. */
async function sentBy({ outbox }: Replica): Promise<string[]> {
  const { token, channels } = await outbox.claim({ leaseMs: 60_000, room: 10, urgentRoom: 0 });
  const sent: string[] = [];
  for (; channels.length > 0; ) {
    const parcel = await outbox.take(channel, token);
    if (typeof parcel === 'string') break;
    for (const { d } of JSON.parse(parcel.metadata).items as { d: { job: string } }[]) sent.push(d.job);
    await outbox.record(channel, token, { ids: parcel.ids, keep: true, result: { kind: 'delivered' } });
  }
  return sent;
}

describe('the accepting script', () => {
  const submit = ({ service }: Replica, headStart: HeadStart, how: 'a batch' | 'parts') => {
    const common = { lane: 'normal', who: 'rule slate', job: { jobId: headStart.jobId }, headStart } as const;
    const [payload, key] = [{ job: headStart.jobId }, `${headStart.jobId}-a`];
    return how === 'parts'
      ? service.submitParts({
          ...common,
          parts: [{ channelArn: channel, key, payload }],
          key: undefined,
          expiresInMs: undefined,
        })
      : service.submit({ ...common, targets: { channelArns: [channel] }, items: [{ payload }], requestId: key });
  };
  const older = (jobId: string) => ({ name: fanoutJobName, data: { ...fanoutOf(jobId, 0) }, opts: { jobId } });

  test.each<{
    readonly what: string;
    readonly prepare?: (t: Awaited<ReturnType<typeof setup>>) => Promise<unknown>;
    /** Jobs that were on their way to the queue. */
    readonly older?: readonly string[];
    readonly accepted?: readonly string[];
    /** Of the accepted ones: what Redis has lost since. */
    readonly lost?: string;
    readonly isFirst: boolean;
  }>([
    { what: 'the queue is empty', isFirst: true },
    { what: 'an older job waits', prepare: ({ queue }) => queue.addBulk([older('o1')]), isFirst: false },
    {
      what: 'older jobs wait that were all accepted',
      prepare: ({ queue }) => queue.addBulk([older('o1'), older('o2')]),
      accepted: ['x', 'o2', 'o1'],
      isFirst: true,
    },
    {
      what: 'one of two older jobs was not accepted',
      prepare: ({ queue }) => queue.addBulk([older('o1'), older('o2')]),
      accepted: ['o1', 'o'],
      isFirst: false,
    },
    {
      what: 'an older job is running',
      prepare: async ({ queue, scope }) => {
        await queue.addBulk([older('o1')]);
        await scope.redis.rpoplpush(queue.toKey('wait'), queue.toKey('active'));
      },
      isFirst: false,
    },
    {
      what: 'a job waits for its time',
      prepare: ({ queue }) => queue.addBulk([{ ...older('o1'), opts: { jobId: 'o1', delay: 60_000 } }]),
      isFirst: true,
    },
    { what: 'an older job is on its way to the queue', older: ['o1'], isFirst: false },
    { what: 'an older job on its way was accepted', older: ['o1'], accepted: ['o1'], isFirst: true },
    {
      what: 'Redis has lost the acceptance of an older job on its way',
      older: ['o1', 'o2'],
      accepted: ['o1', 'o2'],
      lost: 'o2',
      isFirst: false,
    },
    {
      what: 'Redis has lost the acceptance of an older job that waits',
      prepare: ({ queue }) => queue.addBulk([older('o1')]),
      accepted: ['o1'],
      lost: 'o1',
      isFirst: false,
    },
    {
      what: 'an older job has a priority',
      prepare: ({ queue }) => queue.addBulk([{ ...older('o1'), opts: { jobId: 'o1', priority: 1 } }]),
      accepted: ['o1'],
      isFirst: false,
    },
    { what: 'somebody paused the queue', prepare: ({ queue }) => queue.pause(), isFirst: false },
    {
      what: 'the job is in the queue',
      prepare: ({ queue }) => queue.addBulk([older('own')]),
      accepted: ['own'],
      isFirst: false,
    },
    {
      what: 'the job has left the queue',
      prepare: async ({ queue, scope }) => {
        await queue.addBulk([older('own')]);
        await scope.redis.rpoplpush(queue.toKey('wait'), queue.toKey('gone'));
      },
      isFirst: false,
    },
    {
      what: 'very many accepted jobs wait',
      prepare: ({ queue }) => queue.addBulk(Array.from({ length: 101 }, (_, index) => older(`o${index}`))),
      accepted: Array.from({ length: 101 }, (_, index) => `o${index}`),
      isFirst: false,
    },
  ])('$what: accepted early, $isFirst', async ({ prepare, older: olderIds = [], accepted = [], lost, isFirst }) => {
    await using t = await setup();
    const one = await t.replica();
    await prepare?.(t);
    for (const jobId of accepted)
      if (jobId !== lost) await t.scope.redis.hset(`${t.scope.prefix}:md:b:b-${jobId}`, 'total', 1);
    const headStart: HeadStart = {
      queue: `${t.scope.prefix}:${queueName}`,
      jobId: 'own',
      older: olderIds,
      accepted: new Map(accepted.map((jobId) => [jobId, `b-${jobId}`])),
    };

    for (const how of ['a batch', 'parts'] as const) {
      const submitted = submit(one, headStart, how).then(
        () => true,
        (error: unknown) => {
          expect(error).toBeInstanceOf(Overtakes);
          return false;
        },
      );
      expect([how, await submitted]).toEqual([how, isFirst]);
    }

    // Both have the same key: the second one added nothing.
    expect((await one.outbox.depth()).items).toBe(isFirst ? 1 : 0);
  });
});

test('metadata is accepted before its job is in the queue; the run from there reports it and adds nothing', async () => {
  await using t = await setup();
  const one = await t.replica();
  await one.commit('early');
  const { promise, resolve } = Promise.withResolvers<void>();
  one.pass.gate = promise;
  const ended = one.handOver('early');
  // Until then, the relay leaves it alone.
  expect(await one.relay.runOnce()).toBe(0);
  expect(await t.queues.find('early')).toBeUndefined();
  await one.relay.start();
  resolve();
  await ended;
  expect((await one.outbox.depth()).items).toBe(1);

  await eventually(async () => (await t.queues.find('early')) !== undefined);
  await one.host.start();
  await eventually(() => one.finished.length === 1);
  await one.relay.stop();

  expect(one.finished).toEqual(['early done']);
  expect(one.runs).toEqual([
    ['early', true],
    ['early', false],
  ]);
  expect((await one.outbox.depth()).items).toBe(1);
});

test('a process that dies right after the acceptance leaves a job that another one hands over; nothing is accepted twice', async () => {
  await using t = await setup();
  const dead = await t.replica();
  await dead.commit('early');
  const pending = Array.from(dead.state.view.entries(kinds.job), ([, job]) => job);
  await dead.headStarts.begin(pending, () => true).ended;

  const other = await t.replica();
  await other.relay.runOnce();
  await other.host.start();
  await eventually(() => other.finished.length === 1);

  expect(other.finished).toEqual(['early done']);
  expect(await sentBy(other)).toEqual(['early']);
});

test('if Redis loses what was accepted early, the run from the queue accepts it', async () => {
  await using t = await setup();
  const one = await t.replica();
  await one.commit('early');
  await one.handOver('early');
  expect((await one.outbox.depth()).items).toBe(1);
  const lost = await t.scope.redis.keys(`${t.scope.prefix}:md:*`);
  await t.scope.redis.del(...lost);

  await one.relay.runOnce();
  await one.host.start();
  await eventually(() => one.finished.length > 0);

  expect(one.finished).toEqual(['early done']);
  expect(await sentBy(one)).toEqual(['early']);
});

test('while a job is held back, later jobs of its queue wait, and others do not', async () => {
  await using t = await setup();
  const one = await t.replica();
  const { promise, resolve } = Promise.withResolvers<void>();
  one.pass.gate = promise;
  await one.commit('early');
  const ended = one.handOver('early');
  await one.commit('later');
  await one.state.transact((tx) => tx.enqueue({ jobId: 'stop', name: 'stop_stream', payload: {} }));

  expect(await one.relay.runOnce()).toBe(1);
  expect(await t.queues.get('actions').getJobCountByTypes('wait')).toBe(1);
  expect(await t.queue.getJobCountByTypes('wait')).toBe(0);
  resolve();
  await ended;
  expect(await one.relay.runOnce()).toBe(2);
  expect((await t.queue.getJobs(['wait'], 0, -1, true)).map(({ id }) => id)).toEqual(['early', 'later']);
});

test('a stopping relay hands over what was held back', async () => {
  await using t = await setup();
  const one = await t.replica();
  await one.relay.start();
  await one.commit('early');
  void one.handOver('early');
  await one.relay.stop();

  expect(await t.queues.find('early')).toBeDefined();
  expect((await one.outbox.depth()).items).toBe(1);
});

test('with two processes that decide and hand over at any moment, metadata is accepted in the order of the decisions', async () => {
  await using t = await setup();
  const [working, other] = [await t.replica(), await t.replica()];
  const replicas = [working, other];
  for (const { relay } of replicas) await relay.start();
  // One works on the queue: two would accept what they take from it in any order.
  await working.host.start();
  const ids = Array.from({ length: 120 }, (_, index) => `job-${index}`);
  // A fixed sequence of pauses and processes: shorter and longer than the way through the queue.
  let seed = 7;
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  const handedOver: Promise<void>[] = [];
  for (const id of ids) {
    const one = replicas[Math.floor(random() * 2)]!;
    await one.state.refresh();
    await one.commit(id);
    // A process may be held up between its commit and what follows from it.
    const lateMs = random() < 0.2 ? random() * 8 : 0;
    handedOver.push((lateMs > 0 ? sleep(lateMs) : Promise.resolve()).then(() => one.handOver(id)));
    await sleep(random() < 0.5 ? 0 : random() * 12);
  }
  await Promise.all(handedOver);
  await eventually(() => new Set(working.finished).size >= ids.length);
  for (const { relay } of replicas) await relay.stop();

  expect(await sentBy(working)).toEqual(ids);
  expect(working.accepted.length + other.accepted.length).toBeGreaterThan(0);
});
