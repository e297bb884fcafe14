import { expect, test } from 'vitest';
import type { Channel } from '#domain/channel.ts';
import { kinds } from '#domain/state-registry.ts';
import type { StreamRecord } from '#domain/stream-record.ts';
import { MemoryState } from '#store/memory-state.ts';
import { resolveTargets } from './targets.ts';

const arn = (name: string) => `arn:aws:ivs:us-west-2:111122223333:channel/${name}`;

async function fleet(channels: Record<string, { state?: string; tags?: Record<string, string> }>) {
  const state = new MemoryState({ now: () => 0 });
  await state.transact((tx) => {
    for (const [name, { state: streamState, tags }] of Object.entries(channels)) {
      if (streamState)
        tx.set(kinds.stream.of(arn(name)), { channelArn: arn(name), state: streamState } as StreamRecord);
      if (tags) tx.set(kinds.channel.of(arn(name)), { arn: arn(name), tags } as Channel);
    }
  });
  return state.view;
}

test('takes named channels as they are, once each, and leaves out those of another account or Region', async () => {
  const view = await fleet({});
  const named = [arn('a'), arn('b'), arn('a'), 'arn:aws:ivs:eu-west-1:111122223333:channel/c', 'nonsense'];

  const here = resolveTargets({ channelArns: named }, view, { region: 'us-west-2', account: '111122223333' });
  const anywhere = resolveTargets({ channelArns: named }, view);

  expect(here.channelArns).toEqual([arn('a'), arn('b')]);
  expect(here.skipped).toEqual([
    { reason: 'duplicate', count: 1, examples: [arn('a')] },
    { reason: 'other_account_or_region', count: 2, examples: [named[3], 'nonsense'] },
  ]);
  expect(anywhere.channelArns).toHaveLength(3);
});

test('"all live" means channels with a live stream, not one that was created or has ended', async () => {
  const view = await fleet({
    a: { state: 'live' },
    b: { state: 'ended' },
    c: { state: 'created' },
    d: { state: 'live' },
  });

  expect(resolveTargets({ live: true }, view).channelArns).toEqual([arn('a'), arn('d')]);
});

test('all tags must match, each by any of its values, and only their own', async () => {
  const view = await fleet({
    a: { state: 'live', tags: { show: 'quiz', tier: 'gold' } },
    b: { state: 'live', tags: { show: 'late', tier: 'gold' } },
    c: { state: 'live', tags: { show: 'quiz' } },
    d: { tags: { show: 'quiz', tier: 'gold' } },
  });

  const quiz = resolveTargets({ tags: { show: ['quiz', 'late'], tier: ['gold'] } }, view);

  expect(quiz.channelArns).toEqual([arn('a'), arn('b')]);
  expect(quiz.skipped).toEqual([{ reason: 'not_live', count: 1, examples: [arn('d')] }]);
  expect(resolveTargets({ tags: { constructor: ['x'] } }, view).channelArns).toEqual([]);
  expect(resolveTargets({ tags: {} }, view)).toEqual({ channelArns: [], skipped: [] });
});

test('leaves out a spared channel, whichever target chose it', async () => {
  const view = await fleet({ a: { state: 'live', tags: { show: 'x' } }, b: { state: 'live', tags: { show: 'x' } } });
  const spare = (channelArn: string) => channelArn === arn('b');

  for (const targets of [{ live: true as const }, { tags: { show: ['x'] } }, { channelArns: [arn('a'), arn('b')] }])
    expect(resolveTargets(targets, view, { spare })).toEqual({
      channelArns: [arn('a')],
      skipped: [{ reason: 'held', count: 1, examples: [arn('b')] }],
    });
});

test('names only some channels when many are left out', async () => {
  const view = await fleet({});
  const many = Array.from({ length: 500 }, (_, index) => `elsewhere ${index}`);

  const [skipped] = resolveTargets({ channelArns: many }, view).skipped;

  expect([skipped?.count, skipped?.examples.length]).toEqual([500, 20]);
});
