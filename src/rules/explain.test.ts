import { expect, test } from 'vitest';
import { linesOf } from '#src/cli/explain.ts';
import { arnOf, Engine, epochMs, slateRules } from '#test/support/engine.ts';
import { hold } from './controls.ts';
import { type Explanation, explain } from './explain.ts';

const rules = `
rules:
  - name: slate
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    match: {tags: {tier: [gold]}}
    while: {viewerCount: [{numeric: [">", 10]}]}
    for: 30s
    actions: [{put_metadata: {payload: slate}}, {after: 1m, stop_stream: {}}]
    guards: {cooldown: 10m, max_live_percent: 50}
  - name: rotate
    mode: dry_run
    trigger: {event: {detail: {event_name: [Stream End]}}}
    actions: [{put_metadata: {payload: bye}}]
  - name: asleep
    mode: off
    trigger: {state: {health: [STARVING]}}
    actions: [{put_metadata: {payload: slate}}]
`;

async function setup(tags: Record<string, string> = { tier: 'gold' }) {
  const engine = new Engine(rules);
  await engine.channel('a', tags);
  await engine.goLive('a');
  await engine.stream('a', { viewerCount: 50 });
  const ask = (name = 'slate'): Explanation =>
    explain(engine.state.view, engine.ruleset, {
      rule: engine.ruleset.rules.find((rule) => rule.name === name)!,
      channelArn: arnOf('a'),
      nowMs: engine.nowMs,
    });
  return { engine, ask };
}

test('explains each stage of a condition in a word and a sentence', async () => {
  const { engine, ask } = await setup();
  expect(ask()).toMatchObject({
    state: 'idle',
    reason: 'trigger_not_met',
    values: { health: 'HEALTHY', 'tag tier': 'gold' },
  });

  await engine.health('a', 'STARVING');
  await engine.goTo(10);
  expect(ask()).toMatchObject({
    state: 'waiting',
    reason: 'condition_began',
    sinceMs: epochMs,
    due: [{ action: 'fire', dueMs: epochMs + 30_000 }],
  });

  await engine.goTo(40);
  expect(ask()).toMatchObject({ state: 'firing', reason: 'fired', due: [{ action: 'stop_stream' }] });

  await engine.health('a', 'HEALTHY');
  await engine.goTo(50);
  await engine.health('a', 'STARVING');
  await engine.goTo(90);
  expect(ask()).toMatchObject({ state: 'held_back', reason: 'cooldown', last: { reason: 'cooldown' } });
  expect(ask().guards.find(({ guard }) => guard === 'cooldown')).toMatchObject({ passed: false });
});

test('says by the time of day when something is due, however long timers stood still', async () => {
  const { engine, ask } = await setup();
  await engine.health('a', 'STARVING');
  await engine.goTo(10);
  await engine.gap('began');
  await engine.goTo(70);
  expect(ask().due).toEqual([{ action: 'fire', dueMs: epochMs + 90_000, heldBack: 'data_gap' }]);
  await engine.gap('ended');
  await engine.goTo(80);
  expect(ask().due).toEqual([{ action: 'fire', dueMs: epochMs + 90_000 }]);
  await engine.goTo(90);

  expect(ask().state).toBe('firing');
});

test('says which part of the condition fails', async () => {
  const { engine, ask } = await setup({ tier: 'tin' });
  await engine.health('a', 'STARVING');
  expect(ask()).toMatchObject({ state: 'idle', reason: 'match_failed' });

  await engine.channel('a', { tier: 'gold' });
  await engine.stream('a', { viewerCount: 3 });
  expect(ask()).toMatchObject({ state: 'idle', reason: 'while_broken' });
});

test('says that an event that is over has nothing that waits, and that a rule is off', async () => {
  const { ask } = await setup();

  expect(ask('rotate')).toMatchObject({ state: 'idle', reason: 'trigger_not_met', mode: 'dry_run' });
  expect(ask('rotate').guards.map(({ guard }) => guard)).not.toContain('max_event_age');
  expect(ask('asleep')).toMatchObject({ state: 'off', reason: 'off' });
});

test('the command prints what holds a rule back, with who and why', async () => {
  const { engine, ask } = await setup();
  await engine.commit((tx) => {
    hold(tx, { channelArn: arnOf('a'), who: 'ann', reason: 'new encoder' });
    return [];
  });
  await engine.health('a', 'STARVING');
  await engine.goTo(40);
  const { sinceMs = 0, due, last, guards, muted, ...rest } = ask();
  const iso = (ms: number) => new Date(ms).toISOString();
  const text = linesOf({
    ...rest,
    remedy: 'Release the hold.',
    since: iso(sinceMs),
    due: due.map(({ dueMs, ...one }) => ({ ...one, at: iso(dueMs) })),
    guards,
    muted,
    ...(last ? { last: { ...last, at: iso(last.atMs), meaning: 'The channel is on hold.' } } : {}),
    decisions: [],
  }).join('\n');

  expect(text).toContain('slate (enforce) on a (arn:aws:ivs:us-west-2:111122223333:channel/a)');
  expect(text).toContain('Now: held back, held, true since 2026-11-20T12:00:00.000Z');
  expect(text).toMatch(/STOPS {2}hold +by ann, reason new encoder/);
  expect(text).toMatch(/^ {2}passes pause +automation is not paused$/m);
  expect(text).toMatch(/^ {2}passes stopped +its cap has not stopped it$/m);
  expect(text).toMatch(/^ {2}passes cooldown +limit 10m, lastFired never$/m);
  expect(text).toContain('Last time it did not act: 2026-11-20T12:00:30.000Z held');
});

test('a rule that its cap stopped says so in one sentence with its channels, also where it has acted', async () => {
  const engine = new Engine(
    rules.replace('for: 30s', 'for: 0s').replace('max_live_percent: 50', 'max_live_percent: 20'),
  );
  for (const name of ['a', 'b', 'c', 'd']) {
    await engine.channel(name, { tier: 'gold' });
    await engine.goLive(name);
    await engine.stream(name, { viewerCount: 50 });
  }
  await engine.health('d', 'STARVING');
  await engine.goTo(400);
  await engine.streams(['a', 'b'].map((name) => [name, { health: 'STARVING' as const }]));
  const ask = (name: string) =>
    explain(engine.state.view, engine.ruleset, {
      rule: engine.ruleset.rules[0]!,
      channelArn: arnOf(name),
      nowMs: engine.nowMs,
    });
  expect(ask('a')).toMatchObject({ state: 'held_back', reason: 'rule_stopped' });
  expect(ask('a').sentence).toContain('it was about to act on 2 of 4 live channels (a, b).');
  expect(ask('d')).toMatchObject({ state: 'firing', reason: 'fired' });
  expect(ask('d').sentence).toMatch(/has not resolved\. It cannot fire again: Rule slate is stopped: .*\(a, b\)/);
});

test('says that tags are as they were at the last listing, if `match` asks for them', async () => {
  const sentences: string[] = [];
  for (const match of ['{tags: {tier: [silver]}}', '{"tags.tier": [silver]}', '{name: [b]}']) {
    const engine = new Engine(slateRules(`match: ${match}`));
    await engine.channel('a', { tier: 'gold' });
    await engine.goLive('a', 'STARVING');
    const [rule = expect.fail('no rule')] = engine.ruleset.rules;
    const asked = { rule, channelArn: arnOf('a'), nowMs: engine.nowMs };
    const { reason, sentence } = explain(engine.state.view, engine.ruleset, asked);
    expect(reason).toBe('match_failed');
    sentences.push(sentence);
  }
  expect(sentences.map((sentence) => sentence.includes('ivs-autopilot channel refresh'))).toEqual([true, true, false]);
});
