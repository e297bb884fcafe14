import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkConfig } from './lint.ts';
import { parseConfig } from './load.ts';
import { formatProblem } from './problem.ts';

const example = readFileSync(new URL('./autopilot.example.yaml', import.meta.url), 'utf8');

/** The paths of all problems of a file. */
function placesOf(text: string): string[] {
  return checkConfig(text, 'f.yaml').problems.map(({ path }) => path);
}

const manyMistakes = `versoin: 1
receivers:
  - {nam: noc, webhook_configs: [{url_file: /x}]}
  - {name: page, webhook_configs: [{url: "not an address"}]}
time_intervals:
  - {name: prime, time_intervals: [{weekdays: [fryday]}]}
rules:
  - name: one
    triger: {state: {helth: [STARVING]}}
    actions: [{notfy: {receiver: nok, text: "{{ channel.nam }}"}}]
  - name: two
    trigger: {event: {detail-type: [IVS Stream State Change], detail: {channel_arn: [x]}}}
    for: 5 minutes
    actions: [{notify: {receiver: page, text: "{{ event.detail.foo }}"}}]
  - name: three
    when: {state: {live: [true]}}
    actions: [{notify: {receiver: ops, text: x}}]
  - name: four
    trigger: {schedule: {active_time_intervals: [prime, prme]}}
    actions: [{notify: {receiver: noc}}, {stop_stream: {}, notify: {receiver: noc, text: x}}]
  - name: five
    trigger: {state: {live: [true], health: []}}
    match: {tags: {room: [12]}}
    actions: [{stop_stream: {}}]
    foo: 1
`;

describe('all problems in one run', () => {
  it('form, meaning and lint are one report, in the order of the file, each problem once', () => {
    expect(placesOf(manyMistakes)).toEqual([
      'versoin',
      'receivers[0].nam',
      'receivers[1].webhook_configs[0].url',
      'time_intervals[0].time_intervals[0].weekdays[0]',
      'rules[0].triger',
      'rules[0].triger.state.helth',
      'rules[0].actions[0].notfy',
      'rules[0].actions[0].notfy.receiver',
      'rules[0].actions[0].notfy.text',
      'rules[1].trigger.event.detail.channel_arn',
      'rules[1].for',
      'rules[1].actions[0].notify.text',
      'rules[2].when',
      'rules[2].actions[0].notify.receiver',
      'rules[3].trigger.schedule.active_time_intervals[1]',
      'rules[3].actions[0].notify.text',
      'rules[3].actions[1]',
      'rules[4].guards',
      'rules[4].trigger.state.health',
      'rules[4].match.tags.room[0]',
      'rules[4].foo',
    ]);
  });

  it.each<[string, string, string]>([
    ['a rule’s trigger', 'trigger: {state: {health', 'triger: {state: {health'],
    [
      'a rule’s actions',
      '    actions:\n      - notify: {receiver: noc, text: "{{ channel.name }}',
      '    action:\n      - notify: {receiver: noc, text: "{{ channel.name }}',
    ],
    ['the version', 'version: 1', 'verson: 1'],
    ['a name', '- name: starving-slate', '- nmae: starving-slate'],
    ['a receiver’s list', 'webhook_configs:', 'webhook_config:'],
    ['a trigger’s kind', 'trigger: {aggregate:', 'trigger: {agregate:'],
    ['an action', '- notify: {receiver: noc, text: "{{ aggregate', '- notfy: {receiver: noc, text: "{{ aggregate'],
    ['a parameter', 'notify: {receiver: noc, text: "{{ aggregate', 'notify: {reciever: noc, text: "{{ aggregate'],
    ['the rules', '\nrules:', '\nruels:'],
  ])('a misspelt key is one problem: %s', (_, from, to) => {
    expect(example).toContain(from);
    const { problems } = checkConfig(example.replace(from, to), 'f.yaml');

    expect(problems.map(formatProblem)).toEqual([expect.stringMatching(/unknown key \w+ \(did you mean \w+\?\)$/)]);
  });

  it('a key unlike any name and the only missing key are one problem', () => {
    const { problems } = checkConfig(example.replace('trigger: {state: {health', 'when: {state: {health'), 'f.yaml');

    expect(problems.map(({ message }) => message)).toEqual([
      'unknown key when, and trigger is missing: write trigger?',
    ]);
  });

  it.each<[string, string, string]>([
    ['a receiver', 'url_file: /run/secrets/noc_url', 'url_file: 5'],
    ['a time interval', 'start_time: "18:00"', 'start_time: 18'],
    ['a rule’s name', '- name: mass-starvation', '- name: Mass Starvation'],
  ])('a reference to a broken part is not a separate problem: %s', (_, from, to) => {
    expect(example).toContain(from);

    expect(placesOf(example.replace(from, to))).toHaveLength(1);
  });

  it('reports each of two mistakes in different places, whatever the other is', () => {
    const mistakes: readonly (readonly [from: string, to: string, path: string])[] = [
      ['for: 15s', 'for: soon', 'rules[0].for'],
      ['health: [STARVING], percent', 'health: [STARVED], percent', 'rules[0].trigger.aggregate.health[0]'],
      ['for: 30s', 'for: 30', 'rules[1].for'],
      ['tier: [gold, silver]', 'tier: [1, silver]', 'rules[1].match.tags.tier[0]'],
      ['{{ firing.duration }}', '{{ firing.lasted }}', 'rules[1].actions[0].notify.text'],
      ['live: [false]}', 'live: ["no"]}', 'rules[2].while.live[0]'],
      ['event_name: [Stream End]', 'channel_arn: [x]', 'rules[2].trigger.event.detail.channel_arn'],
      [
        'active_time_intervals: [prime_time]',
        'active_time_intervals: [night]',
        'rules[3].trigger.schedule.active_time_intervals[0]',
      ],
      ['[{prefix: "Ingest "}', '[{prefx: "Ingest "}', 'rules[4].trigger.event.detail.limit_name[0].prefx'],
      ['rises_to: [1000', 'rises_too: [1000', 'rules[5].trigger.threshold.rises_too'],
    ];
    const mistake = fc.constantFrom(...mistakes);
    for (const [from] of mistakes) expect(example).toContain(from);
    fc.assert(
      fc.property(fc.uniqueArray(mistake, { minLength: 2, maxLength: mistakes.length }), (made) => {
        const text = made.reduce((changed, [from, to]) => changed.replace(from, to), example);
        expect(placesOf(text)).toEqual(expect.arrayContaining(made.map(([, , path]) => path)));
        expect(placesOf(text)).toHaveLength(made.length);
      }),
      { numRuns: 15 },
    );
  });

  it('no file changes what is reported about the next', () => {
    const before = placesOf(manyMistakes);
    for (const actions of ['[{emit_event: {a: 0, "": null}}]', '5', '[]', '[{emit_event: 5}, 5]'])
      parseConfig(`version: 1\nrules:\n  - {name: r, trigger: {event: []}, actions: ${actions}}\n`, 'f.yaml');

    expect(placesOf(manyMistakes)).toEqual(before);
  });

  it('what is refused at load time is what is reported', () => {
    const result = parseConfig(manyMistakes, 'f.yaml');

    // Lint is for `validate`; the daemon only warns of it.
    expect(result.ok ? [] : result.problems).toHaveLength(19);
  });
});
