// Any configuration file leads to problems with places, or to a configuration that the engine can work with. Never to a crash or a hang.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { actionNames } from '#domain/action.ts';
import { cpuMsSince } from '#test/support/effort.ts';
import { lintConfig } from './lint.ts';
import { parseConfig } from './load.ts';

const example = readFileSync(new URL('./autopilot.example.yaml', import.meta.url), 'utf8');
/** The second rule of the example, with what it needs. */
const oneRule = `version: 1\nreceivers: [{name: noc, webhook_configs: [{url_file: /x}]}]\nrules:\n${/ {2}- name: starving-slate\n[\s\S]*?\n\n/.exec(example)![0]}`;
/** Processor time for one file. */
const boundMs = 2_000;

/** Parses within its limit; what is accepted is also linted and matched. */
function parse(text: string): boolean {
  const started = process.cpuUsage();
  const result = parseConfig(text, 'f.yaml');
  if (result.ok) {
    lintConfig(result.config);
    for (const rule of result.config.ruleset.rules) exercise(rule);
  } else {
    expect(result.problems.length).toBeGreaterThan(0);
    for (const { line, column, message } of result.problems) {
      expect(line).toBeGreaterThan(0);
      expect(column).toBeGreaterThan(0);
      expect(message).not.toBe('');
    }
  }
  expect(cpuMsSince(started)).toBeLessThan(boundMs);
  return result.ok;
}

type Rule = Extract<ReturnType<typeof parseConfig>, { ok: true }>['config']['ruleset']['rules'][number];

/** Matchers and templates get documents that they do not expect. */
function exercise(rule: Rule): void {
  for (const document of [undefined, null, 5, [], {}, { detail: [[]] }, { tags: null, health: {} }]) {
    rule.match?.match(document);
    rule.while?.match(document);
    if ('pattern' in rule.trigger) rule.trigger.pattern.match(document);
  }
  for (const step of [...rule.actions, ...rule.onResolve]) step.render({ rule, firing: {} } as never);
}

const words =
  'a live health STARVING tags tier exists numeric prefix anything-but $or __proto__ constructor rules name event state detail 30s *';
const word = fc.constantFrom(...words.split(' '), '', '{{ channel.name }}', '{% for i in (1..9) %}');
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    word,
    fc.double({ noDefaultInfinity: false }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(word, tie('value'), { maxKeys: 4 }),
  ),
})).value;

describe('a configuration file', () => {
  it('with any text is refused or accepted, with a place for every problem', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400, unit: 'binary' }), (text) => void parse(text)),
      { numRuns: 300 },
    );
  });

  it('with YAML of any values', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.oneof(word, fc.constantFrom('version', 'rules', 'defaults', 'receivers')), json),
        (value) => void parse(stringify(value)),
      ),
      { numRuns: 200 },
    );
  });

  it('with rules of any values', () => {
    const action = fc.constantFrom(...actionNames).chain((name) => json.map((params) => ({ [name]: params })));
    const rule = fc.record({
      name: fc.constantFrom('r', 'r2', ''),
      trigger: fc.dictionary(
        fc.constantFrom('event', 'state', 'aggregate', 'threshold', 'schedule', 'key_age', 'http'),
        json,
        {
          minKeys: 1,
          maxKeys: 1,
        },
      ),
      match: fc.option(json, { nil: undefined }),
      while: fc.option(json, { nil: undefined }),
      actions: fc.array(action, { minLength: 1, maxLength: 2 }),
    });
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 3 }), (rules) => void parse(stringify({ version: 1, rules }))),
      { numRuns: 300 },
    );
  });

  it('with a rule whose bytes were cut out, doubled or replaced', () => {
    const edit = fc.record({
      at: fc.nat(oneRule.length),
      cut: fc.nat(12),
      insert: fc.oneof(
        fc.constantFrom('{', '}', '[', ']', ': ', '&a ', '*a', '!!x ', '\n', '- ', '"', "'", '{{', '}}', '%', '|', '0'),
        fc.string({ maxLength: 4 }),
      ),
    });
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        let text = oneRule;
        for (const { at, cut, insert } of edits) text = text.slice(0, at) + insert + text.slice(at + cut);
        if (parse(text)) accepted += 1;
      }),
      { numRuns: 200 },
    );
    // Edits within comments and texts are harmless; almost all others must be noticed.
    expect(accepted).toBeLessThan(120);
  });

  it('never has an unknown key that is ignored', () => {
    const keys = [...example.matchAll(/\b([a-z_]+):(?= )/g)].map(({ 1: key = '', index }) => ({ key, index }));
    const structural = keys.filter(
      ({ index }) =>
        !example.slice(0, index).split('\n').at(-1)!.includes('payload') &&
        !/#.*$/.test(example.slice(0, index).split('\n').at(-1)!),
    );

    fc.assert(
      fc.property(fc.constantFrom(...structural), ({ key, index }) => {
        const before = example.slice(0, index).split('\n').at(-1)!;
        // Keys of tags and of an event's detail are free.
        fc.pre(!/tags: \{|detail: \{/.test(before));
        expect(
          parse(`${example.slice(0, index)}${key}zz${example.slice(index + key.length)}`),
          `${before}${key}zz`,
        ).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    [
      'a pattern of a thousand levels',
      `version: 1\nrules: [{name: r, trigger: {event: ${'{a: '.repeat(1000)}[1]${'}'.repeat(1000)}}}]`,
    ],
    [
      'a template of a thousand loops',
      `version: 1\nrules: [{name: r, trigger: {state: {live: [true]}}, actions: [{put_metadata: {payload: "${'{% for i in (1..9) %}'.repeat(500)}x${'{% endfor %}'.repeat(500)}"}}]}]`,
    ],
    [
      'a wildcard of a thousand stars',
      `version: 1\nrules: [{name: r, trigger: {event: {detail: {x: [{wildcard: "${'*a'.repeat(1000)}"}]}}}, actions: [{put_metadata: {payload: x}}]}]`,
    ],
    [
      'a matcher that would hang',
      `version: 1\ninhibit_rules: [{source_matchers: ['rule=~"(a|a)*(a|a)*b"'], target_matchers: ['rule=~"(.*)*(.*)*(.*)*x"']}]`,
    ],
    ['ten thousand references', `version: 1\nevents: &e {queue_url: x}\nrules: [${'*e,'.repeat(10_000)}]`],
    [
      '$or upon $or',
      `version: 1\nrules: [{name: r, trigger: {event: {${Array.from({ length: 14 }, (_, index) => `f${index}: {$or: [{a: [1]}, {b: [2]}]}`).join(', ')}}}}]`,
    ],
  ])('%s takes no time', (_, text) => {
    parse(text);
  });

  /** A text that doubles, or grows faster, with each step. */
  const grown = (start: string, step: string, times: number) =>
    `{% assign a = ${start} %}${`{% assign a = a | ${step} %}`.repeat(times)}{{ a | size }}`;
  const loops = (inner: string) => `${'{% for i in (1..1000) %}'.repeat(3)}${inner}${'{% endfor %}'.repeat(3)}`;
  it.each([
    ['counts to a hundred million', '{% for i in (1..100000000) %}x{% endfor %}'],
    ['prints in loops in loops', loops('x')],
    ['loops in loops for nothing', loops('')],
    ['appends itself', grown("'xxxxxxxxxx'", 'append: a', 40)],
    ['joins itself with itself', grown("'xxxxxxxxxx'", "split: '' | join: a", 7)],
    ['lengthens what it replaces', grown("'xxxxxxxxxx'", "replace: 'x', 'xxxxxxxxxx'", 12)],
    ['makes lists of itself', grown("'x,x' | split: ','", 'concat: a', 40)],
    ['quotes quotation marks', grown("'\"'", 'json | json', 30)],
    ['takes a slice that does not exist', '{{ rule.name | slice: 0, 99999999999 }}'],
  ])('a template that %s is refused, or stopped when it is filled in', (_, template) => {
    const rule = {
      name: 'r',
      trigger: { state: { live: [true] } },
      actions: [{ put_metadata: { payload: template } }],
    };

    parse(stringify({ version: 1, rules: [rule] }));
  });
});
