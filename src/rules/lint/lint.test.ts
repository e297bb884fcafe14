import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { lintConfig } from '#config/lint.ts';
import { parseConfig } from '#config/load.ts';
import { formatProblem } from '#config/problem.ts';
import type { Channel, ChannelArn } from '#domain/channel.ts';

const example = readFileSync(new URL('../../../config/autopilot.example.yaml', import.meta.url), 'utf8');
const notify = 'actions: [{notify: {receiver: noc, text: x}}]';

function channel(id: string, tags: Record<string, string>): Channel {
  return {
    arn: `arn:aws:ivs:us-west-2:111122223333:channel/${id}` as ChannelArn,
    name: id,
    type: 'STANDARD',
    latencyMode: 'LOW',
    recordingConfigurationArn: '',
    tags,
  };
}

/** The lint findings for a file with this one rule. */
function lintRule(
  rule: string,
  { channels, channelCount, head = '' }: { channels?: readonly Channel[]; channelCount?: number; head?: string } = {},
): string[] {
  const text = `version: 1\nreceivers: [{name: noc, webhook_configs: [{url_file: /x}]}]\n${head}rules:\n  - name: r\n    ${rule.replaceAll('\n', '\n    ')}\n`;
  const result = parseConfig(text, 'f.yaml');
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  const found = lintConfig(result.config, { channels, channelCount }).map(formatProblem);
  // Every finding has its place in the file.
  for (const line of found) expect(line).toMatch(/^f\.yaml:[1-9]\d*:[1-9]\d* (?:rules|inhibit_rules)\[0\]\./);
  return found;
}

describe('lint', () => {
  it('finds nothing in the example', () => {
    const result = parseConfig(example, 'f.yaml');

    expect(result.ok ? lintConfig(result.config) : result.problems).toEqual([]);
  });

  it.each<[string, string, RegExp]>([
    [
      'a detail type',
      'detail-type: [IVS Stream State Chang]',
      /warning: detail-type: IVS Stream State Chang is not known as of [\d-]+ \(did you mean IVS Stream State Change\?\); it will be tried/,
    ],
    [
      'an event name',
      'detail: {event_name: [Stream Ended]}',
      /warning: detail\.event_name: Stream Ended is not known as of [\d-]+ \(did you mean Stream End\?\)/,
    ],
    [
      'a limit name',
      'detail: {limit_name: [Ingest Bitrates]}',
      /warning: detail\.limit_name: Ingest Bitrates is not known .*\(did you mean Ingest Bitrate\?\)/,
    ],
    [
      'a prefix',
      'detail: {limit_name: [{prefix: ingest}]}',
      /warning: detail\.limit_name: nothing that is known as of [\d-]+ matches \{"prefix":"ingest"\}/,
    ],
    [
      'a recording status',
      'detail: {recording_status: [Recording Stopped]}',
      /warning: detail\.recording_status: Recording Stopped is not known/,
    ],
    ['a source', 'source: [aws.ivs.channel]', /source: aws\.ivs\.channel is not possible; there are aws\.ivs/],
    [
      'a value inside $or',
      '$or: [{detail: {event_name: [Stream Start]}}, {detail: {event_name: [Stream Stop]}}]',
      /f\.yaml:\d+:\d+ rules\[0\]\.trigger\.event\.\$or\[1\]\.detail\.event_name\[0\]/,
    ],
    [
      'names of another type',
      'detail-type: [IVS Limit Breach], detail: {event_name: [Stream End]}',
      /no event has detail\.event_name: it is a field of IVS Stream State Change, IVS Stream Health Change/,
    ],
  ])('%s that Amazon IVS does not send', (_, pattern, message) => {
    expect(lintRule(`trigger: {event: {${pattern}}}\n${notify}`).join('\n')).toMatch(message);
  });

  it.each([
    'detail: {limit_name: [{prefix: "Ingest "}, Concurrent Viewers]}',
    'detail: {event_name: [{anything-but: Stream End}]}',
    'detail: {event_name: [{exists: false}]}',
    'source: [aws.ivs], detail-type: [{prefix: IVS}]',
    'resources: [{exists: false}]',
    '$or: [{detail: {event_name: [Stream End]}}, {account: ["111122223333"]}]',
  ])('%s is possible', (pattern) => {
    expect(lintRule(`trigger: {event: {${pattern}}}\n${notify}`)).toEqual([]);
  });

  it.each<[string, string, RegExp]>([
    [
      'health of a stream that is not live',
      `trigger: {state: {live: [false], health: [STARVING]}}\n${notify}`,
      /neither health nor viewers/,
    ],
    [
      'a `while` against the trigger',
      `trigger: {state: {health: [STARVING]}}\nwhile: {live: [false]}\n${notify}`,
      /rules\[0\]\.while: no stream/,
    ],
    [
      'viewers while not live',
      `trigger: {state: {live: [false], viewerCount: [{numeric: [">", 0]}]}}\n${notify}`,
      /no stream can ever match/,
    ],
    [
      'more than all channels',
      `trigger: {aggregate: {health: [STARVING], percent_of_live: [{numeric: [">", 100]}]}}\n${notify}`,
      /no share or number/,
    ],
    [
      'an `only_if` that never holds',
      'trigger: {state: {live: [true]}}\nactions: [{only_if: {live: [false], health: [HEALTHY]}, notify: {receiver: noc, text: x}}]',
      /the action never runs/,
    ],
    [
      'an event that is too old when `for` ends',
      `trigger: {event: {source: [aws.ivs]}}\nwhile: {live: [false]}\nfor: 15m\n${notify}`,
      /older than max_event_age \(10m\) allows/,
    ],
  ])('unreachable: %s', (_, rule, message) => {
    expect(lintRule(rule).join('\n')).toMatch(message);
  });

  it('viewers between two bounds can be reached', () => {
    expect(lintRule(`trigger: {state: {viewerCount: [{numeric: [">", 50, "<", 52]}]}}\n${notify}`)).toEqual([]);
    expect(
      lintRule(`trigger: {state: {health: [HEALTHY]}}\nwhile: {viewerCount: [{exists: false}]}\n${notify}`),
    ).toEqual([]);
  });

  it.each<[string, string, RegExp]>([
    ['never fits', `payload: {text: ${'x'.repeat(1100)}}`, /takes 1111 bytes, but one PutMetadata carries 1024/],
    ['may not fit', 'payload: {a: "{{ channel.tags.a }}", b: "{{ channel.tags.b }}"}', /can take up to 10\d\d bytes/],
    [
      'is as large as the event',
      'payload: {note: "{{ event.detail | json }}{{ event.detail | json }}"}',
      /can take up to/,
    ],
  ])('a payload that %s', (_, payload, message) => {
    const rule = `trigger: {event: {detail: {event_name: [Stream Start]}}}\nactions: [{put_metadata: {${payload}}}]`;

    expect(lintRule(rule).join('\n')).toMatch(message);
  });

  it('a payload that is truncated fits', () => {
    const rule = `trigger: {state: {live: [true]}}\nactions: [{put_metadata: {payload: {a: "{{ channel.tags.a | truncate: 40 }}", b: "{{ channel.tags.b }}"}}}]`;

    expect(lintRule(rule)).toEqual([]);
  });

  it('bytes count, not characters', () => {
    const rule = `trigger: {state: {live: [true]}}\nactions: [{put_metadata: {payload: {text: "${'ж'.repeat(520)}"}}}]`;

    expect(lintRule(rule).join('\n')).toMatch(/takes 1051 bytes/);
  });

  it.each<[string, string, RegExp | undefined]>([
    ['stops a stream', 'actions: [{stop_stream: {}}]\nguards: {max_per_hour: 1}', /stop_stream has no target/],
    ['sends metadata', 'actions: [{put_metadata: {payload: x}}]', /write if_no_channel: skip/],
    ['sends metadata or skips', 'actions: [{put_metadata: {payload: x, if_no_channel: skip}}]', undefined],
    ['sends metadata to all', 'actions: [{put_metadata: {payload: x, targets: {live: true}}}]', undefined],
    ['prints the channel', 'actions: [{notify: {receiver: noc, text: "{{ channel.name }}"}}]', /use \| default/],
    ['is about channels only', 'match: {name: [{exists: true}]}\nactions: [{put_metadata: {payload: x}}]', undefined],
  ])('a breach of an account limit names no channel: a rule that %s', (_, rest, message) => {
    const found = lintRule(`trigger: {event: {detail-type: [IVS Limit Breach]}}\n${rest}`).join('\n');

    if (message) expect(found).toMatch(message);
    else expect(found).toBe('');
  });

  it('a breach of an ingest limit names its channel', () => {
    const rule = 'trigger: {event: {detail: {limit_name: [Ingest Bitrate]}}}\nactions: [{put_metadata: {payload: x}}]';

    expect(lintRule(rule)).toEqual([]);
  });

  it.each<[string, string]>([
    ['source_matchers', `- {source_matchers: ['rule="nobody"'], target_matchers: ['rule="r"']}`],
    ['target_matchers', `- {source_matchers: ['rule="r"'], target_matchers: ['action="stop_stream"']}`],
  ])('an inhibition whose %s name no rule', (side, inhibit) => {
    const found = lintRule(`trigger: {state: {live: [true]}}\n${notify}`, { head: `inhibit_rules:\n  ${inhibit}\n` });

    expect(found).toEqual([expect.stringMatching(new RegExp(`inhibit_rules\\[0\\]\\.${side}: no rule of this file`))]);
  });

  it('a tag that no channel has', () => {
    const channels = [channel('a', { tier: 'gold' }), channel('b', {})];
    const rule = (match: string) =>
      lintRule(`trigger: {state: {live: [true]}}\nmatch: ${match}\n${notify}`, { channels });

    expect(rule('{tags: {teir: [gold]}}')).toEqual([
      'f.yaml:6:26 rules[0].match.tags.teir: warning: none of the 2 channels has the tag teir (did you mean tier?)',
    ]);
    expect(rule('{tags: {tier: [silver]}}')).toEqual([expect.stringContaining('none of the 2 channels matches')]);
    expect(rule('{tags: {tier: [gold], ops-hold: [{exists: false}]}}')).toEqual([]);
  });

  it('a fan-out that takes longer than its items live', () => {
    const channels = Array.from({ length: 4000 }, (_, index) => channel(`c${index}`, { show: 'x' }));
    const rule = (expires: string) =>
      lintRule(
        `trigger: {state: {live: [true]}}\nactions: [{put_metadata: {payload: x, targets: {tags: {show: [x]}}, expires: ${expires}}}]`,
        { channels },
      );

    expect(rule('20s')).toEqual([expect.stringContaining('4000 channels take 26 s at 155 calls a second')]);
    expect(rule('30s')).toEqual([]);
  });

  it('a fan-out without an inventory is judged for the given number of channels', () => {
    const rule = (targets: string, expires: string, channelCount?: number) =>
      lintRule(
        `trigger: {state: {live: [true]}}\nactions: [{put_metadata: {payload: x, targets: ${targets}${expires}}}]`,
        channelCount === undefined ? {} : { channelCount },
      );

    expect(rule('{live: true}', ', expires: 20s')).toEqual([]);
    expect(rule('{live: true}', ', expires: 20s', 3000)).toEqual([]);
    const tooMany =
      '10000 channels take 65 s at 155 calls a second: items that still wait after 20s are not sent; 3100 channels are reached by then';
    for (const targets of ['{live: true}', '{tags: {show: ["{{ channel.tags.show }}"]}}'])
      expect(rule(targets, ', expires: 20s', 10_000)).toEqual([expect.stringContaining(tooMany)]);
    expect(rule('{live: true}', '', 100_000)).toEqual([expect.stringContaining('after 5m (metadata.default_expires)')]);
    const arns = Array.from({ length: 200 }, (_, index) => channel(`c${index}`, {}).arn);
    expect(rule(`{channelArns: [${arns.map((arn) => `"${arn}"`).join(', ')}]}`, ', expires: 1s')).toEqual([
      expect.stringMatching(/f\.yaml:6:\d+ .*200 channels take 2 s/),
    ]);
  });

  it('a fan-out to a tag that no channel has', () => {
    const channels = [channel('a', { show: 'x' })];
    const rule =
      'trigger: {state: {live: [true]}}\nactions: [{put_metadata: {payload: x, targets: {tags: {shwo: [x]}}}}]';

    expect(lintRule(rule, { channels })).toEqual([expect.stringContaining('has the tag shwo (did you mean show?)')]);
  });

  it('an inhibition that almost names a rule or an action', () => {
    const found = lintRule(`trigger: {state: {live: [true]}}\n${notify}`, {
      head: `inhibit_rules:\n  - {source_matchers: ['rule="rr"'], target_matchers: ['action="notfy"']}\n`,
    });

    expect(found).toEqual([
      expect.stringMatching(/^f\.yaml:4:23 .*\(did you mean r\?\)/),
      expect.stringMatching(/^f\.yaml:4:55 .*\(did you mean notify\?\)/),
    ]);
  });

  it.each<[string, string, RegExp]>([
    [
      'JSON glued from text',
      'actions: [{webhook: {url_file: /x, body: \'{"name": "{{ channel.name }}"}\'}}]',
      /write an object, or use \| json/,
    ],
    [
      'keys delivered by name',
      'match: {name: [a]}\nguards: {max_per_hour: 1}\nactions: [{rotate_stream_key: {deliver: {secrets_manager: "k/{{ channel.name }}"}}}]',
      /Use channel\.id/,
    ],
    ['a stop for everybody', 'guards: {max_per_hour: 1}\nactions: [{stop_stream: {}}]', /every channel of the account/],
  ])('risky: %s', (_, rest, message) => {
    expect(lintRule(`trigger: {state: {live: [true]}}\n${rest}`).join('\n')).toMatch(message);
  });
});

describe('what the table of events lacks', () => {
  const of = (rule: string, settings = '') => {
    const text = `version: 1\n${settings}rules:\n  - {name: r, ${rule}, actions: [{emit_event: {detail_type: x, detail: {}}}]}\n`;
    const result = parseConfig(text, 'f.yaml');
    return (result.ok ? lintConfig(result.config) : result.problems).map(
      ({ severity, message }) => `${severity}: ${message}`,
    );
  };
  const unknownField = 'trigger: {event: {detail-type: [IVS Stream State Change], detail: {new_field: [x]}}}';

  it('a field is an error, or a warning for those who are ahead of the table', () => {
    expect(of(unknownField)).toEqual([expect.stringMatching(/^error: no event has detail\.new_field/)]);
    expect(of(unknownField, 'lint: {unknown_fields: warn}\n')).toEqual([
      expect.stringMatching(/^warning: no event has detail\.new_field/),
    ]);
    const grouped = 'trigger: {event: {detail-type: [IVS Limit Breach]}}, guards: {group_by: [detail.new_field]}';
    expect(of(grouped, 'lint: {unknown_fields: warn}\n')).toEqual([expect.stringMatching(/^warning: /)]);
  });

  it.each([
    'detail-type: [IVS New State Change], detail: {new_field: [{numeric: [">", 5]}], nested: {deep: [x]}}',
    'detail-type: [IVS Stream State Change], detail: {event_name: [Stream Paused]}',
    'detail-type: [IVS Limit Breach], detail: {limit_name: [Concurrent Viewers Of Clips]}',
    'detail-type: [{prefix: "IVS New"}]',
    'region: [eu-west-9]',
  ])('is a warning with the date of the table: %s', (pattern) => {
    expect(of(`trigger: {event: {${pattern}}}`)).toEqual([
      expect.stringMatching(/^warning: .*known .*\d{4}-\d{2}.*tried/),
    ]);
  });

  it.each<[string, RegExp]>([
    ['AWS API Call via CloudTrail', /exists: it is an API call that CloudTrail reports/],
    ['IVS Stage Update', /exists: it is an event of Amazon IVS Real-Time/],
    ['IVS Composition State Change', /exists: it is an event of Amazon IVS Real-Time/],
    ['IVS Participant Recording State Change', /exists: it is an event of Amazon IVS Real-Time/],
  ])('exists, but is not used: %s', (type, message) => {
    expect(of(`trigger: {event: {detail-type: [${type}]}}`)).toEqual([expect.stringMatching(message)]);
  });

  it.each<[string, RegExp]>([
    [
      'trigger: {event: {detail-type: [IVS Stream Health Change], detail: {event_name: [Stream Start]}}}',
      /^error: detail\.event_name: Stream Start is an event of IVS Stream State Change, and this pattern asks for IVS Stream Health Change/,
    ],
    [
      'trigger: {event: {detail: {limit_name: [Stream End]}}}',
      /^error: detail\.limit_name: Stream End is an event of IVS Stream State Change/,
    ],
    [
      'trigger: {event: {detail: {limit_name: [Concurrent Viewers]}}}, match: {tags: {a: [b]}}',
      /^error: a breach of an account's limit names no channel: the rule never fires/,
    ],
    [
      'trigger: {event: {detail: {limit_name: [{prefix: "Concurrent "}]}}}, while: {live: [true]}',
      /^error: a breach of an account's limit names no channel: the rule never fires/,
    ],
    ['trigger: {state: {health: [{anything-but: {prefix: STRV}}]}}', /^error: health: .*it excludes nothing/],
  ])('what never occurs together: %s', (rule, message) => {
    expect(of(rule)).toEqual([expect.stringMatching(message)]);
  });
});
