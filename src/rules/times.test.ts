// Schedules of moments: intervals from a stream's start, and times of the day.
import { describe, expect, test } from 'vitest';
import { lintConfig } from '#config/lint.ts';
import { parseConfig } from '#config/load.ts';
import { formatProblem } from '#config/problem.ts';
import { kinds } from '#domain/state-registry.ts';
import { Engine, epochMs } from '#test/support/engine.ts';
import { nextDailyMs } from './time-intervals.ts';

const rule = (schedule: string, more = '', actions = '[{insert_ad_break: {duration: 60s}}]') => `
rules:
  - name: ads
    mode: enforce
    trigger: {schedule: ${schedule}}
    actions: ${actions}
    ${more}
`;
const every = '{every: 20m, from: stream_start}';
const minutes = (engine: Engine) => engine.log.map((line) => line.replace(/^\d+/, (text) => String(Number(text) / 60)));

describe('every … from stream_start', () => {
  test('fires for each live channel that `match` selects, counted from its own start, until its stream ends', async () => {
    const engine = new Engine(rule(every, 'match: {tags: {ads: [on]}}'));
    for (const name of ['a', 'b']) await engine.channel(name, { ads: 'on' });
    await engine.channel('other');
    await engine.goLive('a');
    await engine.goLive('other');
    await engine.goTo(300);
    await engine.goLive('b');
    await engine.goTo(2_600);
    await engine.endStream('a');
    await engine.goTo(3_000);

    expect(minutes(engine)).toEqual([
      '20 insert_ad_break a',
      '25 insert_ad_break b',
      '40 insert_ad_break a',
      '45 insert_ad_break b',
    ]);
    expect(engine.decisions[0]!.trigger).toMatchObject({ kind: 'times', text: '20m since the start of the stream' });
  });

  test('starts again in a new session', async () => {
    const engine = new Engine(rule(every));
    await engine.goLive('a');
    await engine.goTo(1_500);
    await engine.goLive('a');
    await engine.goTo(2_800);

    expect(minutes(engine)).toEqual(['20 insert_ad_break a', '45 insert_ad_break a']);
  });

  test('ignores rounds before the stream was known; of those in a downtime the last counts, if it is not too old', async () => {
    const engine = new Engine(rule(every, 'guards: {cooldown: 0s, max_event_age: 10m}'));
    await engine.goTo(6_000);
    await engine.stream('a', { startedAtMs: epochMs });
    await engine.goTo(7_000);
    expect(engine.log).toEqual([]);
    // Nothing is evaluated from here until minute 165: rounds at 120, 140 and 160.
    engine.nowMs = epochMs + 165 * 60_000;
    await engine.due();
    expect(minutes(engine)).toEqual(['165 insert_ad_break a']);
    engine.nowMs = epochMs + 195 * 60_000;
    await engine.due();

    expect(engine.log).toHaveLength(1);
    expect(engine.story.at(-1)).toBe('11700 not_fired event_too_old a');
  });

  test('a reload of the same rule neither repeats nor loses a round', async () => {
    const text = rule(every);
    const engine = new Engine(text);
    await engine.goLive('a');
    await engine.goTo(1_200);
    engine.ruleset = new Engine(`${text}    description: changed`).ruleset;
    await engine.goTo(2_400);

    expect(minutes(engine)).toEqual(['20 insert_ad_break a', '40 insert_ad_break a']);
  });

  test('a reload between a round and its evaluation does not lose the round', async () => {
    const text = rule(every);
    const engine = new Engine(text);
    await engine.goLive('a');
    await engine.goTo(1_000);
    engine.nowMs = epochMs + 1_200_100;
    engine.ruleset = new Engine(`${text}    description: changed`).ruleset;
    await engine.poll();
    await engine.due();

    expect(engine.log).toEqual(['1200.1 insert_ad_break a']);
  });

  test('a new rule does not make up for earlier rounds', async () => {
    const engine = new Engine(rule('{every: 7m, from: stream_start}'));
    await engine.goLive('a');
    await engine.goTo(1_300);
    engine.ruleset = new Engine(rule(every).replace('name: ads', 'name: other')).ruleset;
    await engine.goTo(2_400);

    expect(
      engine.decisions.filter(({ rule: name }) => name === 'other').map(({ atMs }) => (atMs - epochMs) / 1000),
    ).toEqual([2_400]);
  });

  test('`while` holds it back when it does not hold', async () => {
    const engine = new Engine(rule(every, 'while: {health: [HEALTHY]}'));
    await engine.goLive('a');
    await engine.goTo(1_190);
    await engine.health('a', 'STARVING');
    await engine.goTo(1_300);
    await engine.health('a', 'HEALTHY');
    await engine.goTo(2_400);

    expect(minutes(engine)).toEqual(['40 insert_ad_break a']);
    expect(engine.story[0]).toBe('1200 not_fired while_broken a');
  });
});

describe('at … in a place', () => {
  const evening = '{at: ["20:15", "21:45"], location: Europe/London}';

  test('fires at these times for every channel that `match` selects, day after day', async () => {
    const engine = new Engine(rule(evening, 'match: {tags: {ads: [on]}}'));
    await engine.channel('a', { ads: 'on' });
    await engine.channel('b', { ads: 'on' });
    await engine.channel('other');
    await engine.due();
    await engine.goTo(35 * 3_600);

    // The story begins at 12:00 UTC in November.
    expect(minutes(engine)).toEqual([
      '495 insert_ad_break a',
      '495 insert_ad_break b',
      '585 insert_ad_break a',
      '585 insert_ad_break b',
      '1935 insert_ad_break a',
      '1935 insert_ad_break b',
      '2025 insert_ad_break a',
      '2025 insert_ad_break b',
    ]);
  });

  test('without `match` it fires once, for the fleet', async () => {
    const engine = new Engine(rule(evening, '', '[{emit_event: {detail_type: x, detail: {}}}]'));
    await engine.channel('a');
    await engine.due();
    await engine.goTo(10 * 3_600);

    expect(minutes(engine)).toEqual(['495 emit_event -', '585 emit_event -']);
  });

  test('reports a time that was missed by more than max_event_age, and does not make up for it', async () => {
    const engine = new Engine(rule(evening, 'match: {tags: {ads: [on]}}'));
    await engine.channel('a', { ads: 'on' });
    await engine.due();
    engine.nowMs = epochMs + (8 * 60 + 15 + 11) * 60_000;
    await engine.due();

    expect(engine.story).toEqual(['30360 not_fired event_too_old a']);
    await engine.goTo(585 * 60);
    expect(minutes(engine)).toEqual(['585 insert_ad_break a']);
  });

  test('a new rule at exactly that time waits for the next', async () => {
    const engine = new Engine('rules: []');
    await engine.channel('a', { ads: 'on' });
    await engine.goTo(495 * 60);
    engine.ruleset = new Engine(rule(evening, 'match: {tags: {ads: [on]}}')).ruleset;
    await engine.due();
    await engine.goTo(585 * 60);

    expect(minutes(engine)).toEqual(['585 insert_ad_break a']);
  });

  test.each([
    ['in winter', '2026-01-10T12:00:00Z', '2026-01-10T20:15:00.000Z'],
    ['in summer', '2026-07-10T12:00:00Z', '2026-07-10T19:15:00.000Z'],
    ['right then: tomorrow', '2026-07-10T19:15:00Z', '2026-07-11T19:15:00.000Z'],
  ])('%s', (_when, after, next) => {
    const daily = { minutes: [20 * 60 + 15], zone: 'Europe/London' };
    expect(new Date(nextDailyMs(daily, Date.parse(after))).toISOString()).toBe(next);
  });

  test('a time that the clocks skip does not occur that day, and one that comes twice occurs once', () => {
    const daily = { minutes: [90], zone: 'Europe/London' };
    const next = (after: string) => new Date(nextDailyMs(daily, Date.parse(after))).toISOString();
    expect(next('2026-03-28T12:00:00Z')).toBe('2026-03-30T00:30:00.000Z');
    expect(next('2026-10-24T12:00:00Z')).toBe('2026-10-25T00:30:00.000Z');
    expect(next('2026-10-25T00:30:00Z')).toBe('2026-10-26T01:30:00.000Z');
  });
});

describe('while an incident is open', () => {
  const withIncident = (trigger: string) => `
rules:
  - name: mass
    mode: enforce
    trigger: {aggregate: {health: [STARVING], count: [{numeric: [">=", 2]}]}}
    actions: [{emit_event: {detail_type: x, detail: {}}}]
  - name: ads
    mode: enforce
    trigger: ${trigger}
    actions: [{insert_ad_break: {duration: 60s}}]
`;

  test.each([
    ['by age', `{schedule: ${every}}`],
    ['by request', '{http: {name: break-now}}'],
  ])('rules insert no ad break %s, and say why; afterwards they do', async (_how, trigger) => {
    const engine = new Engine(withIncident(trigger));
    const now = (requestId: string) =>
      engine.decide({
        kind: 'http',
        atMs: engine.nowMs,
        observation: {
          kind: 'http',
          requestId,
          name: 'break-now',
          channelArn: 'arn:aws:ivs:us-west-2:111122223333:channel/a' as never,
          body: null,
          atMs: engine.nowMs,
        },
      });
    for (const name of ['a', 'b', 'c']) await engine.goLive(name);
    for (const name of ['b', 'c']) await engine.health(name, 'STARVING');
    expect(engine.state.view.count(kinds.incident)).toBe(1);
    await engine.goTo(1_200);
    await now('one');
    const suppressed = engine.decisions.filter(({ reason }) => reason === 'incident_open');
    expect(suppressed.map(({ rule: name }) => name)).toContain('ads');
    expect(suppressed[0]!.guards.at(-1)).toMatchObject({
      guard: 'incident',
      values: { incident: 'mass: 2 of 3 channels' },
    });
    for (const name of ['b', 'c']) await engine.health(name, 'HEALTHY');
    await engine.goTo(2_400);
    await now('two');

    expect(engine.log.filter((line) => line.includes('insert_ad_break'))).toContain('2400 insert_ad_break a');
    expect(engine.log.filter((line) => line.startsWith('1200 insert_ad_break'))).toEqual([]);
  });
});

describe('validate', () => {
  const problemsOf = (schedule: string, more = 'match: {tags: {ads: [on]}}') => {
    const result = parseConfig(`version: 1\n${rule(schedule, more)}`, 'f.yaml');
    return (result.ok ? lintConfig(result.config) : result.problems).map(formatProblem);
  };

  test.each<[string, RegExp]>([
    ['{every: 20m}', /trigger\.schedule: every needs a start: add from: stream_start/],
    ['{every: 20m, from: midnight}', /trigger\.schedule\.from: /],
    ['{every: 5s, from: stream_start}', /trigger\.schedule\.every: expected at least 10s/],
    ['{every: 20m, from: stream_start, at: ["20:15"]}', /exactly one of active_time_intervals, every, at/],
    ['{at: ["8pm"]}', /trigger\.schedule\.at\[0\]: expected a time of the day such as 20:15/],
    ['{at: ["24:00"]}', /trigger\.schedule\.at\[0\]: /],
    ['{at: ["20:15"], location: Europe/Londn}', /trigger\.schedule\.location: unknown time zone "Europe\/Londn"/],
    ['{at: ["20:15"], from: stream_start}', /trigger\.schedule\.from: from belongs to every/],
    ['{}', /exactly one of active_time_intervals, every, at/],
    ['{every: 6m, from: stream_start}', /every 6m is too often: a break of 60s and min_gap \(5m\) take 6m10s/],
  ])('%s is reported, with its place', (schedule, message) => {
    expect(problemsOf(schedule)).toEqual([expect.stringMatching(message)]);
  });

  test('valid schedules are accepted, and a moment has neither duration nor end', () => {
    expect(problemsOf(every)).toEqual([]);
    expect(problemsOf('{at: ["20:15", "00:00"], location: Europe/London}')).toEqual([]);
    expect(problemsOf(every, 'for: 5m')).toEqual([
      expect.stringMatching(/\.for: a time of a schedule has no duration/),
    ]);
    const ends = 'on_resolve: [{emit_event: {detail_type: x, detail: {}}}]';
    expect(problemsOf(every, ends)).toEqual([expect.stringMatching(/on_resolve: a time of a schedule has no end/)]);
  });

  test('a time of the day without `match` has no channel', () => {
    expect(problemsOf('{at: ["20:15"]}', '')).toEqual([
      expect.stringMatching(/insert_ad_break needs a channel, but this rule fires for no single channel/),
    ]);
  });
});
