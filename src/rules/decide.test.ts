import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Decision } from '#domain/decision.ts';
import { kinds } from '#domain/state-registry.ts';
import { Engine, epochMs, rulesetOf, slateRules } from '#test/support/engine.ts';
import { pause, resume } from './controls.ts';
import { decide } from './decide.ts';

const exampleFile = join(import.meta.dirname, '../../config/autopilot.example.yaml');
const example = readFileSync(exampleFile, 'utf8').replace('version: 1', '');

describe('starving-slate of the example', () => {
  test('a 12 s blip does nothing; a long starvation gets a slate, then a stop', async () => {
    const engine = new Engine(example);
    for (let other = 0; other < 30; other += 1) await engine.goLive(`quiet${other}`);
    await engine.channel('a', { tier: 'gold' });
    await engine.goLive('a');
    await engine.goTo(10);
    await engine.health('a', 'STARVING');
    await engine.goTo(22);
    await engine.health('a', 'HEALTHY');
    await engine.goTo(60);
    await engine.health('a', 'STARVING');
    await engine.goTo(300);
    await engine.health('a', 'HEALTHY');
    await engine.goTo(400);

    expect(engine.story.filter((line) => line.endsWith(' a'))).toEqual([
      '10 pending condition_began a',
      '22 not_fired for_not_reached a',
      '60 pending condition_began a',
      '90 acted fired a',
      '270 acted step_due a',
      '315 resolved condition_ended a',
    ]);
    expect(engine.log).toEqual([
      '90 notify a',
      '90 put_metadata a',
      '270 stop_stream a',
      '315 put_metadata a',
      '315 notify a',
    ]);
    expect(engine.jobs[0]?.payload.params).toEqual({ receiver: 'noc', text: 'a starving for 30s' });
    expect(engine.jobs[2]?.payload).toMatchObject({
      streamId: expect.stringMatching(/^st-/),
      onlyIf: { health: ['STARVING'] },
      cause: { kind: 'rule', rule: 'starving-slate' },
    });
    for (const { jobId } of engine.jobs) expect(jobId).toMatch(/^[a-z][a-z0-9-]{1,59}$/);
  });
});

describe('for', () => {
  test('runs from when the condition began, not from when it was noticed', async () => {
    const engine = new Engine(slateRules('for: 30s'));
    await engine.goLive('a');
    await engine.goTo(100);
    await engine.stream('a', { health: 'STARVING', healthSinceMs: epochMs + 80_000 });
    await engine.goTo(109.9);
    expect(engine.log).toEqual([]);
    await engine.goTo(110);

    expect(engine.log).toEqual(['110 put_metadata a']);
  });

  test('survives a reload that keeps the condition, and restarts when the condition changes', async () => {
    const engine = new Engine(slateRules('for: 30s'));
    await engine.goLive('a');
    await engine.health('a', 'STARVING');
    await engine.goTo(20);
    engine.ruleset = rulesetOf(slateRules('for: 30s\n    guards: {cooldown: 7m}'));
    await engine.goTo(30);
    expect(engine.log).toEqual(['30 put_metadata a']);

    await engine.goLive('b');
    await engine.health('b', 'STARVING');
    await engine.goTo(40);
    engine.ruleset = rulesetOf(slateRules('for: 50s\n    guards: {cooldown: 7m}'));
    await engine.due();
    await engine.goTo(79);
    expect(engine.log).toEqual(['30 put_metadata a']);
    expect(engine.story).toContain('40 not_fired rule_changed b');
    await engine.goTo(80);

    expect(engine.log).toEqual(['30 put_metadata a', '80 put_metadata b']);
  });

  test('does not make a new cause of the same condition when its start is dated again', async () => {
    const engine = new Engine(slateRules('for: 10s'));
    await engine.goLive('a');
    await engine.goTo(10);
    await engine.health('a', 'STARVING');
    await engine.goTo(30);
    const dated = (second: number) => engine.stream('a', { healthSinceMs: epochMs + second * 1000 });
    for (const second of [8, 9, 6]) await dated(second);
    engine.ruleset = rulesetOf(slateRules('for: 15s'));
    await dated(7);
    await engine.due();
    await dated(5);
    await engine.goTo(1_000);

    expect(engine.log).toEqual(['20 put_metadata a']);
    expect(engine.story.at(-1)).toBe('20 acted fired a');
  });

  test('a late timer is checked against the record, not fired blindly', async () => {
    const engine = new Engine(slateRules('for: 30s'));
    await engine.goLive('a');
    await engine.health('a', 'STARVING');
    // Nothing was evaluated while the record changed.
    await engine.state.transact((tx) => {
      const [[arn, record] = expect.fail('no stream is known')] = tx.entries(kinds.stream);
      tx.set(kinds.stream.of(arn), { ...record, health: 'HEALTHY' });
    });
    await engine.goTo(600);

    expect(engine.log).toEqual([]);
    expect(engine.story.at(-1)).toBe('30 not_fired for_not_reached a');
  });

  test('the same condition in a new session is a new cause', async () => {
    const engine = new Engine(slateRules('for: 30s'));
    await engine.goLive('a', 'STARVING');
    await engine.goTo(20);
    await engine.goLive('a', 'STARVING');
    await engine.goTo(45);
    expect(engine.log).toEqual([]);
    await engine.goTo(50);

    expect(engine.log).toEqual(['50 put_metadata a']);
  });
});

describe('after, keep_firing_for and on_resolve', () => {
  const steps = '[{put_metadata: {payload: slate}}, {after: 1m, stop_stream: {}}]';
  const cap = 'guards: {max_live_percent: 100}';

  test('a resolve cancels what was planned, and runs on_resolve', async () => {
    const engine = new Engine(slateRules(`on_resolve: [{put_metadata: {payload: gone}}]\n    ${cap}`, steps));
    await engine.goLive('a');
    await engine.health('a', 'STARVING');
    await engine.goTo(59);
    await engine.health('a', 'HEALTHY');
    await engine.goTo(600);

    expect(engine.log).toEqual(['0 put_metadata a', '59 put_metadata a']);
    expect(engine.story.slice(-2)).toEqual(['59 not_fired step_cancelled a', '59 resolved condition_ended a']);
  });

  test('the end is reported with what was known at the end, not with what triggered the rule', async () => {
    const engine = new Engine(slateRules(cap, steps));
    for (const name of ['a', 'b']) {
      await engine.goLive(name);
      await engine.health(name, 'STARVING');
    }
    await engine.goTo(30);
    await engine.health('a', 'HEALTHY');
    await engine.endStream('b');

    const knownOf = (name: string, wanted: string) =>
      engine.decisions.find(({ reason, channelArn }) => reason === wanted && channelArn?.endsWith(`/${name}`))?.trigger
        .values;
    expect(knownOf('a', 'fired')).toMatchObject({ live: true, health: 'STARVING' });
    for (const reason of ['step_cancelled', 'condition_ended']) {
      expect(knownOf('a', reason)).toMatchObject({ live: true, health: 'HEALTHY' });
      expect(knownOf('b', reason)).toMatchObject({ live: false, state: 'ended' });
      expect(knownOf('b', reason)).not.toHaveProperty('health');
    }
  });

  test('a condition that returns within keep_firing_for never ended', async () => {
    const engine = new Engine(slateRules(`keep_firing_for: 20s\n    ${cap}`, steps));
    await engine.goLive('a');
    await engine.health('a', 'STARVING');
    await engine.goTo(30);
    await engine.health('a', 'HEALTHY');
    await engine.goTo(45);
    await engine.health('a', 'STARVING');
    await engine.goTo(100);

    expect(engine.log).toEqual(['0 put_metadata a', '60 stop_stream a']);
  });

  test('what is planned waits while keep_firing_for runs, and is dropped by the resolve', async () => {
    const engine = new Engine(slateRules(`keep_firing_for: 20s\n    ${cap}`, steps));
    await engine.goLive('a');
    await engine.health('a', 'STARVING');
    await engine.goTo(50);
    await engine.health('a', 'HEALTHY');
    await engine.goTo(600);

    expect(engine.log).toEqual(['0 put_metadata a']);
    expect(engine.story.slice(-3)).toEqual([
      '60 suppressed recovering a',
      '70 not_fired step_cancelled a',
      '70 resolved condition_ended a',
    ]);
  });

  test('a rule that was held back until the end does not run on_resolve', async () => {
    const engine = new Engine(slateRules('on_resolve: [{put_metadata: {payload: gone}}]\n    guards: {cooldown: 1h}'));
    await engine.goLive('a');
    for (const second of [0, 20]) {
      await engine.goTo(second);
      await engine.health('a', 'STARVING');
      await engine.goTo(second + 10);
      await engine.health('a', 'HEALTHY');
    }

    expect(engine.log).toEqual(['0 put_metadata a', '10 put_metadata a']);
    expect(engine.decisions.at(-1)).toMatchObject({ outcome: 'resolved', jobs: [] });
  });
});

describe('data gaps', () => {
  test('stop timers while they last, and delay what was planned by their length', async () => {
    const engine = new Engine(slateRules('for: 30s'));
    await engine.goLive('a');
    await engine.health('a', 'STARVING');
    await engine.goTo(20);
    await engine.gap('began');
    await engine.goTo(200);
    expect(engine.log).toEqual([]);
    await engine.gap('ended');
    await engine.goTo(209.9);
    expect(engine.log).toEqual([]);
    await engine.goTo(210);

    expect(engine.log).toEqual(['210 put_metadata a']);
  });

  test('begin with the last data, also for what was held back before anybody noticed', async () => {
    const engine = new Engine(slateRules('for: 30s\n    guards: {max_live_percent: 100}'));
    await engine.goLive('a');
    await engine.goLive('b');
    await engine.health('a', 'STARVING');
    await engine.commit((tx) => (pause(tx, { who: 'op', reason: 'test' }), []));
    await engine.goTo(25);
    await engine.health('b', 'STARVING');
    await engine.goTo(40);
    await engine.commit((tx) => (resume(tx, { who: 'op', reason: 'test' }), []));
    await engine.gap('began', 'poll', 20_000);
    await engine.goTo(100);
    await engine.gap('ended');
    await engine.goTo(200);

    expect(engine.log).toEqual(['110 put_metadata a', '130 put_metadata b']);
  });

  test('that overlap are one', async () => {
    const engine = new Engine(slateRules('for: 30s'));
    await engine.goLive('a');
    await engine.health('a', 'STARVING');
    await engine.goTo(10);
    await engine.gap('began', 'poll');
    await engine.goTo(20);
    await engine.gap('began', 'events');
    await engine.goTo(30);
    await engine.gap('ended', 'poll');
    await engine.goTo(40);
    await engine.gap('ended', 'events');
    await engine.goTo(100);

    expect(engine.log).toEqual(['60 put_metadata a']);
  });

  test('delay a condition without `for` until their end', async () => {
    const engine = new Engine(slateRules(''));
    await engine.goLive('a');
    await engine.gap('began', 'events');
    await engine.health('a', 'STARVING');
    await engine.goTo(50);
    expect(engine.story.at(-1)).toBe('0 suppressed data_gap a');
    await engine.gap('ended', 'events');
    await engine.goTo(51);

    expect(engine.log).toEqual(['50 put_metadata a']);
  });

  test('do not matter with on_data_gap: ignore', async () => {
    const engine = new Engine(slateRules('for: 30s\n    guards: {on_data_gap: ignore}'));
    await engine.goLive('a');
    await engine.health('a', 'STARVING');
    await engine.gap('began');
    await engine.goTo(30);

    expect(engine.log).toEqual(['30 put_metadata a']);
  });
});

describe('after a start', () => {
  test('nothing acts before a complete poll; what is still true then follows, what is over does not', async () => {
    const engine = new Engine(slateRules('for: 30s\n    on_resolve: [{put_metadata: {payload: gone}}]'));
    for (const name of ['a', 'b', 'c']) await engine.goLive(name);
    await engine.health('c', 'STARVING');
    await engine.goTo(60);
    await engine.health('a', 'STARVING');
    await engine.health('b', 'STARVING');
    expect(engine.log).toEqual(['30 put_metadata c']);

    engine.nowMs += 600_000;
    engine.options = { startedAtMs: engine.nowMs };
    await engine.gap('began', 'poll', 600_000);
    await engine.goTo(665);
    await engine.poll(false);
    await engine.goTo(666);
    expect(engine.log).toHaveLength(1);
    // The poll shows that b and c have recovered meanwhile.
    await engine.streams([
      ['b', { health: 'HEALTHY' }],
      ['c', { health: 'HEALTHY' }],
    ]);
    await engine.due();
    await engine.poll();
    await engine.gap('ended');
    await engine.goTo(700);

    // Nobody saw a for longer than this: ten minutes without a process do not count for `for`.
    expect(engine.log).toEqual(['30 put_metadata c', '666 put_metadata c', '696 put_metadata a']);
  });

  test('an event before the first complete poll waits for it', async () => {
    const engine = new Engine(`
rules:
  - name: welcome
    mode: enforce
    trigger: {event: {detail-type: [IVS Stream State Change], detail: {event_name: [Stream Start]}}}
    actions: [{put_metadata: {payload: hello}}]
`);
    engine.options = { startedAtMs: engine.nowMs };
    await engine.event('a', 'IVS Stream State Change', { event_name: 'Stream Start' });
    await engine.goTo(5);
    expect(engine.story).toEqual(['0 suppressed warming_up a']);
    await engine.poll();
    await engine.goTo(6);

    expect(engine.log).toEqual(['5 put_metadata a']);
  });
});

describe('new rules', () => {
  test('evaluate every channel, including those where nothing changes', async () => {
    const engine = new Engine('rules: []');
    await engine.goLive('a', 'STARVING');
    await engine.goTo(100);
    engine.ruleset = rulesetOf(slateRules('for: 30s'));
    await engine.due();
    await engine.goTo(101);

    expect(engine.log).toEqual(['100 put_metadata a']);
  });

  test('a tag that is added selects a channel, and one that is removed resolves', async () => {
    const engine = new Engine(
      slateRules('match: {tags: {tier: [gold]}}\n    on_resolve: [{put_metadata: {payload: gone}}]'),
    );
    await engine.channel('a');
    await engine.goLive('a', 'STARVING');
    expect(engine.story).toEqual([]);
    await engine.goTo(10);
    await engine.channel('a', { tier: 'gold' });
    await engine.goTo(20);
    await engine.channel('a', { tier: 'tin' });

    expect(engine.log).toEqual(['10 put_metadata a', '20 put_metadata a']);
  });

  test('a removed rule leaves nothing waiting', async () => {
    const engine = new Engine(slateRules('for: 30s'));
    await engine.goLive('a', 'STARVING');
    engine.ruleset = rulesetOf('rules: []');
    await engine.goTo(100);

    expect(engine.log).toEqual([]);
    expect(engine.state.view.count(kinds.timer)).toBe(0);
    expect(engine.state.view.count(kinds.ruleMemory)).toBe(0);
  });
});

test('one change at a time has the same result as all at once', async () => {
  const engine = new Engine(slateRules(''));
  await engine.goLive('a');
  const decided = await engine.commit((tx): readonly Decision[] =>
    decide(tx, { kind: 'poll', scope: 'all', complete: true, atMs: tx.nowMs }, engine.ruleset),
  );

  expect(decided).toEqual([]);
});
