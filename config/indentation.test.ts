import { expect, test } from 'vitest';
import { parseYaml } from './yaml.ts';

/** The problems of a text, as `line:column message`. */
function problemsOf(text: string): string[] {
  const result = parseYaml(text, 'f.yaml');
  return result.ok ? [] : result.problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

const check = (line: number, column: number) =>
  `${line}:${column} YAML: check the indentation of line ${line}: it does not line up with the lines above it`;

const rule = `rules:
  - name: a
    trigger: {http: {name: a}}
    actions:
      - notify: {receiver: noc, text: x}
      - stop_stream: {}
  # the next one
  - name: b
    trigger:
      http:
        name: b
    actions:
      - stop_stream: {}
`;

test('the text is right to begin with', () => {
  expect(problemsOf(rule)).toEqual([]);
});

// One space too few or too many, in every line where that breaks the file: the line itself is named, or the one that it no longer fits.
test.each([
  ['   trigger: {http', '    trigger: {http', check(3, 4)],
  ['     trigger: {http', '    trigger: {http', check(3, 6)],
  ['   actions:\n      - notify', '    actions:\n      - notify', check(4, 4)],
  ['     - stop_stream: {}\n  #', '      - stop_stream: {}\n  #', check(6, 6)],
  [' - name: b', '  - name: b', check(8, 2)],
  ['   - name: b', '  - name: b', check(8, 4)],
  ['   trigger:\n', '    trigger:\n', check(9, 4)],
  ['   actions:\n      - stop_stream: {}\n', '    actions:\n      - stop_stream: {}\n', check(12, 4)],
  ['  actions:\n      - stop_stream: {}\n', '    actions:\n      - stop_stream: {}\n', check(12, 3)],
])('%j for %j', (wrong, right, problem) => {
  expect(problemsOf(rule.replace(right, wrong))).toEqual([problem]);
});

test.each([
  ['a: b: c\n', /^1:4 YAML: Nested mappings/],
  ['a: [1,\n', /^2:1 YAML: Flow sequence/],
  ['a:\n\t- b\n', /^2:1 YAML: Tabs/],
  ['a: 1\nb c\nd: 2\n', /^2:1 YAML: /],
])('%j is no question of indentation', (text, problem) => {
  const problems = problemsOf(text);
  expect(problems[0]).toMatch(problem);
  expect(problems.join('\n')).not.toContain('indentation of line');
});
