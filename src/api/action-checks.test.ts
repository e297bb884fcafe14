// Which channels an operator action may name: known ones, and a limited number of unknown ones that IVS is asked about.
import { expect, test } from 'vitest';
import type { Channel, ChannelArn } from '#domain/channel.ts';
import { kinds } from '#domain/state-registry.ts';
import { ShardDirectory } from '#shard/directory.ts';
import { MemoryState } from '#store/memory-state.ts';

import { BulkActions, type BulkShard } from './bulk-actions.ts';

const arnOf = (n: number) => `arn:aws:ivs:us-west-2:111122223333:channel/Unknown${n}` as ChannelArn;
const channelOf = (arn: string) => ({ arn, name: arn.split('/')[1], tags: {} }) as unknown as Channel;

/** One account whose inventory has one channel, and whose IVS has every channel. */
async function setup() {
  const asked: string[] = [];
  const state = new MemoryState({ now: () => 1_000_000 });
  const known = arnOf(0);
  await state.transact((tx) => tx.set(kinds.channel.of(known), channelOf(known)));
  const shard: BulkShard = {
    name: 'main',
    region: 'us-west-2',
    accountId: '111122223333',
    state,
    ruleset: { rules: [], inhibitRules: [], timeIntervals: [], receivers: [], hash: '' },
    relay: { nudge: () => undefined },
    lookups: {
      recordingConfiguration: () => Promise.reject(new Error('not asked for')),
      adConfiguration: () => Promise.reject(new Error('not asked for')),
      playbackRestrictionPolicy: () => Promise.reject(new Error('not asked for')),
      adBreakProblem: async () => undefined,
    },
    adBreakSpacingMs: () => 1_000,
    async refreshChannel(arn) {
      asked.push(arn);
      return channelOf(arn);
    },
  };
  const actions = new BulkActions({
    shards: new ShardDirectory([shard]),
    files: { assertRequest: async () => undefined },
    configHash: () => 'hash',
    mostOpen: () => 10,
  });
  const submit = (unknown: number) =>
    actions.submit({
      action: 'stop_stream',
      params: {},
      targets: { channelArns: Array.from({ length: unknown + 1 }, (_, n) => arnOf(n)) },
      maxChannels: 1_000,
      who: 'ann',
      reason: 'test',
      dryRun: false,
    } as never);
  return { asked, submit };
}

test('asks IVS about up to twenty channels that the inventory does not know, and refuses more without asking', async () => {
  const few = await setup();
  const many = await setup();

  await expect(few.submit(20)).resolves.toMatchObject({ channels: 21 });
  await expect(many.submit(21)).rejects.toMatchObject({
    message: expect.stringMatching(/inventory.*POST \/v1\/channels\/refresh/),
  });

  expect(few.asked).toEqual(Array.from({ length: 20 }, (_, n) => arnOf(n + 1)));
  expect(many.asked).toEqual([]);
});
