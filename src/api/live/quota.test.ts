import { expect, test } from 'vitest';
import type { Channel } from '#domain/channel.ts';
import { kinds } from '#domain/state-registry.ts';
import type { StreamRecord } from '#domain/stream-record.ts';
import type { QuotaSnapshot } from '#ivs/quota-snapshot.ts';
import { systemClock } from '#runtime/clock.ts';
import { MemoryState } from '#store/memory-state.ts';
import { arnsOf } from '#streams/queries.ts';
import { quotaStatus } from './quota.ts';

const arnOf = (id: string) => `arn:aws:ivs:us-west-2:111122223333:channel/${id}`;

/** An account whose id is not known, as without `assume_role_arn`. */
const reading = (hottest: readonly string[]): QuotaSnapshot => ({
  shard: 'main',
  accountId: undefined,
  region: 'us-west-2',
  at: '2026-06-01T12:00:00.000Z',
  operations: [
    {
      operation: 'PutMetadata',
      perAccount: 155,
      perChannel: 5,
      inUse: 4,
      outOfService: 0,
      headroom: 151,
      granted: 4,
      calls: 4,
      throttles: 2,
      sinceThrottleMs: 900,
      slowedChannels: 1,
      slowed: [{ channelId: 'live', forMs: 4000 }],
      hottest: hottest.map((channelId, i) => ({ channelId, inUse: 3 - i })),
    },
  ],
  waiting: [],
  sinceThrottleMs: 900,
  fenceMs: 0,
});

test('the busiest channels link to the known streams and channels, in an account without a known id', async () => {
  const state = new MemoryState(systemClock);
  await state.transact((tx) => {
    tx.set(kinds.stream.of(arnOf('live')), {} as StreamRecord);
    tx.set(kinds.channel.of(arnOf('listed')), {} as Channel);
  });

  const { hottest } = quotaStatus([reading(['live', 'listed', 'unseen'])], (_, ids) => arnsOf(state.view, ids));

  expect(hottest).toEqual([
    { channelId: 'live', arn: arnOf('live'), used: 3, limit: 5 },
    { channelId: 'listed', arn: arnOf('listed'), used: 2, limit: 5 },
    { channelId: 'unseen', arn: undefined, used: 1, limit: 5 },
  ]);
});

test('shows channels that are slowed down with their operation', () => {
  const { operations } = quotaStatus([reading([])], () => new Map());

  expect(operations).toMatchObject([{ operation: 'PutMetadata', withheld: 0, slowedChannels: 1 }]);
});
