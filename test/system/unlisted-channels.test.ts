// The tags of a channel that has not been listed are unknown: the tag that keeps automation away may be among them.
import { expect, test } from 'vitest';
import { broadcast, type Daemon } from '#test/support/broadcast.ts';
import { eventually } from '#test/support/quiet.ts';

const rules = `
rules:
  - name: stop
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    actions: [{stop_stream: {}}]
    guards: {cooldown: 0s, max_live_percent: 100}
`;

const reasons = async (daemon: Daemon) =>
  (await daemon.ask('GET', '/v1/decisions?rule=stop')).body.decisions.map(({ reason }: { reason: string }) => reason);

test('while channels cannot be listed nothing acts on any; afterwards on those without the tag ops-hold, and soon', {
  timeout: 300_000,
}, async () => {
  await using platform = await broadcast();
  const { control } = platform.simulator;
  const [held] = await control.createChannels(1, { tags: { 'ops-hold': 'new encoder' } });
  const [free] = await control.createChannels(1);
  await control.goLive([held!.arn, free!.arn]);
  await control.addFault({ operation: 'ListChannels', error: 'InternalServerException' });
  const polling = 'polling: {starving_interval: 500ms, full_interval: 1s, inventory_interval: 1h}';
  await using daemon = await platform.daemon({ rules, polling, cold: true });
  const stopped = async () => (await control.calls({ operation: 'StopStream' })).map(({ channelArn }) => channelArn);

  await control.starve([held!.arn, free!.arn]);
  await eventually(async () => (await reasons(daemon)).length >= 2, 60_000);
  const listed = (await control.calls({ operation: 'ListStreams' })).length;
  await eventually(async () => (await control.calls({ operation: 'ListStreams' })).length > listed + 6, 60_000);
  expect(await stopped()).toEqual([]);
  expect(new Set(await reasons(daemon))).toEqual(new Set(['warming_up']));

  await control.clearFaults();
  await eventually(async () => (await stopped()).length > 0, 60_000);
  await eventually(async () => (await reasons(daemon)).includes('held'), 60_000);
  expect(await stopped()).toEqual([free!.arn]);
});
