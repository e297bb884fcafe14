// The settings of channels in patterns, templates and rule tests: each of them, with right and wrong values.
import { describe, expect, it } from 'vitest';
import { lintConfig } from '#config/lint.ts';
import { parseConfig } from '#config/load.ts';
import { formatProblem } from '#config/problem.ts';
import { parseRuleTests } from '#src/cli/rule-test/rule-test-file.ts';
import { runRuleTest } from '#src/cli/rule-test/run-rule-test.ts';
import { configSchemaAt } from '#test/support/json-schema.ts';

function configOf(match: string, text = 'x') {
  return parseConfig(
    `version: 1
receivers: [{name: noc, webhook_configs: [{url_file: /x}]}]
rules:
  - name: r
    trigger: {state: {health: [STARVING]}}
    match: ${match}
    actions: [{notify: {receiver: noc, text: ${JSON.stringify(text)}}}]
    guards: {max_live_percent: 100}
`,
    'f.yaml',
  );
}

function problemsOf(match: string, text?: string): string[] {
  const result = configOf(match, text);
  return (result.ok ? lintConfig(result.config) : result.problems).map(formatProblem);
}

/** The result of a rule test whose only channel has these settings. */
async function failuresOf(match: string, { channel, text, said }: { channel: string; text: string; said: string }) {
  const config = configOf(match, text);
  if (!config.ok) throw new Error(config.problems.map(formatProblem).join('\n'));
  const params = `params: {notify: {text: ${JSON.stringify(said)}}}`;
  const file = `tests:
  - name: t
    channels: [{arn: ch/a, ${channel}}]
    timeline: ["0s ch/a HEALTHY", "10s ch/a STARVING"]
    expect: [{at: 10s, rule: r, channel: ch/a, jobs: [notify], ${params}}]
`;
  const parsed = parseRuleTests(file, 'f.test.yaml', config.config.ruleset);
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
  const results = await Promise.all(parsed.tests.map((test) => runRuleTest(test, config.config.ruleset)));
  return results.flatMap(({ failures }) => failures);
}

const policy = 'arn:aws:ivs:us-west-2:111122223333:playback-restriction-policy/AbCdEfGhIjKl';
const ads = 'arn:aws:ivs:us-west-2:111122223333:ad-configuration/AbCdEfGhIjKl';

describe('a setting of a channel', () => {
  it.each([
    ['authorized', 'true', 'authorized: [true]', 'true'],
    ['insecureIngest', 'true', 'insecureIngest: [true]', 'true'],
    ['preset', 'HIGHER_BANDWIDTH_DELIVERY', 'preset: [{prefix: HIGHER}]', 'HIGHER_BANDWIDTH_DELIVERY'],
    ['containerFormat', 'TS', 'containerFormat: [{anything-but: [FRAGMENTED_MP4]}]', 'TS'],
    ['latencyMode', 'NORMAL', 'latencyMode: [NORMAL]', 'NORMAL'],
    ['type', 'ADVANCED_HD', 'type: [ADVANCED_HD, ADVANCED_SD]', 'ADVANCED_HD'],
    ['playbackRestrictionPolicyArn', policy, `playbackRestrictionPolicyArn: ["${policy}"]`, policy],
    ['adConfigurationArn', ads, 'adConfigurationArn: [{anything-but: ""}]', ads],
    [
      'multitrackInputConfiguration',
      '{enabled: true, policy: REQUIRE, maximumResolution: HD}',
      'multitrackInputConfiguration: {enabled: [true], policy: [REQUIRE]}',
      'HD',
    ],
    [
      'multitrackInputConfiguration',
      '{enabled: true, policy: ALLOW, maximumResolution: SD}',
      'multitrackInputConfiguration.maximumResolution: [SD]',
      'SD',
    ],
  ])('%s: %s is matched and printed', async (name, value, match, said) => {
    const field = name === 'multitrackInputConfiguration' ? `${name}.maximumResolution` : name;
    const text = `{{ channel.${field} }}`;

    expect(problemsOf(`{${match}}`, text)).toEqual([]);
    expect(await failuresOf(`{${match}}`, { channel: `${name}: ${value}`, text, said })).toEqual([]);
  });

  it.each([
    ['authorized', 'insecureIngest: true'],
    ['containerFormat', 'type: BASIC'],
    ['multitrackInputConfiguration.enabled', 'authorized: true'],
  ])('%s that is unknown is absent', async (name, channel) => {
    const match = `{${name}: [{exists: false}]}`;

    expect(await failuresOf(match, { channel, text: 'x', said: 'x' })).toEqual([]);
  });

  it.each([
    ['authorized: ["true"]', 'authorized[0]: authorized: expected true or false, without quotation marks'],
    ['preset: [FAST]', 'preset[0]: preset: FAST is not possible'],
    ['containerFormat: [FMP4]', 'containerFormat[0]: containerFormat: FMP4 is not possible'],
    ['containerFormat: [{prefix: M}]', 'none of TS, FRAGMENTED_MP4 matches'],
    ['adConfigurationArn: ["show"]', 'expected empty, or an ARN such as'],
    ['playbackRestrictionPolicyArn: [{suffix: "_"}]', 'expected empty, or an ARN such as'],
    ['containerFormt: [TS]', 'unknown field containerFormt (did you mean containerFormat?)'],
    ['multitrackInputConfiguration: [true]', 'multitrackInputConfiguration is an object: name one of its fields'],
    ['multitrackInputConfiguration: {on: [true]}', 'multitrackInputConfiguration.on: unknown field on'],
    ['multitrackInputConfiguration.policy: [MAY]', 'policy: MAY is not possible; there are ALLOW, REQUIRE'],
    ['multitrackInputConfiguration: {policy: {a: [ALLOW]}}', 'policy has no fields of its own'],
  ])('%s is an error that names its place', (match, message) => {
    const [first = '', ...more] = problemsOf(`{${match}}`);

    expect(more).toEqual([]);
    expect(first).toMatch(/^f\.yaml:6:\d+ rules\[0\]\.match[.[]/);
    expect(first).toContain(message);
  });

  it('is offered to editors, and a template that names an unknown one is refused', () => {
    const at = (path: string) => configSchemaAt(`properties.rules.items.properties.match.properties.${path}`);
    const multitrack = (path: string) => at(`multitrackInputConfiguration.${path}`);

    expect(at('containerFormat.items.anyOf.0')).toEqual({ enum: ['TS', 'FRAGMENTED_MP4'] });
    expect(at('authorized.items.anyOf.0')).toEqual({ type: 'boolean' });
    expect(multitrack('properties.policy.items.anyOf.0.enum')).toEqual(['ALLOW', 'REQUIRE']);
    expect(multitrack('additionalProperties')).toBe(false);
    expect(problemsOf('{type: [BASIC]}', '{{ channel.multitrackInputConfiguration.track }}')[0]).toContain(
      'channel.multitrackInputConfiguration has no field track',
    );
  });
});
