// Rule tests run jobs with the daemon's own handlers: what they call, in which order, and when.
import { describe, expect, it } from 'vitest';
import { parseConfig } from '#config/load.ts';
import { formatProblem } from '#config/problem.ts';
import { parseRuleTests } from './rule-test-file.ts';
import { runRuleTest } from './run-rule-test.ts';

const rules: Readonly<Record<string, string>> = {
  record: `
    trigger: {http: {name: record}}
    actions: [{set_recording: {configuration: prod-s3}}]`,
  restart: `
    trigger: {http: {name: record}}
    actions: [{set_recording: {configuration: prod-s3, if_live: restart}}]`,
  rotate: `
    trigger: {http: {name: rotate}}
    actions: [{rotate_stream_key: {deliver: {secrets_manager: "ivs/{{ channel.id }}/key"}}}]`,
  stop: `
    trigger: {event: {detail: {event_name: [Starvation Start]}}}
    actions: [{after: 1m, stop_stream: {revoke_key: true}}]`,
  starve: `
    trigger: {state: {health: [STARVING]}}
    for: 10s
    actions: [{stop_stream: {}}, {tag: {set: {stopped: "yes"}}}]
    on_resolve: [{notify: {receiver: noc, text: over}}]`,
  retire: `
    trigger: {http: {name: retire}}
    actions: [{retire_channel: {confirm: true}}]`,
  'retire-recording': `
    trigger: {http: {name: retire}}
    actions:
      - set_recording: {configuration: prod-s3}
      - after: 1m
        retire_recording_configuration: {configuration: prod-s3}`,
  playback: `
    trigger: {http: {name: playback}}
    actions: [{rotate_playback_key_pair: {name: web, grace_period: 2h, deliver: {file: /run/keys/web}}}]`,
  tell: `
    trigger: {http: {name: tell}}
    actions:
      - put_metadata: {targets: {tags: {show: [finals]}}, payload: {type: goal}}
      - notify: {receiver: noc, text: goal}
      - emit_event: {detail_type: goal, detail: {n: 1}}
      - capture_session: {notify: noc}`,
};

/** The failures of a test of one rule, on a live channel ch/a that still has its first key. */
async function failuresOf(name: string, ...lines: string[]): Promise<string[]> {
  const config = `version: 1
receivers: [{name: noc, webhook_configs: [{url_file: /run/secrets/noc, send_resolved: false}]}]
rules:
  - name: ${name}
    guards: {max_per_hour: 9, cooldown: 0s}${rules[name]}
`;
  const test = [
    'tests:',
    '  - name: t',
    '    channels: [{arn: ch/a, tags: {show: finals}}, {arn: ch/b, tags: {show: finals}}]',
    ...lines.map((line) => `    ${line}`),
  ].join('\n');
  const loaded = parseConfig(config, 'x.yaml');
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  const { ruleset } = loaded.config;
  const parsed = parseRuleTests(test, 'x.test.yaml', ruleset);
  if (!parsed.ok) return parsed.problems.map(formatProblem);
  return [...(await runRuleTest(parsed.tests[0]!, ruleset)).failures];
}

describe('the jobs of a rule test', () => {
  it('a recording change on a live channel waits for the end of the stream', async () => {
    expect(
      await failuresOf(
        'record',
        'timeline: [0s ch/a HEALTHY, 1m ch/a http record, 5m ch/a OFFLINE, 6m ch/a http record]',
        'expect:',
        '  - {at: 1m, rule: record, jobs: [set_recording], results: {set_recording: deferred live}, calls: []}',
        '  - {at: 5m, rule: record, jobs: [], results: {set_recording: done}}',
        '  - {at: 5m, rule: record, calls: [GetChannel ch/a, UpdateChannel ch/a recording=prod-s3, GetChannel ch/a]}',
        '  - {at: 6m, rule: record, results: {set_recording: already_done set}, calls: []}',
      ),
    ).toEqual([]);
  });

  it('an end that only polls noticed releases it too, and a newer request replaces an older one', async () => {
    expect(
      await failuresOf(
        'record',
        'timeline: [0s ch/a HEALTHY, 1m ch/a http record, 2m ch/a http record, 5m ch/a OFFLINE by poll, 6m ch/b viewers 1]',
        'expect: [{at: 6m, rule: record, calls: [UpdateChannel ch/a recording=prod-s3]}]',
      ),
    ).toEqual([]);
  });

  it('a recording change that must happen now stops the stream, and retries after the first refusal', async () => {
    expect(
      await failuresOf(
        'restart',
        'timeline: [0s ch/a HEALTHY, 1m ch/a http record]',
        'expect:',
        '  - rule: restart',
        '    calls:',
        '      - "UpdateChannel ch/a recording=prod-s3 (refused: the channel is live)"',
        '      - StopStream ch/a',
        '      - UpdateChannel ch/a recording=prod-s3',
      ),
    ).toEqual([]);
  });

  it('waits for a configuration that is being created, and fails for a broken or unknown one', async () => {
    const withState = (given: string, ...expected: string[]) =>
      failuresOf(
        'record',
        `recording_configurations: ${given}`,
        'timeline: [0s ch/a http record]',
        'expect:',
        ...expected.map((line) => `  - {rule: record, ${line}, calls: []}`),
      );

    const creating = 'results: {set_recording: postponed RECORDING_CONFIGURATION_CREATING}';
    expect(
      await withState('[{name: prod-s3, state: CREATING}]', `at: 0s, ${creating}`, `at: 10s, ${creating}`),
    ).toEqual([]);
    expect(
      await withState(
        '[{name: prod-s3, state: CREATE_FAILED}]',
        'results: {set_recording: failed RECORDING_CONFIGURATION_FAILED}',
      ),
    ).toEqual([]);
    expect(
      await withState('[{name: other}]', 'results: {set_recording: failed RECORDING_CONFIGURATION_UNKNOWN}'),
    ).toEqual([]);
  });

  it('a key is deleted, created, delivered, and finally verified', async () => {
    expect(
      await failuresOf(
        'rotate',
        'timeline: [0s ch/a http rotate]',
        'expect:',
        '  - rule: rotate',
        '    calls:',
        '      - ListStreamKeys ch/a',
        '      - DeleteStreamKey ch/a',
        '      - CreateStreamKey ch/a',
        '      - deliver ch/a secrets_manager ivs/a/key',
        '      - ListStreamKeys ch/a',
      ),
    ).toEqual([]);
  });

  it('a stop reads the stream first, and leaves alone any session but the one it was decided for', async () => {
    expect(
      await failuresOf(
        'stop',
        'timeline: [0s ch/* HEALTHY, 10s ch/* STARVING, 30s ch/a OFFLINE, 40s ch/a HEALTHY]',
        'expect:',
        '  - {at: 70s, rule: stop, channel: ch/a, results: {stop_stream: skipped another_session_live}, calls: []}',
        '  - at: 70s',
        '    rule: stop',
        '    channel: ch/b',
        '    calls: [GetStream ch/b, DeleteStreamKey ch/b, GetStream ch/b, StopStream ch/b]',
      ),
    ).toEqual([]);
  });

  it('with world: reacts, a stopped stream ends, tags are set, and the rule resolves', async () => {
    const timeline = 'timeline: [0s ch/* HEALTHY, 10s ch/a STARVING, 60s ch/b HEALTHY]';
    expect(
      await failuresOf(
        'starve',
        'world: reacts',
        timeline,
        'expect:',
        '  - {at: 20s, rule: starve, decision: resolved}',
        '  - rule: starve',
        '    calls: [StopStream ch/a, "TagResource ch/a {\\"stopped\\":\\"yes\\"}", POST /run/secrets/noc]',
      ),
    ).toEqual([]);
    expect(await failuresOf('starve', timeline, 'expect: [{rule: starve, decision: resolved, count: 0}]')).toEqual([]);
  });

  it('a channel is retired in order, and is deleted with world: reacts', async () => {
    expect(
      await failuresOf(
        'retire',
        'world: reacts',
        'timeline: [0s ch/a HEALTHY, 1m ch/a http retire]',
        'expect:',
        '  - {at: 61s, rule: retire, calls: [DeleteChannel ch/a], results: {retire_channel: done}}',
        '  - {rule: retire, calls: [DeleteStreamKey ch/a, StopStream ch/a, DeleteChannel ch/a]}',
      ),
    ).toEqual([]);
  });

  it('a recording configuration is retired once the stream of the live channel that uses it has ended', async () => {
    expect(
      await failuresOf(
        'retire-recording',
        'timeline: [0s ch/a http retire, 30s ch/a HEALTHY, 2m30s ch/a OFFLINE]',
        'expect:',
        '  - {at: 60s, rule: retire-recording, results: {retire_recording_configuration: deferred live}}',
        '  - {at: 2m, rule: retire-recording, results: {retire_recording_configuration: deferred live}}',
        '  - at: 3m',
        '    rule: retire-recording',
        '    calls: [UpdateChannel ch/a recording=none, DeleteRecordingConfiguration prod-s3]',
      ),
    ).toEqual([]);
  });

  it('a playback key pair is kept for its grace period', async () => {
    expect(
      await failuresOf(
        'playback',
        'timeline: [0s http playback, 1h http playback]',
        'expect:',
        '  - {at: 0s, rule: playback, calls: [ImportPlaybackKeyPair, deliver]}',
        '  - {at: 1h, rule: playback, calls: [ImportPlaybackKeyPair, deliver]}',
        '  - {at: 3h1s, rule: playback, decision: none}',
        '  - {rule: playback, calls: [ImportPlaybackKeyPair, deliver, ImportPlaybackKeyPair, deliver, DeletePlaybackKeyPair]}',
      ),
    ).toEqual([]);
  });

  it('metadata goes to its target channels, messages to their addresses', async () => {
    expect(
      await failuresOf(
        'tell',
        'timeline: [0s ch/* HEALTHY, 1m ch/a http tell]',
        'expect:',
        '  - rule: tell',
        '    calls:',
        '      - "PutMetadata ch/{a}"',
      ),
    ).toEqual([expect.stringMatching(/calls\[0\]: unknown channel ch\/\{a\}/)]);
    expect(
      await failuresOf(
        'tell',
        'timeline: [0s ch/* HEALTHY, 1m ch/a http tell]',
        'expect:',
        '  - rule: tell',
        '    calls:',
        '      - \'PutMetadata ch/* {"type":"goal"}\'',
        '      - POST /run/secrets/noc',
        '      - PutEvents ivs-autopilot "goal"',
        '      - GetStreamSession ch/a',
        '      - POST /run/secrets/noc',
      ),
    ).toEqual([]);
  });

  it('the fan-out of a rule leaves out channels on hold', async () => {
    expect(
      await failuresOf(
        'tell',
        'timeline: [0s ch/* HEALTHY, 1s ch/b hold encoder, 1m ch/a http tell, 2m ch/b release, 3m ch/b tags ops-hold=x, 4m ch/a http tell]',
        'expect:',
        '  - {at: 1m, rule: tell, channel: ch/b, calls: []}',
        '  - {at: 4m, rule: tell, channel: ch/b, calls: []}',
        '  - {at: 4m, rule: tell, channel: ch/a, calls: [PutMetadata ch/a, POST, PutEvents, POST]}',
      ),
    ).toEqual([]);
  });
});

describe('an expectation of calls', () => {
  it('that is not met shows the actual calls', async () => {
    const [failure] = await failuresOf(
      'rotate',
      'timeline: [0s ch/a http rotate]',
      'expect: [{rule: rotate, calls: [StopStream ch/a], results: {rotate_stream_key: deferred}}]',
    );

    expect(failure!.split('\n')).toEqual(
      expect.arrayContaining([
        '  expected calls [StopStream ch/a], got [DeleteStreamKey ch/a; CreateStreamKey ch/a; deliver ch/a secrets_manager ivs/a/key]',
        '  expected rotate_stream_key to end deferred, got done',
        '        0s  call CreateStreamKey ch/a',
      ]),
    );
  });

  it.each([
    ['calls: [StopStraem ch/a]', 'expect[0].calls[0]: no call is named StopStraem (did you mean StopStream?)'],
    ['calls: [StopStream ch/c]', 'expect[0].calls[0]: unknown channel ch/c'],
    ['results: {stop_stream: finished}', 'expect[0].results.stop_stream: no job ends finished'],
    ['results: {stop_steam: done}', 'did you mean stop_stream?'],
  ])('refuses %s and names the place', async (expectation, message) => {
    const failures = await failuresOf('stop', 'timeline: [0s ch/a HEALTHY]', `expect: [{rule: stop, ${expectation}}]`);

    expect(failures.join('\n')).toMatch(/^x\.test\.yaml:5:\d+ /);
    expect(failures.join('\n')).toContain(message);
  });
});
