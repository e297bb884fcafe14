// The audit of stream keys through the real SDK: in batches, and without a value that leaves the client.
import { expect, test } from 'vitest';
import type { ChannelArn } from '#domain/channel.ts';
import { kinds } from '#domain/state-registry.ts';
import { auditKeys } from '#intake/keys/audit.ts';
import { createReader } from '#ivs/reader.ts';
import { MemoryState } from '#store/memory-state.ts';
import { applyObservation } from '#streams/changes.ts';
import { shardScope } from '#test/support/ivs-shard.ts';

test('every channel has a key with a known age, and a key that is gone is noticed', async () => {
  await using world = await shardScope(0, {}, { enforcement: 'off' });
  const { control } = world.simulator;
  const arns = (await control.createChannels(2)).map(({ arn }) => arn as ChannelArn);
  const state = new MemoryState({ now: () => Date.now() });
  await state.transact((tx) => {
    const settings = { type: 'STANDARD', latencyMode: 'LOW', recordingConfigurationArn: '', tags: {} };
    for (const arn of arns) tx.set(kinds.channel.of(arn), { arn, name: 'a', ...settings });
  });
  const limited = createReader(world.shard.client);
  const audit = () =>
    auditKeys(
      {
        view: state.view,
        now: () => Date.now(),
        reader: limited,
        observe: (observation) =>
          state.transact((tx) => applyObservation(tx, observation, { retentionMs: 86_400_000 })),
      },
      AbortSignal.timeout(120_000),
    );
  // The first audit lists at five calls a second: most channels are known from an earlier one here.
  const [first, ...others] = arns;
  const listed = await world.shard.client.listStreamKeys({ channelArn: first! });
  expect(listed.streamKeys).toHaveLength(1);
  await state.transact((tx) => {
    for (const arn of others) tx.delete(kinds.channel.of(arn));
  });
  expect(await audit()).toEqual({ channels: 1, listedTo: undefined });
  expect(await audit()).toEqual({ channels: 1, listedTo: undefined });
  const key = state.view.get(kinds.streamKey.of(first!))!;
  expect(key).toMatchObject({ keyArn: listed.streamKeys![0]!.arn, made: false });

  const { streamKeys } = await world.shard.client.batchGetStreamKey({ arns: [key.keyArn] });
  expect(streamKeys).toEqual([expect.not.objectContaining({ value: expect.anything() })]);
  await world.shard.client.deleteStreamKey({ arn: key.keyArn });
  await audit();
  expect([...state.view.entries(kinds.alert)].map(([id]) => id)).toEqual([`keyless|${first}`]);
  const calls = async (operation: string) => (await control.calls({ operation, outcome: 'ok' })).length;
  expect([await calls('BatchGetStreamKey'), await calls('ListStreamKeys')]).toEqual([3, 3]);
});
