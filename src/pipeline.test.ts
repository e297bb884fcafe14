import { expect, test } from 'vitest';
import { AppError } from '#domain/errors.ts';
import type { Observation } from '#domain/observation.ts';
import type { Ruleset } from '#domain/rule.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { MemoryState } from '#store/memory-state.ts';
import { event } from '#test/support/streams.ts';
import { Pipeline } from './pipeline.ts';

const ruleset: Ruleset = { rules: [], inhibitRules: [], timeIntervals: [], receivers: [], hash: 'none' };
const eventIn = (channel: string): Observation => event('Stream Start', { channel, stream: 's1', at: 1 });
const channelOf = (observation: Observation) =>
  observation.kind === 'event' ? String(observation.channelArn).split('/')[1]! : '';

/** A pipeline that notes the channels, and cannot judge the one that is called `broken`. */
function setup(state: SharedState = new MemoryState({ now: () => 0 })) {
  const pipeline = new Pipeline({
    state,
    ruleset,
    stages: {
      split: (observation) => [observation],
      apply: (tx, observation) => {
        const channel = channelOf(observation);
        if (channel === 'broken') throw new TypeError('cannot be judged');
        tx.set(`seen/${channel}`, (tx.get<number>(`seen/${channel}`) ?? 0) + 1);
        return [];
      },
      decide: () => [],
      decideDue: () => [],
      release: () => undefined,
      detectGaps: () => [],
    },
    onCommitted: () => undefined,
  });
  return { pipeline, state };
}

test('an observation that cannot be judged is refused alone; those beside it take effect once', async () => {
  const { pipeline, state } = setup();

  const results = await Promise.allSettled(
    ['a', 'broken', 'b', 'c'].map((channel) => pipeline.observe(eventIn(channel))),
  );

  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
  expect(Object.fromEntries(state.view.entries('seen'))).toEqual({ a: 1, b: 1, c: 1 });
});

test('while the state cannot be reached a batch is tried once, not one by one', async () => {
  let asked = 0;
  const away = new MemoryState({ now: () => 0 });
  away.transact = () => {
    asked += 1;
    return Promise.reject(new AppError('REDIS_UNREACHABLE', 'away'));
  };
  const { pipeline } = setup(away);

  const results = await Promise.allSettled(['a', 'b'].map((channel) => pipeline.observe(eventIn(channel))));

  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(asked).toBe(1);
});

test('an observation that was taken before says so, in the same commit and in a later one', async () => {
  const { pipeline, state } = setup();

  const together = await Promise.all(['a', 'a', 'b'].map((channel) => pipeline.observe(eventIn(channel))));
  const later = await pipeline.observe(eventIn('a'));

  expect([...together, later]).toEqual(['taken', 'repeated', 'taken', 'repeated']);
  expect(Object.fromEntries(state.view.entries('seen'))).toEqual({ a: 1, b: 1 });
});
