import { describe, expect, test } from 'vitest';
import { lintConfig } from './lint.ts';
import { parseConfig } from './load.ts';
import { formatProblem } from './problem.ts';

const file = (approval: string, more = '') => `version: 1
receivers: [{name: noc, webhook_configs: [{url: "https://noc.example/hook"}]}]
${more}
rules:
  - name: stop
    trigger: {state: {health: [STARVING]}}
    match: {tags: {tier: [gold]}}
    actions: [{stop_stream: {}, approval: ${approval}}]
    guards: {max_per_hour: 10}
`;

function findings(text: string): string[] {
  const loaded = parseConfig(text, 'x.yaml');
  return (loaded.ok ? lintConfig(loaded.config) : loaded.problems).map(formatProblem);
}

const address = 'http: {external_url: "https://autopilot.example/"}';

test('what an approval requires has defaults: one operator, not the author, ten minutes', () => {
  const loaded = parseConfig(file('{}', address), 'x.yaml');
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  expect(loaded.config.ruleset.rules[0]?.actions[0]?.approval).toEqual({
    by: 'operator',
    count: 1,
    notByAuthor: true,
    timeoutMs: 600_000,
    show: ['health', 'viewerCount'],
    receiver: undefined,
  });
  expect(lintConfig(loaded.config)).toEqual([]);
});

describe('a mistake is reported with its place', () => {
  test.each([
    [
      '{}',
      '',
      'x.yaml:8:43 rules[0].actions[0].approval: the message of an approval has a link: set http.external_url',
    ],
    ['{by: viewer}', address, 'rules[0].actions[0].approval.by'],
    ['{count: 0}', address, 'approval.count'],
    ['{timeout: 1s}', address, 'approval.timeout: expected 10s to 7d'],
    ['{on_timeout: approve}', address, 'approval.on_timeout: expected cancel, got "approve"'],
    ['{cuont: 2}', address, 'unknown key cuont (did you mean count?)'],
    ['{show: [viewerCuont]}', address, 'approval.show[0]: unknown field "viewerCuont" (did you mean viewerCount?)'],
    ['{receiver: nok}', address, 'approval.receiver: unknown receiver nok (did you mean noc?)'],
    ['{}', 'http: {external_url: "ftp://x.example"}', 'http.external_url'],
  ])('%s', (approval, more, problem) => {
    expect(findings(file(approval, more))).toEqual([expect.stringContaining(problem)]);
  });

  test('also in on_resolve, and if the file has no receiver', () => {
    const text = file('{}', address)
      .replace(/^receivers.*\n/m, '')
      .replace('guards:', 'on_resolve: [{put_metadata: {payload: x}, approval: {}}]\n    guards:');
    expect(findings(text)).toEqual([
      expect.stringContaining('rules[0].actions[0].approval: warning: nobody gets a message about this approval'),
      expect.stringContaining('rules[0].on_resolve[0].approval: warning: nobody gets a message about this approval'),
    ]);
  });
});
