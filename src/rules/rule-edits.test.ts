// Edits of a rule while what it did is in effect: whatever it did is undone, once.
import { describe, expect, test } from 'vitest';
import type { Ruleset } from '#domain/rule.ts';
import { arnOf, Engine, rulesetOf } from '#test/support/engine.ts';

interface Edit {
  readonly name?: string;
  readonly mode?: string;
  readonly trigger?: string;
  readonly show?: string;
  readonly hide?: string;
  /** More lines of the rule. */
  readonly more?: string;
}

function rule({
  name = 'slate',
  mode = 'enforce',
  trigger = '{state: {health: [STARVING]}}',
  show = 'on',
  hide = 'off',
  more = 'for: 10s',
}: Edit = {}): string {
  return `
  - name: ${name}
    mode: ${mode}
    trigger: ${trigger}
    actions: [{put_metadata: {payload: ${show}}}]
    on_resolve: [{put_metadata: {payload: ${hide}}}]
    guards: {cooldown: 0s, max_live_percent: 100}
    ${more}`;
}

const other = `
  - name: other
    trigger: {http: {name: other}}
    actions: [{put_metadata: {payload: x}}]`;
const rules = (...all: readonly string[]) => rulesetOf(`rules: ${all.length === 0 ? '[]' : all.join('')}\n`);

/** What was sent to players, in order: `20 on a`. */
function sent(engine: Engine): readonly string[] {
  return engine.jobs
    .filter(({ name }) => name === 'put_metadata')
    .map(
      ({ payload, atMs }) =>
        `${(atMs - (engine.nowMs - engine.seconds * 1000)) / 1000} ${(payload.params as { payload: string }).payload} ${payload.channelArn?.split('/')[1]}`,
    );
}

async function reload(engine: Engine, ruleset: Ruleset): Promise<void> {
  engine.ruleset = ruleset;
  await engine.due();
}

/** A slate is up on `a` since second 10. */
async function withSlate(): Promise<Engine> {
  const engine = new Engine(rules(rule()));
  await engine.channel('a', { tier: 'gold' });
  await engine.goLive('a');
  await engine.health('a', 'STARVING');
  await engine.goTo(20);
  expect(sent(engine)).toEqual(['10 on a']);
  return engine;
}

describe('an edit of what decides when a rule fires', () => {
  test.each<[string, Edit]>([
    ['for', { more: 'for: 11s' }],
    ['a longer for than has passed', { more: 'for: 10m' }],
    ['keep_firing_for', { more: 'for: 10s\n    keep_firing_for: 5s' }],
    ['the trigger', { trigger: '{state: {health: [STARVING], live: [true]}}' }],
    ['match', { more: 'for: 10s\n    match: {tags: {tier: [gold]}}' }],
    ['the mode', { mode: 'dry_run' }],
    ['the mode and for', { mode: 'dry_run', more: 'for: 11s' }],
    ['the payload', { show: 'elsewhere' }],
  ])('%s: the rule continues to fire, and its end is undone once', async (_name, edit) => {
    const engine = await withSlate();
    await reload(engine, rules(rule(edit)));
    await engine.goTo(100);
    expect(sent(engine)).toEqual(['10 on a']);
    await engine.health('a', 'HEALTHY');
    await engine.goTo(200);
    await engine.health('a', 'STARVING');
    await engine.goTo(201);

    const atS = edit.more?.includes('keep') ? 105 : 100;
    expect(sent(engine)).toEqual(['10 on a', `${atS} off a`]);
    expect(engine.story).toContain(`${atS} resolved condition_ended a`);
  });

  test('on_resolve is that of the file now', async () => {
    const engine = await withSlate();
    await reload(engine, rules(rule({ more: 'for: 11s', hide: 'newer' })));
    await engine.goTo(30);
    await engine.health('a', 'HEALTHY');
    await engine.goTo(100);

    expect(sent(engine)).toEqual(['10 on a', '30 newer a']);
  });

  test.each<[string, Edit]>([
    ['match does not select the channel', { more: 'for: 10s\n    match: {tags: {tier: [silver]}}' }],
    ['the trigger does not match', { trigger: '{state: {health: [UNKNOWN]}}' }],
    ['the trigger is of another kind', { trigger: '{event: {source: [aws.ivs]}}', more: 'while: {live: [true]}' }],
    [
      'the trigger is about all channels',
      { trigger: '{aggregate: {health: [STARVING], count: [{numeric: [">", 0]}]}}' },
    ],
  ])('%s any longer: it ends at once', async (name, edit) => {
    const engine = await withSlate();
    // A job of an aggregate has no channel of its own.
    const targets = name.includes('all channels') ? 'targets: {live: true}, ' : '';
    await reload(engine, rules(rule(edit).replaceAll('{payload', `{${targets}payload`)));
    await engine.goTo(100);
    await engine.health('a', 'HEALTHY');
    await engine.goTo(200);

    expect(sent(engine).filter((line) => line.includes('off a'))).toEqual(['20 off a']);
  });

  test('keep_firing_for runs on from when the condition ended', async () => {
    const engine = new Engine(rules(rule({ more: 'keep_firing_for: 30s' })));
    await engine.goLive('a', 'STARVING');
    await engine.goTo(10);
    await engine.health('a', 'HEALTHY');
    await engine.goTo(20);
    await reload(engine, rules(rule({ more: 'for: 1s\n    keep_firing_for: 20s' })));
    await engine.goTo(100);

    expect(sent(engine)).toEqual(['0 on a', '30 off a']);
  });

  test('a condition that holds again after the edit stops keep_firing_for', async () => {
    const engine = new Engine(rules(rule({ more: 'keep_firing_for: 30s' })));
    await engine.goLive('a', 'STARVING');
    await engine.goTo(10);
    await engine.health('a', 'UNKNOWN');
    await engine.goTo(20);
    const trigger = '{state: {health: [STARVING, UNKNOWN]}}';
    await reload(engine, rules(rule({ trigger, more: 'keep_firing_for: 30s' })));
    await engine.goTo(100);
    expect(sent(engine)).toEqual(['0 on a']);
    await engine.health('a', 'HEALTHY');
    await engine.goTo(200);

    expect(sent(engine)).toEqual(['0 on a', '130 off a']);
  });

  test('a channel that is selected again stops keep_firing_for', async () => {
    const engine = new Engine(rules(rule({ more: 'match: {tags: {tier: [gold]}}\n    keep_firing_for: 30s' })));
    await engine.channel('a', { tier: 'gold' });
    await engine.goLive('a', 'STARVING');
    await engine.goTo(10);
    await engine.channel('a', { tier: 'none' });
    await engine.goTo(20);
    await engine.channel('a', { tier: 'gold' });
    await engine.goTo(100);

    expect(sent(engine)).toEqual(['0 on a']);
  });

  test('a new while that does not hold ends what an event began', async () => {
    const trigger = '{event: {source: [aws.ivs], detail-type: [x]}}';
    const engine = new Engine(rules(rule({ trigger, more: 'while: {live: [true]}' })));
    await engine.goLive('a');
    await engine.event('a', 'x', {});
    await engine.goTo(5);
    await reload(engine, rules(rule({ trigger, more: 'while: {health: [STARVING]}' })));
    await engine.goTo(60);

    expect(sent(engine)).toEqual(['0 on a', '5 off a']);
  });

  test('a moment that keeps firing ends after its new time', async () => {
    const trigger = '{event: {source: [aws.ivs], detail-type: [x]}}';
    const engine = new Engine(rules(rule({ trigger, more: 'keep_firing_for: 1m' })));
    await engine.goLive('a');
    await engine.event('a', 'x', {});
    await engine.goTo(5);
    await reload(engine, rules(rule({ trigger, more: 'keep_firing_for: 2m' })));
    await engine.goTo(600);

    expect(sent(engine)).toEqual(['0 on a', '120 off a']);
  });

  test('an interval that is over after the edit ends for its channels', async () => {
    const file = (times: string) => `
time_intervals: [{name: prime, time_intervals: [{times: [${times}]}]}]
rules:${rule({ trigger: '{schedule: {active_time_intervals: [prime]}}', more: 'match: {name: [{exists: true}]}' })}
`;
    const engine = new Engine(rulesetOf(file('{start_time: "00:00", end_time: "24:00"}')));
    await engine.channel('a');
    await engine.goLive('a');
    await engine.due();
    await engine.goTo(10);
    expect(sent(engine)).toEqual(['0 on a']);
    await reload(engine, rulesetOf(file('{start_time: "03:00", end_time: "03:01"}')));
    await engine.goTo(20);

    expect(sent(engine)).toEqual(['0 on a', '10 off a']);
  });

  test('an action with after is dropped, and the journal says so', async () => {
    const more = (forText: string) =>
      rule({ more: `for: ${forText}` }).replace(
        'actions: [',
        'actions: [{after: 1m, put_metadata: {payload: later}}, ',
      );
    const engine = new Engine(rules(more('10s')));
    await engine.goLive('a', 'STARVING');
    await engine.goTo(20);
    await reload(engine, rules(more('11s')));
    await engine.goTo(100);
    await engine.health('a', 'HEALTHY');

    expect(sent(engine)).toEqual(['10 on a', '100 off a']);
    expect(engine.story).toContain('20 not_fired rule_changed a');
  });

  test('what a rule in dry run would have done is not undone after it enforces', async () => {
    const engine = new Engine(rules(rule({ mode: 'dry_run' })));
    await engine.goLive('a', 'STARVING');
    await engine.goTo(20);
    await reload(engine, rules(rule()));
    await engine.goTo(30);
    await engine.health('a', 'HEALTHY');
    await engine.goTo(60);

    expect(sent(engine)).toEqual([]);
  });

  test('an incident of an aggregate stays open, and ends', async () => {
    const aggregate = (forText: string) =>
      rule({
        trigger: '{aggregate: {health: [STARVING], count: [{numeric: [">", 0]}]}}',
        more: `for: ${forText}`,
      }).replaceAll('{payload', '{targets: {live: true}, payload');
    const engine = new Engine(rules(aggregate('1s')));
    await engine.goLive('a', 'STARVING');
    await engine.goTo(10);
    await reload(engine, rules(aggregate('2s')));
    await engine.goTo(20);
    await engine.health('a', 'HEALTHY');
    await engine.goTo(30);

    expect(sent(engine).map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual(['1 on', '20 off']);
  });
});

describe('a rule that is gone', () => {
  test.each([
    ['removed', [other]],
    ['the only one and removed', []],
    ['switched off', [rule({ mode: 'off' })]],
    ['renamed with another condition', [rule({ name: 'newer', trigger: '{state: {health: [UNKNOWN]}}' })]],
  ])('%s: what it did is undone ten seconds later, once', async (_name, file) => {
    const engine = await withSlate();
    await reload(engine, rules(...file));
    await engine.goTo(100);
    await engine.health('a', 'HEALTHY');
    await engine.goTo(200);
    await reload(engine, rules(rule()));
    await engine.goTo(300);

    expect(sent(engine)).toEqual(['10 on a', '30 off a']);
    expect(engine.story).toContain('30 resolved rule_gone a');
  });

  test('its templates are filled in, and the notification of its end is sent', async () => {
    const receivers =
      'receivers: [{name: noc, webhook_configs: [{url: "https://noc.example/hook", send_resolved: true}]}]';
    const file = `${receivers}
rules:
  - name: slate
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    actions: [{notify: {receiver: noc, text: "{{ channel.name }} starves"}}, {put_metadata: {payload: on}}]
    on_resolve: [{put_metadata: {payload: {hide: "{{ channel.name }}"}}}]
    guards: {max_live_percent: 100}
`;
    const engine = new Engine(rulesetOf(file));
    await engine.channel('a');
    await engine.goLive('a', 'STARVING');
    await engine.goTo(20);
    await reload(engine, rulesetOf(`${receivers}\nrules: []\n`));
    await engine.goTo(60);

    expect(engine.log.slice(2)).toEqual(['30 put_metadata a', '30 notify a']);
    expect(engine.jobs[2]?.payload.params).toMatchObject({ payload: { hide: 'a' } });
    expect(engine.jobs[3]?.payload.params).toMatchObject({ text: 'Resolved: a starves' });
    const [began, over] = [engine.jobs[0], engine.jobs[3]].map(
      (job) => job?.payload['alert'] as { fingerprint: string },
    );
    expect(over?.fingerprint).toBe(began?.fingerprint);
  });

  test('one that only has another name continues to fire', async () => {
    const engine = await withSlate();
    await reload(engine, rules(rule({ name: 'newer' })));
    await engine.goTo(100);
    expect(sent(engine)).toEqual(['10 on a']);
    await engine.health('a', 'HEALTHY');
    await engine.goTo(200);

    expect(sent(engine)).toEqual(['10 on a', '100 off a']);
    expect(engine.decisions.at(-1)).toMatchObject({ rule: 'newer', reason: 'condition_ended', mode: 'enforce' });
  });

  test('a rule that returns within ten seconds, also in another form, continues to fire', async () => {
    const engine = await withSlate();
    await reload(engine, rules(other));
    await engine.goTo(25);
    await reload(engine, rules(rule({ more: 'for: 12s' })));
    await engine.goTo(100);
    expect(sent(engine)).toEqual(['10 on a']);
    await engine.health('a', 'HEALTHY');
    await engine.goTo(200);

    expect(sent(engine)).toEqual(['10 on a', '100 off a']);
  });

  test('nothing is done before a complete poll, and then it is', async () => {
    const engine = await withSlate();
    await reload(engine, rules(other));
    engine.options = { startedAtMs: engine.nowMs };
    await engine.goTo(60);
    expect(sent(engine)).toEqual(['10 on a']);
    await engine.poll();
    await engine.goTo(61);

    expect(sent(engine)).toEqual(['10 on a', '60 off a']);
  });
});

describe('replicas with different files', () => {
  test.each([
    ['another for', rule({ more: 'for: 11s' })],
    ['the rule off', rule({ mode: 'off' })],
    ['no such rule', other],
    ['the rule in dry run', rule({ mode: 'dry_run' })],
  ])('%s in one of them: what was done is undone once, when the condition ends', async (_name, file) => {
    const engine = await withSlate();
    const [mine, theirs] = [rules(rule()), rules(file)];
    for (let second = 21; second <= 60; second += 1) {
      engine.ruleset = second % 2 === 0 ? mine : theirs;
      await engine.stream('a', { viewerCount: second });
      await engine.goTo(second);
    }
    expect(sent(engine)).toEqual(['10 on a']);
    for (const ruleset of [theirs, mine, theirs, mine]) {
      engine.ruleset = ruleset;
      await engine.health('a', 'HEALTHY');
      await engine.due();
    }
    for (let second = 61; second <= 100; second += 1) {
      engine.ruleset = second % 2 === 0 ? mine : theirs;
      await engine.goTo(second);
    }

    expect(sent(engine)).toEqual(['10 on a', '60 off a']);
    expect(new Set(engine.jobs.map(({ jobId }) => jobId)).size).toBe(2);
    expect(engine.jobs.every(({ payload }) => payload.channelArn === arnOf('a'))).toBe(true);
  });
});

test('a cause that took the place of one that was acted for leaves it to be undone, though a guard held it back', async () => {
  const trigger = '{event: {source: [aws.ivs], detail-type: [x]}}';
  const engine = new Engine(
    rules(rule({ trigger, more: 'while: {live: [true]}' }).replace('cooldown: 0s', 'cooldown: 10m')),
  );
  await engine.goLive('a');
  await engine.event('a', 'x', {});
  await engine.goTo(5);
  await engine.event('a', 'x', {});
  await engine.goTo(30);
  await engine.endStream('a');
  await engine.goTo(60);

  expect(sent(engine)).toEqual(['0 on a', '30 off a']);
});
