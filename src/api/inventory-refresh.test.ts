// With several accounts, each request goes to the account of its channel, and a request for all channels lists every account.
import { expect, test } from 'vitest';
import type { Channel, ChannelArn } from '#domain/channel.ts';
import { kinds } from '#domain/state-registry.ts';
import { auditEntries } from '#journal/audit.ts';
import { ShardDirectory } from '#shard/directory.ts';
import { MemoryState } from '#store/memory-state.ts';
import { InventoryRefresh, type InventoryShard } from './inventory-refresh.ts';

const arnIn = (account: string) => `arn:aws:ivs:us-west-2:${account}:channel/abc` as ChannelArn;
const channelOf = (arn: ChannelArn, tags: Record<string, string>): Channel => ({
  arn,
  name: 'studio',
  type: 'STANDARD',
  latencyMode: 'LOW',
  recordingConfigurationArn: '',
  tags,
});

function shardOf(name: string, accountId: string, { waiting = [] as { id: string }[] } = {}) {
  const state = new MemoryState({ now: () => 1_000 });
  const asked: string[] = [];
  const shard: InventoryShard = {
    name,
    region: 'us-west-2',
    accountId,
    state,
    queues: { get: () => ({ getWaiting: async () => waiting }) as never },
    relay: { nudge: () => asked.push('relay') },
    async refreshChannel(arn) {
      asked.push(arn);
      if (arn.endsWith('/gone')) {
        await state.transact((tx) => tx.delete(kinds.channel.of(arn)));
        return undefined;
      }
      return channelOf(arn, { tier: 'gold' });
    },
  };
  const audited = async () => {
    const entries = [];
    for await (const entry of auditEntries(state, {})) entries.push(entry);
    return entries;
  };
  return { shard, state, asked, audited, jobs: () => Array.from(state.view.entries(kinds.job), ([id]) => id) };
}

function setup(second?: Parameters<typeof shardOf>[2]) {
  const east = shardOf('east', '111111111111');
  const west = shardOf('west', '222222222222', second);
  const inventory = new InventoryRefresh({
    shards: new ShardDirectory([east.shard, west.shard]),
    configHash: () => 'hash',
  });
  return { inventory, east, west };
}

const by = { who: 'token mara', reason: 'retagged' };

test('reads one channel from its own account only, and returns and audits what changed there', async () => {
  const { inventory, east, west } = setup();
  const channelArn = arnIn('222222222222');
  await west.state.transact((tx) => tx.set(kinds.channel.of(channelArn), channelOf(channelArn, { tier: 'silver' })));

  const { changed } = await inventory.one({ channelArn, ...by });

  expect(changed).toEqual(['tags']);
  expect([east.asked, west.asked]).toEqual([[], [channelArn]]);
  expect(await east.audited()).toEqual([]);
  expect(await west.audited()).toMatchObject([
    {
      what: 'refresh_channel',
      outcome: 'done',
      before: { tags: { tier: 'silver' } },
      after: { tags: { tier: 'gold' } },
    },
  ]);
});

test('answers 404 for a deleted channel, and audits what was forgotten', async () => {
  const { inventory, east } = setup();
  const channelArn = arnIn('111111111111').replace('abc', 'gone') as ChannelArn;
  await east.state.transact((tx) => tx.set(kinds.channel.of(channelArn), channelOf(channelArn, {})));

  await expect(inventory.one({ channelArn, ...by })).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringContaining('the inventory has forgotten it') as unknown,
  });

  expect(await east.audited()).toMatchObject([{ outcome: 'done', before: { name: 'studio' } }]);
});

test('lists each account once for all channels; shares a listing that already waits, and still audits the request', async () => {
  const { inventory, east, west } = setup({ waiting: [{ id: 'repeat:refresh-inventory:9' }] });

  const jobs = await inventory.all(by);

  expect(jobs).toMatchObject([{ account: 'east' }, { account: 'west', jobId: 'repeat:refresh-inventory:9' }]);
  expect(east.jobs()).toEqual([jobs[0]!.jobId]);
  expect(west.jobs()).toEqual([]);
  expect(await west.audited()).toMatchObject([{ what: 'refresh_channels', who: 'token mara', why: 'retagged' }]);
});

test('requests in quick succession share one listing even before it is enqueued; each is audited', async () => {
  const { inventory, east } = setup();

  const asked = await Promise.all([inventory.all(by), inventory.all({ ...by, who: 'token ana' }), inventory.all(by)]);

  expect(east.jobs()).toHaveLength(1);
  expect(asked.map(([first]) => first!.jobId)).toEqual(Array(3).fill(east.jobs()[0]));
  expect(await east.audited()).toHaveLength(3);
});
