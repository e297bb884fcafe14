import { expect, test } from 'vitest';
import type { Channel } from '#domain/channel.ts';
import { AppError } from '#domain/errors.ts';
import type { Observation } from '#domain/observation.ts';
import { kinds } from '#domain/state-registry.ts';
import { createActionCalls } from '#ivs/action-calls.ts';
import type { IvsClientPort } from '#ivs/client.ts';
import { keptLogger } from '#test/support/quiet.ts';
import { arnOf, Noticing, startMs } from '#test/support/streams.ts';
import { observingOwnChanges } from './own-changes.ts';

const arn = arnOf('A');
const options = { signal: new AbortController().signal };
const listed: Channel = {
  arn,
  name: 'studio-a',
  type: 'STANDARD',
  latencyMode: 'LOW',
  recordingConfigurationArn: 'arn:old',
  tags: { tier: 'gold', show: 'finals' },
};

/** A channel in the inventory, and calls that IVS answers so. */
async function setup({
  answer = {},
  observe,
}: {
  readonly answer?: Partial<Channel> | Error;
  readonly observe?: () => Promise<never>;
} = {}) {
  const noticing = new Noticing();
  await noticing.see({ kind: 'inventory', channels: [listed], removed: [], atMs: startMs, complete: true });
  const answered = async () => {
    if (answer instanceof Error) throw answer;
    return { channel: { arn, ...answer } };
  };
  const client = { updateChannel: answered, tagResource: answered, untagResource: answered };
  const { logger, lines } = keptLogger();
  const calls = observingOwnChanges(createActionCalls(client as unknown as IvsClientPort), {
    state: noticing.state,
    observe: observe ?? ((observation: Observation) => noticing.see(observation)),
    logger,
  });
  noticing.changes.length = 0;
  return { noticing, calls, lines, known: () => noticing.state.view.get(kinds.channel.of(arn)) };
}

test('a setting that an own call changed is in the inventory at once, and rules are told', async () => {
  const { noticing, calls, known } = await setup({ answer: { name: 'renamed', recordingConfigurationArn: 'arn:new' } });

  await calls.updateChannel(arn, { recordingConfigurationArn: 'arn:new' }, options);

  expect(known()).toEqual({ ...listed, recordingConfigurationArn: 'arn:new' });
  expect(noticing.changes).toMatchObject([{ kind: 'inventory', channelArns: [arn] }]);
});

test('the answer of IVS counts, and what it leaves out is as asked', async () => {
  const { calls, known } = await setup({ answer: { adConfigurationArn: 'arn:other-ads' } });

  await calls.updateChannel(arn, { recordingConfigurationArn: '', adConfigurationArn: 'arn:ads' }, options);

  expect(known()).toEqual({ ...listed, recordingConfigurationArn: '', adConfigurationArn: 'arn:other-ads' });
});

test('tags that own calls set and removed are in the inventory at once', async () => {
  const { noticing, calls, known } = await setup();

  await calls.untagResource(arn, ['show'], options);
  expect(known()?.tags).toEqual({ tier: 'gold' });
  await calls.tagResource(arn, { tier: 'silver', stage: 'b' }, options);

  expect(known()).toEqual({ ...listed, tags: { tier: 'silver', stage: 'b' } });
  expect(noticing.changes).toHaveLength(2);
});

test('a listing that began before the change does not undo it', async () => {
  const { noticing, calls, known } = await setup({ answer: { recordingConfigurationArn: 'arn:new' } });
  const before = new Map([[arn, listed]]);

  await calls.updateChannel(arn, { recordingConfigurationArn: 'arn:new' }, options);
  const late = { channels: [listed], removed: [], atMs: startMs, complete: true, known: before } as const;
  await noticing.see({ kind: 'inventory', ...late });

  expect(known()?.recordingConfigurationArn).toBe('arn:new');
});

test('a refused call changes nothing, nor does one for another resource or an unknown channel', async () => {
  const refused = await setup({ answer: new AppError('IVS_CONFLICT', 'it is live') });
  await expect(
    refused.calls.updateChannel(arn, { recordingConfigurationArn: 'arn:new' }, options),
  ).rejects.toMatchObject({ code: 'IVS_CONFLICT' });
  expect(refused.noticing.changes).toEqual([]);
  expect(refused.known()).toEqual(listed);

  const { noticing, calls } = await setup();
  await calls.tagResource('arn:aws:ivs:us-west-2:111122223333:stream-key/A', { a: 'b' }, options);
  await calls.tagResource(arnOf('unknown'), { a: 'b' }, options);
  expect(noticing.changes).toEqual([]);
  expect(noticing.state.view.count(kinds.channel)).toBe(1);
});

test('a change that cannot be committed does not fail the call', async () => {
  const observe = () => Promise.reject(new AppError('REDIS_UNREACHABLE', 'away'));
  const { calls, lines, known } = await setup({ observe });

  await calls.tagResource(arn, { tier: 'silver' }, options);

  expect(known()).toEqual(listed);
  expect(lines).toMatchObject([{ channelArn: arn, code: 'REDIS_UNREACHABLE' }]);
});
