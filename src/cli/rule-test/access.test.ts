// Rule tests of ads, playback, viewers and new channels: real handlers in the virtual world.
import { expect, it } from 'vitest';
import { parseConfig } from '#config/load.ts';
import { formatProblem } from '#config/problem.ts';
import { parseRuleTests } from './rule-test-file.ts';
import { runRuleTest } from './run-rule-test.ts';

const rules = `version: 1
defaults: {mode: enforce, guards: {max_per_hour: 100, cooldown: 0s}}
rules:
  - name: ads-on
    trigger: {event: {source: [aws.ivs], detail-type: [IVS Stream State Change], detail: {event_name: [Stream Start]}}}
    match: {tags: {tier: [gold]}}
    actions: [{set_ad_configuration: {configuration: show}}, {set_playback_restriction: {policy: europe, if_live: skip}}]
  - name: at-home-only
    trigger: {http: {name: rights}}
    match: {tags: {tier: [gold]}}
    actions: [{edit_playback_restriction: {policy: europe, allowed_countries: ["{{ http.body.country }}"]}}]
  - name: kick
    trigger: {http: {name: kick}}
    actions: [{revoke_viewers: {viewers: ["{{ http.body.viewer }}"], versions_up_to: 2}}]
  - name: new-show
    trigger: {http: {name: new-show}}
    actions:
      - ensure_recording_configuration: {name: "rec-{{ http.body.name }}", bucket: recordings}
      - provision_channel: {name: "{{ http.body.name }}", type: BASIC, deliver: {secrets_manager: "ivs/{{ http.body.name }}/stream-key"}}
`;

async function failuresOf(test: string): Promise<string[]> {
  const config = parseConfig(rules, 'x.yaml');
  if (!config.ok) throw new Error(config.problems.map(formatProblem).join('\n'));
  const parsed = parseRuleTests(`tests:\n${test}`, 'x.test.yaml', config.config.ruleset);
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
  const results = await Promise.all(parsed.tests.map((each) => runRuleTest(each, config.config.ruleset)));
  return results.flatMap(({ failures }) => failures);
}

it('ads wait for the end of the stream, and a restriction with if_live: skip is skipped', async () => {
  expect(
    await failuresOf(`
  - name: t
    channels: [{arn: ch/a, tags: {tier: gold}, adConfigurationArn: "", playbackRestrictionPolicyArn: ""}]
    timeline: ["0s ch/a HEALTHY", "60s ch/a OFFLINE"]
    expect:
      - at: 0s
        rule: ads-on
        results: {set_ad_configuration: deferred live, set_playback_restriction: skipped live}
        calls: []
      - {at: 60s, rule: ads-on, calls: ["UpdateChannel ch/a ads=show"]}
`),
  ).toEqual([]);
});

it('a request edits the policy of the matching channels, and no other', async () => {
  const arn = 'arn:aws:ivs:us-west-2:111122223333:playback-restriction-policy/europe';
  const test = (tier: string, expected: string) => `
  - name: t
    channels:
      - {arn: ch/a, tags: {tier: gold}, playbackRestrictionPolicyArn: "${arn}"}
      - {arn: ch/b, tags: {tier: ${tier}}, playbackRestrictionPolicyArn: "${arn}"}
    timeline: [{at: 5s, channel: ch/a, http: {name: rights, body: {country: GB}}}]
    expect: [{at: 5s, rule: at-home-only, ${expected}}]
`;
  const edited = `results: {edit_playback_restriction: done}, calls: ['UpdatePlaybackRestrictionPolicy europe {"allowedCountries":["GB"]}']`;
  const refused = 'results: {edit_playback_restriction: failed PLAYBACK_RESTRICTION_SHARED}, calls: []';

  expect(await failuresOf(test('gold', edited))).toEqual([]);
  expect(await failuresOf(test('silver', refused))).toEqual([]);
});

it('a request revokes a viewer, and a viewer id that is too long never becomes a job', async () => {
  expect(
    await failuresOf(`
  - name: t
    channels: [{arn: ch/a}]
    timeline:
      - {at: 1s, channel: ch/a, http: {name: kick, body: {viewer: ann}}}
      - {at: 2s, channel: ch/a, http: {name: kick, body: {viewer: "${'v'.repeat(41)}"}}}
    expect:
      - {at: 1s, rule: kick, calls: ["BatchStartViewerSessionRevocation ch/a viewers=1 versions<=2"]}
      - {at: 2s, rule: kick, jobs: []}
`),
  ).toEqual([]);
});

it('a request creates a channel with its recording configuration, and delivers its key', async () => {
  expect(
    await failuresOf(`
  - name: t
    channels: [{arn: ch/a}]
    timeline: [{at: 1s, http: {name: new-show, body: {name: cup}}}]
    expect:
      - at: 1s
        rule: new-show
        results: {ensure_recording_configuration: done, provision_channel: done}
        calls: [CreateRecordingConfiguration rec-cup bucket=recordings, CreateChannel cup, deliver]
`),
  ).toEqual([]);
});
