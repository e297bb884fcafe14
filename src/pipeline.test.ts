import { expect, test } from 'vitest';
import { AppError } from '#domain/errors.ts';
import type { Observation } from '#domain/observation.ts';
import type { Ruleset } from '#domain/rule.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { MemoryState } from '#store/memory-state.ts';
import { at, kindOf } from '#test/support/plain-keys.ts';
import { event, poll, snapshot } from '#test/support/streams.ts';
import { Pipeline } from './pipeline.ts';

const ruleset: Ruleset = { rules: [], inhibitRules: [], timeIntervals: [], receivers: [], hash: 'none' };
const eventIn = (channel: string): Observation => event('Stream Start', { channel, stream: 's1', at: 1 });
const channelOf = (observation: Observation) =>
  observation.kind === 'event' ? String(observation.channelArn).split('/')[1]! : '';

/** A pipeline that records the channels, and those of each commit, and cannot evaluate the one called `broken`. */
function setup(state: SharedState = new MemoryState({ now: () => 0 })) {
  const commits: string[][] = [];
  const pipeline = new Pipeline({
    state,
    ruleset,
    stages: {
      split: (observation) => [observation],
      apply: (tx, observation) => {
        const channel = channelOf(observation);
        if (channel === 'broken') throw new TypeError('cannot be judged');
        tx.set(at(`seen/${channel}`), (tx.get(at(`seen/${channel}`)) ?? 0) + 1);
        return [];
      },
      decide: () => [],
      decideDue: () => [],
      decideAnswer: () => ({ decisions: [], answered: { ok: false, code: 'NOT_FOUND', message: '' } }),
      release: () => undefined,
      detectGaps: () => [],
    },
    onCommitted: ({ observations }) => commits.push(observations.map(channelOf)),
  });
  return { pipeline, state, commits };
}

test('what is observed after a commit, before the event loop has read every answer that is here, shares the next one', async () => {
  const { pipeline, commits } = setup();
  const first = pipeline.observe(eventIn('a'));
  await Promise.resolve();
  const second = pipeline.observe(eventIn('b'));
  await first;
  // Everything that follows from one answer runs before the next one is read.
  for (let step = 0; step < 100; step += 1) await Promise.resolve();
  const third = pipeline.observe(eventIn('c'));
  await Promise.all([second, third]);

  expect(commits).toEqual([['a'], ['b', 'c']]);
});

test('refuses only the observation that cannot be evaluated; the others in its commit take effect once', async () => {
  const { pipeline, state } = setup();

  const results = await Promise.allSettled(
    ['a', 'broken', 'b', 'c'].map((channel) => pipeline.observe(eventIn(channel))),
  );

  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
  expect(Object.fromEntries(state.view.entries(kindOf('seen')))).toEqual({ a: 1, b: 1, c: 1 });
});

test('tries a batch once, and not one by one, while the state is unreachable', async () => {
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

/** A pipeline that commits each stream of a list by itself, and records what it commits in order. */
function setupLists({ onCommitted = () => undefined }: { onCommitted?: () => void } = {}) {
  const applied: string[] = [];
  const knownAtSplit: number[] = [];
  const pipeline = new Pipeline({
    state: new MemoryState({ now: () => 0 }),
    ruleset,
    stages: {
      split: (observation, view) => {
        knownAtSplit.push(view.count(kindOf('seen')));
        return observation.kind === 'poll'
          ? observation.streams.map((stream) => ({ ...observation, streams: [stream] }))
          : [observation];
      },
      apply: (tx, observation) => {
        const channels = observation.kind === 'poll' ? observation.streams.map(({ channelArn }) => channelArn) : [];
        const name = channels.map((arn) => arn.split('/')[1]!).join('+') || channelOf(observation);
        if (name === 'broken') throw new TypeError('cannot be judged');
        applied.push(name);
        tx.set(at(`seen/${name}`), 1);
        return [];
      },
      decide: () => [],
      decideDue: () => [],
      decideAnswer: () => ({ decisions: [], answered: { ok: false, code: 'NOT_FOUND', message: '' } }),
      release: () => undefined,
      detectGaps: () => [],
    },
    onCommitted,
  });
  return { pipeline, applied, knownAtSplit };
}

const listOf = (...channels: string[]) =>
  poll('all', { at: 0, streams: channels.map((channel) => snapshot(channel, 's1')) });

test('commits a long list piece by piece, so that an event that arrives meanwhile does not wait for all of it', async () => {
  let event: Promise<unknown> | undefined;
  const { pipeline, applied } = setupLists({
    onCommitted: () => {
      event ??= pipeline.observe(eventIn('event'));
    },
  });

  await pipeline.observe(listOf('a', 'b', 'c'));
  await event;

  expect(applied).toEqual(['a', 'event', 'b', 'c']);
});

test('splits a list at its first turn, by what was committed before', async () => {
  const { pipeline, knownAtSplit } = setupLists();

  await Promise.all([pipeline.observe(listOf('a')), pipeline.observe(eventIn('b')), pipeline.observe(listOf('c'))]);

  // The event comes first.
  expect(knownAtSplit).toEqual([1, 2]);
});

test('a short list does not wait for the whole of a long one', async () => {
  const { pipeline, applied } = setupLists();

  await Promise.all([pipeline.observe(listOf('a', 'b', 'c')), pipeline.observe(listOf('short'))]);

  expect(applied).toEqual(['a', 'short', 'b', 'c']);
});

test('refuses a list that cannot be split; the next one is not affected', async () => {
  const { pipeline, applied, knownAtSplit } = setupLists();
  const odd = { ...listOf('a'), streams: undefined as never };

  const results = await Promise.allSettled([pipeline.observe(odd), pipeline.observe(listOf('b'))]);

  expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  expect(applied).toEqual(['b']);
  expect(knownAtSplit).toHaveLength(2);
});

test('refuses a list and skips the rest of it if a piece cannot be evaluated; the next list is not affected', async () => {
  const { pipeline, applied } = setupLists();

  const results = await Promise.allSettled([
    pipeline.observe(listOf('a', 'broken', 'b')),
    pipeline.observe(listOf('c', 'd')),
  ]);

  expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  expect(applied).toEqual(['a', 'c', 'd']);
});

test('reports a repeated observation, in the same commit and in a later one', async () => {
  const { pipeline, state } = setup();

  const together = await Promise.all(['a', 'a', 'b'].map((channel) => pipeline.observe(eventIn(channel))));
  const later = await pipeline.observe(eventIn('a'));

  expect([...together, later]).toEqual(['taken', 'repeated', 'taken', 'repeated']);
  expect(Object.fromEntries(state.view.entries(kindOf('seen')))).toEqual({ a: 1, b: 1 });
});
