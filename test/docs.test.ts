// The documents match the code: generated ones are up to date, and every example of docs/rules.md works.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { Script } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { lintConfig } from '#config/lint.ts';
import { type Config, parseConfig } from '#config/load.ts';
import { formatProblem } from '#config/problem.ts';
import { ROUTES } from '#simulator/control/routes.ts';
import { parseScenario } from '#simulator/scenario/parse.ts';
import { createProgram } from '#src/cli/main.ts';
import { parseRuleTests } from '#src/cli/rule-test/rule-test-file.ts';
import { runRuleTest } from '#src/cli/rule-test/run-rule-test.ts';
import { textsOf, tooLong, unwanted } from '#test/support/plain-words.ts';
import { allPages, kinds, listedFolders, targetOf } from '../docs-site/navigation.mjs';
import { fillBlocks, generatedPages, partlyGenerated } from '../scripts/docs/pages.ts';

const read = (path: string) => readFileSync(join(import.meta.dirname, '..', path), 'utf8');

describe('generated documents are up to date (`npm run docs`)', async () => {
  it.each(Object.entries(await generatedPages()))('%s', (path, text) => {
    expect(read(path)).toBe(text);
  });

  it.each(Object.entries(partlyGenerated()))('parts of %s', (path, blocks) => {
    const text = read(path);

    expect(text).toBe(fillBlocks(path, text, blocks));
  });
});

const receivers = 'receivers: [{name: noc, webhook_configs: [{url_file: /run/secrets/noc_url}]}]';

interface Example {
  readonly kind: 'rule' | 'config' | 'test';
  /** For a test: the rule it is for, if that is not the preceding example. */
  readonly about: string | undefined;
  readonly line: number;
  readonly text: string;
}

describe.each([
  ['docs/rules.md', 10],
  ['docs/recipes.md', 9],
  ['docs/first-hour.md', 1],
])('the examples of %s', (path, most) => {
  const source = read(path);
  const examples: readonly Example[] = [
    ...source.matchAll(/^```yaml (rule|config|test)(?: (\S+))?\n([\s\S]*?)^```$/gm),
  ].map(({ 1: kind, 2: about, 3: text = '', index }) => ({
    kind: kind as Example['kind'],
    about,
    line: source.slice(0, index).split('\n').length,
    text,
  }));

  /** The configuration that an example represents: a rule alone gets a file around it. */
  function configOf({ kind, text, line }: Example): Config {
    const whole = kind === 'config' ? text : `version: 1\n${receivers}\nrules:\n${text.replaceAll(/^/gm, '  ')}\n`;
    const result = parseConfig(whole, `${path}, example at line ${line}`);
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

  it('are all of a known kind', () => {
    expect([...source.matchAll(/^```yaml/gm)].length).toBe(examples.length);
    expect(examples.length).toBeGreaterThan(most);
  });

  it.each(examples.filter(({ kind }) => kind !== 'test'))('$kind at line $line is valid', (example) => {
    expect(lintConfig(configOf(example)).map(formatProblem)).toEqual([]);
  });

  it.each(examples.filter(({ kind }) => kind === 'test'))('test at line $line passes', async (example) => {
    const { ruleset } = testedBy(example);
    const parsed = parseRuleTests(example.text, path, ruleset);
    if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
    const failures = [];
    for (const one of parsed.tests) failures.push(...(await runRuleTest(one, ruleset)).failures);

    expect(failures).toEqual([]);
  });
});

const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'simulator/README.md',
  'src/player/README.md',
  ...readdirSync(join(import.meta.dirname, '..', 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

interface Fence {
  readonly path: string;
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

const fences: readonly Fence[] = documents.flatMap((path) => {
  const source = read(path);
  return [...source.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)].map(({ 1: language = '', 2: text = '', index }) => ({
    path,
    line: source.slice(0, index).split('\n').length,
    language,
    text,
  }));
});
const inLanguage = (...languages: readonly string[]) => fences.filter(({ language }) => languages.includes(language));

describe('every other example', () => {
  it('is in a language that is checked here, or is for people only', () => {
    const looked = /^(?:yaml|yaml (?:rule|config|test).*|json|sh|console||js|ts|python|mermaid)$/;
    expect(fences.filter(({ language }) => !looked.test(language)).map(({ path, line }) => `${path}:${line}`)).toEqual(
      [],
    );
  });

  it.each(inLanguage('json'))('$path:$line is JSON', ({ text }) => {
    for (const one of text.trim().split(/\n(?=\{)/)) expect(() => JSON.parse(one)).not.toThrow();
  });

  it.each(inLanguage('js', 'ts'))('$path:$line is JavaScript', ({ text }) => {
    const body = text.replaceAll(/^import .*$/gm, '').replaceAll(/^await using (\w+)/gm, 'const $1');
    expect(() => new Script(`async () => {\n${body}\n}`)).not.toThrow();
  });

  it.each(fences.filter(({ path, language }) => path === 'simulator/README.md' && language === 'yaml'))(
    'the scenario at $path:$line is valid',
    ({ text }) => expect(() => parseScenario(text)).not.toThrow(),
  );
});

/** Lines of a shell with their continuations, without comments. */
function shellLines({ text }: Fence): string[] {
  return text
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .map((line) =>
      line
        .replace(/^\$ /, '')
        .replace(/\s+#\s.*$/, '')
        .trim(),
    );
}

/** The words of a command, split as by a shell. */
function wordsOf(command: string): string[] {
  return [...command.matchAll(/(?:"(?:\\.|[^"])*"|'[^']*'|[^\s"'])+/g)].map(([word]) =>
    word.replaceAll(/"((?:\\.|[^"])*)"|'([^']*)'/g, (_, double?: string, single?: string) => double ?? single ?? ''),
  );
}

describe('the commands of the documents', () => {
  const shells = inLanguage('sh', 'console', '');
  const commands = shells.flatMap((fence) =>
    shellLines(fence).flatMap((line) => {
      const command = /(?:^|[;&|] ?)(?:\w+=\S+ )*(?:npx )?ivs-autopilot (?<args>[^|;&>]+)/.exec(line)?.groups?.['args'];
      return command === undefined ? [] : [{ place: `${fence.path}:${fence.line}`, command: command.trim() }];
    }),
  );

  it('exist', () => expect(commands.length).toBeGreaterThan(15));

  it.each(commands)('$place: ivs-autopilot $command', async ({ command }) => {
    const said: string[] = [];
    const io = {
      print: () => undefined,
      printError: (line: string) => void said.push(line),
      env: {},
      signal: new AbortController().signal,
    };
    const program = createProgram(io);
    const leaves = (each: typeof program): (typeof program)[] => [each, ...each.commands.flatMap(leaves)];
    let ran = false;
    // Only the words are tried: the effect of a command does not matter here.
    for (const each of leaves(program).filter(({ commands: inner }) => inner.length === 0))
      each.action(() => void (ran = true));
    const words = wordsOf(command)
      .filter((word) => word !== '…')
      .map((word) => word.replace(/^\$(?:IVS|SQS)$/, '4599'));
    const outcome = await program.parseAsync(['node', 'ivs-autopilot', ...words]).then(
      () => 'ran',
      (error: { code?: string }) => error.code,
    );

    expect([outcome, said]).toEqual([
      /--help|-V|--version/.test(command) ? expect.stringMatching(/help|version/) : 'ran',
      [],
    ]);
    if (outcome === 'ran') expect(ran).toBe(true);
  });

  it.each(
    shells.flatMap((fence) =>
      shellLines(fence).flatMap((line) => /\bnpm run (?:--silent )?([\w:-]+)/.exec(line)?.[1] ?? []),
    ),
  )('npm run %s is a script', (script) => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: object };
    expect(scripts).toHaveProperty([script]);
  });

  it.each(
    inLanguage('console')
      .filter(({ path }) => ['simulator/README.md', 'docs/first-hour.md'].includes(path))
      .flatMap(shellLines)
      .filter((line) => line.startsWith('curl ') && line.includes('/_simulator')),
  )('%s', (line) => {
    const words = wordsOf(line);
    const sent = words.includes('-d') ? words[words.indexOf('-d') + 1]! : undefined;
    const method = words.includes('-X') ? words[words.indexOf('-X') + 1] : sent === undefined ? 'GET' : 'POST';
    const [, path] = /\/_simulator([^\s?]+)/.exec(words.find((word) => word.includes('/_simulator'))!)!;
    const route = ROUTES[`${method} ${path}`];

    expect(route).toBeDefined();
    if (sent !== undefined) expect(route!.body?.safeParse(JSON.parse(sent))).toMatchObject({ success: true });
  });
});

describe('your first hour', () => {
  const page = read('docs/first-hour.md');
  const shell = Array.from(page.matchAll(/^```(?:sh|console)\n([\s\S]*?)^```$/gm), ([, text]) => text!);

  it('names each port once, in a block of variables that is pasted into every terminal', () => {
    const [block] = shell.filter((text) => text.startsWith('IVS='));
    const known = Array.from(block!.matchAll(/\b([A-Z_]+)=/g), ([, name]) => name!);
    const commands = shell
      .filter((text) => text !== block)
      .flatMap((text) => text.split('\n').filter((line) => line.startsWith('$ ')));

    const used = [block!, ...commands].flatMap((text) =>
      Array.from(text.matchAll(/\$([A-Z_]+)/g), ([, name]) => name!),
    );
    expect(used.filter((name) => !known.includes(name))).toEqual(['REPOSITORY']);
    expect(commands.filter((line) => /\b(?:4599|4566|8080)\b/.test(line))).toEqual([]);
    for (const port of ['4599', '4566', '8080']) expect(block!.split(port)).toHaveLength(2);
  });
});

describe('the site of the documents', () => {
  const root = join(import.meta.dirname, '..');
  const filesOf = (folder: string) => readdirSync(join(root, folder));
  const pages = allPages(filesOf);
  const everyDocument = ['.', 'docs', 'simulator', 'src', 'deploy', 'examples', 'web', 'bench', 'demo', 'config']
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: folder !== '.' }).map((name) => posix.join(folder, String(name))),
    )
    // Results of a bench are from one machine, and are not kept.
    .filter((path) => path.endsWith('.md') && !/(^|\/)node_modules\/|^bench\/results\//.test(path));

  it('lists every document in docs-site/navigation.mjs, once', () => {
    expect(pages.toSorted()).toEqual(everyDocument.toSorted());
  });

  it('separates the four kinds of documentation, with generated documents in the reference', () => {
    expect(kinds.map(({ kind }) => kind)).toEqual(['Tutorial', 'How-to', 'Reference', 'Explanation']);
    const ofKind = (kind: string) =>
      kinds
        .filter((one) => one.kind === kind)
        .flatMap(({ groups }) => groups.flatMap((group) => group.pages.map(({ path }) => path)));
    for (const { kind } of kinds) expect(ofKind(kind).length).toBeGreaterThan(0);
    for (const made of everyDocument.filter((path) => read(path).startsWith('<!-- Made from')))
      expect(ofKind('Reference')).toContain(made);
    for (const folder of listedFolders) expect(ofKind('Explanation')).toContain(`${folder}/README.md`);
  });

  it.each(pages)('%s links to pages, and to files that are copied', (path) => {
    const prose = read(path)
      .replaceAll(/^```[\s\S]*?^```$/gm, '')
      .replaceAll(/`[^`\n]*`/g, '');
    const links = Array.from(prose.matchAll(/\]\(([^)\s]+)\)/g), ([, target]) => target!).filter(
      (one) => !/^[a-z]+:/.test(one),
    );
    links.push(...Array.from(prose.matchAll(/<img\b[^>]*\ssrc="([^"]+)"/g), ([, target]) => target!));
    const isFile = (file: string) => statSync(join(root, file), { throwIfNoEntry: false })?.isFile() === true;
    const site = { pages: new Set(pages), isFile };

    expect(links.filter((link) => targetOf(path, link, site) === undefined)).toEqual([]);
  });

  it('is built by the workflow for every change', () => {
    expect(read('.github/workflows/ci.yml')).toMatch(/^ +- run: npm run site$/m);
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

  it('exist', () => expect(named.length).toBeGreaterThan(10));

  it.each(named.map(([, file = '', title = '']) => [file, title]))('%s: %s', (file, title) => {
    // A title with parameters is named by its beginning.
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

  it('names scripts of package.json', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = [...text.matchAll(/npm run ([a-z:]+)/g)].map(([, name]) => name);

    expect(named.filter((name) => scripts[name!] === undefined)).toEqual([]);
  });
});

describe('the words of the documents', () => {
  // The changelog is a list of short notes.
  const paragraphs = [
    '.',
    'docs',
    'docs/decisions',
    'simulator',
    'src/client',
    'src/player',
    'deploy/helm/ivs-autopilot',
  ]
    .flatMap((folder) => readdirSync(join(import.meta.dirname, '..', folder)).map((name) => join(folder, name)))
    .filter((path) => path.endsWith('.md') && path !== 'CHANGELOG.md')
    .flatMap((path) => textsOf(path, read(path)));

  it('exist', () => expect(paragraphs.length).toBeGreaterThan(3000));

  it('have short sentences', () => expect(paragraphs.flatMap(tooLong)).toEqual([]));

  it('have no placeholder, no empty word and no phrase that reads as translated', () => {
    // The guide names the phrases that it forbids.
    const judged = paragraphs.filter(([place, text]) => !(place.startsWith('CONTRIBUTING.md') && /[“"]/.test(text)));

    expect(judged.flatMap(unwanted)).toEqual([]);
  });
});
