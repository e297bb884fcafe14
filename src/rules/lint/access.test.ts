import { describe, expect, it } from 'vitest';
import { lintConfig } from '#config/lint.ts';
import { parseConfig } from '#config/load.ts';
import { formatProblem } from '#config/problem.ts';
import type { Channel, ChannelArn } from '#domain/channel.ts';

const policy = 'arn:aws:ivs:us-west-2:111122223333:playback-restriction-policy/AbCdEfGhIjKl';

function channel(id: string, rest: Partial<Channel>): Channel {
  const arn = `arn:aws:ivs:us-west-2:111122223333:channel/${id}` as ChannelArn;
  return { arn, name: id, type: 'STANDARD', latencyMode: 'LOW', recordingConfigurationArn: '', tags: {}, ...rest };
}

/** The findings for a rule with this action, including form and meaning. */
function problemsOf(match: string, action: string, channels?: readonly Channel[]): string[] {
  const text = `version: 1
rules:
  - name: r
    trigger: {state: {live: [false]}}
    match: ${match}
    actions: [${action}]
    guards: {max_per_hour: 5}
`;
  const result = parseConfig(text, 'f.yaml');
  return (result.ok ? lintConfig(result.config, { channels }) : result.problems).map(formatProblem);
}

const setAds = '{set_ad_configuration: {configuration: show}}';
const edit = `{edit_playback_restriction: {policy: "${policy}", allowed_countries: [GB]}}`;

describe('ads', () => {
  it.each([
    '{containerFormat: [FRAGMENTED_MP4]}',
    '{containerFormat: [{anything-but: TS}]}',
    '{multitrackInputConfiguration: {enabled: [true]}}',
    '{multitrackInputConfiguration.enabled: [true], type: [STANDARD]}',
  ])('on channels that cannot have them are an error: %s', (match) => {
    expect(problemsOf(match, setAds)).toEqual([
      expect.stringMatching(
        /^f\.yaml:6:\d+ rules\[0\]\.actions\[0\]\.set_ad_configuration\.configuration: `match` selects/,
      ),
    ]);
    expect(problemsOf(match, '{set_ad_configuration: {configuration: none}}')).toEqual([]);
  });

  it.each(['{containerFormat: [TS]}', '{containerFormat: [{anything-but: FRAGMENTED_MP4}]}', '{type: [BASIC]}'])(
    'on channels that can have them are not an error: %s',
    (match) => {
      expect(problemsOf(match, setAds)).toEqual([]);
    },
  );

  it('on a channel of the inventory that cannot have them are a warning that names it', () => {
    const channels = [
      channel('one', { containerFormat: 'TS', tags: { tier: 'gold' } }),
      channel('two', { containerFormat: 'FRAGMENTED_MP4', tags: { tier: 'gold' } }),
      channel('three', { containerFormat: 'FRAGMENTED_MP4' }),
    ];

    expect(problemsOf('{tags: {tier: [gold]}}', setAds, channels)).toEqual([
      expect.stringContaining('warning: two: containerFormat is FRAGMENTED_MP4'),
    ]);
  });
});

it('a policy that channels outside the match have too is an error', () => {
  const tags = { tier: 'gold' };
  const channels = [
    channel('one', { playbackRestrictionPolicyArn: policy, tags }),
    channel('two', { playbackRestrictionPolicyArn: policy }),
  ];

  expect(problemsOf('{tags: {tier: [gold]}}', edit, channels)).toEqual([
    expect.stringContaining('two: uses this policy too, but `match` does not select it'),
  ]);
  expect(problemsOf('{tags: {tier: [gold]}}', edit, channels.slice(0, 1))).toEqual([]);
});

it('rules that set ads or a restriction differently on the same channels undo each other', () => {
  const text = `version: 1
defaults: {guards: {max_per_hour: 5}}
rules:
  - {name: a, trigger: {state: {live: [false]}}, match: {type: [BASIC]}, actions: [{set_ad_configuration: {configuration: one}}, {set_playback_restriction: {policy: none}}]}
  - {name: b, trigger: {state: {live: [false]}}, match: {type: [BASIC]}, actions: [{set_ad_configuration: {configuration: two}}, {set_playback_restriction: {policy: europe}}]}
`;
  const result = parseConfig(text, 'f.yaml');
  const found = result.ok ? lintConfig(result.config).map(formatProblem) : [];

  expect(found.filter((line) => line.includes('they undo each other'))).toHaveLength(2);
});

it('a rule without a cap, or not for a single channel, is refused', () => {
  const uncapped = parseConfig(
    'version: 1\nrules:\n  - {name: r, trigger: {state: {live: [false]}}, match: {type: [BASIC]}, actions: [{revoke_viewers: {viewers: [ann]}}]}\n',
    'f.yaml',
  );
  expect(uncapped.ok ? [] : uncapped.problems.map(({ message }) => message)).toEqual([
    expect.stringContaining('revoke_viewers cannot be undone: give the rule a cap'),
  ]);
  const nobody = parseConfig(
    'version: 1\nrules:\n  - {name: r, trigger: {aggregate: {health: [STARVING], percent_of_live: [{numeric: [">", 5]}], min_live: 5}}, actions: [{set_ad_configuration: {configuration: show}}], guards: {max_per_hour: 5}}\n',
    'f.yaml',
  );
  expect(nobody.ok ? [] : nobody.problems.map(({ message }) => message)).toEqual([
    expect.stringContaining('set_ad_configuration needs a channel'),
  ]);
});
