import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig, parseConfig } from './load.ts';
import { formatProblem } from './problem.ts';
import { parseYamlInSteps } from './yaml.ts';

const example = readFileSync(new URL('./autopilot.example.yaml', import.meta.url), 'utf8');

/** The problems of a text, as a person reads them. */
function problemsOf(text: string): string[] {
  const result = parseConfig(text, 'f.yaml');
  return result.ok ? [] : result.problems.map(formatProblem);
}

/** The problems of the example with one place changed. */
function problemsAfter(from: string, to: string): string[] {
  expect(example, 'the place to change').toContain(from);
  return problemsOf(example.replace(from, to));
}

function rule(text: string): string {
  return `version: 1\nreceivers: [{name: noc, webhook_configs: [{url_file: /x}]}]\nrules:\n  - ${text.replaceAll('\n', '\n    ')}\n`;
}

describe('the example configuration', () => {
  it('is valid and has its rules', () => {
    const result = parseConfig(example, 'f.yaml');

    expect(
      result.ok ? result.config.ruleset.rules.map(({ name, mode }) => `${name} ${mode}`) : result.problems,
    ).toEqual([
      'mass-starvation enforce',
      'starving-slate enforce',
      'rotate-key-after-show dry_run',
      'record-prime-time dry_run',
      'limit-breach enforce',
      'viewer-milestone dry_run',
      'ad-breaks dry_run',
    ]);
  });

  it('merges the guards of the rule over the defaults of the file over the built-in ones', () => {
    const result = parseConfig(example, 'f.yaml');
    const guardsOf = (name: string) =>
      result.ok ? result.config.ruleset.rules.find((rule) => rule.name === name)?.guards : undefined;

    expect(guardsOf('starving-slate')).toEqual({
      cooldownMs: 600_000,
      maxPerHour: 6,
      maxEventAgeMs: 600_000,
      maxLivePercent: 5,
      groupBy: [{ kind: 'channel' }],
      onDataGap: 'freeze',
    });
    expect(guardsOf('limit-breach')).toMatchObject({
      groupBy: [{ kind: 'event', path: ['detail', 'limit_name'] }],
      cooldownMs: 120_000,
      maxPerHour: 60,
    });
  });

  it('the environment overrides the queue of the file', () => {
    const result = parseConfig(example, 'f.yaml', { queueUrl: 'http://127.0.0.1/q' });

    expect(result.ok && result.config.settings.events.queue_url).toBe('http://127.0.0.1/q');
  });
});

describe('every problem names file, line, column and path', () => {
  it.each<[string, string, string]>([
    [
      'health: [STARVING]}}',
      'health: [STARVNG]}}',
      'f.yaml:40:32 rules[1].trigger.state.health[0]: health: STARVNG is not possible (did you mean STARVING?); there are HEALTHY, STARVING, UNKNOWN',
    ],
    ['for: 15s', 'for: 15', 'f.yaml:33:10 rules[0].for: expected a duration such as 30s, 5m or 1h30m'],
    [
      'mode: enforce\n',
      'mode: enforced\n',
      'f.yaml:31:11 rules[0].mode: expected one of enforce, dry_run, off, got "enforced" (did you mean enforce?)',
    ],
    ['trigger: {state', 'triger: {state', 'f.yaml:40:5 rules[1].triger: unknown key triger (did you mean trigger?)'],
    [
      'receiver: noc',
      'receiver: nocc',
      'f.yaml:35:28 rules[0].actions[0].notify.receiver: unknown receiver nocc (did you mean noc?)',
    ],
    [
      '[prime_time]',
      '[primetime]',
      'f.yaml:67:50 rules[3].trigger.schedule.active_time_intervals[0]: unknown time interval primetime (did you mean prime_time?)',
    ],
    [
      'while: {live: [false]}',
      'description: x',
      'f.yaml:59:10 rules[2].for: event has no duration: add `while`, which says what must stay true',
    ],
    ['version: 1', 'versoin: 1', 'f.yaml:7:1 versoin: unknown key versoin (did you mean version?)'],
    [
      'friday:sunday',
      'fryday:sunday',
      'f.yaml:22:21 time_intervals[0].time_intervals[0].weekdays[0]: "fryday" is not a weekday (did you mean friday?)',
    ],
    [
      'Europe/London',
      'Europe/Londn',
      'f.yaml:22:100 time_intervals[0].time_intervals[0].location: unknown time zone "Europe/Londn"; expected an IANA name such as Europe/London',
    ],
    [
      'numeric: [">="',
      'numeric: ["=>"',
      'f.yaml:32:75 rules[0].trigger.aggregate.percent_of_live[0].numeric: numeric expects one of =, <, <=, >, >=',
    ],
    [
      'stop_stream: {',
      'stop_streams: {',
      'f.yaml:49:9 rules[1].actions[2].stop_streams: unknown key stop_streams (did you mean stop_stream?)',
    ],
    [
      'detail-type: [IVS Stream',
      'detail_type: [IVS Stream',
      'f.yaml:56:55 rules[2].trigger.event.detail_type: unknown field detail_type (did you mean detail-type?); there are version, id, detail-type, source, account, time, region, resources, replay-name, detail',
    ],
    [
      'aggregate.count',
      'aggregate.cuont',
      'f.yaml:35:39 rules[0].actions[0].notify.text: template: aggregate has no field cuont (did you mean count?); there are count, live, percent, channels',
    ],
    [
      'once_per: session',
      'polling: {full_intervall: 3s}',
      expect.stringMatching(
        /^f\.yaml:91:5 rules\[5\]\.polling: unknown key polling; there are name, .*\btrigger, .*actions/,
      ),
    ],
  ])('%s → %s', (from, to, problem) => {
    expect(problemsAfter(from, to)).toContainEqual(problem);
  });

  it('all of them at once, in the order of the file', () => {
    const problems = problemsOf(example.replace('for: 15s', 'for: x').replace('key: slate', 'kee: slate'));

    expect(problems.map((line) => line.split(' ')[0])).toEqual(['f.yaml:33:10', 'f.yaml:46:74']);
  });

  it.each([
    ['expiresInMs', 'expires'],
    ['expires_ms', 'expires'],
    ['expiresSeconds', 'expires'],
  ])('%s, the name of an HTTP request, for %s', (written, meant) => {
    const rule = `{name: a, trigger: {http: {name: a}}, actions: [{put_metadata: {payload: x, ${written}: 5000}}]}`;
    expect(problemsOf(`version: 1\nrules:\n  - ${rule}`)).toEqual([
      expect.stringContaining(`unknown key ${written} (did you mean ${meant}?)`),
    ]);
  });

  it('a key that is like none: those that there are', () => {
    const limits = problemsOf('version: 1\nlimits: {operations: {Launch: {account: 3}}}');
    expect(limits).toEqual([expect.stringMatching(/unknown key Launch; there are BatchGetChannel, .*, and \d+ more$/)]);
    expect(problemsOf('version: 1\nmetadata: {zebra: 3}')).toEqual([
      expect.stringMatching(/unknown key zebra; there are .*default_expires/),
    ]);
  });

  it('settings are as strict as rules', () => {
    expect(problemsOf('version: 1\npolling: {starvng_interval: 5s}')).toEqual([
      'f.yaml:2:11 polling.starvng_interval: unknown key starvng_interval (did you mean starving_interval?)',
    ]);
  });
});

describe('invalid settings', () => {
  const account = (name: string, more = '') => `  - {name: ${name}, region: us-west-2${more}}\n`;
  const roleOf = (id: string, role: string) => `, assume_role_arn: "arn:aws:iam::${id}:role/${role}"`;

  it('a limit for an operation that Amazon IVS does not have', () => {
    expect(
      problemsOf('version: 1\nlimits: {operations: {ListStreamz: {account: 3}, ListChannels: {account: 2}}}'),
    ).toEqual(['f.yaml:2:23 limits.operations.ListStreamz: unknown key ListStreamz (did you mean ListStreams?)']);
  });

  it.each(['0s', '99ms', '61s', '10m'])('a request timeout of %s', (text) => {
    expect(problemsOf(`version: 1\nlimits: {request_timeout: ${text}}`)).toEqual([
      'f.yaml:2:27 limits.request_timeout: expected a duration from 100ms to 60s',
    ]);
  });

  it('a request timeout that is not a duration', () => {
    expect(problemsOf('version: 1\nlimits: {request_timeout: soon}')).toEqual([
      'f.yaml:2:27 limits.request_timeout: expected a duration such as 30s, 5m or 1h30m',
    ]);
  });

  it.each<[string, string, string]>([
    [
      'two accounts of one name',
      account('a') + account('a', roleOf('111122223333', 'x')),
      'accounts[1].name: the name a is used twice',
    ],
    [
      'one Region twice',
      account('a') + account('b'),
      'accounts[1].region: a already has us-west-2 in the account of the environment',
    ],
    [
      'one account by two roles',
      account('a', roleOf('111122223333', 'x')) + account('b', roleOf('111122223333', 'y')),
      'accounts[1].region: a already has us-west-2 in 111122223333',
    ],
    [
      'one queue for two accounts',
      account('a', ', queue_url: q') + account('b', `${roleOf('111122223333', 'x')}, queue_url: q`),
      'accounts[1].queue_url: a already has this queue',
    ],
  ])('%s', (_, accounts, problem) => {
    const problems = problemsOf(`version: 1\naccounts:\n${accounts}`);

    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^f\.yaml:4:\d+ /);
    expect(problems[0]).toContain(problem);
  });

  it('accepts accounts that share nothing but the Region', () => {
    const text = account('a', ', queue_url: q') + account('b', `${roleOf('111122223333', 'x')}, queue_url: r`);

    expect(problemsOf(`version: 1\naccounts:\n${text}`)).toEqual([]);
  });
});

describe('invalid rules', () => {
  const action = 'actions: [{notify: {receiver: noc, text: x}}]';
  it.each<[string, string, RegExp]>([
    ['two triggers', `name: r\ntrigger: {state: {live: [true]}, http: {name: x}}\n${action}`, /exactly one of event/],
    ['no trigger', `name: r\ntrigger: {}\n${action}`, /exactly one of event/],
    [
      'two actions in one step',
      'name: r\ntrigger: {state: {live: [true]}}\nactions: [{stop_stream: {}, tag: {set: {a: b}}}]',
      /exactly one action/,
    ],
    [
      'a stop without a cap',
      'name: r\ntrigger: {state: {live: [true]}}\nactions: [{stop_stream: {}}]',
      /cannot be undone: give the rule a cap/,
    ],
    [
      'an aggregate that stops a stream',
      'name: r\ntrigger: {aggregate: {health: [STARVING], count: [3]}}\nguards: {max_per_hour: 1}\nactions: [{stop_stream: {}}]',
      /stop_stream needs a channel/,
    ],
    [
      'an aggregate that prints a channel',
      'name: r\ntrigger: {aggregate: {health: [STARVING], count: [3]}}\nactions: [{notify: {receiver: noc, text: "{{ channel.name }}"}}]',
      /channel is not known for this trigger/,
    ],
    [
      'an aggregate that counts nothing',
      `name: r\ntrigger: {aggregate: {count: [3]}}\n${action}`,
      /expected what to count/,
    ],
    [
      'an aggregate that never fires',
      `name: r\ntrigger: {aggregate: {health: [STARVING]}}\n${action}`,
      /expected when to fire/,
    ],
    [
      'a schedule without channels that records',
      'name: r\ntrigger: {schedule: {active_time_intervals: [x]}}\nguards: {max_per_hour: 1}\nactions: [{set_recording: {configuration: none}}]',
      /because|needs a channel/,
    ],
    [
      'a delay after the resolve',
      `name: r\ntrigger: {state: {live: [true]}}\n${action}\non_resolve: [{after: 5s, notify: {receiver: noc, text: x}}]`,
      /unknown key after/,
    ],
    [
      'an event that resolves',
      `name: r\ntrigger: {event: {source: [aws.ivs]}}\n${action}\non_resolve: [{notify: {receiver: noc, text: x}}]`,
      /event has no end: add `keep_firing_for`/,
    ],
    [
      'grouping a state by an event',
      `name: r\ntrigger: {state: {live: [true]}}\n${action}\nguards: {group_by: [detail.x]}`,
      /could only be a field of an event/,
    ],
    [
      'grouping an aggregate by a tag',
      `name: r\ntrigger: {aggregate: {health: [STARVING], count: [3]}}\n${action}\nguards: {group_by: [tags.show]}`,
      /no single channel, so there is no tag to group by/,
    ],
    [
      'a number where a string is needed',
      `name: r\ntrigger: {event: {account: [111122223333]}}\n${action}`,
      /write "111122223333" in quotation marks/,
    ],
    [
      'a webhook to nowhere',
      'name: r\ntrigger: {state: {live: [true]}}\nactions: [{webhook: {body: x}}]',
      /exactly one of url, url_file/,
    ],
    [
      'an event in the name of AWS',
      'name: r\ntrigger: {state: {live: [true]}}\nactions: [{emit_event: {source: aws.ivs, detail_type: x, detail: {}}}]',
      /reserved by AWS/,
    ],
    [
      'the same name twice',
      `name: r\ntrigger: {state: {live: [true]}}\n${action}\n`
        .concat(`- name: r\ntrigger: {state: {live: [true]}}\n${action}`)
        .replace('\n- name', '\nx: 1\nname'),
      /Map keys must be unique/,
    ],
    ['no duration', `name: r\ntrigger: {state: {live: [true]}}\nfor: soon\n${action}`, /expected a duration/],
    [
      'a template for a receiver',
      'name: r\ntrigger: {state: {live: [true]}}\nactions: [{notify: {receiver: "{{ channel.name }}", text: x}}]',
      /must not be a template/,
    ],
    [
      'while on the whole fleet',
      `name: r\ntrigger: {aggregate: {health: [STARVING], count: [3]}}\nwhile: {live: [true]}\n${action}`,
      /no single channel/,
    ],
  ])('%s', (_, text, message) => {
    expect(problemsOf(rule(text)).join('\n')).toMatch(message);
  });

  it('two rules with one name', () => {
    const one = `name: r\ntrigger: {state: {live: [true]}}\n${action}`;

    expect(
      problemsOf(
        rule(`${one}\n`)
          .trimEnd()
          .concat(`\n  - ${one.replaceAll('\n', '\n    ')}\n`),
      ),
    ).toEqual(['f.yaml:7:11 rules[1].name: the name r is used twice']);
  });
});

describe('unusual YAML', () => {
  it.each<[string, string, RegExp]>([
    ['nothing', '', /expected an object, got nothing/],
    ['a list', '[]', /expected an object, got a list/],
    ['another version', 'version: 2', /version: expected 1, got 2/],
    ['a duplicate key', 'version: 1\nversion: 1', /f.yaml:2:1: YAML: Map keys must be unique/],
    ['a tag', 'version: !!js/function 1', /Unresolved tag/],
    ['two documents', 'version: 1\n---\nversion: 1', /multiple documents/],
    ['an alias to nowhere', 'version: *x', /Unresolved alias/],
    ['tabs', 'rules:\n\t- x', /[Tt]abs/],
    ['a million brackets', '['.repeat(900_000), /nests deeper/],
    ['a thousand dashes', '- '.repeat(1000), /nests deeper/],
    ['a key that is a prototype', '__proto__: {version: 1}', /unknown key __proto__/],
    ['a huge file', `#${'x'.repeat(1_100_000)}`, /larger than/],
    [
      'a billion laughs',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghij'
        .split('')
        .map((letter, index) => `${letter}: &${letter} [${Array(9).fill(`*${'abcdefghij'[index]}`).join(',')}]`)
        .join('\n')}`,
      /[Ee]xcessive alias count/,
    ],
  ])('%s', (_, text, message) => {
    expect(problemsOf(text).join('\n')).toMatch(message);
  });

  it('follows anchors, and finds problems behind them', () => {
    const text = 'version: 1\nevents: &e {queue_url: x}\npolling: *e\n';

    expect(problemsOf(text)).toEqual([
      expect.stringMatching(/^f\.yaml:2:13 polling\.queue_url: unknown key queue_url; there are starving_interval, /),
    ]);
  });
});

describe('rule memory', () => {
  const hashes = (text: string) => {
    const result = parseConfig(text, 'f.yaml');
    if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
    return Object.fromEntries(result.config.ruleset.rules.map((rule) => [rule.name, rule]));
  };

  it('stays valid when only the layout of the file changes', () => {
    const before = hashes(example);
    const after = hashes(
      example
        .replaceAll(/ +#.*$/gm, '')
        .replace('{cooldown: 10m, max_per_hour: 6,', '{max_per_hour: 6, cooldown: 10m,'),
    );

    expect(after['starving-slate']!.hash).toBe(before['starving-slate']!.hash);
  });

  it('stays valid when the actions change, and not when the condition does', () => {
    const before = hashes(example)['starving-slate']!;
    const otherAction = hashes(example.replace('show: true', 'show: 1'))['starving-slate']!;
    const otherFor = hashes(example.replace('for: 30s', 'for: 31s'))['starving-slate']!;

    expect(otherAction.hash).not.toBe(before.hash);
    expect(otherAction.conditionHash).toBe(before.conditionHash);
    expect(otherFor.conditionHash).not.toBe(before.conditionHash);
  });

  it('a time interval is part of the rules that use it', () => {
    const before = hashes(example);
    const after = hashes(example.replace('18:00', '19:00'));

    expect(after['record-prime-time']!.conditionHash).not.toBe(before['record-prime-time']!.conditionHash);
    expect(after['starving-slate']!.hash).toBe(before['starving-slate']!.hash);
  });
});

describe('loading a file', () => {
  it('a missing file says what to do', async () => {
    await expect(loadConfig('/nonexistent/x.yaml')).rejects.toMatchObject({ code: 'CONFIG_NOT_FOUND' });
  });

  it('an invalid file lists its problems', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'autopilot-'));
    const file = join(folder, 'x.yaml');
    await writeFile(file, 'version: 3\n');

    await expect(loadConfig(file)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`${file}:1:10 version: expected 1, got 3`),
    });
    await rm(folder, { recursive: true });
  });
});

describe('tens of thousands of keys', () => {
  it('are read in small steps, between which a daemon can answer others', () => {
    const text = `version: 1\nx:\n${Array.from({ length: 30_000 }, (_, n) => `  key${n}: {a: [1, 2], b: "text"}\n`).join('')}`;
    const steps = parseYamlInSteps(text, 'f.yaml');
    let count = 0;
    while (!steps.next().done) count += 1;

    // The text has about 600,000 pieces. Before, it was a single step.
    expect(count).toBeGreaterThan(100);
  });

  const lines = (count: number, line: (n: number) => string) =>
    Array.from({ length: count }, (_, n) => line(n)).join('');
  const payload = (count: number) =>
    `version: 1\nrules:\n  - name: a\n    trigger: {http: {name: x}}\n    guards: {max_per_hour: 1}\n    actions:\n      - put_metadata:\n          payload:\n${lines(count, (n) => `            k${n}: ${n}\n`)}`;

  it.each([
    ['of a payload', payload],
    ['that are unknown', (count: number) => `version: 1\n${lines(count, (n) => `key${n}: ${n}\n`)}`],
    [
      'of a pattern',
      (count: number) =>
        payload(1).replace('{http: {name: x}}', `\n      event:\n${lines(count, (n) => `        k${n}: [1]\n`)}`),
    ],
    ['that are one key', (count: number) => `version: 1\n${lines(count, () => 'k: 1\n')}`],
  ])('%s take time in proportion', (_, text) => {
    const time = (count: number) => {
      const started = process.cpuUsage();
      parseConfig(text(count), 'x.yaml');
      const { user, system } = process.cpuUsage(started);
      return user + system;
    };
    time(1_000);
    // Twenty times as many: quadratic time would be four hundred times as long.
    expect(time(20_000)).toBeLessThan(100 * Math.min(time(1_000), time(1_000), time(1_000)));
  });

  it('reports as many problems as a person can read', () => {
    expect(problemsOf(`version: 1\n${lines(5_000, (n) => `key${n}: ${n}\n`)}`)).toHaveLength(200);
    expect(problemsOf(`version: 1\n${lines(5_000, () => 'k: 1\n')}`)).toHaveLength(200);
  });

  it('finds a repeated key at its second place, at any depth', () => {
    expect(problemsOf('version: 1\nevents: {silent_after: 1m, "silent_after": 2m}\n')).toEqual([
      'f.yaml:2:28: YAML: Map keys must be unique',
    ]);
  });
});
