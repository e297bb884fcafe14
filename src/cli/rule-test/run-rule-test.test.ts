import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '#config/load.ts';
import { formatProblem } from '#config/problem.ts';
import { parseRuleTests } from './rule-test-file.ts';
import { runRuleTest } from './run-rule-test.ts';

const read = (name: string) => readFileSync(new URL(`../../../config/${name}`, import.meta.url), 'utf8');
const example = read('autopilot.example.yaml');
const exampleTests = read('autopilot.example.test.yaml');

function load(tests: string, config = example) {
  const loaded = parseConfig(config, 'x.yaml');
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  const parsed = parseRuleTests(tests, 'x.test.yaml', loaded.config.ruleset);
  return { ruleset: loaded.config.ruleset, parsed };
}

/** Failures of tests, by name. */
async function failuresOf(tests: string, config?: string): Promise<string[]> {
  const { ruleset, parsed } = load(tests, config);
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
  const results = [];
  for (const ruleTest of parsed.tests) results.push(await runRuleTest(ruleTest, ruleset));
  return results.flatMap(({ name, failures }) => failures.map((failure) => `${name}\n${failure}`));
}

describe('the tests of the example configuration', () => {
  it('all pass', async () => {
    expect(await failuresOf(exampleTests)).toEqual([]);
  });

  it.each<[string, string, string]>([
    ['for: 30s', 'for: 10s', 'a 12 s blip stays quiet'],
    ['"<", 50', '"<", 5000', 'a stream that people still watch'],
    ['while: {live: [false]}', 'while: {live: [false, true]}', 'the key is rotated'],
    ['max_event_age: 15m', 'max_event_age: 15h', 'an end of stream that arrives'],
    ['Europe/London', 'Europe/Paris', 'recording is on in prime time'],
    ['group_by: [detail.limit_name], ', '', 'a breach is told once'],
  ])('fail after a rule was changed: %s → %s', async (from, to, name) => {
    expect(example).toContain(from);
    const failures = await failuresOf(exampleTests, example.replace(from, to));

    expect(failures.join('\n')).toContain(name);
  });
});

describe('a rule test', () => {
  const one = (rest: string) => `tests:\n  - name: t\n    channels: [{arn: ch/a, tags: {tier: gold}}]\n    ${rest}\n`;

  it('that fails says where, what was expected, and what happened', async () => {
    const tests = one(
      'timeline: ["0s ch/a STARVING", "12s ch/a HEALTHY"]\n    expect: [{at: 30s, rule: starving-slate, jobs: [notify]}]',
    );

    expect((await failuresOf(tests))[0]).toBe(
      [
        't',
        'x.test.yaml:5:14 tests[0].expect[0]: at 30s, starving-slate',
        '  expected jobs [notify], got []',
        '  what happened:',
        '        0s  ch/a  pending condition_began',
        '       12s  ch/a  not_fired for_not_reached',
      ].join('\n'),
    );
  });

  it('plays duplicate events once, and handles a data gap as the daemon does', async () => {
    const twice = one(
      [
        'timeline:',
        '      - {at: 0s, channel: ch/a, event: {id: e1, detail-type: IVS Limit Breach, detail: {limit_name: Ingest Bitrate}}}',
        '      - {at: 10m, channel: ch/a, event: {id: e1, detail-type: IVS Limit Breach, detail: {limit_name: Ingest Bitrate}}}',
        '    expect: [{rule: limit-breach, decision: fired, count: 1}]',
      ].join('\n'),
    );
    const gap = one(
      'timeline: ["0s ch/a STARVING", "10s gap poll began", "5m gap poll ended"]\n    expect: [{at: 5m20s, rule: starving-slate, jobs: [notify, put_metadata]}, {at: 30s, rule: starving-slate, decision: none}]',
    );

    expect(await failuresOf(twice)).toEqual([]);
    expect(await failuresOf(gap)).toEqual([]);
  });

  it('supports silences, tags and requests as lines of the timeline', async () => {
    const config = `version: 1
receivers: [{name: noc, webhook_configs: [{url_file: /x}]}]
rules:
  - name: goal
    mode: enforce
    trigger: {http: {name: goal}}
    match: {tags: {tier: [gold]}}
    actions: [{notify: {receiver: noc, text: "goal on {{ channel.name }}"}}]
    guards: {cooldown: 0s}
`;
    const tests = one(
      [
        'timeline: ["0s ch/a http goal", "1m silence 10m rule=goal", "2m ch/a http goal", "20m ch/a tags tier=bronze", "21m ch/a http goal"]',
        '    expect:',
        '      - {at: 0s, rule: goal, params: {notify: {text: goal on a}}}',
        '      - {at: 2m, rule: goal, jobs: [], reason: silenced}',
        '      - {at: 21m, rule: goal, jobs: [], reason: match_failed}',
      ].join('\n'),
    );

    expect(await failuresOf(tests, config)).toEqual([]);
  });

  it('lets dry-run rules act, unless it says as_written', async () => {
    const rest = (mode: string, decision: string) =>
      one(
        `mode: ${mode}\n    timeline: ["0s ch/a viewers 5", "0s ch/a HEALTHY", "9s ch/a tags show=x", "10s ch/a viewers 2000"]\n    expect: [{at: 10s, rule: viewer-milestone, decision: ${decision}}]`,
      );

    expect(await failuresOf(rest('enforce', 'acted'))).toEqual([]);
    expect(await failuresOf(rest('as_written', 'would_act'))).toEqual([]);
  });

  it.each<[string, string]>([
    ['"0s ch/b HEALTHY"', 'unknown channel ch/b (did you mean ch/a?)'],
    ['"soon ch/a HEALTHY"', 'expected a time such as 10s'],
    ['"0s ch/a STARVNG"', 'did you mean STARVING?'],
    ['"0s ch/a Stream Ended"', 'did you mean Stream End?'],
    ['"0s ch/a Concurrent Viewers"', 'write account Concurrent Viewers'],
    ['"0s ch/a viewers many"', 'expected `viewers <number>`'],
    ['"0s ch/a tags tier"', 'expected `tags key=value'],
    ['"0s silence x"', 'expected `silence <duration> <matcher>`'],
    ['"0s gap poll"', 'expected `gap poll began`'],
    ['"0s ch/a Stream End soon late"', 'expected a duration before late'],
    ['""', 'expected a time'],
    ['{at: 0s}', 'exactly one of event, http'],
  ])('with the line %s is refused, naming the place', (line, message) => {
    const { parsed } = load(one(`timeline: [${line}]\n    expect: [{rule: starving-slate, jobs: []}]`));

    expect(parsed.ok ? [] : parsed.problems.map(formatProblem)).toEqual([
      expect.stringMatching(/^x\.test\.yaml:4:16 tests\[0\]\.timeline\[0\]: /),
    ]);
    expect(parsed.ok ? '' : parsed.problems[0]!.message).toContain(message);
  });

  it('for a rule that does not exist is refused', () => {
    const { parsed } = load(one('timeline: ["0s ch/a HEALTHY"]\n    expect: [{rule: starving-slat, jobs: []}]'));

    expect(parsed).toMatchObject({
      ok: false,
      problems: [{ message: 'unknown rule starving-slat (did you mean starving-slate?)' }],
    });
  });
});

describe('events in a rule test', () => {
  const config = (rule: string) =>
    `version: 1\nrules:\n  - {name: r, mode: enforce, ${rule}, actions: [{emit_event: {detail_type: x, detail: {}}}]}\n`;
  const test = (happening: string) =>
    `tests:\n  - name: t\n    channels: [{arn: ch/a}]\n    timeline: ["0s ch/a HEALTHY", ${happening}]\n    expect: [{at: 10s, rule: r, jobs: [emit_event]}]\n`;

  it.each(['limit', 'limit_name'])('matches a limit by either of its names, whichever AWS sends: %s', async (field) => {
    const rule = `trigger: {event: {detail-type: [IVS Limit Breach], detail: {${field}: [Ingest Bitrate]}}}, guards: {group_by: [detail.${field}]}`;
    const sent = (name: string) =>
      `{at: 10s, channel: ch/a, event: {detail-type: IVS Limit Breach, detail: {${name}: Ingest Bitrate}}}`;

    for (const happening of ['"10s ch/a Ingest Bitrate"', sent('limit'), sent('limit_name')])
      expect(await failuresOf(test(happening), config(rule)), happening).toEqual([]);
  });

  it('of an unknown detail type reach their rule', async () => {
    const rule = 'trigger: {event: {detail-type: [IVS New State Change], detail: {event_name: [Thing Began]}}}';
    const happening =
      '{at: 10s, channel: ch/a, event: {detail-type: IVS New State Change, detail: {event_name: Thing Began}}}';

    expect(await failuresOf(test(happening), config(rule))).toEqual([]);
  });
});

describe('ad breaks in a rule test', () => {
  const config = `version: 1
rules:
  - name: ads
    trigger: {state: {adBreak: [true], ageSeconds: [{numeric: [">=", 60]}]}}
    actions: [{put_metadata: {payload: ads}}]
    on_resolve: [{put_metadata: {payload: "off"}}]
`;

  it.each([
    ['in a line', '10s ch/a Ad Break Inserted', '80s'],
    [
      'in full',
      '{at: 10s, channel: ch/a, event: {detail-type: IVS Ad Break State Change, detail: {event_name: Ad Break Inserted, duration_seconds: 90}}}',
      '110s',
    ],
  ])('%s: rules see them begin, and end on time', async (_form, line, end) => {
    const tests = `tests:
  - name: t
    channels: [{arn: ch/a}]
    timeline: ["0s ch/a HEALTHY", ${line.startsWith('{') ? line : JSON.stringify(line)}]
    expect:
      - {at: 60s, rule: ads, jobs: [put_metadata], params: {put_metadata: {payload: ads}}}
      - {at: ${end}, rule: ads, jobs: [put_metadata], params: {put_metadata: {payload: "off"}}}
`;
    expect(await failuresOf(tests, config)).toEqual([]);
  });
});

describe('a rule that waits for approval', () => {
  const config = `version: 1
receivers: [{name: noc, webhook_configs: [{url: "https://noc.example/hook"}]}]
rules:
  - name: stop
    trigger: {state: {health: [STARVING]}}
    actions: [{stop_stream: {}, approval: {count: 2, timeout: 1m}}]
    guards: {max_per_hour: 10}
`;
  const one = (timeline: string, expected: string) =>
    `tests:\n  - name: t\n    channels: [{arn: ch/a}, {arn: ch/b}]\n    timeline: [${timeline}]\n    expect: [${expected}]\n`;

  it.each([
    [
      'two approvals, for one channel',
      '"10s ch/a STARVING", "10s ch/b STARVING", {at: 20s, approve: stop ch/a, by: ann}, {at: 40s, approve: stop ch/a}',
      '{at: 10s, rule: stop, channel: ch/a, decision: pending, reason: awaiting_approval}, {at: 20s, rule: stop, jobs: []}, {at: 40s, rule: stop, channel: ch/a, decision: acted, reason: approved, jobs: [stop_stream]}, {rule: stop, channel: ch/b, jobs: []}',
    ],
    [
      'only one approval',
      '"10s ch/a STARVING", {at: 20s, approve: stop}, {at: 30s, approve: stop}',
      '{rule: stop, jobs: []}, {at: 70s, rule: stop, decision: not_fired, reason: approval_timed_out}',
    ],
    [
      'a rejection, whatever follows',
      '"10s ch/a STARVING", {at: 20s, reject: stop ch/a}, {at: 30s, approve: stop, by: ann}, {at: 40s, approve: stop}',
      '{rule: stop, jobs: []}, {at: 20s, rule: stop, reason: approval_rejected}',
    ],
    [
      'nothing',
      '"10s ch/a STARVING"',
      '{at: 70s, rule: stop, reason: approval_timed_out, jobs: []}, {rule: stop, jobs: []}',
    ],
  ])('%s', async (_what, timeline, expected) => {
    expect(await failuresOf(one(timeline, expected), config)).toEqual([]);
  });

  it.each([
    ['{at: 1s, approve: stap}', 'unknown rule stap (did you mean stop?)'],
    ['{at: 1s, approve: stop ch/c}', 'unknown channel ch/c'],
    ['{at: 1s, approve: stop ch/a ch/b}', 'expected `<rule>` or `<rule> <channel>`'],
    ['{at: 1s, approve: stop, reject: stop}', 'expected exactly one of event, http, approve, reject'],
    ['{at: 1s, channel: ch/a, event: {}, by: ann}', 'by is for approve and reject'],
    ['{at: 1s, aprove: stop}', 'unknown key aprove (did you mean approve?)'],
  ])('%s: %s', (step, problem) => {
    const { parsed } = load(one(step, '{rule: stop, jobs: []}'), config);
    expect(parsed.ok ? [] : parsed.problems.map(formatProblem)).toEqual([expect.stringContaining(problem)]);
  });
});
