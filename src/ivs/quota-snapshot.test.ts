import { expect, test } from 'vitest';
import { createMetrics } from '#runtime/metrics.ts';
import { type QuotaSnapshotSources, takeQuotaSnapshot } from './quota-snapshot.ts';

const nowUs = 1_700_000_000_000_000;

/** What the ledger contains about PutMetadata, and the account's state. */
function sources(state: Record<string, number>, { slots = [] as string[], slowed = [] as string[] } = {}) {
  const commands: string[][] = [];
  const pipeline = {
    zrangebyscore: (key: string) => (commands.push(key.startsWith('slots PutMetadata') ? slots : []), pipeline),
    zrevrangebyscore: (key: string) => (commands.push(key.startsWith('slowed PutMetadata') ? slowed : []), pipeline),
    exec: async () => commands.map((members) => [null, members]),
  };
  const stored = Object.fromEntries(Object.entries(state).map(([field, value]) => [field, String(value)]));
  return {
    shard: 'main',
    accountId: '111122223333',
    region: 'us-west-2',
    redis: {
      time: async () => [String(nowUs / 1_000_000), '0'],
      hgetall: async () => ({ epoch: '5', ...stored }),
      pipeline: () => pipeline,
    },
    ledger: {
      stateKey: 'state',
      slotsKey: (operation: string, epoch: string) => `slots ${operation} ${epoch}`,
      slowedKey: (operation: string, epoch: string) => `slowed ${operation} ${epoch}`,
    },
    limiter: {
      probe: async () => undefined,
      waiting: () => [
        { operation: 'PutMetadata', lane: 'bulk', calls: 3, oldestMs: 40 },
        { operation: 'PutMetadata', lane: 'urgent', calls: 0, oldestMs: 0 },
      ],
    },
    limitOf: () => ({ perAccount: 155, perChannel: 5 }),
    metrics: createMetrics(),
  } as unknown as QuotaSnapshotSources;
}

test('shows for an operation what is in use, what is left, and which channels are slowed down since when', async () => {
  const state = {
    'PutMetadata:granted': 90,
    'PutMetadata:calls': 88,
    'PutMetadata:throttles': 2,
    'PutMetadata:throttled': nowUs - 1_500_000,
  };
  const slots = ['a/Hot', 'b/Hot', 'c/Cold', '~d'];
  const slowed = ['Hot', String(nowUs + 250_500), 'Cold', String(nowUs + 1)];

  const { operations, waiting, sinceThrottleMs, fenceMs, at } = await takeQuotaSnapshot(
    sources(state, { slots, slowed }),
  );

  expect(operations).toEqual([
    {
      operation: 'PutMetadata',
      perAccount: 155,
      perChannel: 5,
      inUse: 3,
      outOfService: 1,
      headroom: 151,
      granted: 90,
      calls: 88,
      throttles: 2,
      sinceThrottleMs: 1500,
      slowedChannels: 2,
      slowed: [
        { channelId: 'Hot', forMs: 251 },
        { channelId: 'Cold', forMs: 1 },
      ],
      hottest: [
        { channelId: 'Hot', inUse: 2 },
        { channelId: 'Cold', inUse: 1 },
      ],
    },
  ]);
  expect(waiting).toEqual([{ operation: 'PutMetadata', lane: 'bulk', calls: 3, oldestMs: 40 }]);
  expect({ sinceThrottleMs, fenceMs, at }).toEqual({
    sinceThrottleMs: 1500,
    fenceMs: 0,
    at: '2023-11-14T22:13:20.000Z',
  });
});

test('a new ledger grants nothing until its fence has passed, and was never throttled', async () => {
  const { operations, sinceThrottleMs, fenceMs } = await takeQuotaSnapshot(sources({ fence: nowUs + 900_100 }));

  expect(operations).toEqual([]);
  expect(sinceThrottleMs).toBeUndefined();
  expect(fenceMs).toBe(901);
});
