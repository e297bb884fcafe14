// The documents and the code say the same: generated ones are up to date, and every example of docs/rules.md works.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lintConfig } from '#config/lint.ts';
import { type Config, parseConfig } from '#config/load.ts';
import { formatProblem } from '#config/problem.ts';
import { parseRuleTests } from '#src/cli/rule-test/rule-test-file.ts';
import { runRuleTest } from '#src/cli/rule-test/run-rule-test.ts';
import { fillBlocks, generatedPages, ruleBlocks } from '../scripts/docs/pages.ts';

const read = (path: string) => readFileSync(join(import.meta.dirname, '..', path), 'utf8');

describe('generated documents are up to date (`npm run docs`)', async () => {
  it.each(Object.entries(await generatedPages()))('%s', (path, text) => {
    expect(read(path)).toBe(text);
  });

  it('docs/rules.md', () => {
    const text = read('docs/rules.md');

    expect(text).toBe(fillBlocks(text, ruleBlocks()));
  });
});

interface Example {
  readonly kind: 'rule' | 'config' | 'test';
  /** Of a test: the rule it is for, when that is not the example before. */
  readonly about: string | undefined;
  readonly line: number;
  readonly text: string;
}

const source = read('docs/rules.md');
const examples: readonly Example[] = [
  ...source.matchAll(/^```yaml (rule|config|test)(?: (\S+))?\n([\s\S]*?)^```$/gm),
].map(({ 1: kind, 2: about, 3: text = '', index }) => ({
  kind: kind as Example['kind'],
  about,
  line: source.slice(0, index).split('\n').length,
  text,
}));
const receivers = 'receivers: [{name: noc, webhook_configs: [{url_file: /run/secrets/noc_url}]}]';

/** The configuration an example stands for: a rule alone gets a file around it. */
function configOf({ kind, text, line }: Example): Config {
  const whole = kind === 'config' ? text : `version: 1\n${receivers}\nrules:\n${text.replaceAll(/^/gm, '  ')}\n`;
  const result = parseConfig(whole, `docs/rules.md, example at line ${line}`);
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.config;
}

/** The example that a test is for. */
function testedBy(test: Example): Config {
  const before = examples.filter(({ kind, line }) => kind !== 'test' && line < test.line).map(configOf);
  const named = before.find(({ ruleset }) => ruleset.rules.some(({ name }) => name === test.about));
  const config = test.about === undefined ? before.at(-1) : named;
  if (!config) throw new Error(`there is nothing to test at line ${test.line}`);
  return config;
}

describe('the examples of docs/rules.md', () => {
  it('are all of a known kind', () => {
    expect([...source.matchAll(/^```\S+/gm)].length).toBe(examples.length);
    expect(examples.length).toBeGreaterThan(10);
  });

  it.each(examples.filter(({ kind }) => kind !== 'test'))('$kind at line $line is valid', (example) => {
    expect(lintConfig(configOf(example)).map(formatProblem)).toEqual([]);
  });

  it.each(examples.filter(({ kind }) => kind === 'test'))('test at line $line passes', async (example) => {
    const { ruleset } = testedBy(example);
    const parsed = parseRuleTests(example.text, 'docs/rules.md', ruleset);
    if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
    const failures = [];
    for (const ruleTest of parsed.tests) failures.push(...(await runRuleTest(ruleTest, ruleset)).failures);

    expect(failures).toEqual([]);
  });
});

describe('the promises of docs/security.md', () => {
  const [, table = ''] = /^## Threats and promises\n([\s\S]*?)^## /m.exec(read('docs/security.md')) ?? [];
  const rows = table.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| Threat'));

  it.each(rows)('%s', (row) => {
    const [, threat, promise, tests, ...rest] = row.split(' | ').flatMap((cell) => cell.split(/^\| | \|$/));
    const named = Array.from((tests ?? '').matchAll(/`([^`]+)`/g), ([, path]) => path!);

    expect([threat, promise].every((cell) => (cell ?? '') !== '')).toBe(true);
    expect(rest.filter((cell) => cell !== '')).toEqual([]);
    expect(named.length).toBeGreaterThan(0);
    for (const path of named) expect(read(path)).toMatch(/\b(test|it)(\.each)?\(/);
  });
});

describe('the tests that docs/operations.md names for its promises', () => {
  const named = [...read('docs/operations.md').matchAll(/`(test\/[^`]+\.ts)`: ([^;|]+?)\s*(?=[;|])/g)];

  it('are some', () => expect(named.length).toBeGreaterThan(10));

  it.each(named.map(([, file = '', title = '']) => [file, title]))('%s: %s', (file, title) => {
    // A title that is filled in for each case is named as far as it is the same.
    expect(read(file)).toContain(title.split('…')[0]!.trim());
  });
});

describe('the decisions', () => {
  const folder = join(import.meta.dirname, '../docs/decisions');
  const files = readdirSync(folder).filter((name) => name !== 'README.md');

  it.each(files)('%s has its number, a date and a status', (name) => {
    const [title, , line] = read(`docs/decisions/${name}`).split('\n');

    expect(name).toMatch(/^\d{4}-[a-z-]+\.md$/);
    expect(title).toMatch(new RegExp(`^# ${name.slice(0, 4)} \\S`));
    expect(line).toMatch(/^Date: \d{4}-\d{2}-\d{2} · Status: (accepted|superseded by \d{4}|withdrawn)$/);
  });

  it('are listed with title, date and status', () => {
    const rows = files.toSorted().map((name) => {
      const [title = '', , line = ''] = read(`docs/decisions/${name}`).split('\n');
      const [, date, status] = line.match(/^Date: (\S+) · Status: (.*)$/) ?? [];
      const number = name.slice(0, 4);
      return `| [${number}](${name}) | ${date} | ${status} | ${title.slice(`# ${number} `.length)} |`;
    });

    const listed = read('docs/decisions/README.md').match(/^\| \[\d{4}\].*$/gm);

    expect(listed).toEqual(rows);
  });
});

describe('CONTRIBUTING.md', () => {
  const text = read('CONTRIBUTING.md');

  it('names files and folders that exist', () => {
    const named = [
      ...text.matchAll(
        /`(?:node scripts\/run\.mjs .* )?((?:\.ci|src|test|workers|config|docs|simulator|scripts)\/[\w./-]*)/g,
      ),
    ];
    const missing = named
      .map(([, path = '']) => path)
      .filter((path) => !existsSync(join(import.meta.dirname, '..', path)));

    expect(named.length).toBeGreaterThan(20);
    expect(missing).toEqual([]);
  });

  it('names scripts that package.json has', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = [...text.matchAll(/npm run ([a-z:]+)/g)].map(([, name]) => name);

    expect(named.filter((name) => scripts[name!] === undefined)).toEqual([]);
  });
});
