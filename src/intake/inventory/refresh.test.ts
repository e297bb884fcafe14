import { expect, test } from 'vitest';
import type { Channel, ChannelArn } from '#domain/channel.ts';
import { AppError } from '#domain/errors.ts';
import type { InventoryObservation } from '#domain/observation.ts';
import { kinds } from '#domain/state-registry.ts';
import { arnOf, Noticing, poll, snapshot } from '#test/support/streams.ts';
import { readChannelDetails, refreshChannel, refreshInventory, refreshUnlisted } from './refresh.ts';

function channel(id: string): Channel {
  return { arn: arnOf(id), name: id, type: 'STANDARD', latencyMode: 'LOW', recordingConfigurationArn: '', tags: {} };
}

/** An account with these pages of channels; a page that is an error is thrown. */
function setup(pages: readonly (readonly Channel[] | Error)[]) {
  const noticing = new Noticing();
  const observed: InventoryObservation[] = [];
  const asked: string[] = [];
  const options = {
    reader: {
      async listChannels({ nextToken = '0' }: { readonly nextToken?: string }) {
        asked.push(`page ${nextToken}`);
        const page = pages[Number(nextToken)];
        if (!page || page instanceof Error) throw page ?? new Error('there is no such page');
        const next = Number(nextToken) + 1;
        return { channels: page, nextToken: next < pages.length ? String(next) : undefined };
      },
      async getChannel(arn: ChannelArn) {
        asked.push(arn);
        const found = pages.flatMap((page) => (page instanceof Error ? [] : page)).find((known) => known.arn === arn);
        if (!found) throw new AppError('IVS_NOT_FOUND', 'there is no such channel');
        return found;
      },
      async getChannels(arns: readonly ChannelArn[]) {
        asked.push(`${arns.length} channels`);
        const all = pages.flatMap((page) => (page instanceof Error ? [] : page));
        return all.filter(({ arn }) => arns.includes(arn)).map((each) => ({ ...each, containerFormat: 'TS' }));
      },
    },
    observe: async (observation: unknown) => {
      observed.push(observation as InventoryObservation);
      await noticing.see(observation as InventoryObservation);
    },
    view: noticing.state.view,
    now: () => noticing.nowMs,
  };
  return { noticing, observed, asked, options, signal: new AbortController().signal };
}

test('a listing reads every page and names the channels that it no longer shows', async () => {
  const { noticing, observed, options, signal } = setup([[channel('A'), channel('B')], [channel('C')]]);
  await noticing.see({ kind: 'inventory', channels: [channel('gone')], removed: [], atMs: 0, complete: true });

  expect(await refreshInventory(options, signal)).toBe(3);

  expect(observed).toMatchObject([{ complete: true, removed: [arnOf('gone')] }]);
  expect(noticing.state.view.count(kinds.channel)).toBe(4);
});

test('draws no conclusion from an incomplete listing', async () => {
  const { observed, options, signal } = setup([[channel('A')], new AppError('IVS_UNAVAILABLE', 'out of order')]);

  await expect(refreshInventory(options, signal)).rejects.toMatchObject({ code: 'IVS_UNAVAILABLE' });

  expect(observed).toEqual([]);
});

test('reads one channel on demand, and forgets it if it does not exist', async () => {
  const { noticing, options, signal } = setup([[channel('A')]]);
  await noticing.see({ kind: 'inventory', channels: [channel('gone')], removed: [], atMs: 0, complete: true });

  expect(await refreshChannel(options, arnOf('A'), signal)).toMatchObject({ name: 'A' });
  expect(await refreshChannel(options, arnOf('gone'), signal)).toBeUndefined();

  expect(Array.from(noticing.state.view.entries(kinds.channel), ([arn]) => arn)).toEqual([arnOf('A')]);
});

test('reads live channels that are not in the inventory one by one, or by a listing if that takes fewer calls', async () => {
  const one = setup([[channel('A'), channel('B')]]);
  await one.noticing.see(poll('all', { at: 0, streams: [snapshot('B', 's1')] }));
  expect(await refreshUnlisted(one.options, one.signal)).toBe(0);
  await one.noticing.see({ kind: 'inventory', channels: [channel('A')], removed: [], atMs: 0, complete: true });
  expect(await refreshUnlisted(one.options, one.signal)).toBe(1);
  expect(one.asked).toEqual([arnOf('B')]);

  const many = setup([[channel('A'), channel('B'), channel('C')]]);
  await many.noticing.see({ kind: 'inventory', channels: [channel('A')], removed: [], atMs: 0, complete: true });
  await many.noticing.see(poll('all', { at: 0, streams: [snapshot('B', 's1'), snapshot('C', 's2')] }));
  expect(await refreshUnlisted(many.options, many.signal)).toBe(2);
  expect(many.asked).toEqual(['page 0']);
});

test('a running listing does not overwrite what was read on demand meanwhile', async () => {
  const old = setup([[channel('retagged'), channel('deleted')], [channel('B')]]);
  const { noticing, signal } = old;
  const known = [channel('retagged'), channel('deleted'), channel('B')];
  await noticing.see({ kind: 'inventory', channels: known, removed: [], atMs: 0, complete: true });
  const now = setup([[{ ...channel('retagged'), tags: { 'ops-hold': 'yes' } }, channel('created')]]);
  const onDemand = { ...now.options, observe: old.options.observe };
  const reader = {
    ...old.options.reader,
    async listChannels(request: { readonly nextToken?: string }) {
      if (request.nextToken !== undefined)
        for (const id of ['retagged', 'deleted', 'created']) await refreshChannel(onDemand, arnOf(id), signal);
      return old.options.reader.listChannels(request);
    },
  };

  expect(await refreshInventory({ ...old.options, reader }, signal)).toBe(3);

  const { view } = noticing.state;
  expect(view.get(kinds.channel.of(arnOf('retagged')))).toMatchObject({ tags: { 'ops-hold': 'yes' } });
  expect(Array.from(view.entries(kinds.channel), ([arn]) => arn).toSorted()).toEqual(
    ['B', 'created', 'retagged'].map(arnOf).toSorted(),
  );
});

test('does not forget a channel that a listing does not show but that was read on demand meanwhile', async () => {
  const { noticing, options, signal } = setup([[channel('A')]]);
  const known = [channel('A'), channel('B')];
  await noticing.see({ kind: 'inventory', channels: known, removed: [], atMs: 0, complete: true });
  await refreshInventory(options, signal);
  const there = setup([[{ ...channel('B'), name: 'renamed' }]]);
  const reader = {
    ...options.reader,
    async listChannels(request: { readonly nextToken?: string }) {
      await refreshChannel({ ...there.options, observe: options.observe }, arnOf('B'), signal);
      return options.reader.listChannels(request);
    },
  };

  await refreshInventory({ ...options, reader }, signal);

  expect(noticing.state.view.get(kinds.channel.of(arnOf('B')))).toMatchObject({ name: 'renamed' });
});

test('reads the fields that a listing leaves out, fifty channels at a time, and keeps them at the next listing', async () => {
  const ids = Array.from({ length: 51 }, (_, index) => `C${index}`);
  const { noticing, observed, asked, options, signal } = setup([ids.map(channel)]);
  const formats = () => Array.from(noticing.state.view.entries(kinds.channel), ([, each]) => each.containerFormat);
  await refreshInventory(options, signal);
  expect(new Set(formats())).toEqual(new Set([undefined]));

  await readChannelDetails(options, signal);

  expect(asked).toEqual(['page 0', '50 channels', '1 channels']);
  expect(formats()).toEqual(ids.map(() => 'TS'));
  const before = observed.length;
  await refreshInventory(options, signal);
  await readChannelDetails(options, signal);
  expect(formats()).toEqual(ids.map(() => 'TS'));
  // The second listing; the details have not changed.
  expect(observed.length).toBe(before + 1);
});

test('takes the value of BatchGetChannel if a listing differs, and reports the difference', async () => {
  const { noticing, options, signal } = setup([['A', 'B'].map(channel)]);
  await refreshInventory(options, signal);
  const reader = {
    ...options.reader,
    getChannels: async (arns: readonly ChannelArn[]) =>
      (await options.reader.getChannels(arns)).map((each) =>
        each.arn === arnOf('B') ? { ...each, recordingConfigurationArn: 'arn:other', tags: { tier: 'gold' } } : each,
      ),
  };

  expect(await readChannelDetails({ ...options, reader }, signal)).toEqual({
    checked: 2,
    differs: [{ channelArn: arnOf('B'), settings: ['recordingConfigurationArn', 'tags'] }],
  });
  expect(noticing.state.view.get(kinds.channel.of(arnOf('B')))).toMatchObject({ tags: { tier: 'gold' } });
  expect(await readChannelDetails({ ...options, reader }, signal)).toEqual({ checked: 2, differs: [] });
});

test('a failed batch of details does not affect the others, and a channel that was read meanwhile keeps what was read', async () => {
  const ids = Array.from({ length: 120 }, (_, index) => `C${index}`);
  const { noticing, options, signal } = setup([ids.map(channel)]);
  await refreshInventory(options, signal);
  let batches = 0;
  const reader = {
    ...options.reader,
    async getChannels(arns: readonly ChannelArn[]) {
      batches += 1;
      if (batches === 2) throw new AppError('IVS_ACCESS_DENIED', 'not allowed');
      const found = await options.reader.getChannels(arns);
      const renamed = setup([[{ ...channel('C3'), name: 'renamed' }]]);
      await refreshChannel({ ...renamed.options, observe: options.observe }, arnOf('C3'), signal);
      return found;
    },
  };

  await expect(readChannelDetails({ ...options, reader }, signal)).rejects.toMatchObject({ code: 'IVS_ACCESS_DENIED' });

  const { view } = noticing.state;
  expect(view.get(kinds.channel.of(arnOf('C3')))).toEqual({ ...channel('C3'), name: 'renamed' });
  expect(view.get(kinds.channel.of(arnOf('C4')))).toMatchObject({ containerFormat: 'TS' });
  expect(view.get(kinds.channel.of(arnOf('C60')))).toEqual(channel('C60'));
});
