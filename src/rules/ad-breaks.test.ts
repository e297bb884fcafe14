// Rules that insert ad breaks: the gap between two of them, and what validate says.
import { describe, expect, test } from 'vitest';
import { lintConfig } from '#config/lint.ts';
import { parseConfig } from '#config/load.ts';
import { formatProblem } from '#config/problem.ts';
import { kinds } from '#domain/state-registry.ts';
import { arnOf, Engine, epochMs } from '#test/support/engine.ts';

const rules = (guards: string, more = '') => `
rules:
  - name: ads
    mode: enforce
    trigger: {event: {source: [aws.ivs], detail: {event_name: [Stream Takeover]}}}
    actions: [{insert_ad_break: {duration: 30s}}${more}]
    guards: {cooldown: 0s${guards}}
`;
const takeover = (engine: Engine) => engine.event('a', 'IVS Stream State Change', { event_name: 'Stream Takeover' });

describe('min_gap', () => {
  test('is five minutes from the end of the last ad break that events reported', async () => {
    const engine = new Engine(rules(''));
    await engine.goLive('a');
    const adBreaks = [{ id: 'x', insertedAtMs: epochMs, startsAtMs: epochMs + 10_000, endsAtMs: epochMs + 40_000 }];
    await engine.stream('a', { adBreaks });
    for (const seconds of [10, 339, 340]) {
      await engine.goTo(seconds);
      await takeover(engine);
    }

    expect(engine.log).toEqual(['340 insert_ad_break a']);
    expect(engine.story).toEqual(['10 suppressed min_gap a', '339 suppressed min_gap a', '340 acted fired a']);
    expect(engine.decisions[0]!.guards.at(-1)).toMatchObject({
      guard: 'min_gap',
      values: { limitMs: 300_000, lastEnds: '2026-11-20T12:00:40.000Z' },
    });
    expect(engine.jobs[0]!.payload).toMatchObject({ minGapMs: 300_000 });
  });

  test('also counts breaks that were inserted here, and is as long as the rule says', async () => {
    const engine = new Engine(rules(', min_gap: 1m'));
    await engine.goLive('a');
    await engine.state.transact((tx) =>
      tx.set(kinds.adBreak.of(arnOf('a')), {
        jobId: 'j',
        state: 'inserted',
        atMs: epochMs,
        placedMs: epochMs,
        durationSeconds: 30,
        cause: { kind: 'operator', who: 'mara', reason: '' },
        endsAtMs: epochMs + 40_000,
      }),
    );
    for (const seconds of [99, 100]) {
      await engine.goTo(seconds);
      await takeover(engine);
    }

    expect(engine.log).toEqual(['100 insert_ad_break a']);
  });
});

test('channels that fire together are scheduled one after another as soon as that is decided', async () => {
  const together = rules('').replace(
    /trigger: .*/,
    'trigger: {schedule: {at: ["12:10"]}}\n    match: {tags: {ads: [on]}}',
  );
  const engine = new Engine(together);
  for (const name of ['c', 'a', 'b']) await engine.channel(name, { ads: 'on' });
  await engine.due();
  await engine.goTo(600);

  const line = Array.from(engine.state.view.entries(kinds.adBreak), ([arn, { state, atMs, jobId }]) => ({
    channel: arn.split('/')[1],
    state,
    at: (atMs - epochMs) / 1000,
    isOurs: engine.jobs.some((job) => job.jobId === jobId),
  }));
  expect(line.toSorted((x, y) => x.at - y.at)).toEqual([
    { channel: 'a', state: 'planned', at: 600, isOurs: true },
    { channel: 'b', state: 'planned', at: 601, isOurs: true },
    { channel: 'c', state: 'planned', at: 602, isOurs: true },
  ]);
});

const problemsOf = (text: string) => {
  const result = parseConfig(`version: 1\n${text}`, 'f.yaml');
  return (result.ok ? lintConfig(result.config) : result.problems).map(formatProblem);
};

describe('validate', () => {
  test.each(['0s', '301s', '6m', '1500ms', 'soon'])('refuses a duration of %s, with its place', (duration) => {
    expect(problemsOf(rules('').replace('30s', duration))).toEqual([
      expect.stringMatching(
        /rules\[0\]\.actions\[0\]\.insert_ad_break\.duration: expected whole seconds from 1s to 5m/,
      ),
    ]);
  });

  test('accepts every duration from one second to five minutes', () => {
    for (const duration of ['1s', '30s', '300s', '5m', '1m30s'])
      expect(problemsOf(rules('').replace('30s', duration))).toEqual([]);
  });

  test('reports min_gap without an ad break, and in defaults', () => {
    const other = rules(', min_gap: 1m').replace('insert_ad_break: {duration: 30s}', 'stop_stream: {}');
    expect(problemsOf(other.replace('cooldown: 0s', 'max_per_hour: 5'))).toEqual(
      expect.arrayContaining([expect.stringMatching(/guards\.min_gap: min_gap is for ad breaks/)]),
    );
    expect(problemsOf(`defaults: {guards: {min_gap: 10m}}\n${rules('')}`)).toEqual([]);
  });

  test('reports channels that cannot have ads, and more channels than can begin together', () => {
    const result = parseConfig(
      `version: 1\n${rules('').replace(/trigger: .*/, 'trigger: {schedule: {at: ["20:15"]}}\n    match: {tags: {ads: [on]}}')}`,
      'f.yaml',
    );
    if (!result.ok) throw new Error('not valid');
    const channels = Array.from({ length: 12 }, (_, n) => ({
      arn: arnOf(`c${n}`),
      name: `c${n}`,
      type: 'STANDARD',
      latencyMode: 'LOW',
      recordingConfigurationArn: '',
      tags: { ads: 'on' },
      adConfigurationArn: n === 0 ? '' : 'arn:aws:ivs:us-west-2:111122223333:ad-configuration/abc',
    }));

    expect(lintConfig(result.config, { channels }).map(formatProblem)).toEqual([
      expect.stringMatching(/1 of 12 channels cannot have ads: one has no ad configuration/),
      expect.stringMatching(
        /12 channels do not begin together: they begin one second apart, the last 11 s after the first/,
      ),
    ]);
  });

  test('reports an ad break that can never run because nothing is live', () => {
    const offline = rules('', '').replace('actions: [{', 'while: {live: [false]}\n    actions: [{');
    expect(problemsOf(offline)).toEqual([expect.stringMatching(/insert_ad_break needs a live stream/)]);
  });
});
