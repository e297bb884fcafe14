import { expect, test } from 'vitest';
import type { Channel, ChannelArn } from '#domain/channel.ts';
import type { Decision, DecisionOutcome, DecisionReason } from '#domain/decision.ts';
import { kinds, logs } from '#domain/state-registry.ts';
import { MemoryState } from '#store/memory-state.ts';
import { type DecisionFilter, nextPlace, queryDecisions, resultsOf } from './query.ts';
import { lastWord, pruneLastWords, recordDecisions, recordJobResult, recordJobResults } from './record.ts';

const arnOf = (name: string) => `arn:aws:ivs:us-west-2:111122223333:channel/${name}`;
let nowMs = 1_000_000;

function decision(rule: string, name: string, outcome: DecisionOutcome, reason: DecisionReason): Decision {
  return {
    id: `d-${rule}-${name}-${nowMs}`,
    rule,
    mode: 'enforce',
    outcome,
    reason,
    atMs: nowMs,
    channelArn: arnOf(name),
    group: arnOf(name),
    cause: 'x',
    trigger: { kind: 'state', sinceMs: nowMs, text: '', values: { health: 'STARVING' } },
    guards: reason === 'cooldown' ? [{ guard: 'cooldown', passed: false, values: { limitMs: 1 } }] : [],
    jobs: outcome === 'acted' ? [{ jobId: `j-${name}`, action: 'notify' }] : [],
    withheld: [],
  };
}

function setup() {
  nowMs = 1_000_000;
  const state = new MemoryState({ now: () => nowMs });
  const record = async (...decisions: Decision[]) => {
    await state.transact((tx) => recordDecisions(tx, decisions));
    nowMs += 1000;
  };
  const ask = async (filter: Partial<DecisionFilter>) =>
    (await queryDecisions(state, { limit: 100, ...filter })).decisions;
  return { state, record, ask };
}

test('merges both logs, newest first, and filters them', async () => {
  const { record, ask } = setup();
  await record(decision('a', 'x', 'pending', 'condition_began'));
  await record(decision('a', 'x', 'acted', 'fired'), decision('b', 'y', 'suppressed', 'cooldown'));
  await record(decision('a', 'y', 'not_fired', 'for_not_reached'));

  expect((await ask({})).map(({ reason }) => reason)).toEqual([
    'for_not_reached',
    'cooldown',
    'fired',
    'condition_began',
  ]);
  expect((await ask({ rule: 'a', channelArn: arnOf('x') })).map(({ reason }) => reason)).toEqual([
    'fired',
    'condition_began',
  ]);
  expect(await ask({ outcome: 'suppressed' })).toHaveLength(1);
  expect(await ask({ sinceMs: 1_002_000 })).toHaveLength(1);
  expect((await ask({ untilMs: 1_001_000 })).map(({ reason }) => reason)).toEqual(['condition_began']);
  expect(await ask({ limit: 2 })).toHaveLength(2);
});

test('many equal decisions of one moment are one entry, which is found for each of its channels', async () => {
  const { state, record, ask } = setup();
  await record(...Array.from({ length: 400 }, (_, index) => decision('a', `c${index}`, 'suppressed', 'cooldown')));

  expect(await state.readLog(logs.journal, { limit: 1000 })).toHaveLength(1);
  expect(await ask({ channelArn: arnOf('c399') })).toMatchObject([
    { channelArn: arnOf('c399'), reason: 'cooldown', count: 400 },
  ]);
  expect(await ask({ channelArn: arnOf('c400') })).toEqual([]);
});

test('a thousand unimportant entries do not push out an important one', async () => {
  const { record, ask } = setup();
  await record(decision('a', 'x', 'suppressed', 'held'));
  for (let times = 0; times < 3000; times += 1) await record(decision('b', 'y', 'pending', 'condition_began'));

  expect((await ask({ channelArn: arnOf('x') })).map(({ reason }) => reason)).toEqual(['held']);
});

test('keeps the last decision about a rule and a channel, with what was compared, until it is old', async () => {
  const { state, record } = setup();
  await record(decision('a', 'x', 'suppressed', 'cooldown'));
  await record(decision('a', 'x', 'acted', 'fired'));
  expect(lastWord(state.view, 'a', arnOf('x'))).toMatchObject({ reason: 'cooldown', values: { limitMs: 1 } });

  const inhibited = { action: 'notify', reason: 'inhibited', values: { by: 'mass' } } as const;
  await record({ ...decision('a', 'x', 'suppressed', 'inhibited'), guards: [], withheld: [inhibited] });
  expect(lastWord(state.view, 'a', arnOf('x'))).toMatchObject({ reason: 'inhibited', values: { by: 'mass' } });

  nowMs += 8 * 86_400_000;
  await state.transact((tx) => pruneLastWords(tx));
  expect(lastWord(state.view, 'a', arnOf('x'))).toBeUndefined();
});

test('shows the result of a job with its decision', async () => {
  const { state, record, ask } = setup();
  await record(decision('a', 'x', 'acted', 'fired'));
  await state.transact((tx) =>
    recordJobResult(tx, {
      jobId: 'j-x',
      decisionId: 'd',
      atMs: nowMs,
      outcome: 'skipped',
      detail: 'only_if did not hold',
    }),
  );

  expect((await ask({}))[0]?.jobs).toEqual([
    expect.objectContaining({ jobId: 'j-x', result: expect.objectContaining({ outcome: 'skipped' }) }),
  ]);
});

test('the results of a job’s items take precedence, even over a later result of its worker', async () => {
  const { state } = setup();
  const delivery = { pending: 0, delivered: 0, conflated: 0, expired: 1, notBroadcasting: 0, failed: 0, cancelled: 0 };
  const ended = { outcome: 'skipped', detail: 'expired 1', delivery } as const;
  const accepted = { outcome: 'done', detail: 'done: accepted', checks: [] } as const;
  for (const [fanoutId, words] of [
    ['early', [ended, accepted]],
    ['late', [accepted, ended]],
  ] as const)
    for (const word of words)
      await state.transact((tx) =>
        recordJobResults(tx, { fanoutId, members: [[0, 'd-1', 'b-1.a']], atMs: nowMs, ...word }),
      );

  const results = await resultsOf(state, new Set(['early-0', 'late-0']), { sinceMs: 0 });

  for (const jobId of ['early-0', 'late-0'])
    expect(results.get(jobId)).toMatchObject({ outcome: 'skipped', detail: 'expired 1', checks: [] });
});

test('pages miss nothing and repeat nothing, even with hundreds of decisions of one moment', async () => {
  const { state, record } = setup();
  await record(decision('a', 'old', 'acted', 'fired'));
  await record(...Array.from({ length: 250 }, (_, index) => decision('a', `c${index}`, 'acted', 'fired')));
  await record(decision('a', 'new', 'acted', 'fired'));

  const seen: string[] = [];
  let after: DecisionFilter['after'];
  for (;;) {
    const filter = { limit: 60, after };
    const { decisions } = await queryDecisions(state, filter);
    seen.push(...decisions.map(({ channelArn }) => channelArn!));
    after = nextPlace(decisions, filter);
    if (!after) break;
  }

  expect(seen).toHaveLength(252);
  expect(new Set(seen).size).toBe(252);
});

test('an entry for many channels counts channels, not decisions, and names the channel whose values it shows', async () => {
  const { record, ask } = setup();
  const names = Array.from({ length: 9 }, (_, index) => `c${index}`);
  const held = names.map((name) => decision('a', name, 'suppressed', 'recovering'));
  // Two steps of the rule wait on two of the channels.
  await record(
    ...held,
    ...['c1', 'c2'].map((name) => ({ ...decision('a', name, 'suppressed', 'recovering'), id: `d-2-${name}` })),
  );

  const [all] = await ask({});
  expect(all).toMatchObject({ count: 9, example: { channelArn: arnOf('c0') } });
  const [other] = await ask({ channelArn: arnOf('c5') });
  expect(other).toMatchObject({ channelArn: arnOf('c5'), count: 9, example: { channelArn: arnOf('c0') } });
  expect(await ask({ channelArn: arnOf('c10') })).toEqual([]);
});

test('searches for all words of a text in each decision, and in the names of all channels of an entry', async () => {
  const { state, record, ask } = setup();
  const refused = { guard: 'hold', passed: false, values: { by: 'token mara', reason: 'Sponsor on air' } } as const;
  await record({ ...decision('slate', 'x', 'suppressed', 'held'), guards: [refused] });
  await record({ ...decision('stop', 'y', 'acted', 'step_due'), afterMs: 180_000, channelName: 'Evening News' });
  const many = Array.from({ length: 12 }, (_, index) => decision('mass', `m${index}`, 'suppressed', 'paused'));
  await record(...many);
  await state.transact((tx) => {
    const arn = arnOf('m11') as ChannelArn;
    tx.set(kinds.channel.of(arn), { arn, name: 'Derby Live', type: 'STANDARD', tags: {} } as unknown as Channel);
  });
  const rules = async (text: string, more: Partial<DecisionFilter> = {}) =>
    (await ask({ text, ...more })).map(({ rule }) => rule);

  expect(await rules('mara SPONSOR')).toEqual(['slate']);
  expect(await rules('evening 3 min after')).toEqual(['stop']);
  expect(await rules('notify j-y')).toEqual(['stop']);
  expect(await rules('derby paused')).toEqual(['mass']);
  expect(await rules('derby evening')).toEqual([]);
  expect(await rules('held', { rule: 'stop' })).toEqual([]);
  expect(await rules('  ')).toEqual(['mass', 'stop', 'slate']);
});
