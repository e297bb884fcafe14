// Drains with a test sender: order, sharing of calls, trouble with single channels, crashes, several replicas.
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import type { ChannelArn } from '#domain/channel.ts';
import { AppError } from '#domain/errors.ts';
import { channelArn, FakeSender, type MetadataPartsOptions, metadataParts } from '../support/metadata.ts';
import { untilPasses } from '../support/quiet.ts';
import { ownRedis, redisScope } from '../support/redis.ts';

async function setup(options: Omit<Partial<MetadataPartsOptions>, 'sender'> & { sender?: FakeSender } = {}) {
  const scope = options.scope ?? (await redisScope());
  const sender = options.sender ?? new FakeSender();
  const parts = metadataParts({ ...options, scope, sender });
  await parts.drainer.start();
  const send = (to: readonly string[], payloads: readonly string[], more: object = {}) =>
    parts.service.submit({
      targets: { channelArns: to.map(channelArn) },
      items: payloads.map((payload) => ({ payload, ...more })),
      lane: 'normal',
    });
  const finished = (batchId: string) =>
    untilPasses(async () => {
      const progress = await parts.service.progress(batchId);
      if (progress.finishedAtMs === undefined) throw new Error(JSON.stringify(progress));
      return progress;
    });
  return {
    ...parts,
    scope,
    sender,
    send,
    finished,
    async [Symbol.asyncDispose]() {
      await parts.sweeper.stop();
      await parts.drainer.stop();
      if (!options.scope) await scope[Symbol.asyncDispose]();
    },
  };
}

/** Holds the permits of some channels until they are released. */
function gate(sender: FakeSender, isHeld: (arn: ChannelArn) => boolean = () => true) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const waiting = new Set<ChannelArn>();
  sender.permit = async (arn) => {
    if (!isHeld(arn)) return;
    waiting.add(arn);
    await promise;
  };
  return { open: resolve, waiting };
}

test('what waits when the permit is granted shares a call, in the order of acceptance', async () => {
  await using rig = await setup();
  const permits = gate(rig.sender);

  const first = await rig.send(['a'], ['1']);
  await untilPasses(() => expect(permits.waiting.size).toBe(1));
  await rig.send(['a'], ['2', '3']);
  const last = await rig.send(['a'], ['4']);
  permits.open();

  expect(await rig.finished(last.batchId)).toMatchObject({ state: 'finished', counts: { delivered: 1 } });
  expect(rig.sender.calls.map(({ items }) => items.map(({ d }) => d))).toEqual([['1', '2', '3', '4']]);
  expect((await rig.finished(first.batchId)).etaSeconds).toBeUndefined();
  // A delivered item's age is observed; the metric follows the record.
  await untilPasses(async () => {
    const { values } = await rig.metrics.metadataAgeSeconds.get();
    expect(values.find(({ metricName }) => metricName?.endsWith('_count'))?.value).toBe(4);
  });
});

test('a newer value replaces the unsent older one in its place, and the older one is counted', async () => {
  await using rig = await setup();
  const permits = gate(rig.sender);

  await rig.send(['a'], ['before']);
  const old = await rig.send(['a'], ['score 1'], { key: 'score' });
  await rig.send(['a'], ['after']);
  const newest = await rig.send(['a'], ['score 2'], { key: 'score' });
  permits.open();

  await rig.finished(newest.batchId);
  expect(rig.sender.payloads(channelArn('a'))).toEqual(['before', 'score 2', 'after']);
  expect((await rig.finished(old.batchId)).counts).toMatchObject({ conflated: 1, delivered: 0 });
});

test('a channel that hangs and one that is refused delay no others', async () => {
  await using rig = await setup({ drainer: { maxChannels: 4 } });
  const hung = Promise.withResolvers<void>();
  rig.sender.answer = async ({ channelArn: arn }) => {
    if (arn === channelArn('hangs')) await hung.promise;
    if (arn === channelArn('refused')) throw new AppError('IVS_THROTTLED', 'slow down');
  };

  await rig.send(['hangs', 'refused'], ['x']);
  const others = await rig.send(
    Array.from({ length: 40 }, (_, index) => `c${index}`),
    ['y'],
  );

  expect(await rig.finished(others.batchId)).toMatchObject({ counts: { delivered: 40 } });
  hung.resolve();
});

test('a channel that is gone ends its items with the reason; a refused payload ends only that call', async () => {
  await using rig = await setup();
  rig.sender.answer = async ({ channelArn: arn, items }) => {
    if (arn === channelArn('gone')) throw new AppError('IVS_NOT_FOUND', 'no such channel');
    if (items[0]?.d === 'bad') throw new AppError('IVS_REQUEST_INVALID', 'bad content');
  };
  const gone = await rig.send(['gone'], ['x'.repeat(600), 'y'.repeat(600), 'z'.repeat(600)]);
  const bad = await rig.send(['picky'], ['bad', 'x'.repeat(950)]);

  expect(await rig.finished(gone.batchId)).toMatchObject({ counts: { failed: 3 }, failures: { IVS_NOT_FOUND: 3 } });
  expect(rig.sender.calls.filter((call) => call.channelArn === channelArn('gone'))).toHaveLength(1);
  expect(await rig.finished(bad.batchId)).toMatchObject({
    counts: { failed: 1, delivered: 1 },
    failures: { IVS_REQUEST_INVALID: 1 },
  });
});

test('a channel that is not broadcasting ends its items, or keeps them until it is back within its window', async () => {
  const offline = () => Promise.reject(new AppError('IVS_NOT_BROADCASTING', 'not live'));
  await using strict = await setup();
  strict.sender.answer = offline;
  await using patient = await setup({ drainer: { reconnectWindowMs: 60_000 } });
  let tries = 0;
  patient.sender.answer = () => {
    tries += 1;
    return tries === 1 ? offline() : Promise.resolve();
  };

  const ended = await strict.send(['a'], ['1', '2']);
  const kept = await patient.send(['a'], ['1', '2']);

  expect((await strict.finished(ended.batchId)).counts).toMatchObject({ notBroadcasting: 2 });
  expect((await patient.finished(kept.batchId)).counts).toMatchObject({ delivered: 2 });
  expect(tries).toBe(2);
});

test('a throttled or failed call is repeated with the same ids, and newer items follow in order', async () => {
  await using rig = await setup();
  let tries = 0;
  rig.sender.answer = async () => {
    tries += 1;
    if (tries === 1) throw new AppError('IVS_UNAVAILABLE', 'failed by itself');
  };

  const first = await rig.send(['a'], ['1']);
  await untilPasses(() => expect(tries).toBe(1));
  const second = await rig.send(['a'], ['2']);

  await rig.finished(second.batchId);
  expect((await rig.finished(first.batchId)).counts).toMatchObject({ delivered: 1, failed: 0 });
  expect(rig.sender.calls.map(({ items }) => items.map(({ d }) => d))).toEqual([['1'], ['1', '2']]);
  expect(rig.sender.calls[1]!.items[0]!.id).toBe(rig.sender.calls[0]!.items[0]!.id);
});

test('retries that never succeed end with the expiry of the item, and none comes after it', async () => {
  await using rig = await setup();
  rig.sender.answer = () => Promise.reject(new AppError('IVS_UNAVAILABLE', 'failed by itself'));

  // On a busy machine an item may expire before its second attempt: then one with a longer life is sent.
  let tries = 0;
  for (let expiresInMs = 2_000; tries < 2; expiresInMs *= 2) {
    const before = rig.sender.calls.length;
    const { batchId } = await rig.send(['a'], ['x'], { expiresInMs });
    expect((await rig.finished(batchId)).counts).toMatchObject({ expired: 1, failed: 0, delivered: 0 });
    tries = rig.sender.calls.length - before;
  }
  const all = rig.sender.calls.length;
  // Longer than the longest pause between two attempts.
  await new Promise((done) => setTimeout(done, 500));

  expect(rig.sender.calls).toHaveLength(all);
});

test('a channel that stays away ends its items when the window has run out, and was retried until then', async () => {
  await using rig = await setup({ drainer: { reconnectWindowMs: 3_000 } });
  rig.sender.answer = () => Promise.reject(new AppError('IVS_NOT_BROADCASTING', 'not live'));

  const { batchId } = await rig.send(['a'], ['1', '2']);
  const { counts, startedAtMs, finishedAtMs } = await rig.finished(batchId);

  expect(counts).toMatchObject({ notBroadcasting: 2, expired: 0 });
  expect(finishedAtMs! - startedAtMs).toBeGreaterThanOrEqual(3_000);
  expect(rig.sender.calls.length).toBeGreaterThanOrEqual(2);
});

test('a cancel does not affect a call under way: what arrived counts as delivered, the rest is cancelled', async () => {
  await using rig = await setup();
  const answers = Promise.withResolvers<void>();
  rig.sender.answer = () => answers.promise;
  const { batchId } = await rig.send(['a'], ['sent', 'x'.repeat(950)]);
  await untilPasses(() => expect(rig.sender.calls).toHaveLength(1));

  const during = await rig.service.cancel(batchId);
  answers.resolve();
  const after = await rig.finished(batchId);

  expect(during).toMatchObject({ state: 'cancelling', counts: { pending: 1, cancelled: 1, delivered: 0 } });
  expect(after).toMatchObject({ state: 'cancelled', counts: { pending: 0, cancelled: 1, delivered: 1 } });
  expect(rig.sender.payloads(channelArn('a'))).toEqual(['sent']);
});

test('a cancelled item whose call fails is not retried', async () => {
  await using rig = await setup();
  const answers = Promise.withResolvers<void>();
  rig.sender.answer = () => answers.promise;
  const { batchId } = await rig.send(['a'], ['x']);
  await untilPasses(() => expect(rig.sender.calls).toHaveLength(1));

  await rig.service.cancel(batchId);
  answers.reject(new AppError('IVS_UNAVAILABLE', 'failed by itself'));

  expect((await rig.finished(batchId)).counts).toMatchObject({ cancelled: 1, delivered: 0, failed: 0 });
  expect(rig.sender.calls).toHaveLength(1);
});

test('an expired item is never sent, and is counted without waiting for a permit', async () => {
  await using rig = await setup();
  await rig.sweeper.start();
  const permits = gate(rig.sender);

  const batch = await rig.send(['a', 'b'], ['late'], { expiresInMs: 30 });
  const progress = await rig.finished(batch.batchId);
  permits.open();
  await pause(30);

  expect(progress.counts).toMatchObject({ expired: 2, delivered: 0 });
  expect(rig.sender.calls).toEqual([]);
});

test('a cancelled batch sends nothing more, and reports what was sent', async () => {
  await using rig = await setup();
  const permits = gate(rig.sender, (arn) => arn !== channelArn('quick'));
  const names = ['quick', ...Array.from({ length: 99 }, (_, index) => `slow${index}`)];

  const batch = await rig.send(names, ['x']);
  await untilPasses(() => expect(rig.sender.calls).toHaveLength(1));
  await pause(20);
  await rig.service.cancel(batch.batchId);
  const progress = await rig.finished(batch.batchId);
  permits.open();
  await pause(30);

  expect(progress).toMatchObject({ state: 'cancelled', counts: { delivered: 1, cancelled: 99, pending: 0 } });
  expect(rig.sender.calls).toHaveLength(1);
});

test('an urgent item that arrives after the grant is sent first with that permit; the drain does not wait for another one', async () => {
  await using rig = await setup();
  const granted = Promise.withResolvers<void>();
  const chosen = Promise.withResolvers<void>();
  const upgrades = vi.spyOn(rig.outbox, 'headLanes');
  let permits = 0;
  rig.sender.moment = () => {
    permits += 1;
    granted.resolve();
    return chosen.promise;
  };
  const bulk = await rig.send(['a'], ['bulk']);
  await granted.promise;

  await rig.service.submit({
    targets: { channelArns: [channelArn('a')] },
    items: [{ payload: 'urgent' }],
    lane: 'urgent',
  });
  await untilPasses(() => expect(upgrades).toHaveResolved());
  await pause(0);
  chosen.resolve();
  await rig.finished(bulk.batchId);

  expect(rig.sender.calls.map(({ items }) => items.map(({ d }) => d))).toEqual([['urgent', 'bulk']]);
  expect(permits).toBe(1);
});

test('an urgent item overtakes a fan-out that fills every drain, even on a channel that waits already', async () => {
  await using rig = await setup({ drainer: { maxChannels: 8 } });
  const lanes: string[] = [];
  rig.sender.permit = async (_arn, signal) => {
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  };
  const original = rig.sender.putMetadataWhenGranted;
  (rig.sender as { putMetadataWhenGranted: typeof original }).putMetadataWhenGranted = (arn, options, build) => {
    lanes.push(`${arn.slice(-1)} ${options.lane}`);
    return original(arn, options, build);
  };
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l'];
  await rig.service.submit({
    targets: { channelArns: names.map(channelArn) },
    items: [{ payload: 'x' }],
    lane: 'bulk',
  });
  await untilPasses(() => expect(lanes).toHaveLength(8));

  await rig.service.submit({
    targets: { channelArns: ['a', 'l'].map(channelArn) },
    items: [{ payload: 'now' }],
    lane: 'urgent',
  });

  await untilPasses(() => expect(lanes).toEqual(expect.arrayContaining(['a urgent', 'l urgent'])));
});

test('calls to one channel are spread over the second, even if nothing waits in between', async () => {
  await using rig = await setup({ drainer: { channelCallsPerSecond: 10 } });
  const { batchId } = await rig.send(['a'], ['first'], { key: 'k' });
  await rig.finished(batchId);

  const values = ['1', '2', '3'];
  // The time before each request: a call starts at least a tenth of a second after the previous one.
  const askedMs: number[] = [];
  for (const value of values) {
    askedMs.push(Date.now());
    await rig.finished((await rig.send(['a'], [value], { key: 'k' })).batchId);
  }

  const times = rig.sender.calls.map(({ atMs }) => atMs);
  const gaps = times.slice(2).map((atMs, index) => atMs - askedMs[index]!);
  expect(rig.sender.payloads(channelArn('a'))).toEqual(['first', ...values]);
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(90);
});

test('two replicas share the channels and never drain one at the same time', async () => {
  await using scope = await redisScope();
  const shared = new FakeSender();
  const busy = new Set<string>();
  let overlaps = 0;
  shared.answer = async ({ channelArn: arn }) => {
    if (busy.has(arn)) overlaps += 1;
    busy.add(arn);
    await pause(1);
    busy.delete(arn);
  };
  await using one = await setup({ scope, sender: shared, drainer: { maxChannels: 5 } });
  await using two = await setup({ scope, sender: shared, drainer: { maxChannels: 5 } });
  const names = Array.from({ length: 30 }, (_, index) => `c${index}`);

  const batches = [];
  for (let n = 0; n < 6; n += 1) batches.push(await (n % 2 ? one : two).send(names, [`${n}`]));
  for (const { batchId } of batches) await one.finished(batchId);

  expect(overlaps).toBe(0);
  for (const name of names) expect(shared.payloads(channelArn(name))).toEqual(['0', '1', '2', '3', '4', '5']);
});

test('a replica that dies in the middle of a call loses nothing; the next one repeats with the same ids', async () => {
  await using scope = await redisScope();
  const dying = new FakeSender();
  const dead = Promise.withResolvers<void>();
  dying.answer = () => dead.promise;
  await using one = await setup({ scope, sender: dying, drainer: { leaseMs: 300, callTimeoutMs: 10 } });
  const batch = await one.send(['a'], ['1', '2']);
  await untilPasses(() => expect(dying.calls).toHaveLength(1));
  // It no longer renews its lease and never records its answer.
  vi.spyOn(one.outbox, 'renew').mockResolvedValue([]);
  vi.spyOn(one.outbox, 'claim').mockResolvedValue({ token: '', channels: [], found: 0 });

  await using two = await setup({ scope });
  const progress = await two.finished(batch.batchId);
  const counted = progress.counts.delivered;
  dead.resolve();
  await pause(50);

  expect(counted).toBe(2);
  expect((await two.service.progress(batch.batchId)).counts.delivered).toBe(2);
  expect(two.sender.calls.map(({ metadata }) => metadata)).toEqual(dying.calls.map(({ metadata }) => metadata));
  vi.restoreAllMocks();
});

test('Redis goes away in the middle and comes back: every item arrives, in order, and repeats have equal ids', async () => {
  await using server = await ownRedis();
  await using scope = await redisScope(server.url);
  await using rig = await setup({ scope });
  rig.sender.answer = () => pause(5);
  const names = Array.from({ length: 40 }, (_, index) => `c${index}`);
  const batches = [];
  for (let n = 0; n < 3; n += 1)
    batches.push(
      await rig.send(
        names,
        ['a', 'b', 'c'].map((part) => `${n}${part}`.padEnd(400, '.')),
      ),
    );
  await untilPasses(() => expect(rig.sender.calls.length).toBeGreaterThan(20));

  await server.restart();
  for (const { batchId } of batches) await rig.finished(batchId);

  const ids = new Map<unknown, string>();
  for (const name of names) {
    const seen = new Set<string>();
    const inOrder: unknown[] = [];
    for (const call of rig.sender.calls.filter(({ channelArn: arn }) => arn === channelArn(name)))
      for (const { id, d } of call.items) {
        if (!seen.has(id)) inOrder.push(d);
        seen.add(id);
        expect(ids.get(d) ?? id).toBe(id);
        ids.set(d, id);
      }
    expect(inOrder).toEqual(inOrder.map(String).toSorted((a, b) => a.localeCompare(b)));
    expect(inOrder).toHaveLength(9);
  }
});

test('does not send under a lease that would end before the call, though nobody else has the channel yet', async () => {
  const sender = new FakeSender();
  let grants = 0;
  sender.moment = async () => {
    grants += 1;
    if (grants === 1) await pause(700);
  };
  await using rig = await setup({ sender, drainer: { leaseMs: 1_000, callTimeoutMs: 600 } });
  vi.spyOn(rig.outbox, 'renew').mockRejectedValue(new Error('no lease is renewed'));
  const take = vi.spyOn(rig.outbox, 'takeAll');
  const record = vi.spyOn(rig.outbox, 'recordAll');

  const { batchId } = await rig.send(['a'], ['x']);

  expect((await rig.finished(batchId)).counts).toMatchObject({ delivered: 1 });
  expect(record.mock.calls[0]![0]).toMatchObject([{ ids: [], result: { kind: 'back' } }]);
  expect(take.mock.invocationCallOrder[0]).toBeGreaterThan(record.mock.invocationCallOrder[0]!);
  expect(rig.sender.calls).toHaveLength(1);
});

test('a stop lets the call that was sent finish, returns the rest, and starts nothing new', async () => {
  await using scope = await redisScope();
  await using rig = await setup({ scope, drainer: { maxChannels: 2 } });
  const answers = Promise.withResolvers<void>();
  rig.sender.answer = () => answers.promise;
  const batch = await rig.send(['a', 'b', 'c', 'd'], ['x']);
  await untilPasses(() => expect(rig.sender.calls).toHaveLength(2));

  const stopped = rig.drainer.stop();
  answers.resolve();
  await stopped;
  const sent = rig.sender.calls.length;
  await pause(50);

  expect((await rig.service.progress(batch.batchId)).counts).toMatchObject({ delivered: sent, pending: 4 - sent });
  expect(await rig.outbox.depth()).toEqual({ items: 4 - sent, channels: { ready: 4 - sent, later: 0, leased: 0 } });
});

test('an urgent item requests its permit while it is being accepted, and is sent with what its claim chose', async () => {
  await using rig = await setup();
  const permits = gate(rig.sender);
  const take = vi.spyOn(rig.outbox, 'takeAll');
  const accepted = Promise.withResolvers<void>();
  const accept = rig.outbox.accept.bind(rig.outbox);
  vi.spyOn(rig.outbox, 'accept').mockImplementation(async (batch) => {
    const acceptance = await accept(batch);
    await accepted.promise;
    return acceptance;
  });

  const sending = urgent(rig, 'a', '1');
  await untilPasses(() => expect([...permits.waiting]).toEqual([channelArn('a')]));
  permits.open();
  accepted.resolve();
  await rig.finished((await sending).batchId);

  expect(rig.sender.calls.map(({ lane, items }) => [lane, items.map(({ d }) => d)])).toEqual([['urgent', ['1']]]);
  expect(take.mock.calls.length).toBeLessThanOrEqual(1);
  vi.restoreAllMocks();
});

test('returns a permit requested in advance if the channel turns out to belong to another replica', async () => {
  await using scope = await redisScope();
  const busy = new FakeSender();
  const answered = Promise.withResolvers<void>();
  busy.answer = () => answered.promise;
  await using one = await setup({ scope, sender: busy });
  const first = await one.send(['a'], ['1']);
  await untilPasses(() => expect(busy.calls).toHaveLength(1));
  const waits: AbortSignal[] = [];
  const other = new FakeSender();
  other.permit = (_arn, signal) => {
    waits.push(signal);
    return new Promise(() => undefined);
  };
  await using two = await setup({ scope, sender: other });

  const second = await urgent(two, 'a', '2');
  await untilPasses(() => expect(waits.map(({ aborted }) => aborted)).toEqual([true]));
  answered.resolve();
  await one.finished(first.batchId);
  await one.finished(second.batchId);

  expect(busy.payloads(channelArn('a'))).toEqual(['1', '2']);
  expect(other.calls).toEqual([]);
});

test('a replica that drains nothing requests no permits, whatever it accepts', async () => {
  await using scope = await redisScope();
  const sender = new FakeSender();
  const permits = gate(sender);
  const { service, drainer } = metadataParts({ scope, sender });

  await service.submit({ targets: { channelArns: [channelArn('a')] }, items: [{ payload: '1' }], lane: 'urgent' });
  await pause(50);

  expect(permits.waiting.size).toBe(0);
  await drainer.stop();
});

test('a stop while a channel is being claimed ends the wait for its permit', async () => {
  await using rig = await setup();
  gate(rig.sender);
  const claimed = Promise.withResolvers<void>();
  const claim = rig.outbox.claim.bind(rig.outbox);
  vi.spyOn(rig.outbox, 'claim').mockImplementation(async (options) => {
    const answer = await claim(options);
    if (answer.channels.length > 0) await claimed.promise;
    return answer;
  });
  await urgent(rig, 'a', '1');
  await untilPasses(async () => expect((await rig.outbox.depth()).channels.leased).toBe(1));

  const stopping = rig.drainer.stop();
  claimed.resolve();
  await stopping;

  expect(rig.sender.calls).toEqual([]);
  expect((await rig.outbox.depth()).channels).toEqual({ ready: 1, later: 0, leased: 0 });
  vi.restoreAllMocks();
});

function urgent({ service }: Awaited<ReturnType<typeof setup>>, name: string, payload: string) {
  return service.submit({ targets: { channelArns: [channelArn(name)] }, items: [{ payload }], lane: 'urgent' });
}
