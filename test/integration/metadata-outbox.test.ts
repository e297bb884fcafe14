// The outbox alone: how it packs any Unicode, its limits, and how it treats channels in trouble.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ChannelArn } from '#domain/channel.ts';
import { emptyEnvelopeBytes, newItemId } from '#metadata/envelope.ts';
import type { Outbox } from '#metadata/outbox.ts';
import type { CallResult } from '#metadata/parcel.ts';
import { channelArn, FakeSender, metadataParts } from '../support/metadata.ts';
import { item, long, outboxOf, put } from '../support/outbox.ts';
import { ownRedis, type RedisScope, redisScope } from '../support/redis.ts';

/** Delivers all that waits; returns the calls to one channel. */
async function callsOf(outbox: Outbox, name: string): Promise<{ ids: readonly string[]; metadata: string }[]> {
  const calls: { ids: readonly string[]; metadata: string }[] = [];
  for (;;) {
    const { token, channels } = await outbox.claim({ leaseMs: long, room: 1000, urgentRoom: 0 });
    if (channels.length === 0) return calls;
    for (const { channelArn: arn } of channels) {
      const parcel = await outbox.take(arn, token);
      if (typeof parcel === 'string') throw new Error(parcel);
      if (arn === channelArn(name)) calls.push(parcel);
      await outbox.record(arn, token, { ids: parcel.ids, keep: false, result: { kind: 'delivered' } });
    }
  }
}

/** The payloads of the calls to one channel. */
async function payloadsOf(outbox: Outbox, name: string): Promise<unknown[][]> {
  const calls = await callsOf(outbox, name);
  return calls.map(({ metadata }) => (JSON.parse(metadata) as { items: { d: unknown }[] }).items.map(({ d }) => d));
}

test('channels of several accounts and Regions, in any order, each get their own items', async () => {
  await using scope = await redisScope();
  const outbox = outboxOf(scope);
  const channels = ['us-west-2:1', 'eu-west-1:2', 'us-west-2:1', 'us-west-2:3'].map(
    (home, index) => `arn:aws:ivs:${home.padEnd(21, '1')}:channel/AbCd${index}` as ChannelArn,
  );

  await put(outbox, [], [item('x')], 'normal', { channels });

  const waiting: string[] = [];
  for await (const portion of outbox.waitingChannels(100)) waiting.push(...portion);
  expect(waiting.toSorted()).toEqual(channels.toSorted());
});

test('whatever Unicode is sent, packed or plain, no call exceeds the limit, the order is kept and nothing is lost', async () => {
  await using scope = await redisScope();
  const outbox = outboxOf(scope);
  const text = fc.oneof(
    { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 150 }) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 200, maxLength: 400 }) },
    { weight: 1, arbitrary: fc.string({ unit: 'grapheme-ascii', minLength: 700, maxLength: 1024 }) },
  );
  const mode = fc.oneof(
    { weight: 5, arbitrary: fc.constant('packed' as const) },
    { weight: 1, arbitrary: fc.constant('plain' as const) },
  );
  const items = fc
    .array(
      fc.tuple(text, mode).map(([payload, how]) => item(payload, { mode: how })),
      { minLength: 1, maxLength: 25 },
    )
    .map((list) =>
      list.filter((one) => Buffer.byteLength(one.text) + (one.mode === 'packed' ? emptyEnvelopeBytes : 0) <= 1024),
    );

  await fc.assert(
    fc.asyncProperty(items, async (sent) => {
      const name = newItemId().replaceAll('_', '-');
      await put(outbox, [name], sent);
      const calls = await callsOf(outbox, name);

      expect(calls.flatMap(({ ids }) => ids)).toEqual(sent.map(({ id }) => id));
      const byId = new Map(sent.map((one) => [one.id, one]));
      for (const [index, { ids, metadata }] of calls.entries()) {
        const inCall = ids.map((id) => byId.get(id)!);
        const bytes = Buffer.byteLength(metadata);
        expect(bytes).toBeLessThanOrEqual(1024);
        if (inCall[0]!.mode === 'plain') {
          expect(inCall).toHaveLength(1);
          expect(metadata).toBe(inCall[0]!.text);
          continue;
        }
        expect(metadata).toBe(`{"v":1,"items":[${inCall.map((one) => one.text).join(',')}]}`);
        // As full as possible: the first item of the next call did not fit.
        const next = byId.get(calls[index + 1]?.ids[0] ?? '');
        if (next?.mode === 'packed') expect(bytes + Buffer.byteLength(next.text) + 1).toBeGreaterThan(1024);
      }
    }),
    { numRuns: 60 },
  );
});

test('leaves out a full channel, lets bulk make room for more urgent items, and refuses when the total is full', async () => {
  await using scope = await redisScope();
  const outbox = outboxOf(scope, { maxItemsPerChannel: 2, maxItemsTotal: 5 });

  const { batchId } = await put(outbox, ['a'], [item('1'), item('2')], 'bulk');
  const left = await put(outbox, ['a', 'b'], [item('3')], 'bulk');
  const refused = await put(outbox, ['a'], [item('4')], 'bulk');
  const urgent = await put(outbox, ['a'], [item('5')], 'urgent');
  const fits = await put(outbox, ['b', 'c'], [item('6')]);
  const total = await put(outbox, ['d', 'e'], [item('7')], 'bulk');

  expect(left.acceptance).toMatchObject({
    outcome: 'accepted',
    channels: 1,
    full: { count: 1, examples: [channelArn('a')] },
  });
  expect(refused.acceptance).toEqual({ outcome: 'full', scope: 'channel', waiting: 2 });
  expect(urgent.acceptance).toMatchObject({ outcome: 'accepted', channels: 1 });
  expect(await outbox.progress(batchId)).toMatchObject({
    counts: { failed: 1, pending: 1 },
    failures: { OUTBOX_FULL: 1 },
  });
  expect(fits.acceptance).toMatchObject({ outcome: 'accepted' });
  expect(total.acceptance).toEqual({ outcome: 'full', scope: 'total', waiting: 5 });
  expect(await payloadsOf(outbox, 'a')).toEqual([['5', '2']]);
});

test('one payload for many channels is stored once, and its record is deleted with its last delivery', async () => {
  await using scope = await redisScope();
  const outbox = outboxOf(scope);
  const channels = Array.from({ length: 300 }, (_, index) => `many${index}`);

  const { batchId } = await put(outbox, channels, [item('the same for all')]);
  const stored = await scope.redis.keys(`${scope.prefix}:md:i:*`);
  await callsOf(outbox, 'many0');

  expect(stored).toHaveLength(1);
  expect(await scope.redis.keys(`${scope.prefix}:md:i:*`)).toEqual([]);
  expect(await outbox.progress(batchId)).toMatchObject({ state: 'finished', counts: { delivered: 300, pending: 0 } });
  const keys = await scope.redis.keys(`${scope.prefix}:md:*`);
  expect(keys.toSorted()).toEqual([
    `${scope.prefix}:md:b:${batchId}`,
    `${scope.prefix}:md:batches`,
    `${scope.prefix}:md:finished`,
    `${scope.prefix}:md:seq`,
    `${scope.prefix}:md:total`,
  ]);
});

test('lists the newest 200 batches, newest first, with who sent them and how they ended', async () => {
  await using scope = await redisScope();
  const outbox = outboxOf(scope);
  const ids: string[] = [];
  for (let index = 0; index < 203; index += 1) ids.push((await put(outbox, [], [item(`x${index}`)])).batchId);
  const { batchId } = await put(outbox, ['a'], [item('still waiting')]);

  const newest = await outbox.newest(500);

  expect(newest).toHaveLength(200);
  expect(newest.slice(0, 1)).toEqual([batchId]);
  expect(newest).not.toContain(ids[0]);
  expect(await outbox.progress(newest[0]!)).toMatchObject({ state: 'running', counts: { pending: 1 } });
});

test('does not use an id that is in use a second time', async () => {
  await using scope = await redisScope();
  const parts = metadataParts({ scope, sender: new FakeSender() });
  const taken = item('x');

  await put(parts.outbox, ['a'], [taken]);
  const second = await put(parts.outbox, ['b'], [item('y'), taken]);

  expect(second.acceptance).toEqual({ outcome: 'id_taken' });
  expect((await parts.outbox.depth()).items).toBe(1);
});

/** Claims one channel; returns the token of its lease. */
async function claimOf(outbox: Outbox, name: string): Promise<string> {
  const { token, channels } = await outbox.claim({ leaseMs: long, room: 1, urgentRoom: 0 });
  expect(channels.map(({ channelArn: arn }) => arn)).toEqual([channelArn(name)]);
  return token;
}

const later: CallResult = { kind: 'retry', baseMs: long, maxMs: long, random: 0, leastMs: 0 };

test('an answer that comes after its lease was lost empties the channel, and removes it from the queue', async () => {
  await using scope = await redisScope();
  const outbox = outboxOf(scope);
  await put(outbox, ['a'], [item('1')]);
  const slow = await claimOf(outbox, 'a');
  const sent = await outbox.take(channelArn('a'), slow);
  if (typeof sent === 'string') throw new Error(sent);
  await scope.redis.zadd(`${scope.prefix}:md:held`, 1, channelArn('a'));
  const next = await claimOf(outbox, 'a');
  await outbox.take(channelArn('a'), next);
  await outbox.record(channelArn('a'), next, { ids: sent.ids, keep: false, result: later });

  await outbox.record(channelArn('a'), slow, { ids: sent.ids, keep: false, result: { kind: 'delivered' } });
  const emptied = await outbox.depth();
  await put(outbox, ['a'], [item('2')]);

  expect(emptied).toEqual({ items: 0, channels: { ready: 0, later: 0, leased: 0 } });
  expect((await outbox.depth()).channels).toEqual({ ready: 1, later: 0, leased: 0 });
});

test('two replicas never hold the same lease, even if Redis has lost its last writes', async () => {
  await using scope = await redisScope();
  const [one, two] = [outboxOf(scope), outboxOf(scope)];
  await put(one, ['a'], [item('1')]);
  const before = await claimOf(one, 'a');
  const lost = await scope.redis.keys(`${scope.prefix}:md:*`);

  await scope.redis.del(lost);
  await put(two, ['a'], [item('1')]);
  const token = await claimOf(two, 'a');

  expect(await one.renew(long, [[channelArn('a'), before]])).toEqual([channelArn('a')]);
  expect(await one.take(channelArn('a'), before)).toBe('lost');
  expect(await two.take(channelArn('a'), token)).toMatchObject({ ids: [expect.any(String)] });
});

test('when the total is full, an urgent item displaces as much of the oldest bulk as it needs, at once', async () => {
  await using scope = await redisScope();
  const parts = metadataParts({ scope, sender: new FakeSender(), outbox: { maxItemsTotal: 60 } });
  const { outbox, sweeper } = parts;
  const bulk: string[] = [];
  for (let n = 0; n < 60; n += 1) bulk.push((await put(outbox, [`b${n}`], [item(`${n}`)], 'bulk')).batchId);

  const urgent = await put(
    outbox,
    Array.from({ length: 45 }, (_, index) => `u${index}`),
    [item('now')],
    'urgent',
  );
  const { items } = await outbox.depth();
  for (let ended = 1; ended > 0; ) ({ ended } = await sweeper.sweep());

  expect(urgent.acceptance).toMatchObject({ outcome: 'accepted', channels: 45 });
  expect(items).toBe(60);
  const ends = await Promise.all(bulk.map(async (batchId) => (await outbox.progress(batchId))!));
  expect(ends.map(({ counts }) => counts.failed)).toEqual(bulk.map((_, index) => (index < 45 ? 1 : 0)));
  expect(ends[0]!.failures).toEqual({ OUTBOX_FULL: 1 });
  expect(await outbox.depth()).toEqual({ items: 60, channels: { ready: 60, later: 0, leased: 0 } });
});

test('one replica at a time has the right to sweep; each of them sees how much waits', async () => {
  await using scope = await redisScope();
  const [outbox, other] = [outboxOf(scope), outboxOf(scope)];
  const { batchId } = await put(outbox, ['a', 'b'], [item('1')]);
  await outbox.cancel(batchId);
  await put(outbox, ['c'], [item('2')]);
  const depth = { items: 1, channels: { ready: 3, later: 0, leased: 0 } };

  const turns = [await outbox.sweepTurn(60_000, 10), await other.sweepTurn(60_000, 10)];

  expect(turns).toEqual([
    { due: await outbox.due(10), depth },
    { due: undefined, depth },
  ]);
  expect(turns[0]!.due).toHaveLength(1);
  expect(await outbox.depth()).toEqual(depth);
  const [due] = turns[0]!.due!;
  await outbox.sweep(due!.channels!.split(' '), [due!.id]);
  expect((await outbox.progress(batchId))!.counts.cancelled).toBe(2);
});

test('what does not fit even without all bulk is refused, and displaces nothing', async () => {
  await using scope = await redisScope();
  const outbox = outboxOf(scope, { maxItemsTotal: 4 });
  const { batchId } = await put(outbox, ['a', 'b'], [item('1')], 'bulk');
  await put(outbox, ['c', 'd'], [item('2')]);
  const everything = async () => ({
    progress: await outbox.progress(batchId),
    depth: await outbox.depth(),
    due: await outbox.due(10),
    keys: (await scope.redis.keys(`${scope.prefix}:md:*`)).toSorted(),
  });
  const before = await everything();

  const refused = await put(outbox, ['e', 'f', 'g'], [item('3')], 'urgent');

  expect(refused.acceptance).toEqual({ outcome: 'full', scope: 'total', waiting: 4 });
  expect(await everything()).toEqual(before);
});

test('an item that replaces itself fits however full the total is, once for each of its keys', async () => {
  await using scope = await redisScope();
  const outbox = outboxOf(scope, { maxItemsTotal: 2 });
  const score = (text: string) => item(text, { key: 'score' });
  await put(outbox, ['a', 'b'], [score('1')], 'bulk');

  const newer = await put(outbox, ['a', 'b'], [score('2')], 'bulk');
  const twice = await put(outbox, ['a'], [score('3'), score('4')], 'bulk');
  const more = await put(outbox, ['a'], [score('5'), item('6', { key: 'other' })], 'bulk');

  expect([newer, twice, more].map(({ acceptance }) => acceptance.outcome)).toEqual(['accepted', 'accepted', 'full']);
  expect((await outbox.depth()).items).toBe(2);
  expect(await payloadsOf(outbox, 'a')).toEqual([['4']]);
});

test('cancelled items take no room, and stay cancelled when room is made', async () => {
  await using scope = await redisScope();
  const parts = metadataParts({ scope, sender: new FakeSender(), outbox: { maxItemsTotal: 2 } });
  const cancelled = await put(parts.outbox, ['a'], [item('1')], 'bulk');
  const pushedOut = await put(parts.outbox, ['b'], [item('2')], 'bulk');
  await parts.outbox.cancel(cancelled.batchId);

  const first = await put(parts.outbox, ['c'], [item('3')], 'urgent');
  const second = await put(parts.outbox, ['d'], [item('4')], 'urgent');
  await parts.outbox.cancel(pushedOut.batchId);
  await parts.sweeper.sweep();

  expect([first, second].map(({ acceptance }) => acceptance.outcome)).toEqual(['accepted', 'accepted']);
  expect((await parts.outbox.progress(cancelled.batchId))!.counts).toMatchObject({ cancelled: 1, failed: 0 });
  expect(await parts.outbox.progress(pushedOut.batchId)).toMatchObject({
    counts: { cancelled: 0, failed: 1 },
    failures: { OUTBOX_FULL: 1 },
  });
  expect((await parts.outbox.depth()).items).toBe(2);
});

test('bulk that is being sent or replaced makes no room in its channel', async () => {
  await using scope = await redisScope();
  const outbox = outboxOf(scope, { maxItemsPerChannel: 2 });
  await put(outbox, ['a'], [item('1')], 'bulk');
  const token = await claimOf(outbox, 'a');
  await outbox.take(channelArn('a'), token);
  await put(outbox, ['a'], [item('2', { key: 'k' })], 'bulk');

  const keyed = await put(outbox, ['a'], [item('3', { key: 'k' }), item('4')], 'urgent');
  const fits = await put(outbox, ['a'], [item('5', { key: 'k' })], 'urgent');
  const plain = await put(outbox, ['a'], [item('6'), item('7')], 'urgent');

  expect([keyed, fits, plain].map(({ acceptance }) => acceptance.outcome)).toEqual(['full', 'accepted', 'full']);
  expect(await scope.redis.zcard(`${scope.prefix}:md:q:${channelArn('a')}`)).toBe(2);
});

test('items share a call unless that would be a byte too long', async () => {
  await using scope = await redisScope();
  const items = ['é', 'x', 'y'].map((letter) => item(letter.repeat(20)));
  const bytes = items.reduce((sum, { text }) => sum + Buffer.byteLength(text), emptyEnvelopeBytes + 2);
  const callsWith = async (maxBytes: number) => {
    const outbox = outboxOf(scope, { maxBytes });
    await put(
      outbox,
      ['a'],
      items.map(({ text }) => ({ ...item(''), text })),
    );
    return (await callsOf(outbox, 'a')).map(({ metadata }) => Buffer.byteLength(metadata));
  };

  expect(await callsWith(bytes)).toEqual([bytes]);
  expect(await callsWith(bytes - 1)).toEqual([expect.any(Number), expect.any(Number)]);
});

test('a call knows where its items come from in traces, each place once', async () => {
  await using scope = await redisScope();
  const outbox = outboxOf(scope);
  const place = (span: string) => `00-${'a'.repeat(32)}-${span.repeat(16)}-01`;
  for (const trace of [place('1'), place('2'), place('1'), undefined])
    await put(outbox, ['a'], [item('x')], 'normal', { trace });
  await put(outbox, ['b'], [item('x')]);
  const { token, channels } = await outbox.claim({ leaseMs: long, room: 10, urgentRoom: 0 });
  const follows = new Map<string, readonly string[]>();
  for (const { channelArn: arn } of channels) {
    const parcel = await outbox.take(arn, token);
    if (typeof parcel !== 'string') follows.set(arn, parcel.follows);
  }

  expect(follows.get(channelArn('a'))).toEqual([place('1'), place('2')]);
  expect(follows.get(channelArn('b'))).toEqual([]);
});

test('keeps a limited number of finished batches, each as long as its key, and deletes the oldest with their keys', async () => {
  await using scope = await redisScope();
  const outbox = outboxOf(scope, { keepFinished: 2, keepFinishedMs: 600_000, keepKeysMs: 2_400_000 });
  const ttl = (batchId: string) => scope.redis.pttl(`${scope.prefix}:md:b:${batchId}`);
  const idempotency = (key: string) => ({ key, requestHash: 'hash' });

  const plain = await put(outbox, [], [item('1')]);
  const keyed = await put(outbox, [], [item('2')], 'normal', { idempotency: idempotency('k2') });
  const kept = await outbox.progress(plain.batchId);
  const lives = [await ttl(plain.batchId), await ttl(keyed.batchId)];
  const waits = await put(outbox, ['a'], [item('3')], 'normal', { idempotency: idempotency('k3') });
  for (const n of [4, 5]) await put(outbox, [], [item(`${n}`)], 'normal', { idempotency: idempotency(`k${n}`) });

  expect(kept).toMatchObject({ state: 'finished' });
  expect(lives[0]).toBeGreaterThan(300_000);
  expect(lives[0]).toBeLessThanOrEqual(600_000);
  expect(lives[1]).toBeGreaterThan(2_100_000);
  expect(await outbox.progress(plain.batchId)).toBeUndefined();
  expect(await outbox.progress(keyed.batchId)).toBeUndefined();
  expect(await outbox.known(idempotency('k2'))).toBeUndefined();
  for (const key of ['k3', 'k4', 'k5'])
    expect(await outbox.known(idempotency(key))).toMatchObject({ outcome: 'repeated' });
  expect(await outbox.progress(waits.batchId)).toMatchObject({ state: 'running' });
  const keys = await scope.redis.keys(`${scope.prefix}:md:*`);
  expect(keys.filter((key) => /:(b|idem):/.test(key))).toHaveLength(6);
});

test('a Redis that is full, or has too few replicas, refuses for now, and nothing is half accepted', async () => {
  await using server = await ownRedis();
  await using scope = await redisScope(server.url);
  const { redis } = scope;
  const outbox = outboxOf(scope);
  const refused = { code: 'REDIS_REFUSES' };

  await redis.config('SET', 'min-replicas-to-write', '1');
  await expect(put(outbox, ['a'], [item('1')])).rejects.toMatchObject(refused);
  await redis.config('SET', 'min-replicas-to-write', '0');
  await redis.config('SET', 'maxmemory', '1');
  await expect(put(outbox, ['a'], [item('1')])).rejects.toMatchObject(refused);
  await redis.config('SET', 'maxmemory', '0');

  expect(await redis.keys('*')).toEqual([]);
  expect((await put(outbox, ['a'], [item('1')])).acceptance).toMatchObject({ outcome: 'accepted' });
});

/** Makes the channel's next attempt due now, claims it and records how that attempt ended. Returns in how many ms the next one is due. */
async function tryOnce(scope: RedisScope, outbox: Outbox, name: string, result: CallResult): Promise<number> {
  const arn = channelArn(name);
  await scope.redis.zadd(`${scope.prefix}:md:later`, 'XX', 1, arn);
  const token = await claimOf(outbox, name);
  const parcel = await outbox.take(arn, token);
  if (typeof parcel === 'string') throw new Error(parcel);
  const { nowMs } = await outbox.record(arn, token, { ids: parcel.ids, keep: false, result });
  return (await dueAt(scope, name)) - nowMs;
}

async function dueAt(scope: RedisScope, name: string): Promise<number> {
  return Number((await scope.redis.zscore(`${scope.prefix}:md:later`, channelArn(name))) ?? Number.NaN);
}

const offline: CallResult = { kind: 'offline', baseMs: 2000, maxMs: 60_000, random: 1, leastMs: 0, windowMs: 90_000 };
const retry: CallResult = { kind: 'retry', baseMs: 500, maxMs: 15_000, random: 1, leastMs: 0 };

test('a channel that is not broadcasting is retried less and less often, and a last time when its window ends', async () => {
  await using scope = await redisScope();
  const outbox = outboxOf(scope);
  await put(outbox, ['a'], [item('1')]);

  const gaps: number[] = [];
  for (let n = 0; n < 6; n += 1) gaps.push(await tryOnce(scope, outbox, 'a', offline));
  const last = await tryOnce(scope, outbox, 'a', { ...offline, windowMs: 30_000 });

  expect(gaps).toEqual([2000, 4000, 8000, 16_000, 32_000, 60_000]);
  expect(last).toBeLessThanOrEqual(30_000);
  expect(last).toBeGreaterThan(20_000);
});

test('an item for a channel that has long been gone has its own window', async () => {
  await using scope = await redisScope();
  const outbox = outboxOf(scope);
  const old = await put(outbox, ['a'], [item('old')]);
  await tryOnce(scope, outbox, 'a', offline);
  await scope.redis.hset(`${scope.prefix}:md:s:${channelArn('a')}`, 'offlineSince', Date.now() - 90_000);
  const fresh = await put(outbox, ['a'], [{ ...item('fresh'), acceptedAtMs: Date.now() }]);

  const gap = await tryOnce(scope, outbox, 'a', offline);

  expect(gap).toBe(4000);
  expect((await outbox.progress(old.batchId))!.counts).toMatchObject({ notBroadcasting: 1, pending: 0 });
  expect((await outbox.progress(fresh.batchId))!.counts).toMatchObject({ notBroadcasting: 0, pending: 1 });
});

test('a channel in trouble is retried once more before something expires, but not before its answer allows', async () => {
  await using scope = await redisScope();
  const outbox = outboxOf(scope);
  const slow = { ...retry, baseMs: 60_000, maxMs: 60_000 };
  await put(outbox, ['long'], [item('1')]);
  await put(outbox, ['short'], [item('1'), item('2', { expiresInMs: 40_000 })]);
  await put(outbox, ['throttled'], [item('1', { expiresInMs: 40_000 })]);

  const gaps: Record<string, number> = {};
  for (const name of ['long', 'short']) gaps[name] = await tryOnce(scope, outbox, name, slow);
  gaps['throttled'] = await tryOnce(scope, outbox, 'throttled', { ...slow, leastMs: 45_000 });

  expect(gaps).toMatchObject({ long: 60_000, throttled: 45_000 });
  expect(gaps['short']).toBeLessThanOrEqual(39_000);
  expect(gaps['short']).toBeGreaterThan(20_000);
});

test('an urgent or short-lived item does not wait for a backoff to end, but for what the last answer requested', async () => {
  await using scope = await redisScope();
  const outbox = outboxOf(scope);
  const long15 = { ...retry, baseMs: 15_000 };
  const startedMs = Date.now();
  for (const name of ['urgent', 'short', 'normal', 'throttled']) {
    await put(outbox, [name], [item('1')]);
    await tryOnce(scope, outbox, name, { ...long15, leastMs: name === 'throttled' ? 12_000 : 0 });
  }
  const triedMs = Date.now();

  await put(outbox, ['urgent', 'throttled'], [item('2')], 'urgent');
  await put(outbox, ['short'], [item('2', { expiresInMs: 10_000 })]);
  await put(outbox, ['normal'], [item('2')]);
  const sentMs = Date.now();
  const expectDue = async (name: string, afterMs: number, sinceMs: number, untilMs: number) => {
    const dueMs = await dueAt(scope, name);
    // Redis and this process use the same clock; both may round.
    expect(dueMs, name).toBeGreaterThanOrEqual(sinceMs + afterMs - 2);
    expect(dueMs, name).toBeLessThanOrEqual(untilMs + afterMs + 2);
  };

  expect((await dueAt(scope, 'urgent')) - sentMs).toBeLessThanOrEqual(8_500);
  await expectDue('throttled', 12_000, startedMs, triedMs);
  await expectDue('short', 9_000, triedMs, sentMs);
  await expectDue('normal', 15_000, startedMs, triedMs);
});

test('what a rule sent before a hold or a pause is cancelled, even if it was chosen already; what people sent goes', async () => {
  for (const lane of ['urgent', 'normal'] as const) {
    await using scope = await redisScope();
    let spared: string | undefined;
    const outbox = outboxOf(scope, { sparedFor: (arn) => (arn === channelArn('a') ? spared : undefined) });
    const ruled = await put(outbox, ['a', 'b'], [item('of a rule')], lane, { who: 'rule slate' });
    await put(outbox, ['a', 'b'], [item('of a person')], lane, { who: 'token mara' });
    spared = 'held';

    expect(await payloadsOf(outbox, 'a')).toEqual([['of a person']]);

    const batch = await outbox.progress(ruled.batchId);
    expect(batch).toMatchObject({ counts: { delivered: 1, cancelled: 1, pending: 0 }, failures: { held: 1 } });
  }
});

test('a stored item that is damaged ends as failed with its reason, and delays no other, nor its batch', async () => {
  await using scope = await redisScope();
  const outbox = outboxOf(scope);
  const damage: readonly (readonly [string, Record<string, string>])[] = [
    ['x', { x: 'soon' }],
    ['t', { t: '' }],
    ['o', { o: 'no mark, this' }],
    ['n', { n: 'many' }],
  ];
  const damaged = damage.map(([name]) => item(name));
  const { batchId } = await put(outbox, ['a'], [...damaged, item('whole')]);
  await put(outbox, ['b'], [item('other')]);
  const keys = await scope.redis.keys(`${scope.prefix}*:i:*`);
  for (const [place, [, fields]] of damage.entries())
    await scope.redis.hset(keys.find((key) => key.endsWith(`:i:${damaged[place]!.id}`))!, fields);
  // Its batch has lost its retention time, and a count.
  const [batch] = await scope.redis.keys(`${scope.prefix}*:b:${batchId}`);
  await scope.redis.hdel(batch!, 'keepMs', 'keepMost');
  await scope.redis.hset(batch!, 'delivered', 'some', 'skipped', '{');

  expect(await payloadsOf(outbox, 'a')).toEqual([['n', 'whole']]);

  const progress = await outbox.progress(batchId);
  expect(progress).toMatchObject({ state: 'finished', failures: { STORED_RECORD_ODD: 3 }, skipped: [] });
  expect(progress!.counts).toMatchObject({ failed: 3, pending: 0 });
  expect((await outbox.depth()).channels).toEqual({ ready: 0, later: 0, leased: 0 });
});

test.each([null, [], ['accepted'], ['accepted', [], '1', 0, 0], ['full', 'both', 3], ['repeated', 'b1'], 'accepted'])(
  'the answer %j of the scripts that accept and cancel is an error, never an acceptance',
  async (reply) => {
    await using scope = await redisScope();
    const redis = scope.connect();
    redis.evalsha = async () => reply;
    const outbox = outboxOf(scope, { redis });

    await expect(put(outbox, ['a'], [item('x')])).rejects.toMatchObject({ code: 'REDIS_ANSWER_INVALID' });
    await expect(outbox.cancel('b1')).rejects.toMatchObject({ code: 'REDIS_ANSWER_INVALID' });
  },
);
