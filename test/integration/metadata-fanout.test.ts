// Metadata for many channels as one job: from the commit to what people see of each channel's part.
import { expect, test } from 'vitest';
import { Jobs } from '#api/jobs.ts';
import { channelIdOf } from '#domain/channel.ts';
import { AppError } from '#domain/errors.ts';
import { fanoutJobName, type MetadataFanout, memberJobId } from '#domain/metadata-fanout.ts';
import { kinds, pauses } from '#domain/state-registry.ts';
import { Queues } from '#jobs/queues.ts';
import { Relay } from '#jobs/relay.ts';
import { type AuditRow, auditEntries } from '#journal/audit.ts';
import { resultsOf } from '#journal/query.ts';
import type { OutboxOptions } from '#metadata/outbox.ts';
import { systemClock } from '#runtime/clock.ts';
import { connectRedis } from '#runtime/redis.ts';
import { deliveryResults } from '#shard/delivery-results.ts';
import { RedisState } from '#store/shared-state.ts';
import { channelArn, FakeSender, metadataParts } from '#test/support/metadata.ts';
import { eventually, quietLogger, testMetrics } from '#test/support/quiet.ts';
import { redisScope } from '#test/support/redis.ts';
import { finishedActionRecorder } from '#workers/finished-action.ts';
import { WorkerHost } from '#workers/host.ts';
import { bindFanout } from '#workers/metadata-fanout.ts';

const fanoutId = `${fanoutJobName}-${'0123456789abcdef'.repeat(2).slice(0, 24)}`;
const names = ['a', 'b', 'c'];
const idOf = (name: string) => memberJobId(fanoutId, names.indexOf(name));

async function rowsOf(entries: AsyncIterable<AuditRow>): Promise<AuditRow[]> {
  const rows: AuditRow[] = [];
  for await (const row of entries) rows.push(row);
  return rows;
}

async function setup(outboxOptions: Partial<OutboxOptions> = {}) {
  const resources = new AsyncDisposableStack();
  const scope = resources.use(await redisScope());
  const logger = quietLogger();
  const metrics = testMetrics();
  const common = { clock: systemClock, logger, metrics, random: Math.random };
  const state = new RedisState({ redis: scope.connect(), prefix: scope.prefix, metrics });
  await state.refresh();
  const sender = new FakeSender();
  const { outbox, service, drainer } = metadataParts({ scope, sender, state, outbox: outboxOptions });
  const connection = connectRedis({ url: scope.url, role: 'queue', logger });
  await connection.connect();
  const queues = new Queues({ redis: connection, prefix: scope.prefix });
  const relay = new Relay({ ...common, state, queues, sweepMs: 50 });
  resources.defer(async () => {
    await queues.close();
    connection.disconnect();
  });
  /** What is between the handler and the outbox. */
  const around = { submitParts: service.submitParts.bind(service) };
  const handler = bindFanout({
    state,
    metadata: {
      submitParts: (batch) => around.submitParts(batch),
      acceptedUnder: (keys) => service.acceptedUnder(keys),
    },
  });
  let runs = 0;
  const host = new WorkerHost({
    ...common,
    connect: scope.connect,
    prefix: scope.prefix,
    queues: { 'metadata-fanout': { concurrency: 5 } },
    handlers: {
      [fanoutJobName]: (payload, run) => {
        runs += 1;
        return handler(payload, run);
      },
    },
    graceMs: 2_000,
    onFinished: finishedActionRecorder({ state, clock: systemClock, random: Math.random, configHash: () => 'test' }),
  });
  const shard = {
    name: 'main',
    region: 'us-west-2',
    accountId: '111122223333',
    state,
    queues,
    relay,
    metadata: service,
  };
  const jobs = new Jobs({ shards: { all: [shard] }, configHash: () => 'test' });
  const fanout = (more: Partial<MetadataFanout> = {}): MetadataFanout => ({
    rule: 'slate',
    decidedAtMs: Math.round(state.nowMs()),
    params: { payload: { slate: true } },
    members: names.map((name) => ({
      key: `put-metadata-${name}`,
      channelArn: channelArn(name),
      decisionId: `d-${name}`,
    })),
    ...more,
  });
  return {
    state,
    sender,
    outbox,
    service,
    around,
    relay,
    host,
    jobs,
    fanout,
    get runs() {
      return runs;
    },
    commit: (more?: Partial<MetadataFanout>, jobId = fanoutId) =>
      state.transact((tx) => tx.enqueue({ jobId, name: fanoutJobName, payload: { ...fanout(more) } })),
    /** Runs the job to its end: everything that a worker does except sending. */
    async work() {
      await relay.runOnce();
      await host.start();
      resources.defer(() => host.stop());
      await eventually(async () => ['completed', 'failed'].includes((await jobs.read(idOf('a'))).state));
    },
    /** Sends what waits, and records the outcome. */
    async send() {
      await drainer.start();
      resources.defer(() => drainer.stop());
      const results = deliveryResults({ ...common, outbox, state });
      await results.start();
      resources.defer(() => results.stop());
      await eventually(async () => (await outbox.depth()).items === 0);
      await eventually(async () => (await outbox.ended(10)).length === 0);
    },
    async audited() {
      const rows = await rowsOf(auditEntries(state, {}));
      return rows.map(({ channelArn: arn = '', jobId, outcome, reason, why }) => [
        arn.slice(-1),
        jobId,
        outcome,
        reason,
        why,
      ]);
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

test('each channel’s part appears as a job: pending, waiting, accepted, delivered, with its decision and in the audit', async () => {
  await using t = await setup();
  await t.commit();

  const pending = await t.jobs.read(idOf('b'));
  await t.relay.runOnce();
  const waiting = await t.jobs.read(idOf('b'));
  await t.work();
  const accepted = await t.jobs.read(idOf('b'));
  await t.send();
  const delivered = await t.jobs.read(idOf('b'));

  const same = { jobId: idOf('b'), name: 'put_metadata', channelArn: channelArn('b'), decisionId: 'd-b' };
  expect(pending).toMatchObject({ ...same, state: 'pending', params: { payload: { slate: true } } });
  expect(waiting).toMatchObject({ ...same, state: 'waiting', result: null });
  expect(accepted).toMatchObject({ ...same, state: 'completed', delivery: { pending: 1 } });
  expect(accepted.result).toMatchObject({ outcome: 'done', reason: 'accepted' });
  expect(delivered).toMatchObject({
    ...same,
    delivery: { pending: 0, delivered: 1 },
    result: { reason: 'delivered 1' },
  });
  expect(names.map((name) => t.sender.payloads(channelArn(name)))).toEqual(names.map(() => [{ slate: true }]));
  expect(await t.audited()).toEqual(names.map((name) => [name, idOf(name), 'done', 'accepted', `d-${name}`]));
  const results = await resultsOf(t.state, new Set(names.map(idOf)), { sinceMs: 0 });
  expect(results.get(idOf('c'))).toMatchObject({ decisionId: 'd-c', outcome: 'done', delivery: { delivered: 1 } });
  expect(t.state.view.get(kinds.items.of('slate'))).toMatchObject({ delivered: 3 });
  await expect(t.jobs.read(memberJobId(fanoutId, names.length))).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('a page of the audit that ends within such an entry continues with its next row', async () => {
  await using t = await setup();
  await t.commit();
  await t.work();

  const [first] = await rowsOf(auditEntries(t.state, {}));
  const rest = await rowsOf(auditEntries(t.state, {}, first!.id));
  const one = await rowsOf(auditEntries(t.state, { channelArn: channelArn('c') }));

  expect([first!, ...rest].map(({ channelArn: arn }) => arn)).toEqual(names.map(channelArn));
  expect(one).toHaveLength(1);
});

test('a hold set after the decision excludes its channel, and a pause all of them; both are reported for each', async () => {
  await using t = await setup();
  await t.commit();
  await t.state.transact((tx) => tx.set(kinds.hold.of(channelArn('b')), { who: 'mara', reason: 'x', sinceMs: 0 }));
  await t.work();
  await t.send();

  expect(t.sender.calls.map(({ channelArn: arn }) => arn).toSorted()).toEqual([channelArn('a'), channelArn('c')]);
  const held = await t.jobs.read(idOf('b'));
  expect(held).toMatchObject({ state: 'completed', result: { outcome: 'skipped', reason: 'held' } });
  expect(held.checks).toContainEqual(expect.objectContaining({ check: 'hold', verdict: 'failed' }));
  expect(held).not.toHaveProperty('delivery');
  expect(await t.jobs.read(idOf('a'))).toMatchObject({ delivery: { delivered: 1 } });
  expect(await t.audited()).toContainEqual(['b', idOf('b'), 'skipped', 'held', 'd-b']);

  await t.state.transact((tx) => tx.set(pauses.asked, { who: 'mara', reason: 'x', sinceMs: 0 }));
  const other = `${fanoutId.slice(0, -1)}0`;
  await t.commit({ members: t.fanout().members.map((member) => ({ ...member, key: `${member.key}-2` })) }, other);
  await t.relay.runOnce();
  await eventually(async () => (await t.jobs.read(memberJobId(other, 0))).state === 'completed');
  expect(await t.jobs.read(memberJobId(other, 2))).toMatchObject({ result: { outcome: 'skipped', reason: 'paused' } });
  expect((await t.outbox.depth()).items).toBe(0);
});

test.each(['before', 'after'] as const)(
  'a worker that dies %s the outbox accepted it leaves a job whose next run sends each item once',
  async (when) => {
    await using t = await setup();
    const { submitParts } = t.around;
    let died = false;
    t.around.submitParts = async (batch) => {
      if (died) return submitParts(batch);
      died = true;
      if (when === 'after') await submitParts(batch);
      // As the queue sees it: the job goes back, and nothing was recorded. `after`: the script's answer was lost.
      throw new AppError('INTERRUPTED', 'killed');
    };
    await t.commit();
    await t.work();
    await t.send();

    expect(t.runs).toBe(2);
    expect(t.sender.calls).toHaveLength(names.length);
    for (const name of names) {
      const { delivery, result } = await t.jobs.read(idOf(name));
      expect(delivery).toMatchObject({ delivered: 1 });
      // The batch that accepted it, whichever run that was.
      expect(result).toMatchObject({ batchId: delivery!.batchId });
    }
    expect(t.state.view.get(kinds.items.of('slate'))).toMatchObject({ delivered: 3 });
    expect(await t.audited()).toHaveLength(names.length);
  },
);

test.each(['paused', 'held'] as const)(
  'what a run handed over stays accepted if the next one finds it %s; the rest is skipped',
  async (reason) => {
    await using t = await setup();
    const { submitParts } = t.around;
    t.around.submitParts = async (batch) => {
      t.around.submitParts = submitParts;
      await submitParts({ ...batch, parts: batch.parts.slice(0, 2) });
      const by = { who: 'mara', reason: 'x', sinceMs: 0 };
      await t.state.transact((tx) => {
        if (reason === 'paused') tx.set(pauses.asked, by);
        else for (const name of names) tx.set(kinds.hold.of(channelArn(name)), by);
      });
      throw new AppError('INTERRUPTED', 'killed');
    };
    await t.commit();
    await t.work();

    expect(await t.audited()).toEqual([
      ['c', idOf('c'), 'skipped', reason, 'd-c'],
      ['a', idOf('a'), 'done', 'accepted', 'd-a'],
      ['b', idOf('b'), 'done', 'accepted', 'd-b'],
    ]);
    expect(await t.jobs.read(idOf('b'))).toMatchObject({ result: { outcome: 'done' }, delivery: { pending: 1 } });
    expect(await t.jobs.read(idOf('c'))).toMatchObject({ result: { outcome: 'skipped', reason } });
  },
);

test('the same cause in another fan-out, as after a loss of the state, is not sent again', async () => {
  await using t = await setup();
  await t.commit();
  await t.work();
  const { members } = t.fanout();
  const other = `${fanoutId.slice(0, -1)}0`;
  const late = { key: 'put-metadata-d', channelArn: channelArn('d'), decisionId: 'd-d' };
  await t.commit({ members: [members[1]!, late] }, other);
  await t.relay.runOnce();
  await eventually(async () => (await t.jobs.read(memberJobId(other, 1))).state === 'completed');
  await t.send();

  expect(t.sender.calls.map(({ channelArn: arn }) => arn.slice(-1)).toSorted()).toEqual(['a', 'b', 'c', 'd']);
  expect(await t.jobs.read(memberJobId(other, 0))).toMatchObject({ delivery: { delivered: 1 } });
});

test('one part is cancelled alone, by the name that its job shows', async () => {
  await using t = await setup();
  await t.commit();
  await t.work();
  const { delivery } = await t.jobs.read(idOf('b'));

  const cancelled = await t.service.cancel(delivery!.batchId);
  await t.send();

  expect(cancelled).toMatchObject({ state: 'cancelled', channels: 1, counts: { cancelled: 1, pending: 0 } });
  expect(t.sender.calls.map(({ channelArn: arn }) => arn.slice(-1)).toSorted()).toEqual(['a', 'c']);
  expect(await t.jobs.read(idOf('b'))).toMatchObject({ result: { outcome: 'skipped' }, delivery: { cancelled: 1 } });
  expect(await t.audited()).toContainEqual(['b', idOf('b'), 'not_delivered', 'cancelled 1: cancelled', 'd-b']);
});

test('a part that is cancelled while it is being sent is not sent again, and is delivered if that call delivers it', async () => {
  await using t = await setup();
  await t.commit();
  await t.work();
  const { token } = await t.outbox.claim({ leaseMs: 600_000, room: 10, urgentRoom: 0 });
  const ends: Record<string, readonly string[]> = {};
  for (const [name, result] of [
    ['a', { kind: 'delivered' }],
    ['b', { kind: 'retry', baseMs: 1, maxMs: 1, random: 0, leastMs: 0 }],
  ] as const) {
    const { delivery } = await t.jobs.read(idOf(name));
    const parcel = await t.outbox.take(channelArn(name), token);
    const cancelled = await t.service.cancel(delivery!.batchId);
    const ids = typeof parcel === 'string' ? [] : parcel.ids;
    await t.outbox.record(channelArn(name), token, { ids, keep: false, result });
    ends[name] = [cancelled.state, (await t.service.progress(delivery!.batchId)).state];
  }

  expect(ends).toEqual({ a: ['cancelling', 'finished'], b: ['cancelling', 'cancelled'] });
  expect(await t.outbox.headLanes([channelArn('b'), channelArn('c')])).toEqual([undefined, 'normal']);
});

test('only a limited number of finished parts is kept, with their keys: those of the oldest batch go first', async () => {
  await using t = await setup({ keepFinishedParts: 2 });
  const partsOf = (...of: readonly string[]) =>
    t.service.submitParts({
      parts: of.map((name) => ({ channelArn: channelArn(name), key: `key-${name}`, payload: 'x' })),
      key: undefined,
      expiresInMs: undefined,
      lane: 'normal',
      who: 'rule slate',
    });
  const { batchId } = await partsOf('a', 'b');
  await t.send();
  const kept = await t.outbox.acceptedUnder(['key-a', 'key-b']);
  await partsOf('c', 'd');
  await eventually(async () => (await t.outbox.depth()).items === 0);

  expect(kept).toEqual([`${batchId}.${channelIdOf(channelArn('a'))}`, `${batchId}.${channelIdOf(channelArn('b'))}`]);
  expect(await t.outbox.acceptedUnder(['key-a', 'key-b'])).toEqual([undefined, undefined]);
  expect(await t.outbox.acceptedUnder(['key-c'])).not.toEqual([undefined]);
  expect(await t.outbox.ends(batchId)).toEqual(new Map());
  expect(await t.outbox.progress(batchId)).toBeUndefined();
});

test('a payload that is too large fails only its channel, and one without room is retried', async () => {
  await using t = await setup({ maxItemsPerChannel: 1 });
  await t.service.submit({
    targets: { channelArns: [channelArn('c')] },
    items: [{ payload: 'in the way' }],
    lane: 'normal',
  });
  const { members } = t.fanout();
  await t.commit({ members: [{ ...members[0]!, payload: 'x'.repeat(2_000) }, members[1]!, members[2]!] });
  await t.relay.runOnce();
  await t.host.start();
  await eventually(async () => (await t.jobs.read(idOf('c'))).state === 'delayed');
  await t.send();
  await eventually(async () => (await t.jobs.read(idOf('c'))).state === 'completed');
  await eventually(async () => t.sender.payloads(channelArn('c')).length === 2);
  await t.host.stop();

  expect(await t.jobs.read(idOf('a'))).toMatchObject({ result: { outcome: 'failed', reason: 'PAYLOAD_TOO_LARGE' } });
  expect(t.sender.payloads(channelArn('a'))).toEqual([]);
  expect(t.sender.payloads(channelArn('b'))).toEqual([{ slate: true }]);
  expect(t.sender.payloads(channelArn('c'))).toEqual(['in the way', { slate: true }]);
  const alerts = Array.from(t.state.view.entries(kinds.alert), ([, alert]) => alert);
  expect(alerts).toMatchObject([{ kind: 'failed_job', code: 'PAYLOAD_TOO_LARGE', jobs: [{ jobId: idOf('a') }] }]);
});
