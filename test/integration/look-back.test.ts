// Looking up unseen time through the real SDK: what a simulated IVS reports about unseen sessions ends up in the records.
import { expect, test } from 'vitest';
import type { ChannelArn } from '#domain/channel.ts';
import { kinds, notes } from '#domain/state-registry.ts';
import { LookBack } from '#intake/look-back.ts';
import { createReader } from '#ivs/reader.ts';
import { MemoryState } from '#store/memory-state.ts';
import { applyObservation } from '#streams/changes.ts';
import { noteUnseen } from '#streams/history.ts';
import { shardScope } from '#test/support/ivs-shard.ts';
import { eventually, quietLogger } from '#test/support/quiet.ts';

test('an unseen session is known with its times and its events', async () => {
  const timings = { sessionToStartMs: 0, sessionEndToStreamEndMs: 0 };
  await using world = await shardScope(1, {}, { enforcement: 'off', timings });
  const { control } = world.simulator;
  const arn = world.channels[0]! as ChannelArn;
  const phase = async () => (await control.channels(arn))[0]?.phase;
  await eventually(async () => (await phase()) === 'live');
  const fromMs = Date.now() - 60_000;
  await control.starve([arn]);
  await control.end([arn]);
  await eventually(async () => !['live', 'ending'].includes((await phase()) ?? ''));
  const state = new MemoryState({ now: () => Date.now() });
  const options = { retentionMs: 86_400_000 };
  await state.transact((tx) => {
    const settings = { type: 'STANDARD', latencyMode: 'LOW', recordingConfigurationArn: '', tags: {} };
    tx.set(kinds.channel.of(arn), { arn, name: 'a', ...settings });
    noteUnseen(tx, { fromMs, toMs: tx.nowMs });
    const sweep = { kind: 'poll', scope: 'all', pollId: 'p', complete: true, pages: 1, streams: [] } as const;
    applyObservation(tx, { ...sweep, startedAtMs: tx.nowMs, finishedAtMs: tx.nowMs }, options);
  });
  const looking = new LookBack({
    state,
    reader: createReader(world.shard.client),
    observe: (observation) => state.transact((tx) => applyObservation(tx, observation, options)),
    hasEventQueue: false,
    replica: 'one',
    logger: quietLogger(),
  });
  while ((await looking.step(AbortSignal.timeout(120_000))) === 'worked');

  const record = state.view.get(kinds.stream.of(arn));
  expect(record).toMatchObject({ state: 'ended', learntAtMs: expect.any(Number) });
  expect(record!.endedAtMs).toBeGreaterThanOrEqual(record!.startedAtMs!);
  const names = record!.timeline.flatMap(({ name, source }) => (source === 'history' ? name : []));
  expect(names).toEqual(expect.arrayContaining(['Stream Start', 'Starvation Start', 'Stream End']));
  expect(state.view.get(notes.lookBack)).toBeUndefined();
});
