import { describe, expect, it } from 'vitest';
import { checkConfig } from '#config/lint.ts';
import { formatProblem } from '#config/problem.ts';

const head = `version: 1
receivers: [{name: noc, webhook_configs: [{url_file: /x}]}]
time_intervals:
  - {name: evening, time_intervals: [{times: [{start_time: "18:00", end_time: "20:00"}]}]}
  - {name: night, time_intervals: [{times: [{start_time: "22:00", end_time: "24:00"}, {start_time: "00:00", end_time: "02:00"}]}]}
`;
const notify = 'actions: [{notify: {receiver: noc, text: x}}]';
const live = 'trigger: {state: {live: [true]}}';

/** All findings for a file with these rules. */
function problemsOf(...rules: string[]): string[] {
  const listed = rules.map((rule, index) => `  - {name: rule-${index}, ${rule}}\n`);
  return checkConfig(`${head}rules:\n${listed.join('')}`, 'f').problems.map(formatProblem);
}

describe('an action that can never run', () => {
  it.each<[string, string, RegExp]>([
    [
      'only where everything is held',
      `${live}, match: {tags: {ops-hold: [{exists: true}]}}, ${notify}`,
      /rules\[0\]\.match: the tag ops-hold/,
    ],
    [
      'only where everything is held, by value',
      `${live}, match: {tags: {ops-hold: [finals], tier: [gold]}}, ${notify}`,
      /rules\[0\]\.match: the tag ops-hold/,
    ],
    [
      'only where everything is held, dotted',
      `${live}, match: {tags.ops-hold: [finals]}, ${notify}`,
      /rules\[0\]\.match: the tag ops-hold/,
    ],
    [
      'no event is young enough',
      `trigger: {event: {source: [aws.ivs]}}, guards: {max_event_age: 0s}, ${notify}`,
      /guards\.max_event_age: every event is older/,
    ],
    [
      'after the rule is over',
      'trigger: {event: {source: [aws.ivs]}}, keep_firing_for: 1m, actions: [{after: 2m, notify: {receiver: noc, text: x}}]',
      /actions\[0\]\.after: the rule is over 1m after it fires/,
    ],
    [
      'after a request is over',
      'trigger: {http: {name: x}}, keep_firing_for: 30s, actions: [{after: 1h, notify: {receiver: noc, text: x}}]',
      /actions\[0\]\.after/,
    ],
    [
      'after the evening',
      'trigger: {schedule: {active_time_intervals: [evening]}}, actions: [{after: 4h, notify: {receiver: noc, text: x}}]',
      /actions\[0\]\.after: the rule is over/,
    ],
    [
      'later than the evening',
      `trigger: {schedule: {active_time_intervals: [evening]}}, for: 4h, ${notify}`,
      /rules\[0\]\.for: the time intervals last/,
    ],
    [
      'a stop where nothing is live',
      'trigger: {state: {live: [false]}}, match: {name: [a]}, guards: {max_per_hour: 1}, actions: [{stop_stream: {}}]',
      /stop_stream: the rule fires only if nothing is live/,
    ],
    [
      'a stop after the end',
      'trigger: {event: {detail: {event_name: [Stream End]}}}, while: {live: [false]}, match: {name: [a]}, guards: {max_per_hour: 1}, actions: [{stop_stream: {}}]',
      /stop_stream: the rule fires only/,
    ],
  ])('%s', (_, rule, message) => {
    expect(problemsOf(rule)).toEqual([expect.stringMatching(message)]);
  });

  it.each([
    `${live}, match: {tags: {ops-hold: [{exists: false}]}}, ${notify}`,
    `${live}, match: {tags: {ops-hold: [x, {exists: false}]}}, ${notify}`,
    'trigger: {event: {source: [aws.ivs]}}, keep_firing_for: 5m, actions: [{after: 2m, notify: {receiver: noc, text: x}}]',
    'trigger: {event: {source: [aws.ivs]}}, actions: [{after: 2m, notify: {receiver: noc, text: x}}]',
    'trigger: {schedule: {active_time_intervals: [evening]}}, actions: [{after: 1h, notify: {receiver: noc, text: x}}]',
    'trigger: {schedule: {active_time_intervals: [night]}}, actions: [{after: 3h, notify: {receiver: noc, text: x}}]',
    'trigger: {state: {health: [STARVING]}}, match: {name: [a]}, guards: {max_per_hour: 1}, actions: [{stop_stream: {}}]',
  ])('%s can run', (rule) => {
    expect(problemsOf(rule)).toEqual([]);
  });
});

const recording = (configuration: string) =>
  `guards: {max_per_hour: 5}, actions: [{set_recording: {configuration: ${configuration}}}]`;
const tagged = (tags: string) => `actions: [{tag: {${tags}}}]`;

describe('two rules that undo each other', () => {
  it.each<[string, string, string, RegExp]>([
    [
      'recording on and off',
      `${live}, match: {name: [a]}, ${recording('prod')}`,
      `${live}, match: {name: [a]}, ${recording('none')}`,
      /rules\[1\]\.actions\[0\]\.set_recording: the rule rule-0 sets the recording differently \(prod, here none\)/,
    ],
    [
      'on channels that both select',
      `${live}, match: {tags: {tier: [gold]}}, ${recording('prod')}`,
      `${live}, match: {tags: {tier: [gold, silver]}}, ${recording('none')}`,
      /undo each other/,
    ],
    [
      'by one event',
      `trigger: {event: {detail: {event_name: [Stream End]}}}, ${tagged('set: {on: "1"}')}`,
      `trigger: {event: {detail-type: [IVS Stream State Change]}}, ${tagged('remove: [on]')}`,
      /sets the tag on differently \(1, here removed\)/,
    ],
    [
      'each waiting for the other',
      `${live}, match: {tags: {on: [{exists: false}]}}, ${tagged('set: {on: "1"}')}`,
      `${live}, match: {tags: {on: ["1"]}}, ${tagged('remove: [on]')}`,
      /the tag on/,
    ],
    [
      'in one time',
      `trigger: {schedule: {active_time_intervals: [evening]}}, match: {name: [a]}, ${recording('a')}`,
      `trigger: {schedule: {active_time_intervals: [evening, night]}}, match: {name: [a]}, ${recording('b')}`,
      /the recording/,
    ],
    [
      'by one request',
      `trigger: {http: {name: x}}, ${tagged('set: {on: "1"}')}`,
      `trigger: {http: {name: x}}, ${tagged('set: {on: "2"}')}`,
      /the tag on differently \(1, here 2\)/,
    ],
  ])('%s', (_, first, second, message) => {
    const problems = problemsOf(first, second);
    expect(problems).toEqual([expect.stringMatching(message)]);
    expect(problems[0]).not.toContain('warning');
  });

  it('two rules in sequence may be intended: a warning', () => {
    const later = `${live}, for: 1h, match: {name: [a]}, ${recording('none')}`;

    expect(problemsOf(`${live}, match: {name: [a]}, ${recording('prod')}`, later)).toEqual([
      expect.stringMatching(/: warning: .*undo each other/),
    ]);
  });

  it.each<[string, string, string]>([
    [
      'other channels',
      `${live}, match: {tags: {tier: [gold]}}, ${recording('prod')}`,
      `${live}, match: {tags: {tier: [silver]}}, ${recording('none')}`,
    ],
    [
      'other conditions',
      `${live}, match: {name: [a]}, ${recording('prod')}`,
      `trigger: {state: {live: [false]}}, match: {name: [a]}, ${recording('none')}`,
    ],
    [
      'other events',
      `trigger: {event: {detail: {event_name: [Stream Start]}}}, ${tagged('set: {on: "1"}')}`,
      `trigger: {event: {detail: {event_name: [Stream End]}}}, ${tagged('remove: [on]')}`,
    ],
    ['other tags', `${live}, ${tagged('set: {a: "1"}')}`, `${live}, ${tagged('set: {b: "2"}')}`],
    [
      'the same',
      `${live}, match: {name: [a]}, ${recording('prod')}`,
      `${live}, match: {name: [a]}, ${recording('prod')}`,
    ],
    [
      'one that is off',
      `${live}, match: {name: [a]}, ${recording('prod')}`,
      `${live}, mode: off, match: {name: [a]}, ${recording('none')}`,
    ],
    [
      'other times',
      `trigger: {schedule: {active_time_intervals: [evening]}}, match: {name: [a]}, ${recording('a')}`,
      `trigger: {schedule: {active_time_intervals: [night]}}, match: {name: [a]}, ${recording('b')}`,
    ],
  ])('not with %s', (_, first, second) => {
    expect(problemsOf(first, second)).toEqual([]);
  });
});
