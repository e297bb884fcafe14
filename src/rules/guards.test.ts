import { describe, expect, test } from 'vitest';
import { kinds } from '#domain/state-registry.ts';
import { Engine, epochMs, slateRules } from '#test/support/engine.ts';
import { cancelTimer, hold, pause, release, resume, silence } from './controls.ts';
import { resetRule } from './incidents.ts';

async function liveFleet(rules: string, count: number): Promise<Engine> {
  const engine = new Engine(rules);
  for (let index = 0; index < count; index += 1) await engine.goLive(`c${index}`);
  return engine;
}

describe('cooldown', () => {
  test('delays a second firing of a channel, which follows after the cooldown if the condition still holds', async () => {
    const engine = await liveFleet(slateRules('guards: {cooldown: 1m}'), 1);
    await engine.health('c0', 'STARVING');
    await engine.goTo(10);
    await engine.health('c0', 'HEALTHY');
    await engine.goTo(20);
    await engine.health('c0', 'STARVING');
    await engine.goTo(120);

    expect(engine.log.map((line) => line.split(' ')[1])).toEqual(['put_metadata', 'put_metadata']);
    expect(engine.jobs[1]!.atMs - engine.jobs[0]!.atMs).toBeGreaterThanOrEqual(60_000);
    expect(engine.jobs[1]!.atMs - engine.jobs[0]!.atMs).toBeLessThanOrEqual(70_000);
    expect(engine.story).toContain('20 suppressed cooldown c0');
  });

  test('is shared by the channels of a group', async () => {
    const engine = new Engine(slateRules('guards: {cooldown: 1h, group_by: [tags.show]}'));
    for (const name of ['a', 'b']) {
      await engine.channel(name, { show: 'quiz' });
      await engine.goLive(name);
    }
    await engine.channel('c', { show: 'news' });
    await engine.goLive('c');
    for (const name of ['a', 'b', 'c']) await engine.health(name, 'STARVING');

    expect(engine.log).toEqual(['0 put_metadata a', '0 put_metadata c']);
    expect(engine.decisions.find(({ reason }) => reason === 'cooldown')).toMatchObject({ group: 'quiz' });
  });
});

describe('max_per_hour', () => {
  test('holds back the excess, reports it once, and lets it follow within the next hour', async () => {
    const engine = await liveFleet(slateRules('guards: {max_per_hour: 2}'), 4);
    for (const second of [0, 1, 2, 3]) {
      await engine.goTo(second);
      await engine.health(`c${second}`, 'STARVING');
    }
    expect(engine.log).toEqual(['0 put_metadata c0', '1 put_metadata c1', '2 notify -']);
    expect(engine.state.view.get(kinds.alert.of('rate', 'slate'))).toMatchObject({ kind: 'rate', rule: 'slate' });

    await engine.goTo(3700);

    const fired = engine.jobs.filter(({ name }) => name === 'put_metadata').map(({ atMs }) => atMs);
    expect(fired).toHaveLength(4);
    for (const [index, atMs] of fired.entries()) {
      const hour = fired.slice(0, index + 1).filter((earlier) => earlier > atMs - 3_600_000);
      expect(hour.length).toBeLessThanOrEqual(2);
    }
  });
});

describe('max_live_percent', () => {
  test('stops the rule instead of acting on a few of many, notifies a person once, and keeps it stopped until a reset', async () => {
    const engine = await liveFleet(slateRules('guards: {max_live_percent: 20}'), 10);
    await engine.streams(['c0', 'c1', 'c2'].map((name) => [name, { health: 'STARVING' as const }]));
    await engine.goTo(300);
    await engine.health('c9', 'STARVING');

    expect(engine.log).toEqual(['0 notify -']);
    expect(engine.state.view.get(kinds.alert.of('cap', 'slate'))).toMatchObject({
      values: { affected: 3, live: 10, allowed: 2, percent: 20 },
    });
    expect(engine.story.at(-1)).toBe('300 suppressed rule_stopped c9');

    for (const name of ['c0', 'c1', 'c2']) await engine.health(name, 'HEALTHY');
    await engine.commit((tx) => {
      resetRule(tx, 'slate');
      return [];
    });
    await engine.goTo(400);

    expect(engine.log.slice(1)).toEqual([expect.stringMatching(/ put_metadata c9$/)]);
  });

  test('always lets a single channel pass, however few are live', async () => {
    const engine = await liveFleet(slateRules('guards: {max_live_percent: 5}'), 1);
    await engine.health('c0', 'STARVING');

    expect(engine.log).toEqual(['0 put_metadata c0']);
  });

  test('counts channels that are more than half-way through `for`, so that the first few of a wave are spared', async () => {
    const engine = await liveFleet(slateRules('for: 30s\n    guards: {max_live_percent: 20}'), 10);
    for (const [index, second] of [0, 2, 4].entries()) {
      await engine.goTo(second);
      await engine.health(`c${index}`, 'STARVING');
    }
    await engine.goTo(60);

    expect(engine.log).toEqual(['30 notify -']);
  });

  test('counts, for a destructive rule, the channels of the last five minutes', async () => {
    const rules = slateRules('guards: {max_live_percent: 20}', '[{stop_stream: {}}]');
    const engine = await liveFleet(rules, 10);
    for (const [index, second] of [0, 60, 120].entries()) {
      await engine.goTo(second);
      await engine.health(`c${index}`, 'STARVING');
    }

    expect(engine.log).toEqual(['0 stop_stream c0', '60 stop_stream c1', '120 notify -']);
  });

  const textOf = (engine: Engine) => engine.state.view.get(kinds.alert.of('cap', 'slate'))?.text;

  test('says which channels it counted, and which it had acted on before', async () => {
    const engine = await liveFleet(slateRules('guards: {max_live_percent: 20}'), 8);
    for (const [second, name] of [
      [0, 'c0'],
      [60, 'c1'],
    ] as const) {
      await engine.goTo(second);
      await engine.health(name, 'STARVING');
    }
    await engine.goTo(120);
    await engine.streams(['c2', 'c3', 'c4'].map((name) => [name, { health: 'STARVING' as const }]));

    expect(textOf(engine)).toBe(
      'Rule slate is stopped: it was about to act on 3 of 8 live channels (c2, c3, c4). max_live_percent 20 allows 1 at once. ' +
        'It had acted on 2 before (c0, c1); those do not count. ' +
        'It stays stopped until it is changed or somebody runs `ivs-autopilot rule reset slate`.',
    );
  });

  test('says for a destructive rule which channels of the last five minutes it counted', async () => {
    const engine = await liveFleet(slateRules('guards: {max_live_percent: 20}', '[{stop_stream: {}}]'), 10);
    for (const [index, second] of [0, 60, 120].entries()) {
      await engine.goTo(second);
      await engine.health(`c${index}`, 'STARVING');
    }

    expect(textOf(engine)).toContain(
      'it was about to act on 1 of 10 live channels (c2). It has acted on 2 more in the last 5 minutes (c0, c1): 3 together. ' +
        'max_live_percent 20 allows 2 at once. It stays',
    );
  });

  test('names at most ten channels', async () => {
    const engine = await liveFleet(slateRules('guards: {max_live_percent: 20}'), 14);
    await engine.streams(
      Array.from({ length: 14 }, (_, index) => [`c${index}`, { health: 'STARVING' as const }] as const),
    );

    expect(textOf(engine)).toMatch(/ 14 of 14 live channels \(c0, (?:c\d+, ){8}c\d+ and 4 more\)\. /);
  });

  test('in dry run says what it would have done, is marked so, and tells nobody', async () => {
    const dry = slateRules('guards: {max_live_percent: 20}').replace('mode: enforce', 'mode: dry_run');
    const engine = await liveFleet(dry, 10);
    await engine.streams(['c0', 'c1', 'c2'].map((name) => [name, { health: 'STARVING' as const }]));

    expect(engine.log).toEqual([]);
    expect(engine.state.view.get(kinds.alert.of('cap', 'slate'))).toMatchObject({
      dryRun: true,
      text: expect.stringMatching(
        /^Rule slate is in dry run and would be stopped: it would have acted on 3 of 10 live channels \(c0, c1, c2\)\./,
      ),
    });
  });

  test('a change of the rule restarts it', async () => {
    const engine = await liveFleet(slateRules('guards: {max_live_percent: 20}'), 10);
    await engine.streams(['c0', 'c1', 'c2'].map((name) => [name, { health: 'STARVING' as const }]));
    expect(engine.log).toEqual(['0 notify -']);

    engine.ruleset = new Engine(slateRules('guards: {max_live_percent: 50}')).ruleset;
    await engine.goTo(20);

    expect(engine.log.slice(1).map((line) => line.split(' ').slice(1).join(' '))).toEqual([
      'put_metadata c0',
      'put_metadata c1',
      'put_metadata c2',
    ]);
  });
});

describe('holds', () => {
  test('make automation leave a channel alone until the release; what still holds then is acted on at once', async () => {
    const engine = await liveFleet(slateRules(''), 2);
    await engine.commit((tx) => {
      hold(tx, { channelArn: 'arn:aws:ivs:us-west-2:111122223333:channel/c0', who: 'ann', reason: 'encoder test' });
      return [];
    });
    await engine.health('c0', 'STARVING');
    await engine.health('c1', 'STARVING');
    await engine.goTo(60);
    expect(engine.log).toEqual(['0 put_metadata c1']);
    expect(engine.decisions.find(({ reason }) => reason === 'held')?.guards.at(-1)).toEqual({
      guard: 'hold',
      passed: false,
      values: { by: 'ann', reason: 'encoder test' },
    });

    await engine.commit((tx) => {
      release(tx, { channelArn: 'arn:aws:ivs:us-west-2:111122223333:channel/c0', who: 'ann', reason: '' });
      return [];
    });
    await engine.goTo(61);

    expect(engine.log).toEqual(['0 put_metadata c1', '60 put_metadata c0']);
  });

  test('the tag ops-hold holds a channel, whatever its value', async () => {
    const engine = new Engine(slateRules(''));
    await engine.channel('a', { 'ops-hold': '' });
    await engine.goLive('a');
    await engine.health('a', 'STARVING');
    await engine.goTo(100);

    expect(engine.log).toEqual([]);
    expect(engine.story).toContain('0 suppressed held a');
  });

  test('also hold back what was planned before: steps with `after`, and on_resolve', async () => {
    const rules = slateRules(
      'on_resolve: [{put_metadata: {payload: gone}}]',
      '[{put_metadata: {payload: slate}}, {after: 1m, put_metadata: {payload: later}}]',
    );
    const engine = await liveFleet(rules, 1);
    await engine.health('c0', 'STARVING');
    await engine.goTo(30);
    await engine.commit((tx) => {
      hold(tx, { channelArn: 'arn:aws:ivs:us-west-2:111122223333:channel/c0', who: 'ann', reason: 'test' });
      return [];
    });
    await engine.goTo(90);
    await engine.health('c0', 'HEALTHY');

    expect(engine.log).toEqual(['0 put_metadata c0']);
    expect(engine.decisions.at(-1)).toMatchObject({
      outcome: 'resolved',
      withheld: [{ action: 'put_metadata', reason: 'held' }],
    });
  });
});

describe('pause', () => {
  test('stops everything at once, and a resume lets what still holds follow', async () => {
    const engine = await liveFleet(slateRules('for: 30s'), 1);
    await engine.health('c0', 'STARVING');
    await engine.goTo(10);
    await engine.commit((tx) => {
      pause(tx, { who: 'ann', reason: 'not sure' });
      return [];
    });
    await engine.goTo(100);
    expect(engine.log).toEqual([]);

    await engine.commit((tx) => {
      resume(tx, { who: 'ann', reason: '' });
      return [];
    });
    await engine.goTo(101);

    expect(engine.log).toEqual(['100 put_metadata c0']);
  });
});

describe('silences', () => {
  test('hold back what every matcher matches, until they end', async () => {
    const engine = await liveFleet(slateRules(''), 2);
    await engine.commit((tx) => {
      silence(tx, {
        matchers: ['rule="slate"', 'channel=~".*/c0"'],
        who: 'ann',
        reason: 'maintenance',
        endsMs: epochMs + 60_000,
      });
      return [];
    });
    await engine.health('c0', 'STARVING');
    await engine.health('c1', 'STARVING');
    await engine.goTo(120);

    expect(engine.log[0]).toBe('0 put_metadata c1');
    expect(engine.jobs[1]!.atMs - epochMs).toBeGreaterThanOrEqual(60_000);
    expect(engine.jobs).toHaveLength(2);
    expect(engine.story).toContain('0 suppressed silenced c0');
  });

  test('one action of a rule can be silenced while the others run', async () => {
    const engine = await liveFleet(
      slateRules('', '[{notify: {receiver: noc, text: starving}}, {put_metadata: {payload: slate}}]'),
      1,
    );
    await engine.commit((tx) => {
      silence(tx, { matchers: ['action="notify"'], who: 'ann', reason: 'noise', endsMs: epochMs + 3_600_000 });
      return [];
    });
    await engine.health('c0', 'STARVING');

    expect(engine.log).toEqual(['0 put_metadata c0']);
    expect(engine.decisions.at(-1)).toMatchObject({ withheld: [{ action: 'notify', reason: 'silenced' }] });
  });
});

describe('inhibition', () => {
  const rules = `
receivers: [{name: noc, webhook_configs: [{url: "https://noc.example/hook"}]}]
inhibit_rules:
  - {source_matchers: ['rule="mass"'], target_matchers: ['action="stop_stream"']}
rules:
  - name: stop
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    actions: [{notify: {receiver: noc, text: "{{ channel.name }}"}}, {stop_stream: {}}]
    guards: {max_live_percent: 100}
  - name: mass
    mode: enforce
    trigger: {aggregate: {health: [STARVING], percent_of_live: [{numeric: [">=", 30]}], min_live: 10}}
    actions: [{notify: {receiver: noc, text: "{{ aggregate.count }} of {{ aggregate.live }}"}}]
`;

  test('a source that begins to fire in the same commit already inhibits, whatever the order in the file', async () => {
    const engine = await liveFleet(rules, 10);
    await engine.streams(['c0', 'c1', 'c2'].map((name) => [name, { health: 'STARVING' as const }]));

    expect(engine.log).toEqual(['0 notify -', '0 notify c0', '0 notify c1', '0 notify c2']);
    expect(engine.jobs[0]!.payload.params).toMatchObject({ text: '3 of 10' });
  });

  test('what was held back follows when the source resolves, if the condition still holds', async () => {
    const engine = await liveFleet(rules, 10);
    await engine.streams(['c0', 'c1', 'c2'].map((name) => [name, { health: 'STARVING' as const }]));
    await engine.goTo(60);
    await engine.streams(['c1', 'c2'].map((name) => [name, { health: 'HEALTHY' as const }]));
    await engine.goTo(90);

    expect(engine.log.filter((line) => line.includes('stop_stream'))).toEqual([expect.stringMatching(/ c0$/)]);
  });

  test('is one incident, with its numbers, the actions held back and its end', async () => {
    const engine = await liveFleet(rules, 10);
    await engine.streams(['c0', 'c1', 'c2'].map((name) => [name, { health: 'STARVING' as const }]));
    await engine.goTo(60);
    await engine.streams(['c3'].map((name) => [name, { health: 'STARVING' as const }]));
    await engine.goTo(90);
    for (const name of ['c0', 'c1', 'c2', 'c3']) await engine.health(name, 'HEALTHY');

    const [incident, ...others] = Array.from(engine.state.view.entries(kinds.incident), ([, value]) => value);
    expect(others).toEqual([]);
    expect(incident).toMatchObject({
      kind: 'aggregate',
      rule: 'mass',
      peak: 4,
      live: 10,
      closedAtMs: epochMs + 90_000,
    });
    // One stop on each of four channels, however often each was judged.
    expect((incident as { withheld: number }).withheld).toBe(4);
    expect(engine.state.view.count(kinds.withheld)).toBe(0);
  });
});

describe('mode', () => {
  test('dry run records what it would have done and enqueues nothing', async () => {
    const engine = await liveFleet(slateRules('').replace('mode: enforce', 'mode: dry_run'), 1);
    await engine.health('c0', 'STARVING');

    expect(engine.log).toEqual([]);
    expect(engine.decisions.at(-1)).toMatchObject({
      outcome: 'would_act',
      jobs: [{ action: 'put_metadata', jobId: expect.stringMatching(/^put-metadata-[0-9a-f]{24}$/) }],
    });
  });

  test('off evaluates nothing', async () => {
    const engine = await liveFleet(slateRules('').replace('mode: enforce', 'mode: off'), 1);
    await engine.health('c0', 'STARVING');

    expect(engine.decisions).toEqual([]);
  });
});

describe('a planned action that an operator cancels', () => {
  test('does not return for the same cause, but for the next', async () => {
    const engine = await liveFleet(slateRules('for: 30s'), 1);
    await engine.health('c0', 'STARVING');
    const [id] = Array.from(engine.state.view.entries(kinds.timer), ([key]) => key) as [string];
    await engine.commit((tx) => {
      cancelTimer(tx, { id, who: 'ann', reason: 'known' });
      return [];
    });
    await engine.stream('c0', { viewerCount: 7 });
    await engine.goTo(100);
    expect(engine.log).toEqual([]);
    await engine.health('c0', 'HEALTHY');
    await engine.health('c0', 'STARVING');
    await engine.goTo(200);

    expect(engine.log).toEqual(['130 put_metadata c0']);
  });
});

test('a schedule that concerns too many live channels stops before the first', async () => {
  const engine = new Engine(`
time_intervals:
  - {name: show, time_intervals: [{times: [{start_time: "12:10", end_time: "12:20"}], location: UTC}]}
rules:
  - name: record
    mode: enforce
    trigger: {schedule: {active_time_intervals: [show]}}
    match: {tags: {record: [scheduled]}}
    actions: [{set_recording: {configuration: prod}}]
    guards: {max_live_percent: 50}
`);
  for (let index = 0; index < 700; index += 1) {
    await engine.channel(`c${index}`, { record: 'scheduled' });
    await engine.goLive(`c${index}`);
  }
  await engine.due();
  await engine.goTo(700);

  expect(engine.log).toEqual([]);
  expect(engine.state.view.get(kinds.alert.of('cap', 'record'))).toMatchObject({
    values: { affected: 700, live: 700 },
  });
});
