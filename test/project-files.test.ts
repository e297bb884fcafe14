// What a team expects of a project that it depends on: its files exist, their forms parse, and every link of a document is valid.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** Every Markdown file of the repository. */
const documents = ['.', '.github', 'docs', 'simulator', 'src', 'deploy', 'examples', 'docs-site']
  .filter((folder) => existsSync(join(root, folder)))
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: folder !== '.' }).map((name) => join(folder, String(name))),
  )
  .filter((path) => path.endsWith('.md') && !path.includes('node_modules'));

/** Makes anchors from headings as GitHub does; text in backticks keeps its underscores, links keep their text. */
function anchorsOf(markdown: string): ReadonlySet<string> {
  const text = markdown.replaceAll(/^```[\s\S]*?^```$/gm, '');
  const seen = new Map<string, number>();
  const anchors = Array.from(text.matchAll(/^#{1,6} (.+)$/gm), ([, heading = '']) => {
    const anchor = heading
      .replaceAll(/\[([^\]]+)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-');
    const before = seen.get(anchor) ?? 0;
    seen.set(anchor, before + 1);
    return before === 0 ? anchor : `${anchor}-${before}`;
  });
  return new Set(anchors);
}

/** The document's links to inside this repository, outside of code. */
function linksOf(markdown: string): string[] {
  const prose = markdown.replaceAll(/^```[\s\S]*?^```$/gm, '').replaceAll(/`[^`\n]*`/g, '');
  return Array.from(prose.matchAll(/\]\(([^)\s]+)\)/g), ([, target]) => target!).filter(
    (target) => !/^[a-z]+:/.test(target),
  );
}

describe('links', () => {
  test('there are many documents and links', () => {
    expect(documents.length).toBeGreaterThan(40);
    expect(documents.flatMap((path) => linksOf(read(path))).length).toBeGreaterThan(80);
  });

  test.each(documents)('%s links to files and headings that exist', (path) => {
    const broken = linksOf(read(path)).filter((link) => {
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? join(root, path) : resolve(root, dirname(path), file);
      if (!existsSync(target)) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(target, 'utf8')).has(anchor);
    });

    expect(broken).toEqual([]);
  });

  test('a broken link would be found', () => {
    expect(linksOf('[a](b.md#c) `[no](x.md)` ![i](i.png) [web](https://example.com)')).toEqual(['b.md#c', 'i.png']);
    expect([...anchorsOf('# One `REDIS_URL`, two\n## Twice\n## Twice\n')]).toEqual([
      'one-redis_url-two',
      'twice',
      'twice-1',
    ]);
  });
});

describe('project files', () => {
  test.each(['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CODE_OF_CONDUCT.md', 'CHANGELOG.md', 'LICENSE'])(
    '%s exists and is not empty',
    (name) => {
      expect(read(name).length).toBeGreaterThan(300);
    },
  );

  test('SECURITY.md says which versions are supported and how to report in private', () => {
    const text = read('SECURITY.md');

    expect(text).toContain('## Supported versions');
    expect(text).toContain('private vulnerability reporting');
    expect(read('docs/security.md')).toContain('../SECURITY.md');
  });

  test.each(['bug.yml', 'feature.yml'])('the issue form %s has what GitHub needs', (name) => {
    const form = parse(read(`.github/ISSUE_TEMPLATE/${name}`)) as {
      name: string;
      description: string;
      body: { type: string; id?: string; attributes: { label?: string; value?: string } }[];
    };

    expect([form.name, form.description].every((text) => text.length > 5)).toBe(true);
    const ids = form.body.flatMap(({ id }) => id ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { type, attributes } of form.body) {
      expect(['markdown', 'input', 'textarea', 'dropdown', 'checkboxes']).toContain(type);
      expect(type === 'markdown' ? attributes.value : attributes.label).toBeTruthy();
    }
  });

  test('docs/releasing.md names files and scripts that exist', () => {
    const text = read('docs/releasing.md');
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = Array.from(text.matchAll(/`((?:test|\.github|scripts)\/[\w./-]+)`/g), ([, path]) => path!);

    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    const missing = Array.from(text.matchAll(/npm run ([a-z:]+)/g), ([, name]) => name!).filter(
      (name) => !scripts[name],
    );
    expect(missing).toEqual([]);
    expect(scripts['version']).toContain('scripts/release.ts version');
  });

  test('no document names a file of this repository by an absolute path', () => {
    const found = documents.filter((path) => read(path).includes(`${relative('/', root)}/`));

    expect(found).toEqual([]);
  });
});

test('package.json has each member once: a second one would silently replace the first', () => {
  expect(() => parse(read('package.json'), { uniqueKeys: true })).not.toThrow();
});
