import { describe, expect, it } from 'vitest';
import { lintConfig } from '#config/lint.ts';
import { parseConfig } from '#config/load.ts';
import { formatProblem } from '#config/problem.ts';
import { checkLabelMatcher, problemOfMatcher } from './label-values.ts';

/** What is wrong with a matcher; empty: a label can satisfy it. */
function problemOf(text: string): string {
  const checked = checkLabelMatcher(text);
  if (!checked.ok) return `error: ${checked.message}`;
  const problem = problemOfMatcher(checked.matcher);
  return problem ? `${problem.severity}: ${problem.message}` : '';
}

describe('a matcher that no label satisfies', () => {
  it.each<[string, RegExp]>([
    ['action="stop_strem"', /no action matches stop_strem \(did you mean stop_stream\?\)/],
    ['action="Stop_Stream"', /no action matches/],
    ['action!="stop_strem"', /excludes nothing/],
    ['action=~"stop-.*"', /no action matches stop-\.\*/],
    ['action!~"stop"', /excludes nothing/],
    ['channel="not-an-arn"', /"?not-an-arn"? is not possible; expected an ARN of a channel/],
    ['channel="arn:aws:ivs:us-west-2:111122223333:stage/a"', /expected an ARN of a channel/],
    ['channel=~"AbCd|EfGh"', /expected an ARN of a channel/],
    ['channel!="AbCd"', /excludes nothing/],
    ['channel_name="my show"', /expected the name of a channel/],
    ['account="12345"', /twelve digits/],
    ['account=~"1111|2222"', /twelve digits/],
    ['region="us-east-2"', /Amazon IVS is not in us-east-2/],
    ['region="US West (Oregon)"', /write its code, us-west-2/],
    ['region=~"cn-.*"', /where Amazon IVS is not/],
  ])('%s', (text, message) => {
    expect(problemOf(text)).toMatch(message);
    expect(problemOf(text)).toMatch(/^error: /);
  });

  it('a Region that is newer than the table is only a warning', () => {
    expect(problemOf('region="eu-west-9"')).toMatch(/^warning: eu-west-9 was not known/);
  });

  it.each([
    'action="stop_stream"',
    'action=~"stop_.*|rotate_.*"',
    'action=""',
    'action!="notify"',
    'channel="arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl"',
    'channel=~".*AbCd"',
    'channel=""',
    'channel_name=~"show-.*"',
    'account="111122223333"',
    'region=~"eu-.*"',
    'region!="us-west-2"',
    'rule="anything"',
    'group="x"',
    'tag_show="My show"',
  ])('%s can be satisfied', (text) => {
    expect(problemOf(text)).toBe('');
  });
});

describe('the matchers of an inhibition', () => {
  const lintOf = (matchers: string) => {
    const text = `version: 1\ninhibit_rules: [{${matchers}}]\nrules: [{name: r, trigger: {state: {live: [true]}}, actions: [{emit_event: {detail_type: x, detail: {}}}]}]\n`;
    const result = parseConfig(text, 'f.yaml');
    return (result.ok ? lintConfig(result.config) : result.problems).map(formatProblem);
  };
  const sides = (source: string, target = 'rule="r"') =>
    lintOf(`source_matchers: ['rule="r"', '${source}'], target_matchers: ['${target}']`);

  it.each<[string, string, RegExp]>([
    ['channel="AbCd"', 'rule="r"', /inhibit_rules\[0\]\.source_matchers\[1\]: AbCd is not possible/],
    ['region="us-east-2"', 'rule="r"', /Amazon IVS is not in us-east-2/],
    ['region="US East (Ohio)"', 'rule="r"', /write its code/],
    ['account="1"', 'rule="r"', /twelve digits/],
    ['group="x"', 'action!="stop_strem"', /target_matchers\[0\]: no action matches stop_strem .*excludes nothing/],
    ['group="x"', 'rule!="rr"', /target_matchers\[0\]: no rule in this file has this name/],
    ['group="x"', 'action="notfy"', /target_matchers: no rule of this file ever matches/],
  ])('%s, %s', (source, target, message) => {
    expect(sides(source, target)).toEqual([expect.stringMatching(message)]);
  });

  it('and the labels of `equal`', () => {
    const matchers = `source_matchers: ['rule="r"'], target_matchers: ['rule="r"']`;

    expect(lintOf(`${matchers}, equal: [region, tag_show]`)).toEqual([]);
    expect(lintOf(`${matchers}, equal: [chanel]`)).toEqual([
      expect.stringContaining('equal[0]: unknown label chanel (did you mean channel?)'),
    ]);
  });
});
