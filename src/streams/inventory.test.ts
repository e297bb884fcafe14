import { expect, test } from 'vitest';
import type { Channel } from '#domain/channel.ts';
import type { InventoryObservation } from '#domain/observation.ts';
import { kinds } from '#domain/state-registry.ts';
import { arnOf, event, Noticing, poll, snapshot, startMs } from '#test/support/streams.ts';
import { fleetKnown } from './fleet.ts';
import { channelOf } from './keys.ts';

function channel(id: string, tags: Record<string, string> = {}, name = `name of ${id}`): Channel {
  return { arn: arnOf(id), name, type: 'STANDARD', latencyMode: 'LOW', recordingConfigurationArn: '', tags };
}

function listing(channels: Channel[], more: Partial<InventoryObservation> = {}): InventoryObservation {
  return { kind: 'inventory', channels, removed: [], atMs: startMs, complete: true, ...more };
}

test('a changed tag is noticed and reported once', async () => {
  const noticing = new Noticing();
  await noticing.see(listing([channel('A', { tier: 'gold' }), channel('B')]));

  const changes = await noticing.see(listing([channel('A', { tier: 'silver' }), channel('B')]));
  const again = await noticing.see(listing([channel('A', { tier: 'silver' }), channel('B')]));

  expect(channelOf(noticing.state.view, arnOf('A'))!.tags).toEqual({ tier: 'silver' });
  expect(changes).toMatchObject([{ kind: 'inventory', channelArns: [arnOf('A')] }]);
  expect(again).toEqual([]);
});

test('a channel is gone when two listings do not show it, or when it was read by name and does not exist', async () => {
  const noticing = new Noticing();
  await noticing.see(listing([channel('A'), channel('B'), channel('C')]));
  const removed = [arnOf('B')];

  await noticing.see(listing([channel('A'), channel('C')], { removed }));
  expect(channelOf(noticing.state.view, arnOf('B'))).toBeDefined();
  await noticing.see(listing([channel('A'), channel('C')], { removed }));
  expect(channelOf(noticing.state.view, arnOf('B'))).toBeUndefined();
  await noticing.see(listing([], { removed: [arnOf('C')], complete: false }));

  expect(noticing.state.view.count(kinds.channel)).toBe(1);
});

test('a channel that only moved between pages is not gone', async () => {
  const noticing = new Noticing();
  await noticing.see(listing([channel('A')]));

  await noticing.see(
    listing([], { removed: [arnOf('A')] }),
    listing([channel('A')]),
    listing([], { removed: [arnOf('A')] }),
  );

  expect(channelOf(noticing.state.view, arnOf('A'))).toBeDefined();
});

test('a listing of more channels than fit into one commit is applied completely', async () => {
  const noticing = new Noticing();
  const channels = Array.from({ length: 1_234 }, (_, index) => channel(`C${index}`));
  await noticing.see(listing([...channels, channel('gone')]));

  await noticing.see(listing(channels, { removed: [arnOf('gone')] }), listing(channels, { removed: [arnOf('gone')] }));

  expect(noticing.state.view.count(kinds.channel)).toBe(1_234);
});

test('a stream carries its channel’s name: the listed one, otherwise that of the newest event', async () => {
  const noticing = new Noticing();
  await noticing.see(
    event('Stream Start', { channel: 'A', stream: 's1', at: 0, detail: { channel_name: 'by event' } }),
  );
  expect(noticing.record('A')!.channelName).toBe('by event');

  await noticing.see(listing([channel('A', {}, 'listed')]), poll('all', { at: 5_000, streams: [snapshot('A', 's1')] }));

  expect(noticing.record('A')!.channelName).toBe('listed');
});

test('who is live is known after a complete poll, who has which tags after a complete listing as well, even if both are empty', async () => {
  const noticing = new Noticing();
  const known = () => fleetKnown(noticing.state.view);
  const steps = [known()];

  await noticing.see(listing([channel('A')], { complete: false }));
  await noticing.see(poll('all', { at: startMs }));
  steps.push(known());
  await noticing.see(listing([]));
  steps.push(known());

  expect(steps).toEqual([
    { live: false, tags: false },
    { live: true, tags: false },
    { live: true, tags: true },
  ]);
});
