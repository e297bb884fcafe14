import { expect, test } from 'vitest';
import type { ActionJob } from '#domain/action.ts';
import type { ChannelArn } from '#domain/channel.ts';
import { kinds } from '#domain/state-registry.ts';
import { MemoryState } from '#store/memory-state.ts';
import type { CallOptions, HandlerContext } from './ports.ts';
import { withRecheck } from './recheck.ts';

const arn = 'arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl' as ChannelArn;

/** A run of a stop whose call waits for its permit, and what was sent to IVS. */
function run(kind: 'rule' | 'api') {
  const state = new MemoryState({ now: () => 1_000_000 });
  const sent: string[] = [];
  const call = (name: string) => (_: string, options: CallOptions) => {
    options.confirm?.();
    sent.push(name);
  };
  const ivs = {
    stopStream: call('StopStream'),
    deleteStreamKey: call('DeleteStreamKey'),
    getStream: call('GetStream'),
  };
  const context = { state, ivs, check: (_: string, holds: boolean) => holds } as unknown as HandlerContext;
  const job = { action: 'stop_stream', channelArn: arn, cause: { kind } } as unknown as ActionJob;
  return { state, sent, context: withRecheck(job, context), signal: new AbortController().signal };
}

const pause = (state: MemoryState) =>
  state.transact((tx) => tx.set(kinds.pause.of('global'), { who: 'ann', reason: 'x', sinceMs: 1 }));

test('a pause that begins while the first change waits for its permit prevents it', async () => {
  const { state, sent, context, signal } = run('rule');
  context.check('pause', true, { asked: {}, found: {} });
  await pause(state);

  expect(() => context.ivs.stopStream(arn, { signal })).toThrow(expect.objectContaining({ code: 'CONTROLS_CHANGED' }));
  expect(sent).toEqual([]);
});

test('an action that was begun is finished, and one that only reads is not checked', async () => {
  const { state, sent, context, signal } = run('rule');
  context.check('pause', true, { asked: {}, found: {} });
  await context.ivs.deleteStreamKey('key', { signal });
  await pause(state);
  await context.ivs.getStream(arn, { signal });
  await context.ivs.stopStream(arn, { signal });

  expect(sent).toEqual(['DeleteStreamKey', 'GetStream', 'StopStream']);
});

test('a person’s request is carried out during a pause', async () => {
  const { state, sent, context, signal } = run('api');
  context.check('pause', true, { asked: {}, found: {} });
  await pause(state);
  await context.ivs.stopStream(arn, { signal });

  expect(sent).toEqual(['StopStream']);
});
