// The outbox against a model, with any sequence of actions by its users and of failures.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lanes } from '#domain/action.ts';
import { channelIdOf } from '#domain/channel.ts';
import type { CallResult, Parcel } from '#metadata/parcel.ts';
import { partName } from '#metadata/parts.ts';
import { channelArn, FakeSender, metadataParts } from '../support/metadata.ts';
import { item, long, put } from '../support/outbox.ts';
import { type Lease, OutboxModel } from '../support/outbox-model.ts';
import { redisScope } from '../support/redis.ts';

const names = ['a', 'b', 'c'];
const limits = { channel: 4, total: 8 };
const slow = { baseMs: long, maxMs: long, random: 0, leastMs: 0 };
const results: readonly CallResult[] = [
  { kind: 'delivered' },
  { kind: 'delivered' },
  { kind: 'back' },
  { kind: 'failed', reason: 'IVS_NOT_FOUND', scope: 'channel' },
  { kind: 'failed', reason: 'IVS_REQUEST_INVALID', scope: 'call' },
  { kind: 'offline', ...slow, windowMs: 0 },
  { kind: 'offline', ...slow, windowMs: long },
  { kind: 'retry', ...slow },
];

const channel = fc.constantFrom(...names);
const of = <K extends string, T extends object>(kind: K, fields: { [P in keyof T]: fc.Arbitrary<T[P]> }) =>
  fc.record(fields).map((rest) => ({ kind, ...rest }));
const accepting = of('accept', {
  channels: fc.subarray(names, { minLength: 1 }),
  lane: fc.constantFrom(...lanes),
  items: fc.array(
    fc.record({
      key: fc.constantFrom(undefined, undefined, 'score', 'ad'),
      mode: fc.constantFrom('packed' as const, 'packed' as const, 'packed' as const, 'plain' as const),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  dies: fc.nat(4).map((n) => n === 0),
  request: fc.constantFrom(
    undefined,
    undefined,
    undefined,
    { key: 'r1', requestHash: 'x' },
    { key: 'r1', requestHash: 'y' },
  ),
});
/** The fan-out of a rule: each channel has one item, that of its group, with a key that may have been used before. */
const fanningOut = of('parts', {
  groups: fc.constantFrom<string[][]>(
    [['a', 'b', 'c']],
    [['a', 'b'], ['c']],
    [['b'], ['a', 'c']],
    [['c']],
    [['a', 'b']],
  ),
  lane: fc.constantFrom(...lanes),
  key: fc.constantFrom(undefined, 'score', 'ad'),
  dies: fc.nat(4).map((n) => n === 0),
  cause: fc.constantFrom('c1', 'c2', 'c3', 'c4', 'c5', 'c6'),
});
const step = fc.oneof(
  { weight: 6, arbitrary: accepting },
  { weight: 3, arbitrary: fanningOut },
  { weight: 1, arbitrary: of('cancelPart', { batch: fc.nat(), channel }) },
  { weight: 5, arbitrary: of('take', { channel }) },
  { weight: 5, arbitrary: of('record', { channel, result: fc.constantFrom(...results) }) },
  { weight: 2, arbitrary: of('lapse', { channel }) },
  { weight: 2, arbitrary: of('recordLate', { lease: fc.nat(), result: fc.constantFrom(...results) }) },
  { weight: 2, arbitrary: of('due', { channel }) },
  { weight: 1, arbitrary: of('cancel', { batch: fc.nat() }) },
  { weight: 1, arbitrary: of('sweep', {}) },
);

/** Rare cases: an answer is on its way while its lease ends, and the next holder gets into trouble. */
const overtaken = fc
  .tuple(channel, fc.constantFrom(...results), fc.constantFrom(...results))
  .map(([name, next, late]) => [
    { kind: 'take' as const, channel: name },
    { kind: 'lapse' as const, channel: name },
    { kind: 'record' as const, channel: name, result: next },
    { kind: 'recordLate' as const, lease: 0, result: late },
  ]);
const some = fc.oneof({ weight: 9, arbitrary: step.map((one) => [one]) }, { weight: 1, arbitrary: overtaken });

test('any sequence of accepting, sending, failing, crashing, cancelling and expiring leads to the state of the model', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(some, { minLength: 10, maxLength: 50 }), async (sequence) => {
      const steps = sequence.flat();
      await using scope = await redisScope();
      const { outbox, sweeper } = metadataParts({
        scope,
        sender: new FakeSender(),
        outbox: { maxItemsPerChannel: limits.channel, maxItemsTotal: limits.total },
      });
      const model = new OutboxModel(limits);
      const batches: string[] = [];
      const cancelled = new Set<string>();
      const requests = new Map<string, { hash: string; batchId: string }>();
      /** Batches with parts, with the channels that they were accepted for. */
      const parted = new Map<string, string[]>();
      const usedKeys = new Set<string>();
      const leases = new Map<string, Lease>();
      const lost: Lease[] = [];
      const key = (name: string) => `${scope.prefix}:md:${name}`;

      const claim = async () => {
        const { token, channels } = await outbox.claim({ leaseMs: long, room: 10, urgentRoom: 0 });
        const claimed = new Map(channels.map((one) => [one.channelArn.slice(-1), one]));
        const expected = model.claim();
        expect(expected).toEqual(expect.arrayContaining([...claimed.keys()]));
        for (const name of expected) {
          const { lane = 'urgent', parcel } = claimed.get(name) ?? {};
          // Urgent items are chosen with the claim; a channel in which nothing is left to send is not even leased.
          const taken = lane === 'urgent' ? model.take(name) : [];
          expect(parcel?.ids ?? []).toEqual(taken);
          expect(claimed.has(name)).toBe(lane !== 'urgent' || taken.length > 0);
          if (claimed.has(name)) leases.set(name, { channel: name, token, taken });
          if (taken.length > 0) seen.add('chosen');
        }
      };
      const record = ({ channel: name, token, taken }: Lease, result: CallResult) =>
        outbox.record(channelArn(name), token, { ids: taken, keep: false, result });

      const run: {
        [K in (typeof steps)[number]['kind']]: (next: Extract<(typeof steps)[number], { kind: K }>) => Promise<void>;
      } = {
        async accept({ channels, lane, items, dies, request }) {
          const fresh = items.map((one) => item('x', { ...one, ...(dies ? { expiresInMs: 1 } : {}) }));
          const before = request && requests.get(request.key);
          const { batchId, acceptance } = await put(outbox, channels, fresh, lane, { idempotency: request });
          if (before) {
            const expected = before.hash === request.requestHash ? 'repeated' : 'conflict';
            expect(acceptance.outcome).toBe(expected);
            if (acceptance.outcome === 'repeated') expect(acceptance.batch.batchId).toBe(before.batchId);
            seen.add(expected);
            return;
          }
          const answer = model.accept(batchId, channels, fresh, lane, dies);
          expect(acceptance).toMatchObject(answer);
          seen.add(answer.outcome === 'full' ? `full ${answer.scope}` : 'accepted');
          if (answer.outcome === 'full') return;
          batches.push(batchId);
          if (request) requests.set(request.key, { hash: request.requestHash, batchId });
          if (dies) await new Promise((done) => setTimeout(done, 3));
        },
        async parts({ groups, lane, key: itemKey, dies, cause }) {
          const batchId = item('x').id;
          const fresh = groups.map((channels) => ({
            channels,
            items: [item('x', { ...(itemKey ? { key: itemKey } : {}), ...(dies ? { expiresInMs: 1 } : {}) })],
          }));
          const isKnown = (name: string) => usedKeys.has(`${cause}-${name}`);
          const acceptance = await outbox.acceptParts({
            batchId,
            lane,
            groups: fresh.map(({ channels, items }) => ({
              channels: channels.map(channelArn),
              items,
              keys: channels.map((name) => `${cause}-${name}`),
            })),
            who: 'rule test',
            callsPerChannel: 1,
            skipped: [],
          });
          const news = fresh.map(({ channels, items }) => ({
            channels: channels.filter((name) => !isKnown(name)),
            items,
          }));
          const answer = model.acceptGroups(batchId, news, lane, dies);
          expect(acceptance).toMatchObject(answer);
          if (acceptance.outcome !== 'accepted') return;
          const all = groups.flat();
          const without = new Set(acceptance.full);
          const repeated = all.flatMap((name, place) => (isKnown(name) ? [place] : []));
          expect(acceptance.repeated).toEqual(repeated);
          if (repeated.length > 0) seen.add('part repeated');
          if (without.size > 0) seen.add('part full');
          const accepted = all.filter((name, place) => !isKnown(name) && !without.has(place));
          expect(accepted).toHaveLength(acceptance.channels);
          if (accepted.length === 0) return;
          for (const name of accepted) usedKeys.add(`${cause}-${name}`);
          parted.set(batchId, accepted);
          batches.push(batchId);
          for (const name of accepted)
            expect(await outbox.acceptedUnder([`${cause}-${name}`])).toEqual([
              partName(batchId, channelIdOf(channelArn(name))),
            ]);
          seen.add('parts');
          if (dies) await new Promise((done) => setTimeout(done, 3));
        },
        async cancelPart({ batch, channel: name }) {
          const batchId = [...parted.keys()][batch % Math.max(1, parted.size)];
          if (batchId === undefined) return;
          const isPart = parted.get(batchId)!.includes(name);
          if (isPart) model.cancelPart(batchId, name);
          expect(await outbox.cancel(partName(batchId, channelIdOf(channelArn(name))))).toBe(isPart);
          if (isPart) seen.add('part cancelled');
        },
        async take({ channel: name }) {
          if (!leases.has(name)) await claim();
          const lease = leases.get(name);
          if (!lease) return;
          lease.taken = model.take(name);
          const parcel = await outbox.take(channelArn(name), lease.token);
          if (lease.taken.length > 0) expect((parcel as Parcel).ids).toEqual(lease.taken);
          else {
            expect(parcel).toBe('empty');
            leases.delete(name);
          }
        },
        async record({ channel: name, result }) {
          const lease = leases.get(name);
          if (!lease) return;
          model.record(name, lease.taken, result);
          await record(lease, result);
          leases.delete(name);
        },
        async lapse({ channel: name }) {
          const lease = leases.get(name);
          if (!lease) return;
          await scope.redis.zadd(key('held'), 1, channelArn(name));
          leases.delete(name);
          lost.push(lease);
          model.lapse(name);
          await claim();
        },
        async recordLate({ lease: index, result }) {
          const lease = lost.at(-1 - (index % Math.max(1, lost.length)));
          if (!lease) return;
          expect(await outbox.take(channelArn(lease.channel), lease.token)).toBe('lost');
          model.recordLate(lease.channel, lease.taken, result);
          await record(lease, result);
          seen.add('late');
        },
        async due({ channel: name }) {
          if (model.where.get(name) === 'later') seen.add('later');
          await scope.redis.zadd(key('later'), 'XX', 1, channelArn(name));
          model.due(name);
          await claim();
        },
        async cancel({ batch }) {
          const batchId = batches[batch % Math.max(1, batches.length)];
          if (batchId === undefined) return;
          if (!model.isOver(batchId)) cancelled.add(batchId);
          model.cancel(batchId);
          expect(await outbox.cancel(batchId)).toBe(true);
        },
        async sweep() {
          model.sweep();
          for (let ended = 1; ended > 0; ) ({ ended } = await sweeper.sweep());
        },
      };

      for (const [at, next] of steps.entries()) {
        await (run[next.kind] as (given: typeof next) => Promise<void>)(next);

        for (const name of names) {
          const queue = model.queue(name);
          expect(await scope.redis.zrange(key(`q:${channelArn(name)}`), '0', '-1')).toEqual(
            queue.map((waiting) => waiting.item.id),
          );
          const sets = ['ready', 'later', 'held'];
          const scores = await Promise.all(sets.map((set) => scope.redis.zscore(key(set), channelArn(name))));
          const where = model.where.get(name) ?? 'nowhere';
          expect(sets.filter((_, index) => scores[index] !== null)).toEqual(where === 'nowhere' ? [] : [where]);
          const keysHeld = Object.values(await scope.redis.hgetall(key(`k:${channelArn(name)}`)));
          expect(keysHeld.toSorted()).toEqual(
            queue.flatMap((waiting) => (waiting.item.key && !waiting.sending ? [waiting.item.id] : [])).toSorted(),
          );
        }
        expect((await outbox.depth()).items).toBe(model.total);
        expect(model.total).toBeLessThanOrEqual(limits.total);
        const waiting = [...model.queues.values()].flat();
        for (const batch of batches) {
          const { counts, state } = (await outbox.progress(batch))!;
          const { pending, ...ends } = counts;
          expect(Object.fromEntries(Object.entries(ends).filter(([, n]) => n > 0))).toEqual(
            model.ends.get(batch) ?? {},
          );
          for (const outcome of Object.keys(model.ends.get(batch) ?? {})) seen.add(outcome);
          expect(pending).toBe(waiting.filter(({ item: each }) => each.batch === batch).length);
          const sum: Record<string, number> = {};
          // Each reads Redis: not after every step.
          const looksAtParts = parted.has(batch) && (at === steps.length - 1 || next.kind === 'cancelPart');
          for (const name of looksAtParts ? parted.get(batch)! : []) {
            const part = (await outbox.progress(partName(batch, channelIdOf(channelArn(name)))))!;
            const waits = model.queue(name).some(({ item: each }) => each.batch === batch);
            expect(part).toMatchObject({ channels: 1, total: 1, counts: { pending: waits ? 1 : 0 } });
            for (const [end, n] of Object.entries(part.counts)) sum[end] = (sum[end] ?? 0) + n;
          }
          if (looksAtParts) expect(sum).toEqual(counts);
          const words = cancelled.has(batch) ? ['cancelling', 'cancelled'] : ['running', 'finished'];
          expect(state).toBe(words[pending > 0 ? 0 : 1]);
        }
        // Nothing remains of items that ended everywhere.
        const left = new Set(waiting.map(({ item: each }) => each.id));
        expect((await scope.redis.keys(key('i:*'))).length).toBe(left.size);
      }
    }),
    { numRuns: 100 },
  );
  // The sequences reached every case.
  const everywhere = ['accepted', 'chosen', 'repeated', 'conflict', 'full channel', 'full total', 'late', 'later'];
  const ofParts = ['parts', 'part repeated', 'part full', 'part cancelled'];
  const outcomes = ['delivered', 'conflated', 'expired', 'notBroadcasting', 'failed', 'cancelled'];
  expect([...seen].toSorted()).toEqual([...everywhere, ...ofParts, ...outcomes].toSorted());
});
